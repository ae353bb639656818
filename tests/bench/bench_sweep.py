"""A sweep of 5,000 real checks, a third of them dead: its time beside its bound, and its memory.

The bound is worked out by hand: 200 checks a site at 10 starts a second are 20 s, and the longest
that a check waits is 5 s. The living are pinged and connected to over loopback; the dead are
asked by SIP at a port that swallows everything. Every check goes through the store.
"""

import asyncio
import resource
import socket
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from nethealth.model.check import (
    Check,
    CheckResult,
    PingParameters,
    SipParameters,
    TcpParameters,
)
from nethealth.model.failure import Failure, Outcome
from nethealth.model.inventory import SweepSettings
from nethealth.model.observation import Observation
from nethealth.model.record import Record, Run, Tool
from nethealth.store import Store, open_store
from nethealth.sweep import SweepSummary, run_checks, sockets_allowed
from probes import CATALOG
from probes.net import SystemClock, SystemNetwork
from tests.bench.priority import go_first

SITES, CHECKS_PER_SITE, STARTS_PER_S, TIMEOUT_S = 25, 200, 10.0, 5.0
BOUND_S = CHECKS_PER_SITE / STARTS_PER_S + TIMEOUT_S
RATIO_LIMIT = 1.05
MEMORY_LIMIT_MB = 300


class StoreSink:
    """Sink and watcher: the store, and nobody watching."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id

    def append(self, result: CheckResult, observations: Sequence[Observation]) -> None:
        self._store.append(self._run_id, result, observations)

    def started(self, check: Check) -> None:
        pass

    def finished(self, result: CheckResult) -> None:
        pass


def plan(open_port: int, silent_port: int) -> list[Check]:
    checks = []
    for number in range(SITES * CHECKS_PER_SITE):
        host = f"127.{1 + number // 40_000}.{number // 200 % 200}.{1 + number % 200}"
        site, asset = f"site{number % SITES}", f"asset{number}"
        if number % 3 == 0:
            sip = SipParameters(f"sip:{host}", host, silent_port, timeout_s=TIMEOUT_S)
            checks.append(Check(f"{asset}:sip", "sip", "c", site, asset, host, sip))
        elif number % 3 == 1:
            ping = PingParameters(host, count=5)
            checks.append(Check(f"{asset}:ping", "ping", "c", site, asset, host, ping))
        else:
            tcp = TcpParameters(host, open_port)
            checks.append(Check(f"{asset}:tcp", "tcp", "c", site, asset, host, tcp))
    return checks


async def measure(store: Store) -> SweepSummary:
    clock = SystemClock()
    network = SystemNetwork(clock)
    record = Record(Tool("bench"), Run("bench", "sweep", "bench", datetime.now(UTC)))
    store.begin(record)
    sink = StoreSink(store, "bench")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "0.0.0.0", 0)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("0.0.0.0", 0))
        async with server:
            checks = plan(server.sockets[0].getsockname()[1], silent.getsockname()[1])
            summary = await run_checks(
                checks,
                CATALOG,
                clock=clock,
                network=network,
                random=Random(1),
                settings=SweepSettings(site_starts_per_s=STARTS_PER_S),
                sink=sink,
                watcher=sink,
                stop=asyncio.Event(),
                start_s=clock.monotonic_s(),
                unavailable={},
                forbidden=lambda check: None,
                running_most=sockets_allowed(),
            )
    await network.close()
    return summary


def main() -> int:
    go_first()
    with (
        TemporaryDirectory() as folder,
        closing(open_store(f"sqlite:///{Path(folder) / 'history.db'}")) as store,
    ):
        summary = asyncio.run(measure(store))
        stored = store.runs()[0].checks
    dead = [result for result in summary.results if result.failure is Failure.TIMEOUT]
    alive = [result for result in summary.results if result.outcome is Outcome.COMPLETED]
    ratio = summary.observed_s / BOUND_S
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    instrument = summary.instrument
    print(
        f"instrument: loop lag p99 {(instrument.loop_lag_p99_s or 0) * 1000:.1f} ms, "
        f"send timer p99 {(instrument.send_timer_error_p99_s or 0) * 1000:.1f} ms, "
        f"notes {list(instrument.notes)}"
    )
    held = (
        (
            f"sweep {len(summary.results)} checks: {summary.observed_s:.1f} s of {BOUND_S:.1f} s "
            f"bound, ratio {ratio:.2f} (limit {RATIO_LIMIT:.2f})",
            ratio <= RATIO_LIMIT,
        ),
        (
            f"sweep: {len(dead)} dead, {len(alive)} alive, {stored} stored "
            f"(of {len(summary.results)})",
            len(dead) == -(-len(summary.results) // 3)
            and len(dead) + len(alive) == stored == len(summary.results),
        ),
        (
            f"sweep: peak memory {memory_mb:.0f} MB (limit {MEMORY_LIMIT_MB})",
            memory_mb <= MEMORY_LIMIT_MB,
        ),
    )
    for line, ok in held:
        print(line, "ok" if ok else "MISSED")
    return not all(ok for _, ok in held)


if __name__ == "__main__":
    sys.exit(main())
