"""Statistics of a sample of delays: percentiles, variation between neighbours, variation above
the least.

IPDV and PDV are two different statistics of the same delays and are never mixed (RFC 5481,
section 4). A lost packet has no delay: it is None in the input, and never a large number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from nethealth.model.observation import Interval


@dataclass(frozen=True, slots=True)
class DelaySummary:
    """Order statistics of `samples` delays, in seconds."""

    min_s: float
    median_s: float
    p95_s: float
    p99_s: float
    max_s: float
    samples: int


def percentile(values: Sequence[float], q: float) -> float:
    """The `q` quantile (0 to 1) by linear interpolation between order statistics.

    With the n values sorted from 0, it is the value at rank (n − 1)·q: type 7 of Hyndman and
    Fan, the default of numpy and R. Raises ValueError for no values or q outside 0 to 1.
    """
    if not values:
        raise ValueError("a percentile of nothing")
    if not 0 <= q <= 1:
        raise ValueError(f"q is {q}; it is a share from 0 to 1")
    ordered = sorted(values)
    rank = (len(ordered) - 1) * q
    below = int(rank)
    if below == len(ordered) - 1:
        return ordered[below]
    return ordered[below] + (rank - below) * (ordered[below + 1] - ordered[below])


def summary(delays_s: Sequence[float]) -> DelaySummary:
    """Order statistics of the answered packets' delays; ValueError if there are none."""
    return DelaySummary(
        min_s=percentile(delays_s, 0),
        median_s=percentile(delays_s, 0.5),
        p95_s=percentile(delays_s, 0.95),
        p99_s=percentile(delays_s, 0.99),
        max_s=percentile(delays_s, 1),
        samples=len(delays_s),
    )


def ipdv_s(delays_s: Sequence[float | None]) -> tuple[float, ...]:
    """Signed difference of each delay from the one sent just before it (RFC 3393, section 2).

    `delays_s` is in the order of sending, None for a lost packet. Only pairs of which both were
    answered count, so that a loss leaves two gaps and not one false difference.
    """
    return tuple(
        later - earlier
        for earlier, later in pairwise(delays_s)
        if earlier is not None and later is not None
    )


def pdv_s(delays_s: Sequence[float | None]) -> tuple[float, ...]:
    """How much longer than the quickest each answered packet took (RFC 5481, section 4.2)."""
    answered = [delay for delay in delays_s if delay is not None]
    least = min(answered, default=0.0)
    return tuple(delay - least for delay in answered)


def median_interval(values: Sequence[float]) -> Interval | None:
    """The 95 % interval of the median, from the order statistics alone.

    No shape of the delays is assumed: the number of values below the true median is binomial.
    None for fewer than six values, among which even the extremes do not hold it so surely.
    """
    ordered = sorted(values)
    n = len(ordered)
    tail, below, rank = 0, 1, 0
    # `tail` counts the 2^n halvings with at most `rank` values below the true median.
    while 40 * (tail + below) <= 2**n:
        tail += below
        below = below * (n - rank) // (rank + 1)
        rank += 1
    return (ordered[rank - 1], ordered[n - rank]) if rank else None
