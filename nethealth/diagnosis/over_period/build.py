"""A whole period's figures from its columns, its runs and what happened meanwhile."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np

from nethealth.diagnosis.over_period.calendar import (
    Calendar,
    Integers,
    calendar,
    counted_by_day,
)
from nethealth.diagnosis.over_period.changes import Known, compare, daily_values
from nethealth.diagnosis.over_period.figures import (
    Sample,
    digest,
    digest_of,
    place,
    rounded,
    sample,
    together,
)
from nethealth.model.inventory import Inventory
from nethealth.model.observation import Event
from nethealth.model.period import NOT_RUN_LEAST, CheckPeriod
from nethealth.model.period_codec import sealed
from nethealth.model.period_report import (
    Asked,
    Change,
    Daily,
    EventCount,
    Hole,
    NotRun,
    PeriodReport,
    Place,
    RunFacts,
    Seen,
)

HOLE_STEPS = 3  # this many usual steps without a measurement are a hole
_HOLES_MOST = 20  # of one site, the longest
_CHANGES_MOST = 12
_GIVEN = "given"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a period is made of besides its columns."""

    runs: Sequence[RunFacts]
    inventories: Mapping[str, Inventory]
    events: Sequence[Event] = ()
    not_run: Sequence[NotRun] = ()
    seen: Sequence[Seen] = ()


@dataclass(slots=True)
class _Site:
    """A site while its checks go by."""

    council: str | None
    samples: list[Sample] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    assets: list[Place] = field(default_factory=list)
    times_s: list[Integers] = field(default_factory=list)
    checks: list[CheckPeriod] = field(default_factory=list)  # kept only for a change


def build(asked: Asked, checks: Iterable[CheckPeriod], facts: Facts) -> PeriodReport:
    """The figures of every place asked for.

    `checks` come site by site; where there are changes to judge, those of other sites too, to
    compare with. ValueError for an unknown time zone or for a period of no time.
    """
    days = calendar(asked.since, asked.until, asked.timezone)
    wanted = _change_days(asked, facts.events, days)
    sites: dict[str | None, _Site] = {}
    others: dict[str | None, list[Sample]] = {}
    pending: dict[str | None, list[tuple[Sample, str]]] = {}
    current: tuple[str | None, str | None] | None = None

    def end_asset() -> None:
        if current is None:
            return
        found = sites[current[0]]
        for asset, parts in pending.items():
            joined = together([one for one, _ in parts])
            sha = digest_of(one for _, one in parts)
            found.samples.append(joined)
            found.digests.append(sha)
            if asset is not None:
                found.assets.append(place(joined, days, (found.council, current[0], asset), sha))
        pending.clear()

    for check in checks:
        if not _is_asked(asked, check):
            others.setdefault(check.site, []).append(sample(check, days))
            continue
        here = (check.site, check.asset)
        if here != current:
            end_asset()
            current = here
            sites.setdefault(check.site, _Site(check.council))
        found = sites[check.site]
        pending.setdefault(check.asset, []).append((sample(check, days), digest(check)))
        found.times_s.append(_ran(check))
        if any(site == check.site for _, site, _ in wanted):
            found.checks.append(check)
    end_asset()
    places: list[Place] = []
    holes: list[Hole] = []
    controls: dict[str, Daily] = {}
    for site, found in sorted(sites.items(), key=lambda pair: (pair[0] is None, pair[0] or "")):
        whole = place(
            together(found.samples), days, (found.council, site, None), digest_of(found.digests)
        )
        places += [whole, *sorted(found.assets, key=lambda one: one.asset or "")]
        holes += _holes(site, found.times_s, asked, facts.runs)
        if site is not None:
            controls[site] = whole.daily
    for site, samples in others.items():
        if site is not None and site not in controls:
            controls[site] = place(together(samples), days, (None, site, None), "").daily
    known = Known(days, facts.runs, facts.inventories, controls)
    changes: list[Change] = []
    for day, site, source in wanted[:_CHANGES_MOST]:
        held = sites[site].checks if site in sites else []
        changes.append(compare(known, held, site, day, source))
    daily = {one.site: one.daily for one in places if one.asset is None}
    return sealed(PeriodReport(
        asked=asked,
        days=days.days,
        hours=tuple(int(n) for n in days.hours),
        runs=len(facts.runs),
        interrupted=sum(run.interrupted or run.finished is None for run in facts.runs),
        vantages=tuple(sorted({run.vantage for run in facts.runs})),
        versions=tuple(sorted({run.version for run in facts.runs})),
        places=tuple(places),
        events=_events(asked, facts, days, daily),
        not_run=tuple(facts.not_run),
        holes=tuple(holes),
        seen=tuple(facts.seen),
        changes=tuple(changes),
    ))  # fmt: skip


