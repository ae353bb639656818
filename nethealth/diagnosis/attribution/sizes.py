"""How large an effect is, in words that need no model."""

from math import exp, log, sqrt

import numpy as np

from nethealth.diagnosis.attribution.days import Floats
from nethealth.model.observation import Interval

_Z95 = 1.959963984540054


def cliffs_delta(first: Floats, second: Floats) -> float | None:
    """How much oftener a value of `first` exceeds one of `second` than the other way (Cliff 1993).

    From -1 to 1; None if either holds nothing. NaN is left out.
    """
    left, right = first[np.isfinite(first)], np.sort(second[np.isfinite(second)])
    if not left.size or not right.size:
        return None
    above = np.searchsorted(right, left, side="left").sum()
    below = (len(right) - np.searchsorted(right, left, side="right")).sum()
    return float(above - below) / (len(left) * len(right))


def risk_ratio(
    bad_exposed: int, exposed: int, bad_other: int, other: int
) -> tuple[float, Interval] | None:
    """The ratio of two risks with its 95 % interval on the log scale (Katz and others 1978).

    None where a count is 0 and the ratio or its interval is not defined.
    """
    if not (0 < bad_exposed <= exposed and 0 < bad_other <= other):
        return None
    ratio = (bad_exposed / exposed) / (bad_other / other)
    error = sqrt(1 / bad_exposed - 1 / exposed + 1 / bad_other - 1 / other)
    return ratio, (exp(log(ratio) - _Z95 * error), exp(log(ratio) + _Z95 * error))
