"""A steady stream: the same checks round after round, on an absolute schedule."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from nethealth.model.check import CallParameters, Check
from nethealth.model.ports import Clock
from nethealth.plan.rounds import with_round
from nethealth.sweep.meters import Meters
from nethealth.sweep.offset import wait_until
from nethealth.sweep.runner import SweepSummary

# The rest of the interval is slack, so that a round of dead hosts ends before the next is due.
SPREAD_SHARE = 0.8
_LISTED_MOST = 10


class Once(Protocol):
    """`run_checks` with everything but these bound."""

    async def __call__(
        self, checks: Sequence[Check], /, *, meters: Meters, spread_s: float
    ) -> SweepSummary: ...


async def run_rounds(
    checks: Sequence[Check],
    once: Once,
    *,
    every_s: float,
    for_s: float,
    clock: Clock,
    stop: asyncio.Event,
) -> SweepSummary:
    """Run the checks every `every_s` seconds for `for_s` seconds, at least one round.

    Round n is due at (n - 1) * `every_s`. One that falls due while another runs is left out and
    noted. A check with an interval of its own, as a call has, is in a round only if that has
    passed since the last that it was in. Ids of checks end in `#n` from round 2 on. A round's
    starts are spread over its interval as far as the longest deadline leaves room.
    """
    longest_s = max((check.deadline_s for check in checks), default=0.0)
    spread_s = max(0.0, SPREAD_SHARE * (every_s - longest_s))
    due_count = max(1, math.ceil(for_s / every_s))
    meters = Meters()
    began_s = clock.monotonic_s()
    summaries: list[SweepSummary] = []
    left_out: list[int] = []
    number = 1
    latest: dict[str, float] = {}  # when a check was last due, where that matters
    while True:
        due_s = (number - 1) * every_s
        now_due = [check for check in checks if _is_due(check, due_s, latest)]
        summaries.append(await once(with_round(now_due, number), meters=meters, spread_s=spread_s))
        elapsed_s = clock.monotonic_s() - began_s
        following = max(number, math.ceil(elapsed_s / every_s)) + 1
        left_out += range(number + 1, min(following, due_count + 1))
        number = following
        if stop.is_set() or number > due_count:
            break
        if not await wait_until(clock, began_s + (number - 1) * every_s, stop):
            break
    if left_out:
        meters.note(_left_out_note(left_out))
    last = summaries[-1].instrument
    return SweepSummary(
        results=tuple(result for summary in summaries for result in summary.results),
        observations=tuple(seen for summary in summaries for seen in summary.observations),
        instrument=replace(last, notes=tuple(dict.fromkeys((*last.notes, *meters.notes)))),
        interrupted=stop.is_set(),
        observed_s=round(clock.monotonic_s() - began_s, 6),
        rounds=len(summaries),
    )


def _is_due(check: Check, due_s: float, latest: dict[str, float]) -> bool:
    """Whether the check is in the round that is due at `due_s`; if so, that is remembered."""
    if not isinstance(check.parameters, CallParameters):
        return True
    before_s = latest.get(check.id)
    if before_s is not None and due_s - before_s < check.parameters.every_s:
        return False
    latest[check.id] = due_s
    return True


def _left_out_note(numbers: list[int]) -> str:
    listed = ", ".join(map(str, numbers[:_LISTED_MOST]))
    more = len(numbers) - _LISTED_MOST
    rest = f" and {more} more" if more > 0 else ""
    return f"rounds left out because the one before still ran: {listed}{rest}"
