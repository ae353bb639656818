"""Intervals for shares of checks that come day by day and are not independent of each other.

A bad hour spoils all of its checks: the checks of a day are a cluster, as in a survey. The share's
variance between days gives an effective sample size (Kish 1965), corrected for few days (Korn and
Graubard 1998), and that Wilson's interval.
"""

import numpy as np
from numpy.typing import NDArray

from nethealth.model.observation import Interval
from nethealth.quality.loss import wilson

Floats = NDArray[np.float64]
_Z95 = 1.959963984540054
_T95 = {1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764, 5: 2.5706}  # Student's t, two-sided 95 %


def share_interval(parts: Floats, wholes: Floats) -> Interval | None:
    """The 95 % interval of sum(parts) / sum(wholes), by day; None where nothing was counted.

    With no spread between days, or one day only, each check counts as if by itself.
    """
    used = wholes > 0
    parts, wholes = parts[used], wholes[used]
    count, days = float(wholes.sum()), len(wholes)
    if not count:
        return None
    share = min(max(float(parts.sum()) / count, 0.0), 1.0)
    effective = count
    if days > 1 and 0 < share < 1:
        residuals = parts - share * wholes
        variance = days / (days - 1) * float(residuals @ residuals) / count**2
        if variance > 0:
            shrink = (_Z95 / student_t(days - 1)) ** 2
            effective = share * (1 - share) / variance * shrink
    effective = max(effective, 1.0)
    return wilson(share * effective, effective)


def student_t(degrees: int) -> float:
    """The 97.5 % point of Student's t; Cornish and Fisher's expansion from 6 degrees on."""
    if degrees in _T95:
        return _T95[degrees]
    z = _Z95
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3
