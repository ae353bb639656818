"""A whole period's figures from its columns, its runs and what happened meanwhile."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby, pairwise

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
    Daily,
    EventCount,
    Hole,
    NotRun,
    PeriodReport,
    Place,
    RunFacts,
    Seen,
)

LASTING = 0.05  # of the runs that looked: what was found in fewer is called passing
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
class _Gathered:
    """What is kept of the sites once their checks have gone by."""

    places: list[Place] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    controls: dict[str, Daily] = field(default_factory=dict)
    checks: dict[str, list[CheckPeriod]] = field(default_factory=dict)  # of changed sites


def passing(runs: int, looked: int) -> bool:
    """Whether a finding that `runs` of the `looked` runs made neither lasted nor kept returning."""
    return runs < LASTING * looked or not looked


def build(asked: Asked, checks: Iterable[CheckPeriod], facts: Facts) -> PeriodReport:
    """The figures of every place asked for.

    `checks` come site by site, and one site at a time is in memory; where there are changes to
    judge, those of other sites come too, to compare with. ValueError for an unknown time zone or
    for a period of no time.
    """
    days = calendar(asked.since, asked.until, asked.timezone)
    wanted = _change_days(asked, facts.events, days)[:_CHANGES_MOST]
    changed = {site for _, site, _ in wanted}
    kept = _Gathered()
    for (council, site), group in groupby(checks, key=lambda one: (one.council, one.site)):
        if asked.site in (None, site) and asked.council in (None, council):
            held = _site(council, site, group, days, kept, asked, facts.runs, site in changed)
            if site is not None and site in changed:
                kept.checks[site] = held
        elif site is not None:
            joined = together([sample(one, days) for one in group])
            kept.controls.setdefault(site, place(joined, days, (council, site, None), "").daily)
    kept.places.sort(key=lambda one: (one.site is None, one.site or "", one.council or "",
                                      one.asset or ""))  # fmt: skip
    kept.holes.sort(key=lambda one: (one.site or "", one.start))
    known = Known(days, facts.runs, facts.inventories, kept.controls)
    changes = [
        compare(known, kept.checks.get(site, ()), site, day, source) for day, site, source in wanted
    ]
    daily = {one.site: one.daily for one in kept.places if one.asset is None}
    return sealed(PeriodReport(
        asked=asked,
        days=days.days,
        hours=tuple(int(n) for n in days.hours),
        runs=len(facts.runs),
        interrupted=sum(run.interrupted or run.finished is None for run in facts.runs),
        vantages=tuple(sorted({run.vantage for run in facts.runs})),
        versions=tuple(sorted({run.version for run in facts.runs})),
        places=tuple(kept.places),
        events=_events(asked, facts, days, daily),
        not_run=tuple(facts.not_run),
        holes=tuple(kept.holes),
        seen=tuple(facts.seen),
        changes=tuple(changes),
    ))  # fmt: skip


def _site(
    council: str | None,
    site: str | None,
    checks: Iterable[CheckPeriod],
    days: Calendar,
    kept: _Gathered,
    asked: Asked,
    runs: Sequence[RunFacts],
    changed: bool,
) -> list[CheckPeriod]:
    """Add one site and its assets to what is kept; its checks where a change needs them."""
    held: list[CheckPeriod] = []
    samples: list[Sample] = []
    digests: list[str] = []
    times_s: list[Integers] = []
    for asset, group in groupby(checks, key=lambda one: one.asset):
        parts: list[tuple[Sample, str]] = []
        for check in group:
            parts.append((sample(check, days), digest(check)))
            times_s.append(_ran(check))
            if changed:
                held.append(check)
        joined = together([one for one, _ in parts])
        sha = digest_of(one for _, one in parts)
        samples.append(joined)
        digests.append(sha)
        if asset is not None:
            kept.places.append(place(joined, days, (council, site, asset), sha))
    whole = place(together(samples), days, (council, site, None), digest_of(digests))
    kept.places.append(whole)
    kept.holes += _holes(site, times_s, asked, runs)
    if site is not None:
        kept.controls[site] = whole.daily
    return held


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
