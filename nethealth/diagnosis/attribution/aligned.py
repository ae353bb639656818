"""The primary test: just after against just before each event, and the same on other days.

For an event at t the difference is the median in [t, t + W) less the median in [t - g - W, t - g).
The estimate is the Hodges-Lehmann location of these. Under the null the days of one kind are alike,
so that the pattern of events of one day could as well have come on another: patterns are permuted
among the days of their kind, which leaves the daily and the weekly cycle as they are.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, lgamma

import numpy as np

from nethealth.diagnosis.attribution.days import Days, Floats, Integers
from nethealth.diagnosis.attribution.location import hodges_lehmann

EVENTS_LEAST = 5
PERMUTATIONS = 9999
_POWER = 0.8
_PRESENT_LEAST = 0.5  # of the bins of a window
_INVERSIONS = 12
_INVERSION_PERMUTATIONS = 999  # for each of some 25 tests; an interval needs no fine p


@dataclass(frozen=True, slots=True)
class Windows:
    """Bins compared after and before each event, and the bins left out just before it."""

    width: int
    gap: int = 0


@dataclass(frozen=True, slots=True)
class Aligned:
    """What the test gave.

    `differences` by event, NaN where a window was mostly missing. `p` is one-sided (greater after
    an event), never 0, and None with fewer than five events. `least_p` is the smallest p that these
    days and patterns allow at all: above alpha, history cannot answer. `mde`: the effect that would
    have been found 8 times in 10, never less than the least step of the measured values: a loss of
    so many packets of sixty moves by one or not at all, and its median stays where it is.
    """

    differences: Floats
    estimate: float | None
    p: float | None
    least_p: float
    interval: tuple[float, float] | None
    mde: float | None
    permutations: int

    @property
    def events(self) -> int:
        """Events that could be compared."""
        return int(np.isfinite(self.differences).sum())

    def identifiable(self, alpha: float = 0.05) -> bool:
        """Whether any outcome could have been significant."""
        return self.p is not None and self.least_p <= alpha


def aligned_test(
    days: Days,
    events: Integers,
    windows: Windows,
    random: np.random.Generator,
    *,
    permutations: int = PERMUTATIONS,
    alpha: float = 0.05,
    interval: bool = True,
) -> Aligned:
    """Test the flat bins `events` against permutations of day patterns within kinds of days."""
    around = differences_everywhere(days.flat, windows)
    seen = around[events]
    estimate = float(hodges_lehmann(seen)[0])
    least_p = least_attainable_p(days, events)
    usable = int(np.isfinite(seen).sum())
    if usable < EVENTS_LEAST:
        shown = estimate if usable else None
        return Aligned(seen, shown, None, least_p, None, None, 0)
    moved = _moved_events(days, events, random, permutations)
    null = hodges_lehmann(around[moved])
    p = _p_value(estimate, null)
    critical, low = np.nanquantile(null, [1 - alpha, 1 - _POWER])
    few = moved[:_INVERSION_PERMUTATIONS]
    bounds = _inverted(days, events, windows, few, estimate, alpha) if interval else None
    return Aligned(seen, estimate, p, max(least_p, 1 / (1 + permutations)), bounds,
                   max(float(critical - low), grain(days.flat)), permutations)  # fmt: skip


def differences_everywhere(flat: Floats, windows: Windows) -> Floats:
    """What the difference would be for an event in each bin; NaN where a window has no place.

    A window counts if at least half of its bins hold a value.
    """
    width, gap = windows.width, windows.gap
    found = np.full(len(flat), np.nan)
    if len(flat) < 2 * width + gap:
        return found
    medians = _medians(flat, width)
    first = width + gap
    after = medians[first:]
    found[first : first + len(after)] = after - medians[: len(after)]
    return found


def grain(flat: Floats) -> float:
    """The least difference between two values that occur; 0 where there are not two."""
    steps = np.diff(np.unique(flat[np.isfinite(flat)]))
    apart = steps[steps > 1e-12]
    return float(apart.min()) if apart.size else 0.0


def least_attainable_p(days: Days, events: Integers) -> float:
    """One over the number of different outcomes that permuting the days' patterns can have."""
    patterns: dict[int, list[int]] = {day: [] for day in range(len(days.values))}
    for event in events:
        patterns[int(event) // days.slots].append(int(event) % days.slots)
    arrangements = 0.0  # logarithm
    for kind in (True, False):
        rows = np.flatnonzero(days.working == kind)
        alike = Counter(tuple(patterns[int(row)]) for row in rows)
        arrangements += lgamma(len(rows) + 1) - sum(lgamma(n + 1) for n in alike.values())
    return exp(-arrangements)


def _moved_events(
    days: Days, events: Integers, random: np.random.Generator, permutations: int
) -> Integers:
    """For each permutation the events' flat bins when whole days' patterns have changed places."""
    places = np.tile(np.arange(len(days.values)), (permutations, 1))
    for kind in (True, False):
        rows = np.flatnonzero(days.working == kind)
        places[:, rows] = random.permuted(np.tile(rows, (permutations, 1)), axis=1)
    moved: Integers = places[:, events // days.slots] * days.slots + events % days.slots
    return moved


def _p_value(estimate: float, null: Floats) -> float:
    """(1 + number at least as great) / (1 + number), by Phipson and Smyth (2010)."""
    # A tie must not be broken by the order in which floating-point sums were made.
    reached = null >= estimate - 1e-12 * max(1.0, abs(estimate))
    return float((1 + np.count_nonzero(reached)) / (1 + len(null)))


def _inverted(
    days: Days, events: Integers, windows: Windows, moved: Integers, estimate: float, alpha: float
) -> tuple[float, float]:
    """All effects that would not be rejected, two-sided: the test turned round.

    An effect is taken off the bins after the real events, and what is left is tested again.
    """

    def rejected(effect: float, *, above: bool) -> bool:
        rest = days.flat.copy()
        rest[_after(events, windows.width, len(rest))] -= effect
        around = differences_everywhere(rest, windows)
        left = float(hodges_lehmann(around[events])[0])
        null = hodges_lehmann(around[moved])
        one_sided = _p_value(-left, -null) if above else _p_value(left, null)
        return one_sided <= alpha / 2

    spread = float(np.nanstd(differences_everywhere(days.flat, windows))) or 1.0
    return (
        _boundary(lambda effect: rejected(effect, above=False), estimate, -spread),
        _boundary(lambda effect: rejected(effect, above=True), estimate, spread),
    )


def _boundary(rejected: Callable[[float], bool], kept: float, step: float) -> float:
    """Where rejection begins on the way from `kept` in steps that double, then by halving."""
    outside = kept + step
    for _ in range(_INVERSIONS):
        if rejected(outside):
            break
        kept, outside = outside, outside + 2 * (outside - kept)
    for _ in range(_INVERSIONS):
        middle = (kept + outside) / 2
        if rejected(middle):
            outside = middle
        else:
            kept = middle
    return kept


def _after(events: Integers, width: int, length: int) -> Integers:
    """The flat bins of all windows after events, each once."""
    bins = np.unique((events[:, None] + np.arange(width)[None, :]).reshape(-1))
    return bins[bins < length]


def _medians(flat: Floats, width: int) -> Floats:
    """The median of each `width` consecutive bins."""
    views = np.lib.stride_tricks.sliding_window_view(flat, width)
    present = np.isfinite(views)
    medians = np.full(len(views), np.nan)
    whole = present.all(axis=1)
    medians[whole] = np.median(views[whole], axis=1)
    some = ~whole & (present.mean(axis=1) >= _PRESENT_LEAST)
    if some.any():
        medians[some] = np.nanmedian(views[some], axis=1)
    return medians
