"""Loss with an interval that admits how little a few packets say, and how loss clusters.

Wilson's interval takes losses to be independent. Real loss comes in runs, and then it is far too
narrow, so the number of packets is first cut to the effective n / (2·BurstR − 1).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import sqrt

from nethealth.model.observation import Interval

Z_95 = 1.9599639845400536  # below it lie 97.5 % of a normal distribution


@dataclass(frozen=True, slots=True)
class LossStatistics:
    """Loss of one sequence of packets, or of several pooled.

    `interval` is 95 %. `burst_ratio` is None where nothing or everything was lost: there is then
    no run length to compare with a random one.
    """

    sent: int
    lost: int
    ratio: float
    interval: Interval
    burst_ratio: float | None
    run_max: int
    run_count: float  # a count; fractional only where it was derived from a burst ratio
    n_effective: float


def wilson(lost: float, n: float, *, z: float = Z_95) -> Interval:
    """Wilson's score interval for a ratio of `lost` in `n`, 95 % unless `z` says otherwise.

    Both may be fractional (effective sample sizes). Raises ValueError unless 0 ≤ lost ≤ n, n > 0.
    """
    if not (n > 0 and 0 <= lost <= n):
        raise ValueError(f"{lost} lost of {n}")
    ratio = lost / n
    centre = ratio + z * z / (2 * n)
    half = z * sqrt(ratio * (1 - ratio) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # The ends are exact at none and all lost, where rounding would leave 1e-18 or 1 - 1e-16.
    low = 0.0 if lost == 0 else (centre - half) / scale
    high = 1.0 if lost == n else (centre + half) / scale
    return low, high


def loss_statistics(received: Sequence[bool]) -> LossStatistics:
    """Loss of packets in the order of sending; ValueError if nothing was sent."""
    runs = [len(list(run)) for got, run in groupby(received) if not got]
    return from_runs(len(received), sum(runs), max(runs, default=0), len(runs))


def from_burst_ratio(
    sent: int, lost: int, burst_ratio: float | None, run_max: int = 0
) -> LossStatistics:
    """The statistics again from what a record keeps of them, so that they can be pooled."""
    run_count = float(min(lost, 1))
    if burst_ratio is not None and 0 < lost < sent:
        run_count = lost * (1 - lost / sent) / max(burst_ratio, 1.0)
    return from_runs(sent, lost, run_max, run_count)


def pool(parts: Iterable[LossStatistics]) -> LossStatistics:
    """Several sequences as one sample: packets and runs added, the burst ratio from the sums.

    A run is never joined over the border of two sequences. ValueError if nothing was sent.
    """
    kept = list(parts)
    return from_runs(
        sum(part.sent for part in kept),
        sum(part.lost for part in kept),
        max((part.run_max for part in kept), default=0),
        sum(part.run_count for part in kept),
    )


def packets_needed(ratio: float, threshold: float, burst_ratio: float | None = None) -> int | None:
    """How many packets would tell a loss of `ratio` from `threshold`, at 95 %.

    None if `ratio` is not above the threshold: no number of packets would show it to be.
    """
    if not threshold < ratio <= 1:
        return None
    n = 1
    while wilson(ratio * n, n)[0] <= threshold:
        n *= 2
    low = n // 2
    while n - low > 1:
        middle = (low + n) // 2
        low, n = (low, middle) if wilson(ratio * middle, middle)[0] > threshold else (middle, n)
    return round(n * _variance_inflation(burst_ratio))


def from_runs(sent: int, lost: int, run_max: int, run_count: float) -> LossStatistics:
    """Loss of `sent` packets of which `lost` went in `run_count` runs; ValueError if none sent."""
    if sent < 1:
        raise ValueError("no packet was sent")
    ratio = lost / sent
    # A random run is 1 / (1 − ratio) packets long; shorter than random is sampling noise.
    burst_ratio = max(1.0, (1 - ratio) * lost / run_count) if 0 < lost < sent else None
    n_effective = sent / _variance_inflation(burst_ratio)
    return LossStatistics(
        sent=sent,
        lost=lost,
        ratio=ratio,
        interval=wilson(ratio * n_effective, n_effective),
        burst_ratio=burst_ratio,
        run_max=run_max,
        run_count=run_count,
        n_effective=n_effective,
    )


def _variance_inflation(burst_ratio: float | None) -> float:
    return 2 * (burst_ratio or 1.0) - 1
