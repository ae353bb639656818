"""Histories with and without an effect, as the handbook of statistics for this field asks.

Bins of five minutes. Noise of first order with coefficient 0.8 and unit innovations, so that its
standard deviation is 1.67; an office-hours cycle of two units on working days from 9 to 17;
weekends; events at random times in office hours of working days, on some days none.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from nethealth.diagnosis.attribution.days import Days, Floats, Integers

SLOTS = 288
FIRST, LAST = 9 * 12, 17 * 12
RHO, CYCLE, EFFECT = 0.8, 2.0, 0.8
WIDTH = 12


@dataclass(frozen=True)
class Drawn:
    days: Days
    events: Integers


def autoregressive(count: int, random: np.random.Generator, rho: float = RHO) -> Floats:
    """Stationary noise: the first hundred bins, in which it settles, are thrown away."""
    innovations = random.normal(size=count + 100)
    values = np.empty(count + 100)
    last = 0.0
    for index, innovation in enumerate(innovations):
        last = rho * last + innovation
        values[index] = last
    return values[100:]


def draw(
    random: np.random.Generator,
    *,
    calendar_days: int,
    effect: float = 0.0,
    cycle: bool = True,
    weekends: bool = True,
    per_day: int = 2,
) -> Drawn:
    """One history; its events lift the hour after them by `effect`."""
    values = autoregressive(calendar_days * SLOTS, random).reshape(calendar_days, SLOTS)
    working = np.array([day % 7 < 5 or not weekends for day in range(calendar_days)])
    if cycle:
        values[working, FIRST:LAST] += CYCLE
    events = []
    for day in np.flatnonzero(working):
        if random.random() < 0.7:
            slots = random.choice(np.arange(FIRST, LAST - WIDTH), per_day, replace=False)
            events += [int(day) * SLOTS + int(slot) for slot in slots]
    flat = values.reshape(-1)
    for event in events:
        flat[event : event + WIDTH] += effect
    return Drawn(
        Days(date(2026, 1, 5), 300, values, working), np.asarray(sorted(events), dtype=np.int64)
    )
