"""A randomised trial: what is on and off is drawn by lot, and the lot alone is the analysis.

Each working day is one pair of half-days; which of them is on is a toss. Under the null the toss
does not matter, so that the signs of all differences may be turned: that is the whole test, and
no daily cycle or other event can fake it but by chance.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256

import numpy as np

from nethealth.diagnosis.attribution.days import Floats
from nethealth.diagnosis.attribution.location import hodges_lehmann
from nethealth.inventory.hours import zone
from nethealth.model.hypothesis import Trial

FLIPS = 9999
_EXACT_PAIRS_MOST = 13  # up to so many pairs all turns of signs are tried


@dataclass(frozen=True, slots=True)
class Half:
    """Half a working day; `on` is what the lot says of it."""

    pair: int
    start: datetime
    end: datetime
    on: bool


@dataclass(frozen=True, slots=True)
class Analysed:
    """On less off by pair (NaN where a half had no data), and the test over the pairs.

    `p` is two-sided; `interval` all effects that the same test at 5 % would not reject.
    """

    differences: Floats
    estimate: float | None
    p: float | None
    interval: tuple[float, float] | None

    @property
    def pairs(self) -> int:
        return int(np.isfinite(self.differences).sum())


def schedule(trial: Trial, timezone: str, holidays: Collection[date] = ()) -> tuple[Half, ...]:
    """The halves in their order; the same seed gives the same lots on every machine."""
    local = zone(timezone)
    opens, noon, closes = map(time.fromisoformat, (trial.opens, trial.noon, trial.closes))
    halves = []
    days = _working_days(trial.first, holidays)
    for pair in range(trial.pairs):
        day, first_is_on = next(days), _toss(trial.seed, pair)
        for begins, ends, on in ((opens, noon, first_is_on), (noon, closes, not first_is_on)):
            start = datetime.combine(day, begins, local)
            halves.append(Half(pair, start, datetime.combine(day, ends, local), bool(on)))
    return tuple(halves)


def analyse(
    halves: Sequence[Half], moments: Sequence[datetime], values: Sequence[float],
    random: np.random.Generator,
) -> Analysed:  # fmt: skip
    """Compare the medians of the halves on and off, pair by pair, by turning signs.

    Fewer than five whole pairs give the differences and no p.
    """
    pairs = 1 + max((half.pair for half in halves), default=-1)
    medians = np.full((pairs, 2), np.nan)
    for half in halves:
        inside = [
            value
            for moment, value in zip(moments, values, strict=True)
            if half.start <= moment < half.end
        ]
        if inside:
            medians[half.pair, int(half.on)] = np.median(inside)
    differences = medians[:, 1] - medians[:, 0]
    known = differences[np.isfinite(differences)]
    if known.size < 5:
        estimate = float(hodges_lehmann(known)[0]) if known.size else None
        return Analysed(differences, estimate, None, None)
    signs = _signs(known.size, random)
    return Analysed(
        differences,
        float(hodges_lehmann(known)[0]),
        _p_value(known, signs),
        _interval(known, signs),
    )


def _toss(seed: int, pair: int) -> bool:
    """A fair coin that anybody can throw again: no generator's stream is the same for ever."""
    return bool(sha256(f"{seed}:{pair}".encode()).digest()[0] & 1)


def _signs(count: int, random: np.random.Generator) -> Floats:
    """Every turn of signs, or a sample of them with the real one among it."""
    if count <= _EXACT_PAIRS_MOST:
        numbers = np.arange(2**count)[:, None]
        return np.asarray(1.0 - 2.0 * ((numbers >> np.arange(count)) & 1), dtype=np.float64)
    drawn = random.integers(0, 2, (FLIPS, count)) * 2.0 - 1.0
    return np.vstack([np.ones(count), drawn])


def _p_value(differences: Floats, signs: Floats) -> float:
    """Two-sided by the mean, which turned signs leave symmetric about 0; never 0."""
    seen = abs(float(differences.mean()))
    turned = np.abs(signs @ differences) / len(differences)
    return float(np.count_nonzero(turned >= seen - 1e-12 * max(1.0, seen)) / len(signs))


def _interval(differences: Floats, signs: Floats) -> tuple[float, float]:
    """The test turned round: an effect is taken off every difference and what is left tested."""
    middle = float(differences.mean())
    reach = float(np.ptp(differences)) or max(1.0, abs(middle))
    return _edge(differences, signs, middle, -reach), _edge(differences, signs, middle, reach)


def _edge(differences: Floats, signs: Floats, kept: float, step: float) -> float:
    outside = kept + step
    for _ in range(20):
        if _p_value(differences - outside, signs) <= 0.05:
            break
        kept, outside = outside, outside + 2 * step
    for _ in range(40):
        half_way = (kept + outside) / 2
        if _p_value(differences - half_way, signs) <= 0.05:
            outside = half_way
        else:
            kept = half_way
    return kept


def _working_days(first: date, holidays: Collection[date]) -> Iterator[date]:
    day = first
    while True:
        if day.weekday() < 5 and day not in holidays:
            yield day
        day += timedelta(days=1)
