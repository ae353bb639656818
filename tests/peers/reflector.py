"""Our reflector as a peer of tests, and small ones that lie or know only TWAMP-Light."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.peers.process import Process, running

_ROOT = Path(__file__).parents[2]


@contextmanager
def serving(
    folder: Path,
    address: str,
    port: int,
    allow: str,
    *,
    rate: float = 100_000,
    more: Sequence[str] = (),
    prefix: Sequence[str] = (),
) -> Iterator[Process]:
    """`nethealth reflect` for the length of a block."""
    argv = (
        *(sys.executable, "-P", "-m", "nethealth", "reflect", "--bind", address),
        *("--port", str(port), "--allow", allow, "--rate", str(rate)),
        *more,
    )
    with running(
        argv,
        log=folder / f"reflector-{port}-{address.replace(':', '_')}.log",
        prefix=prefix,
        env={"PYTHONPATH": str(_ROOT)},
        cwd=folder,
        bound=("udp", port),
    ) as process:
        yield process
