"""`nethealth` and `python -m nethealth`: what takes longest to start is begun before all else."""

import sys
from contextlib import suppress


def main() -> None:
    """Run the command line.

    Captures are read by a process of their own. It is begun here, so that it loads what it needs
    while this one finds out what it was asked.
    """
    reading = None
    if sys.argv[1:3] == ["capture", "read"]:
        from probes.capture.worker import ReadingProcess  # noqa: PLC0415

        with suppress(OSError):  # where there is no room for it now, the command says so
            reading = ReadingProcess()
    from nethealth.cli import main as command  # noqa: PLC0415

    command(obj=reading)


if __name__ == "__main__":
    main()
