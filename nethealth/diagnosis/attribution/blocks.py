"""Blocks that keep what neighbouring bins have in common, and association tested by moving them."""

from dataclasses import dataclass
from math import ceil, log10, sqrt

import numpy as np

from nethealth.diagnosis.attribution.days import Floats

_QUIET_LEAST = 5


def optimal_block_length(values: Floats) -> float:
    """The block length of the circular bootstrap by Politis and White (2004), in bins.

    With the correction of Patton, Politis and White (2009). Missing bins are left out. At least
    one; ValueError for fewer than ten values or values all alike.
    """
    series = values[np.isfinite(values)]
    count = len(series)
    if count < 10 or np.ptp(series) == 0:
        raise ValueError(f"{count} values, or all alike: no block length can be told")
    centred = series - series.mean()
    quiet = max(_QUIET_LEAST, round(log10(count)))
    lags_most = ceil(sqrt(count)) + quiet
    lags_most = min(lags_most, count - 1)
    covariance = np.array(
        [centred[lag:] @ centred[: count - lag] / count for lag in range(lags_most + 1)]
    )
    correlation = np.abs(covariance[1:] / covariance[0])
    bound = 2 * sqrt(log10(count) / count)
    reach = _last_lag(correlation, bound, quiet)
    width = min(2 * max(reach, 1), lags_most)
    lags = np.arange(1, width + 1)
    flat_top = np.minimum(1, 2 * (1 - lags / width))
    spread = 2 * np.sum(flat_top * lags * covariance[1 : width + 1])
    long_run = covariance[0] + 2 * np.sum(flat_top * covariance[1 : width + 1])
    circular = 4 / 3 * long_run**2
    if circular == 0:
        return 1.0
    length = ((2 * spread**2 / circular) * count) ** (1 / 3)
    most = ceil(min(3 * sqrt(count), count / 3))
    return float(min(max(1.0, length), most))


def _last_lag(correlation: Floats, bound: float, quiet: int) -> int:
    """The lag before the first run of `quiet` insignificant ones; else the last significant one."""
    small = correlation < bound
    for lag in range(len(small) - quiet + 1):
        if small[lag : lag + quiet].all():
            return lag
    significant = np.flatnonzero(~small)
    return int(significant[-1]) + 1 if significant.size else 0


@dataclass(frozen=True, slots=True)
class Association:
    """Spearman's rank correlation with a two-sided p; None where it is not defined."""

    correlation: float | None
    p: float | None
    bins: int
    block_bins: int


def block_permuted(
    exposure: Floats,
    outcome: Floats,
    block_bins: int,
    random: np.random.Generator,
    *,
    permutations: int = 9999,
) -> Association:
    """The association of two series, against the exposure cut into blocks and shuffled.

    Where there is a daily cycle the blocks must be whole days, beginning at midnight. What is
    missing in either stays missing. ValueError for series of different length.
    """
    if len(exposure) != len(outcome):
        raise ValueError(f"{len(exposure)} bins of exposure for {len(outcome)} of outcome")
    blocks = len(exposure) // block_bins
    exposure, outcome = exposure[: blocks * block_bins], outcome[: blocks * block_bins]
    both = int((np.isfinite(exposure) & np.isfinite(outcome)).sum())
    seen = _correlation(exposure, outcome)
    if seen is None or blocks < 2:
        return Association(seen, None, both, block_bins)
    cut = exposure.reshape(blocks, block_bins)
    reached = 0
    for _ in range(permutations):
        other = _correlation(cut[random.permutation(blocks)].reshape(-1), outcome)
        reached += other is not None and abs(other) >= abs(seen) - 1e-12
    return Association(seen, (1 + reached) / (1 + permutations), both, block_bins)


def _correlation(left: Floats, right: Floats) -> float | None:
    both = np.isfinite(left) & np.isfinite(right)
    if both.sum() < 3:
        return None
    first, second = ranks(left[both]), ranks(right[both])
    first -= first.mean()
    second -= second.mean()
    norm = sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / norm if norm else None


def ranks(values: Floats) -> Floats:
    """Ranks from 1; those that tie share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    found: Floats = (ends - (counts - 1) / 2)[inverse]
    return found
