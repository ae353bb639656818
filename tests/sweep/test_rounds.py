"""A stream keeps its absolute schedule, numbers its rounds and never piles them up."""

import asyncio
from collections.abc import Sequence
from random import Random

import pytest

from nethealth.model.check import CallParameters, Check
from nethealth.model.failure import Outcome
from nethealth.model.ports import NetworkStatistics
from nethealth.quality.sample import Sample
from nethealth.sweep import Meters, SweepSummary, draw_offset, run_rounds, wait_until
from tests.sweep.virtual import Book, LoopClock, Script, sweep, taking, tcp, virtually


async def stream(
    script: Script,
    *,
    every_s: float,
    for_s: float,
    checks: Sequence[Check] = (tcp("a", deadline_s=8),),
    book: Book | None = None,
    stop_after_s: float | None = None,
) -> SweepSummary:
    stop = asyncio.Event()
    if stop_after_s is not None:
        asyncio.get_running_loop().call_later(stop_after_s, stop.set)

    async def once(checks: Sequence[Check], /, *, meters: Meters, spread_s: float) -> SweepSummary:
        return await sweep(checks, script, book, stop=stop, meters=meters, spread_s=spread_s)

    return await run_rounds(
        checks, once, every_s=every_s, for_s=for_s, clock=LoopClock(), stop=stop
    )


def test_rounds_start_on_an_absolute_schedule_and_are_numbered_from_the_second() -> None:
    book = Book()
    summary = virtually(stream(taking(3), every_s=10, for_s=40, book=book))
    assert [r.id for r in summary.results] == ["a", "a#2", "a#3", "a#4"]
    assert [o.id for o in summary.observations] == ["a/1", "a#2/1", "a#3/1", "a#4/1"]
    first_s = book.starts_s["a"]
    assert [s - first_s for s in book.starts_s.values()] == pytest.approx([0, 10, 20, 30])
    assert summary.rounds == 4
    assert summary.observed_s == pytest.approx(33)
    assert summary.instrument.notes == ()


def test_a_round_that_falls_due_while_one_runs_is_left_out_and_noted() -> None:
    book = Book()
    checks = (tcp("a", deadline_s=60),)
    summary = virtually(stream(taking(25), every_s=10, for_s=60, checks=checks, book=book))
    assert [r.id for r in summary.results] == ["a", "a#4"]
    first_s = book.starts_s["a"]
    assert [s - first_s for s in book.starts_s.values()] == pytest.approx([0, 30])
    assert summary.instrument.notes == (
        "rounds left out because the one before still ran: 2, 3, 5, 6",
    )
    assert summary.rounds == 2


def test_a_round_is_spread_over_the_interval_that_deadlines_leave() -> None:
    book = Book()
    checks = [tcp(f"c{n}", deadline_s=10) for n in range(10)]
    virtually(stream(taking(1), every_s=60, for_s=60, checks=checks, book=book))
    times = list(book.starts_s.values())
    assert times[-1] - times[0] == pytest.approx(36)  # 9/10 of 80 % of 50 s


def test_a_stop_between_rounds_ends_the_stream() -> None:
    summary = virtually(stream(taking(1), every_s=10, for_s=3600, stop_after_s=25))
    assert summary.interrupted
    assert [r.id for r in summary.results] == ["a", "a#2", "a#3"]
    assert summary.observed_s == pytest.approx(25)


def test_a_stop_within_a_round_accounts_for_its_checks() -> None:
    summary = virtually(stream(taking(7), every_s=10, for_s=3600, stop_after_s=12))
    assert [r.outcome for r in summary.results] == [Outcome.COMPLETED, Outcome.FAILED]


def test_a_stream_shorter_than_its_interval_is_one_round() -> None:
    assert virtually(stream(taking(1), every_s=60, for_s=5)).rounds == 1


def test_the_random_offset_is_within_its_bound_and_repeatable() -> None:
    drawn = [draw_offset(Random(seed), 30) for seed in range(200)]
    assert drawn == [draw_offset(Random(seed), 30) for seed in range(200)]
    assert all(0 <= offset <= 30 for offset in drawn)
    assert min(drawn) < 3 and max(drawn) > 27
    assert draw_offset(Random(1), 0) == 0


@pytest.mark.parametrize(("stop_s", "goes_on", "took_s"), [(None, True, 30), (12, False, 12)])
def test_waiting_ends_at_its_moment_or_at_the_stop(
    stop_s: float | None, goes_on: bool, took_s: float
) -> None:
    async def main() -> tuple[bool, float]:
        clock, stop = LoopClock(), asyncio.Event()
        began_s = clock.monotonic_s()
        if stop_s is not None:
            asyncio.get_running_loop().call_later(stop_s, stop.set)
        answer = await wait_until(clock, began_s + 30, stop)
        return answer, clock.monotonic_s() - began_s

    answer, waited_s = virtually(main())
    assert answer is goes_on
    assert waited_s == pytest.approx(took_s)


def test_quantiles_stay_true_in_bounded_memory() -> None:
    sample = Sample()
    assert (sample.quantile(0.99), sample.greatest) == (None, None)
    for n in range(100_000):
        sample.add(float(n))
    p99 = sample.quantile(0.99)
    assert p99 is not None
    assert p99 == pytest.approx(99_000, rel=0.001)
    assert sample.greatest == 99_999


def test_nearest_rank_of_few_values() -> None:
    sample = Sample()
    for value in (4.0, 1.0, 3.0, 2.0):
        sample.add(value)
    assert sample.quantile(0.5) == 2.0  # the second of four
    assert sample.quantile(0.99) == 4.0
    assert sample.quantile(0.0) == 1.0


def test_a_call_is_made_no_more_often_than_its_own_interval() -> None:
    """Of rounds every 60 s for 40 minutes, a call of every 15 minutes is in those of 0, 15, 30."""
    call = Check("c", "call", None, None, None, "sip:echo@192.0.2.1",
                 CallParameters("sip:echo@192.0.2.1", "192.0.2.1", 5060, every_s=900))  # fmt: skip
    seen: list[tuple[float, str]] = []

    async def watched() -> None:
        clock = LoopClock()
        began_s = clock.monotonic_s()

        async def once(
            checks: Sequence[Check], /, *, meters: Meters, spread_s: float
        ) -> SweepSummary:
            seen.extend((round(clock.monotonic_s() - began_s), check.id) for check in checks)
            return SweepSummary((), (), meters.instrument(NetworkStatistics()), False, 0.0)

        await run_rounds(
            (tcp("a"), call), once, every_s=60, for_s=2400, clock=clock, stop=asyncio.Event()
        )

    virtually(watched())
    assert [entry for entry in seen if entry[1].startswith("c")] == [
        (0, "c"), (900, "c#16"), (1800, "c#31"),
    ]  # fmt: skip
    assert len([entry for entry in seen if entry[1].startswith("a")]) == 40
