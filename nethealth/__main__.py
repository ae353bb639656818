"""`nethealth` and `python -m nethealth`: what takes longest to start is begun before all else."""

import os
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

    try:
        command(obj=reading)
    except SystemExit as ended:
        if reading is not None and isinstance(ended.code, int):
            _leave(ended.code)
        raise


def _leave(code: int) -> None:
    """End at once: all is written, and taking everything down in order takes as long as judging."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads it any more
        code = 1
    os._exit(code)


if __name__ == "__main__":
    main()
