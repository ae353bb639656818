"""Where a level changed for good: PELT (Killick, Fearnhead and Eckley 2012) by squared errors.

It is the ranks that are cut, since a few wild values, which delays have, would be a change each.
The penalty of independent noise finds a change in every slow drift of noise with memory; so it is
that of the noise's long-run variance. What is missing is left out and never filled in: a change
that fell into a hole is placed at its end, and its interval reaches over the hole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log

import numpy as np

from nethealth.diagnosis.attribution.blocks import ranks
from nethealth.diagnosis.attribution.days import Floats, Integers

EVENTS_LEAST = 5
_BOOTSTRAPS = 299
_TAIL = 0.004  # by simulation this much on each side leaves 95 % where the change really was
_DECORRELATIONS = 5  # a segment lasts at least so many times as long as the noise remembers
_RHO_MOST = 0.98
_EFFECTIVE_LEAST = 100  # independent values; of fewer, drift and change look alike
_BLOCK_DECORRELATIONS = 3
_CLIP = 3.0
_MAD_TO_SD = 1.4826
_BLOCKS_LEAST = 20


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The first bin at the new level, the 95 % interval of that, and the medians on both sides."""

    place: int
    low: int
    high: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Noise:
    """What is left of a series without its steps: standard deviation, memory of one bin, and
    the variance that the mean of many bins has, times their number."""

    deviation: float
    memory: float
    long_run: float

    @property
    def decorrelation_bins(self) -> float:
        return (1 + self.memory) / (1 - self.memory)


def change_points(
    flat: Floats, random: np.random.Generator, *, least_bins: int, bootstraps: int = _BOOTSTRAPS
) -> tuple[ChangePoint, ...] | None:
    """The changes of level of a series without its daily cycle, NaN where nothing was measured.

    No segment is shorter than `least_bins` or five times the noise's memory. Null where nothing can
    be told: too few values, or noise that remembers so long that few of them are independent.
    """
    places = np.flatnonzero(np.isfinite(flat))
    values = flat[places]
    if len(values) < _EFFECTIVE_LEAST:
        return None
    if np.ptp(values) == 0:
        return ()
    ranked = ranks(values) / len(values)
    noise = noise_of(ranked)
    least = max(least_bins, ceil(_DECORRELATIONS * noise.decorrelation_bins))
    if len(values) < max(2 * least, _EFFECTIVE_LEAST * noise.decorrelation_bins):
        return None
    # Where most values are alike their differences have no spread; any change of it is one.
    scale = noise.long_run or float(np.var(ranked))
    cuts = _pelt(ranked, 2 * scale * log(len(values)), least)
    edges = [0, *cuts, len(values)]
    found = []
    for index, cut in enumerate(cuts, 1):
        begin, end = edges[index - 1], edges[index + 1]
        tamed = _tamed(values[begin:end], cut - begin)
        # Ranks find the change; the values themselves say which bin is its first.
        place = _split(tamed)
        low, high = _interval(tamed[:place], tamed[place:], noise, random, bootstraps)
        found.append(
            ChangePoint(
                int(places[begin + place]),
                # The change may have come just after the last value of the old level.
                int(places[max(begin + low - 1, 0)]) + 1,
                int(places[min(begin + high, len(values) - 1)]),
                float(np.median(values[begin : begin + place])),
                float(np.median(values[begin + place : end])),
            )
        )
    return tuple(found)


def noise_of(values: Floats) -> Noise:
    """Told from the differences of neighbours, in which a few steps count for nothing."""
    steps = np.diff(values)
    spread = _MAD_TO_SD * float(np.median(np.abs(steps - np.median(steps))))
    if spread == 0:
        return Noise(0.0, 0.0, 0.0)
    clipped = np.clip(steps, -_CLIP * spread, _CLIP * spread)
    power = float(clipped @ clipped)
    beside = float(clipped[1:] @ clipped[:-1])
    # Of noise of first order the neighbouring differences correlate by -(1 - rho) / 2.
    memory = min(max(0.0, 1 + 2 * beside / power), _RHO_MOST)
    # The spread of differences is that of the noise times the root of 2 (1 - rho).
    variance = spread**2 / (2 * (1 - memory))
    long_run = variance * (1 + memory) / (1 - memory)
    return Noise(variance**0.5, memory, max(long_run, _by_blocks(values, memory)))