def _is_asked(asked: Asked, check: CheckPeriod) -> bool:
    return (asked.site in (None, check.site)) and (asked.council in (None, check.council))


def _ran(check: CheckPeriod) -> Integers:
    times = np.frombuffer(check.times_s, dtype=np.uint32).astype(np.int64)
    return times[np.frombuffer(check.states, dtype=np.uint8) < NOT_RUN_LEAST]


def _change_days(
    asked: Asked, events: Sequence[Event], days: Calendar
) -> list[tuple[date, str, str]]:
    """Each change asked for: its day, its site, and where it is known from."""
    found: list[tuple[date, str, str]] = []
    for text in asked.changes:
        try:
            given = date.fromisoformat(text)
        except ValueError:
            edges = days.edges_s
            for event in events:
                number = int(days.day_of(np.asarray([int(event.time.timestamp())]))[0])
                if event.kind == text and event.site is not None and 0 <= number < len(edges) - 1:
                    found.append((days.days[number], event.site, text))
        else:
            if asked.site is not None:
                found.append((given, asked.site, _GIVEN))
    return list(dict.fromkeys(found))


def _holes(
    site: str | None, times_s: Sequence[Integers], asked: Asked, runs: Sequence[RunFacts]
) -> list[Hole]:
    """The longest stretches without a measurement, in the order of time."""
    seen = np.unique(np.concatenate(times_s)) if times_s else np.zeros(0, dtype=np.int64)
    start_s, end_s = int(asked.since.timestamp()), int(asked.until.timestamp())
    minutes = np.unique(seen // 60) * 60  # the checks of one round are no steps apart
    steps = np.diff(minutes)
    usual = float(np.median(steps[steps > 60])) if (steps > 60).any() else float(end_s - start_s)
    marks = [start_s, *(int(one) for one in seen[_edges(seen, HOLE_STEPS * usual)]), end_s]
    gaps = [
        (earlier, later) for earlier, later in pairwise(marks)
        if later - earlier > HOLE_STEPS * usual and not _measured_between(seen, earlier, later)
    ]  # fmt: skip
    longest = sorted(sorted(gaps, key=lambda one: one[0] - one[1])[:_HOLES_MOST])
    return [
        Hole(
            site, datetime.fromtimestamp(earlier, UTC), datetime.fromtimestamp(later, UTC),
            _whole_runs(runs, earlier, later),
        )
        for earlier, later in longest
    ]  # fmt: skip


def _whole_runs(runs: Sequence[RunFacts], earlier: int, later: int) -> int:
    """Those that began after the one time and ended before the other."""
    return sum(
        earlier < run.started.timestamp() and run.finished.timestamp() < later
        for run in runs
        if run.finished is not None
    )


def _edges(seen: Integers, least: float) -> Integers:
    """The places just before and just after every long step, and both ends."""
    if not seen.size:
        return np.zeros(0, dtype=np.int64)
    long = np.flatnonzero(np.diff(seen) > least)
    return np.unique(np.concatenate(([0], long, long + 1, [len(seen) - 1])))


def _measured_between(seen: Integers, earlier: int, later: int) -> bool:
    found = np.searchsorted(seen, later) - np.searchsorted(seen, earlier, side="right")
    return bool(found > 0)


def _events(
    asked: Asked, facts: Facts, days: Calendar, sites: Mapping[str | None, Daily]
) -> tuple[EventCount, ...]:
    times: dict[tuple[str | None, str], list[datetime]] = {}
    for event in facts.events:
        if asked.site in (None, event.site) and (event.site is None or event.site in sites):
            times.setdefault((event.site, event.kind), []).append(event.time)
    found = []
    for (site, kind), moments in sorted(
        times.items(), key=lambda pair: (pair[0][0] or "", pair[0][1])
    ):
        by_day = counted_by_day(moments, days)
        if not any(by_day):
            continue
        on = np.asarray(by_day) > 0
        daily = sites.get(site)
        medians: list[float | None] = [None] * 4
        if daily is not None:
            medians = [
                _median(daily_values(name, daily)[which])
                for name in ("packet_loss_ratio", "round_trip_delay_p95_s")
                for which in (on, ~on)
            ]
        found.append(EventCount(site, kind, by_day, *medians))
    return tuple(found)


def _median(values: "np.typing.NDArray[np.float64]") -> float | None:
    known = values[np.isfinite(values)]
    return rounded(float(np.median(known))) if known.size else None
