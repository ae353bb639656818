"""What a report over a period says, in figures: by site, asset and day, and what is missing.

All of it follows from the columns of a period, the runs that made them and what happened
meanwhile; `sha256` of each place is that of its columns, so that one changed value shows.
"""

from dataclasses import dataclass
from datetime import date, datetime

from nethealth.model.check import ProbeKind
from nethealth.model.inventory import SweepSettings
from nethealth.model.observation import Interval
from nethealth.model.record import RunKind


@dataclass(frozen=True, slots=True)
class Asked:
    """Which period, of what; `since` is in it and `until` is not.

    `changes`: dates (2026-10-01) or kinds of events. `timezone`: whose days they are.
    """

    since: datetime
    until: datetime
    timezone: str
    council: str | None = None
    site: str | None = None
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a period needs to know of one run; `inventory` is the SHA-256 that it is kept under."""

    id: str
    kind: RunKind
    vantage: str
    started: datetime
    finished: datetime | None
    interrupted: bool
    version: str
    sweep: SweepSettings
    inventory: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % interval; null where nothing was measured. `samples`: of checks."""

    value: float | None
    samples: int
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Daily:
    """One value for each local day of the period, null where nothing was measured."""

    hours: tuple[int, ...]  # in which anything was measured
    checks: tuple[int, ...]  # that were made of probes that ask for an answer
    answered: tuple[int, ...]
    loss_ratio: tuple[float | None, ...]
    delay_median_s: tuple[float | None, ...]
    delay_p95_s: tuple[float | None, ...]
    r_factor_median: tuple[float | None, ...]
    r_factor_p5: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One asset, or with `asset` null a whole site, over the period.

    `availability`: of the checks that were measured, those that were answered. `loss`: mean over
    the checks that were answered at all. Delays are percentiles over checks of each check's median
    round trip; `r_basis` is the probe that the R-factors come from.
    """

    council: str | None
    site: str | None
    asset: str | None
    due: int
    measured: int
    hours: int
    availability: Figure
    loss: Figure
    delay_median_s: Figure
    delay_p95_s: Figure
    r_factor_median: Figure
    r_factor_p5: Figure
    r_basis: ProbeKind | None
    daily: Daily
    sha256: str


@dataclass(frozen=True, slots=True)
class EventCount:
    """How often something happened at a site (null: nobody knows where), by local day.

    The medians are of the site's daily values, on the days with such an event and on the others:
    side by side, and no test.
    """

    site: str | None
    kind: str
    by_day: tuple[int, ...]
    loss_with: float | None
    loss_without: float | None
    delay_p95_with_s: float | None
    delay_p95_without_s: float | None


@dataclass(frozen=True, slots=True)
class NotRun:
    """Checks that were due and not run, by reason."""

    site: str | None
    probe: ProbeKind
    reason: str
    checks: int


@dataclass(frozen=True, slots=True)
class Hole:
    """A stretch in which nothing was measured at a site; `runs` took place meanwhile."""

    site: str | None
    start: datetime
    end: datetime
    runs: int


@dataclass(frozen=True, slots=True)
class Seen:
    """How often a finding was made: in `runs` of the `looked` runs that had its place in view.

    `passing`: in too few of them to have lasted or kept returning.
    """

    id: str
    runs: int
    looked: int
    first: datetime
    last: datetime
    run: str  # the one whose words and evidence are shown
    episodes: tuple[tuple[datetime, datetime], ...]  # as `nethealth.model.episodes` has them
    passing: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """One outcome before and after a change, by whole days paired by day of the week.

    `effect` is after less before. `rank` among `placebos`: how the change, against the sites in
    `controls`, compares with the same contrast at other dates (1: none is as great); null where
    these are few.
    `refused`: why nothing was compared.
    """

    outcome: str
    unit: str
    before: Figure
    after: Figure
    pairs: int
    effect: Figure
    p: float | None
    controls: int
    rank: int | None
    placebos: int
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change at a site on a local day, and what differed after it; the day itself is left out.

    `source`: "given", or the kind of the event. `method`: what was the same on both sides.
    `left_out`: assets that were not measured alike on both. `refused`: why nothing was compared.
    """

    day: date
    site: str
    source: str
    days_each_side: int
    method: str
    left_out: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class PeriodReport:
    """Everything that a report over a period shows; `sha256` is that of all the rest of it."""

    asked: Asked
    days: tuple[date, ...]
    hours: tuple[int, ...]  # of each day: 23 and 25 where the clock is changed
    runs: int
    interrupted: int
    vantages: tuple[str, ...]
    versions: tuple[str, ...]
    places: tuple[Place, ...]  # a site before its assets
    events: tuple[EventCount, ...]
    not_run: tuple[NotRun, ...]
    holes: tuple[Hole, ...]
    seen: tuple[Seen, ...]
    changes: tuple[Change, ...]
    sha256: str = ""
