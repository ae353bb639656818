"""What was seen: one fact, with its unit, sample size, interval and passport."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from nethealth.model.failure import Failure

Scalar = str | int | float | bool | None
Passport = Mapping[str, Scalar | Sequence[Scalar]]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Observation:
    """One value of one named statistic.

    `name` carries statistic and unit (`round_trip_delay_median_s`). `value` is null where there
    was nothing to measure, with the cause in `failure`; zero always means a measured zero.
    `t_s`: seconds since run.started. `samples`: how many singletons the value rests on.
    `interval`: 95 %. `method`: the passport, and the keys that tell series apart.
    """

    id: str
    check: str
    name: str
    value: Scalar
    unit: str | None = None
    t_s: float | None = None
    samples: int | None = None
    interval: Interval | None = None
    failure: Failure | None = None
    method: Passport = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a moment: a restart, a page, a blackout, the run's own stop."""

    id: str
    time: datetime
    kind: str
    site: str | None = None
    asset: str | None = None
    source: str | None = None
    clock_error_s: float | None = None


@dataclass(frozen=True, slots=True)
class PastValue:
    """A value of an earlier run that this record is judged beside, and shows."""

    time: datetime
    check: str  # without its round
    asset: str | None
    name: str
    value: Scalar
    unit: str | None = None
    method: Passport = field(default_factory=dict)
