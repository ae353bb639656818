"""How long `nethealth --help` takes beside a bare import of click."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.priority import go_first

LIMIT = 3.0
PAIRS = 15


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> int:
    go_first()
    ours = [str(Path(sys.executable).with_name("nethealth")), "--help"]
    peer = [sys.executable, "-c", "import click"]
    for command in (ours, peer):
        seconds(command)
    pairs = [(seconds(ours), seconds(peer)) for _ in range(PAIRS)]
    ratio = statistics.median(a / b for a, b in pairs)
    a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
    word = "ok" if ratio <= LIMIT else "MISSED"
    print(
        f"help: nethealth {a * 1000:.0f} ms, import click {b * 1000:.0f} ms, "
        f"ratio {ratio:.2f} (limit {LIMIT:.2f}) {word}"
    )
    return ratio > LIMIT


if __name__ == "__main__":
    sys.exit(main())