def _by_blocks(values: Floats, memory: float) -> float:
    """The same variance from the means of neighbouring blocks: right for any kind of memory."""
    length = ceil(_DECORRELATIONS * (1 + memory) / (1 - memory))
    count = len(values) // length
    if count < _BLOCKS_LEAST:
        return 0.0
    means = values[: count * length].reshape(count, length).mean(axis=1)
    steps = np.diff(means)
    spread = _MAD_TO_SD * float(np.median(np.abs(steps - np.median(steps))))
    return length * spread**2 / 2


def _pelt(values: Floats, penalty: float, least: int) -> list[int]:
    # A second to load, and only where history is judged.
    from ruptures.detection.kernelcpd import KernelCPD  # noqa: PLC0415

    # The linear kernel's cost is that of squared errors; the search is PELT, compiled.
    column = (values - values.mean()).reshape(-1, 1)
    ends = KernelCPD(kernel="linear", min_size=least).fit(column).predict(pen=penalty)
    return [int(end) for end in ends[:-1]]


def _tamed(values: Floats, cut: int) -> Floats:
    """Without what is wild on either side of a cut: three deviations beyond the outer level."""
    left, right = float(np.median(values[:cut])), float(np.median(values[cut:]))
    apart = np.abs(np.concatenate((values[:cut] - left, values[cut:] - right)))
    spread = _CLIP * _MAD_TO_SD * float(np.median(apart))
    if spread == 0:
        return values
    tamed: Floats = np.clip(values, min(left, right) - spread, max(left, right) + spread)
    return tamed


def _interval(
    left: Floats, right: Floats, noise: Noise, random: np.random.Generator, bootstraps: int
) -> tuple[int, int]:
    """Where one change between both is found again and again, their noise drawn anew in blocks."""
    means = float(left.mean()), float(right.mean())
    block = max(1, ceil(_BLOCK_DECORRELATIONS * noise.decorrelation_bins))
    places = np.empty(bootstraps, dtype=np.int64)
    for number in range(bootstraps):
        drawn = np.concatenate((
            means[0] + _drawn(left - means[0], block, random),
            means[1] + _drawn(right - means[1], block, random),
        ))  # fmt: skip
        places[number] = _split(drawn)
    low, high = np.quantile(places, [_TAIL, 1 - _TAIL], method="nearest")
    return min(int(low), len(left)), max(int(high), len(left))


def _drawn(rest: Floats, block: int, random: np.random.Generator) -> Floats:
    """As many values as there are, in blocks that go round from the end to the beginning."""
    count = len(rest)
    starts = random.integers(0, count, -(-count // block))
    places = (starts[:, None] + np.arange(block)[None, :]).reshape(-1)[:count] % count
    drawn: Floats = rest[places]
    return drawn


def _split(values: Floats) -> int:
    """The one cut that leaves the least squared errors."""
    count = len(values)
    sums = np.cumsum(values - values.mean())[:-1]
    sizes = np.arange(1, count)
    gain = sums**2 * (1 / sizes + 1 / (count - sizes))
    return int(np.argmax(gain)) + 1


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near changes of level came to given dates, against the same dates moved round.

    `distances` in bins, by date. `p` is one-sided (nearer than chance), never 0, and None with
    fewer than five dates; `least_p` is the smallest that so many moves allow.
    """

    distances: tuple[int, ...]
    p: float | None
    least_p: float


def near_dates(points: Sequence[int], dates: Integers, length: int, slots: int) -> Nearness | None:
    """Compare by the median distance to the nearest point; None without points or dates.

    The dates move round together by whole days of `slots` bins, as far as the series is long.
    """
    if not len(points) or not len(dates):
        return None
    at = np.asarray(sorted(points), dtype=np.int64)
    days = max(1, length // slots)
    whole = days * slots
    moved = (dates[None, :] + slots * np.arange(days)[:, None]) % whole
    after = np.searchsorted(at, moved)
    apart = np.minimum(
        np.abs(moved - at[np.minimum(after, len(at) - 1)]),
        np.abs(moved - at[np.maximum(after - 1, 0)]),
    )
    medians = np.median(apart, axis=1)
    shown = tuple(int(one) for one in apart[0])
    if len(dates) < EVENTS_LEAST:
        return Nearness(shown, None, 1 / days)
    # The dates as they are stand among the moves, so that p is never 0.
    return Nearness(shown, float((medians <= medians[0]).sum() / days), 1 / days)
