"""Shares of what comes day by day: a bad hour spoils all of its checks, so days are the sample."""

from statistics import NormalDist

import numpy as np

from nethealth.diagnosis.attribution.days import Floats
from nethealth.diagnosis.history.frame import Bools
from nethealth.model.observation import Interval
from nethealth.quality.loss import wilson


def share_by_day(parts: Floats, wholes: Floats) -> tuple[float, Interval] | None:
    """The share and its 95 % interval; None where nothing was counted.

    Wilson's interval, for as many as the spread between days leaves of them (Kish 1965).
    """
    used = wholes > 0
    parts, wholes = parts[used], wholes[used]
    count = float(wholes.sum())
    if not count:
        return None
    share = min(max(float(parts.sum()) / count, 0.0), 1.0)
    effective, days = count, len(wholes)
    if days > 1 and 0 < share < 1:
        rest = parts - share * wholes
        variance = days / (days - 1) * float(rest @ rest) / count**2
        if variance > 0:
            effective = min(count, max(1.0, share * (1 - share) / variance))
    return share, wilson(share * effective, effective)


def days_above(parts: Floats, wholes: Floats, limit: float, looked_at: int) -> Bools:
    """The days of which each by itself is above the limit, at 95 % for all that were looked at."""
    z = NormalDist().inv_cdf(1 - 0.025 / max(1, looked_at))
    known = np.maximum(wholes, 1)
    share = np.clip(parts / known, 0, 1)
    centre = share + z**2 / (2 * known)
    spread = z * np.sqrt(share * (1 - share) / known + z**2 / (4 * known**2))
    low = (centre - spread) / (1 + z**2 / known)
    above: Bools = (wholes > 0) & (low > limit)
    return above
