"""Round after round without an end: each check at its own interval, until somebody stops it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from nethealth.model.check import Check, CheckResult
from nethealth.model.observation import Observation
from nethealth.model.ports import Clock
from nethealth.sweep.meters import Meters
from nethealth.sweep.offset import wait_until
from nethealth.sweep.ports import Sink, Watcher
from nethealth.sweep.runner import SweepSummary

# A lost packet is awaited longer than the interval, so rounds overlap; but never without bound.
UNDER_WAY_MAX = 8


class Keeper(Protocol):
    """Numbers the rounds of each check, and takes in what they showed; nothing else keeps it."""

    paused: bool

    def begin(self, check_id: str) -> int: ...
    def take(
        self, check_id: str, number: int, result: CheckResult, observations: Sequence[Observation]
    ) -> None: ...


class OnceWith(Protocol):
    """`run_checks` with everything but these bound."""

    def __call__(
        self,
        checks: Sequence[Check],
        /,
        *,
        meters: Meters,
        spread_s: float,
        sink: Sink,
        watcher: Watcher,
    ) -> Awaitable[SweepSummary]: ...


@dataclass
class WatchLoop:
    """The rounds of some checks; `changed` is called after each, and after each pause."""

    checks: Sequence[Check]
    every_s: Mapping[str, float]  # by the check's id
    keeper: Keeper
    clock: Clock
    stop: asyncio.Event
    changed: Callable[[], None]
    meters: Meters = field(default_factory=Meters)
    rounds: int = 0  # of the check that had most
    left_out: int = 0  # rounds that fell due while too many others were under way

    async def run(self, once: OnceWith) -> SweepSummary | None:
        """Until `stop`; the last round's summary, for the instrument alone."""
        self._last: SweepSummary | None = None
        lag = asyncio.create_task(self.meters.watch_loop(self.clock))
        try:
            async with asyncio.TaskGroup() as tasks:
                for check in self.checks:
                    tasks.create_task(self._stream(check, once, tasks))
        finally:
            lag.cancel()
        if self.left_out:
            self.meters.note(f"rounds left out because {UNDER_WAY_MAX} were under way")
        return self._last

    async def _stream(self, check: Check, once: OnceWith, tasks: asyncio.TaskGroup) -> None:
        every_s = self.every_s[check.id]
        due_s = self.clock.monotonic_s()
        under_way: set[asyncio.Task[None]] = set()
        begun = 0
        while await wait_until(self.clock, due_s, self.stop):
            if self.keeper.paused:
                pass
            elif len(under_way) < UNDER_WAY_MAX:
                begun += 1
                self.rounds = max(self.rounds, begun)
                task = tasks.create_task(self._round(check, once))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            else:
                self.left_out += 1
            now_s = self.clock.monotonic_s()
            due_s += every_s * max(1, -(-(now_s - due_s) // every_s))

    async def _round(self, check: Check, once: OnceWith) -> None:
        number = self.keeper.begin(check.id)
        ended = _One()
        numbered = replace(check, id=f"{check.id}#{number}")
        self._last = await once(
            (numbered,), meters=self.meters, spread_s=0.0, sink=ended, watcher=ended
        )
        for result, observations in ended.kept:
            self.keeper.take(check.id, number, replace(result, id=check.id), observations)
        self.changed()


class _One:
    """Takes the end of one round; as a watcher it shows nothing."""

    def __init__(self) -> None:
        self.kept: list[tuple[CheckResult, Sequence[Observation]]] = []

    def append(self, result: CheckResult, observations: Sequence[Observation]) -> None:
        self.kept.append((result, observations))

    def started(self, check: Check) -> None: ...
    def finished(self, result: CheckResult) -> None: ...
