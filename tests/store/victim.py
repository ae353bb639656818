"""A process that makes sweeps to be killed: one forked child for each line on standard input.

A line is the store's path and the run's id, and the child's process id is the answer. The next
line asks for the end: the child is awaited, and its wait status answered; until then its id is
nobody else's. Forking from here saves each child the imports.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

from nethealth.model.check import Check, CheckResult
from nethealth.model.inventory import SweepSettings
from nethealth.model.observation import Observation
from nethealth.model.probe import Completion, Env
from nethealth.store import Store, open_store
from nethealth.sweep import run_checks
from tests.store.records import begun, finding, finished
from tests.sweep.virtual import Book, LoopClock, NoNetwork, catalogue, seen, tcp

CHECKS = 150
SETTINGS = SweepSettings(site_starts_per_s=500)


def yields(check_id: str) -> int:
    """How many observations the probe makes of that check."""
    return 1 + int(check_id.removeprefix("c")) % 7


async def probe(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    for number in range(1, yields(check.id) + 1):
        await env.clock.sleep_until(env.clock.monotonic_s() + 0.001)
        yield seen(check, number)


class StoreSink(Book):
    def __init__(self, store: Store, run_id: str) -> None:
        super().__init__()
        self._store = store
        self._run_id = run_id

    def append(self, result: CheckResult, observations: Sequence[Observation]) -> None:
        self._store.append(self._run_id, result, observations)


async def main(path: Path, run_id: str) -> None:
    clock = LoopClock()
    with closing(open_store(f"sqlite:///{path}")) as store:
        record = begun(run_id)
        store.begin(record)
        sink = StoreSink(store, run_id)
        summary = await run_checks(
            [tcp(f"c{n}", host=f"host{n}") for n in range(CHECKS)],
            catalogue(probe),
            clock=clock,
            network=NoNetwork(),
            random=Random(1),
            settings=SETTINGS,
            sink=sink,
            watcher=sink,
            stop=asyncio.Event(),
            start_s=clock.monotonic_s(),
            unavailable={},
            forbidden=lambda check: None,
        )
        whole = finished(record, findings=(finding(),))
        store.finish(replace(whole, checks=summary.results, observations=summary.observations))


if __name__ == "__main__":
    while line := sys.stdin.readline():
        path, run_id = line.split()
        pid = os.fork()
        if pid == 0:
            asyncio.run(main(Path(path), run_id))
            os._exit(0)
        print(pid, flush=True)
        sys.stdin.readline()
        print(os.waitpid(pid, 0)[1], flush=True)
