"""How busy a site is: the hours of an office, and noise that remembers where it was.

Assumed: nothing much at night, a rise at nine, a dip over lunch; noise of first order (AR(1)) with
the coefficient 0.8 between bins of five minutes, as in the published simulations of attribution.
"""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RHO = 0.8
_HOURS = (0.0, 6.0, 8.0, 9.0, 9.5, 12.0, 13.0, 14.0, 16.5, 18.0, 20.0, 24.0)
_BUSY = (0.05, 0.05, 0.35, 1.0, 0.85, 0.8, 0.55, 0.8, 0.75, 0.3, 0.08, 0.05)
WEEKEND = 0.1


def office(moment: datetime) -> float:
    """The share of a site's people that are at work, 0 to 1; local time."""
    hour = moment.hour + moment.minute / 60 + moment.second / 3600
    busy = float(np.interp(hour, _HOURS, _BUSY))
    return busy * (WEEKEND if moment.weekday() >= 5 else 1.0)


def wandering(random: np.random.Generator, count: int, rho: float = RHO) -> Floats:
    """Noise of first order with mean 0 and standard deviation 1."""
    steps = random.standard_normal(count) * np.sqrt(1 - rho * rho)
    noise = np.empty(count)
    level = float(random.standard_normal())
    for at, step in enumerate(steps):
        noise[at] = level
        level = rho * level + float(step)
    return noise
