"""Rounds without an end: at their own intervals, overlapping but bounded, paused, stopped."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest

from nethealth.model.check import Check, CheckResult
from nethealth.model.failure import Failure
from nethealth.model.observation import Observation
from nethealth.model.probe import Completion, Env
from nethealth.sweep import Meters, SweepSummary
from nethealth.sweep.ports import Sink, Watcher
from nethealth.sweep.watching import UNDER_WAY_MAX, WatchLoop
from tests.sweep.virtual import (
    LoopClock,
    NoNetwork,
    Script,
    catalogue,
    run_once,
    seen,
    taking,
    tcp,
    virtually,
)


@dataclass
class Keeper:
    """Remembers what it was told, by check."""

    paused: bool = False
    begun_s: dict[str, list[float]] = field(default_factory=dict)
    taken: list[tuple[str, int, CheckResult]] = field(default_factory=list)

    def begin(self, check_id: str) -> int:
        times = self.begun_s.setdefault(check_id, [])
        times.append(asyncio.get_running_loop().time() - 1000.0)
        return len(times)

    def take(
        self, check_id: str, number: int, result: CheckResult, observations: Sequence[Observation]
    ) -> None:
        self.taken.append((check_id, number, result))


async def watched(
    script: Script, every_s: dict[str, float], lasting_s: float, keeper: Keeper, *,
    pause_s: tuple[float, float] | None = None,
) -> WatchLoop:  # fmt: skip
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.call_later(lasting_s, stop.set)
    for at_s, paused in zip(pause_s or (), (True, False), strict=False):
        loop.call_later(at_s, partial(setattr, keeper, "paused", paused))

    def once(
        checks: Sequence[Check], /, *, meters: Meters, spread_s: float, sink: Sink, watcher: Watcher
    ) -> Awaitable[SweepSummary]:
        return run_once(
            checks, catalogue(script), NoNetwork(), stop=stop, meters=meters, spread_s=spread_s,
            sink=sink, watcher=watcher,
        )  # fmt: skip

    checks = [tcp(name) for name in every_s]
    rounds = WatchLoop(checks, every_s, keeper, LoopClock(), stop, lambda: None)
    await rounds.run(once)
    return rounds


def test_each_check_keeps_its_own_interval() -> None:
    keeper = Keeper()
    virtually(watched(taking(0.1), {"a": 1.0, "b": 5.0}, 10.5, keeper))
    assert keeper.begun_s["a"] == pytest.approx([*range(11)])
    assert keeper.begun_s["b"] == pytest.approx([0, 5, 10])
    assert {check for check, _, _ in keeper.taken} == {"a", "b"}
    assert {result.id for _, _, result in keeper.taken} == {"a", "b"}, "rounds are told apart"


def test_rounds_overlap_and_do_not_pile_up() -> None:
    """Each takes 19.5 s: eight at once, and those that fall due meanwhile are left out."""
    keeper = Keeper()
    rounds = virtually(watched(taking(19.5), {"a": 1.0}, 29.5, keeper))
    assert keeper.begun_s["a"] == pytest.approx([*range(UNDER_WAY_MAX), *range(20, 28)])
    assert rounds.left_out == 14
    assert "rounds left out because 8 were under way" in rounds.meters.notes


def test_nothing_begins_while_it_is_paused() -> None:
    keeper = Keeper()
    virtually(watched(taking(0.1), {"a": 1.0}, 9.5, keeper, pause_s=(2.5, 6.5)))
    assert keeper.begun_s["a"] == pytest.approx([0, 1, 2, 7, 8, 9])


def test_the_end_cuts_short_what_is_under_way() -> None:
    keeper = Keeper()
    virtually(watched(taking(3.0), {"a": 1.0}, 4.5, keeper))
    ends = [result.failure for _, _, result in keeper.taken]
    assert ends == [None, None, Failure.INTERRUPTED, Failure.INTERRUPTED, Failure.INTERRUPTED]


def test_the_loop_itself_is_measured() -> None:
    rounds = virtually(watched(taking(0.1), {"a": 1.0}, 5.0, Keeper()))
    assert rounds.meters.loop_lag_s.quantile(0.99) == pytest.approx(0, abs=1e-6)


def test_a_keeper_that_fails_ends_the_watch() -> None:
    class Broken(Keeper):
        def take(
            self, check_id: str, number: int, result: CheckResult, seen: Sequence[Observation]
        ) -> None:
            raise RuntimeError("the screen is gone")

    async def one(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
        yield seen(check)

    with pytest.raises(ExceptionGroup) as caught:
        virtually(watched(one, {"a": 1.0}, 60.0, Broken()))
    assert caught.group_contains(RuntimeError, match="the screen is gone")
