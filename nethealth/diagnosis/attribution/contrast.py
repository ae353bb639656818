"""Before and after a change at one site, against sites where nothing changed.

Three sites can never be significant: the change could have been drawn for any of them, so that the
least p from space is one in three. What time can say is how the contrast at the date of the change
ranks among the same contrast at all other dates, and even that is a rank, not a proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nethealth.diagnosis.attribution.days import Floats

PRE_TREND_LEAST_DAYS = 28


@dataclass(frozen=True, slots=True)
class Contrast:
    """The difference in differences and how it compares.

    `rank` among `placebos` dates (1: none is as great). `pre_trend_per_day`: how the treated site
    moved against the others before the change; far from 0 the contrast means nothing.
    `space_least_p` is one over the number of sites.
    """

    effect: float
    rank: int
    placebos: int
    pre_trend_per_day: float | None
    space_least_p: float


def difference_in_differences(
    treated: Floats, controls: Sequence[Floats], change_day: int, *, days_each_side: int
) -> Contrast | None:
    """By daily values, NaN for a day without: the mean after less the mean before, less controls'.

    None where the change leaves fewer than `days_each_side` days on a side, or there are no
    controls, or too few of the days were measured.
    """
    if not controls or not days_each_side <= change_day <= len(treated) - days_each_side:
        return None
    # Each control about its own level: one that misses a day must not shift the others' mean.
    about = np.vstack([one - np.nanmean(one) for one in controls])
    rest = treated - _mean_of_columns(about)
    effects = {
        day: _step(rest, day, days_each_side)
        for day in range(days_each_side, len(rest) - days_each_side + 1)
    }
    effect = effects.pop(change_day)
    if effect is None:
        return None
    # A placebo whose windows reach over the change would contain it.
    others = [
        one
        for day, one in effects.items()
        if one is not None and abs(day - change_day) >= days_each_side
    ]
    rank = 1 + sum(abs(one) >= abs(effect) for one in others)
    return Contrast(effect, rank, len(others), _slope(rest[:change_day]), 1 / (1 + len(controls)))


def _step(rest: Floats, day: int, days_each_side: int) -> float | None:
    before, after = rest[day - days_each_side : day], rest[day : day + days_each_side]
    if min(np.isfinite(before).mean(), np.isfinite(after).mean()) < 0.5:
        return None
    return float(np.nanmean(after) - np.nanmean(before))


def _slope(before: Floats) -> float | None:
    days = np.flatnonzero(np.isfinite(before))
    if len(before) < PRE_TREND_LEAST_DAYS or len(days) < PRE_TREND_LEAST_DAYS // 2:
        return None
    return float(np.polyfit(days, before[days], 1)[0])


def _mean_of_columns(rows: Floats) -> Floats:
    """NaN for a day that no control measured, without a warning."""
    means = np.full(rows.shape[1], np.nan)
    some = np.isfinite(rows).any(axis=0)
    means[some] = np.nanmean(rows[:, some], axis=0)
    return means
