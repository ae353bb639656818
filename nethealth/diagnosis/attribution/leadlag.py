"""Which of two series moves first, once the memory of each has been filtered out.

Two series with memory correlate by chance at some lag; so the exposure is whitened by its own
autoregression, the outcome by the same filter, and the band is that of the greatest correlation at
any lag when one is moved round the other.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nethealth.diagnosis.attribution.days import Floats

_ORDER_MOST = 12
_BINS_PER_ORDER = 20
_SAMPLES_PER_LAG = 4
_SHIFTS_MOST = 499  # enough for a quantile of 95 %
Leads = Literal["exposure", "outcome", "undetermined", "neither"]


@dataclass(frozen=True, slots=True)
class LeadLag:
    """Cross-correlations from lag -L to L; at a positive lag the exposure comes first.

    `band`: 95 % of series without connection stay below it at all lags together. `peak_lag` is
    where the correlation is greatest in size, in bins. None where there was too little in common.
    """

    correlations: Floats
    band: float | None
    peak_lag: int | None
    peak: float | None
    order: int
    samples: int

    def leads(self, clock_error_bins: float = 0.0) -> Leads:
        """Who moves first; within one bin, or within the clocks' error, nobody can tell."""
        if self.peak is None or self.peak_lag is None or self.band is None:
            return "neither"
        if abs(self.peak) <= self.band:
            return "neither"
        if abs(self.peak_lag) <= clock_error_bins or self.peak_lag == 0:
            return "undetermined"
        return "exposure" if self.peak_lag > 0 else "outcome"


def lead_lag(exposure: Floats, outcome: Floats, lags: int, random: np.random.Generator) -> LeadLag:
    """Prewhiten by the exposure's autoregression (order by AIC) and correlate.

    Both series without their daily cycle; NaN for what is missing, which no filter bridges.
    """
    if len(exposure) != len(outcome):
        raise ValueError(f"{len(exposure)} bins of exposure for {len(outcome)} of outcome")
    weights = _autoregression(exposure)
    white, other = _filtered(exposure, weights), _filtered(outcome, weights)
    samples = int((np.isfinite(white) & np.isfinite(other)).sum())
    seen = _at_lags(white, other, lags)
    if samples < _SAMPLES_PER_LAG * (2 * lags + 1) or not np.isfinite(seen).all():
        return LeadLag(seen, None, None, None, len(weights), samples)
    turns = np.arange(2 * lags + 1, len(white) - 2 * lags)
    if len(turns) > _SHIFTS_MOST:
        turns = random.choice(turns, _SHIFTS_MOST, replace=False)
    greatest = [float(np.nanmax(np.abs(_at_lags(np.roll(white, turn), other, lags))))
                for turn in turns]  # fmt: skip
    best = int(np.nanargmax(np.abs(seen)))
    return LeadLag(
        seen, float(np.quantile(greatest, 0.95)), best - lags, float(seen[best]), len(weights),
        samples,
    )  # fmt: skip


def _autoregression(series: Floats) -> Floats:
    """Weights of the last values, by least squares; the order with the least AIC."""
    centred = series - np.nanmean(series)
    best: tuple[float, Floats] = (np.inf, np.zeros(0))
    # The orders are compared over the same bins: those that have all their past. Where holes
    # leave too few of them for the highest order, a lower one must do.
    for most in range(_ORDER_MOST, -1, -1):
        rows = _history(centred, most)
        whole = np.isfinite(rows).all(axis=1)
        if whole.sum() >= _BINS_PER_ORDER * (most + 1):
            break
    else:
        return best[1]
    target, past = rows[whole, 0], rows[whole, 1:]
    count = len(target)
    for order in range(most + 1):
        weights, *_ = np.linalg.lstsq(past[:, :order], target, rcond=None)
        rest = target - past[:, :order] @ weights
        variance = float(rest @ rest) / count
        if variance <= 0:
            return weights.astype(np.float64)
        aic = count * np.log(variance) + 2 * order
        if aic < best[0]:
            best = (float(aic), weights.astype(np.float64))
    return best[1]


def _filtered(series: Floats, weights: Floats) -> Floats:
    """What the last values did not foretell; NaN where any of them is missing."""
    rows = _history(series - np.nanmean(series), len(weights))
    rest: Floats = rows[:, 0] - rows[:, 1:] @ weights
    return rest


def _history(series: Floats, order: int) -> Floats:
    """Each value with the `order` before it; NaN before the beginning."""
    rows = np.full((len(series), order + 1), np.nan)
    for lag in range(order + 1):
        rows[lag:, lag] = series[: len(series) - lag]
    return rows


def _at_lags(exposure: Floats, outcome: Floats, lags: int) -> Floats:
    """Pearson's correlation of exposure at t with outcome at t + k, for each k."""
    found = np.full(2 * lags + 1, np.nan)
    for index, lag in enumerate(range(-lags, lags + 1)):
        first = exposure[max(0, -lag) : len(exposure) - max(0, lag)]
        second = outcome[max(0, lag) : len(outcome) - max(0, -lag)]
        both = np.isfinite(first) & np.isfinite(second)
        if both.sum() < 3:
            continue
        left, right = first[both] - first[both].mean(), second[both] - second[both].mean()
        norm = np.sqrt(float(left @ left) * float(right @ right))
        if norm > 0:
            found[index] = float(left @ right) / norm
    return found
