"""Several runs as one record: what was seen in a stretch of time, whoever looked and however.

The checks of each run become rounds of one series, in the order in which the runs began; captures
and what was imported stand beside them, so that one judgement sees them all.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import isfinite

from nethealth.model.check import CheckResult
from nethealth.model.inventory import Asset, Inventory
from nethealth.model.observation import Event, Observation
from nethealth.model.record import Instrument, Pacing, Record, Run, Source

_ROUND = re.compile(r"#(\d{1,9})\Z")
_STEP_LEAST_S = 1.0  # a smaller step of the clock is no more than its error
_NAMED_MOST = 5


@dataclass(frozen=True, slots=True)
class Part:
    """A record, and the SHA-256 of the text that it was read from."""

    record: Record
    sha256: str


class NothingToMerge(ValueError):
    """There is no run to make a record of."""


def merge(parts: Iterable[Part], *, since: datetime | None = None, until: datetime | None = None
          ) -> Record:  # fmt: skip
    """One record of kind `period`; raises NothingToMerge for no parts.

    A run that comes twice counts once, by its fuller copy. Checks of another vantage than the
    latest run's keep series of their own (`id@vantage`). An asset that went on under another id at
    the same address is one asset, by its latest name. Times are since the earliest run, or since
    `since`. Findings are left out: they are for the judge. What was peculiar about the runs stands
    in words in `run.instrument.notes`.
    """
    runs, twice = _once(parts)
    if not runs:
        raise NothingToMerge("there is no run in this period")
    latest = _latest_measuring(runs)
    first = min(part.record.run.started for part in runs)
    started = first if since is None else min(_utc(since), first)
    ended = max(part.record.run.finished or part.record.run.started for part in runs)
    inventory, renamed = _inventories([part.record.inventory for part in runs])
    checks, observations = _checks(runs, started, latest.run.vantage, renamed)
    notes = [*_twice(twice), *_steps(runs), *_renamed(renamed), *_vantages(runs)]
    digest = sha256("".join(part.sha256 for part in runs).encode()).hexdigest()
    return replace(
        latest,
        run=Run(
            id=f"period-{digest[:16]}",
            kind="period",
            vantage=latest.run.vantage,
            started=started,
            finished=ended if until is None else max(_utc(until), ended),
            title=latest.run.title,
            clock=latest.run.clock,
            pacing=_pacing(runs, latest.run.pacing),
            instrument=_instrument(runs, notes),
            privacy=latest.run.privacy,
        ),
        inventory=inventory,
        sources=tuple(Source(part.record.run.id, part.sha256) for part in runs),
        checks=checks,
        observations=observations,
        events=_events(runs),
        findings=(),
        past=runs[0].record.past,
    )


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `since` on and before `until`, at one council or site or at all; null is no limit."""

    since: datetime | None = None
    until: datetime | None = None
    council: str | None = None
    site: str | None = None

    def holds(self, moment: datetime) -> bool:
        return (self.since is None or self.since <= moment) and (
            self.until is None or moment < self.until
        )


def cut(record: Record, stretch: Stretch) -> Record | None:
    """What of a record lies in a stretch of time and place; None where nothing does.

    A capture counts by when it was taken, whenever it was read; it may be of no one site.
    """
    began = _utc(record.run.started)
    taken = _captured(record)
    kept = {
        check.id: check
        for check in record.checks
        if (
            (
                check.probe == "capture"
                and stretch.holds(taken or began)
                and (stretch.site is None or check.site in {None, stretch.site})
            )
            or (
                check.probe != "capture"
                and stretch.holds(began + timedelta(seconds=_sane(check.started_s)))
                and (stretch.council is None or check.council == stretch.council)
                and (stretch.site is None or check.site == stretch.site)
            )
        )
    }
    events = tuple(
        event
        for event in record.events
        if stretch.holds(_utc(event.time))
        and (stretch.site is None or event.site in {None, stretch.site})
    )
    if not kept and not events:
        return None
    return replace(
        record,
        inventory=_within(record.inventory, stretch),
        checks=tuple(kept.values()),
        observations=tuple(one for one in record.observations if one.check in kept),
        events=events,
    )


def _captured(record: Record) -> datetime | None:
    """When the packets of a record's capture were taken."""
    for one in record.observations:
        text = one.method.get("capture_started")
        if isinstance(text, str):
            try:
                return _utc(datetime.fromisoformat(text))
            except ValueError:
                return None
    return None


def _sane(after_s: float | None) -> float:
    return after_s if after_s is not None and isfinite(after_s) and abs(after_s) < 1e9 else 0.0


def _within(inventory: Inventory, stretch: Stretch) -> Inventory:
    if stretch.council is None and stretch.site is None:
        return inventory
    sites = tuple(
        one
        for one in inventory.site
        if (stretch.site is None or one.id == stretch.site)
        and (stretch.council is None or one.council == stretch.council)
    )
    ids = {one.id for one in sites}
    return replace(
        inventory,
        council=tuple(one for one in inventory.council if one.id in {s.council for s in sites}),
        site=sites,
        asset=tuple(one for one in inventory.asset if one.site in ids),
        line=tuple(one for one in inventory.line if one.site in ids),
        blackout=tuple(one for one in inventory.blackout if one.site in ids),
    )


def renames(older: Sequence[Inventory], newest: Inventory) -> Mapping[str, str]:
    """Ids of assets that are gone, to the one that now stands at the same address and site."""
    now = {asset.id for asset in newest.asset}
    # Two that stood in one inventory together are two, whatever their addresses.
    beside = [{asset.id for asset in inventory.asset} for inventory in older]
    at: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for asset in newest.asset:
        if asset.address is not None:
            at[_where(asset)].append(asset.id)
    found: dict[str, str] = {}
    for inventory in older:
        for asset in inventory.asset:
            if asset.id in now or asset.address is None:
                continue
            match at.get(_where(asset), []):
                case [one] if not any({asset.id, one} <= ids for ids in beside):
                    found[asset.id] = one
    return found


def _where(asset: Asset) -> tuple[str, str, str]:
    return asset.site, asset.kind, asset.address or ""


def _once(parts: Iterable[Part]) -> tuple[list[Part], list[str]]:
    """The runs by their beginning, each once; and which came more than once."""
    by_run: dict[str, Part] = {}
    twice: list[str] = []
    for part in parts:
        run = part.record.run.id
        if run in by_run:
            twice.append(run)
            if _size(by_run[run]) >= _size(part):
                continue
        by_run[run] = part
    runs = sorted(
        by_run.values(), key=lambda one: (_utc(one.record.run.started), one.record.run.id)
    )
    return runs, twice


def _size(part: Part) -> tuple[int, int, bool]:
    record = part.record
    return len(record.checks), len(record.observations), record.run.finished is not None


def _latest_measuring(runs: Sequence[Part]) -> Record:
    """The latest run that measured from a vantage; else the latest of all."""
    measuring = [one.record for one in runs if one.record.run.kind in {"check", "sweep", "demo"}]
    return (measuring or [one.record for one in runs])[-1]


def _inventories(found: Sequence[Inventory]) -> tuple[Inventory, Mapping[str, str]]:
    """The latest that names anything, with what only earlier ones name; and what was renamed."""
    named = [one for one in found if one.asset or one.site]
    newest = named[-1] if named else found[-1]
    others: list[Inventory] = []
    for one in named:
        if one != newest and one not in others[-1:]:
            others.append(one)
    renamed = renames(others, newest)
    councils = {one.id: one for one in newest.council}
    sites = {one.id: one for one in newest.site}
    assets = {one.id: one for one in newest.asset}
    for inventory in reversed(others):
        for council in inventory.council:
            councils.setdefault(council.id, council)
        for site in inventory.site:
            sites.setdefault(site.id, site)
        for asset in inventory.asset:
            if asset.id not in renamed:
                assets.setdefault(asset.id, asset)
    whole = replace(
        newest,
        council=tuple(councils.values()),
        site=tuple(sites.values()),
        asset=tuple(assets.values()),
    )
    return whole, renamed


def _checks(
    runs: Sequence[Part], started: datetime, vantage: str, renamed: Mapping[str, str]
) -> tuple[tuple[CheckResult, ...], tuple[Observation, ...]]:
    rounds: dict[str, int] = defaultdict(int)
    checks: list[CheckResult] = []
    observations: list[Observation] = []
    for part in runs:
        record = part.record
        after_s = (_utc(record.run.started) - started).total_seconds()
        seen: dict[str, list[Observation]] = defaultdict(list)
        for one in record.observations:
            seen[one.check].append(one)
        known: set[str] = set()
        for check in sorted(record.checks, key=_round):
            if check.id in known:  # a damaged record
                continue
            known.add(check.id)
            asset = renamed.get(check.asset or "", check.asset)
            base = _ROUND.sub("", check.id)
            if asset != check.asset and base.startswith(f"{check.asset}:"):
                base = f"{asset}{base[len(check.asset or '') :]}"
            if record.run.vantage != vantage and check.probe != "capture":
                base = f"{base}@{record.run.vantage}"
            rounds[base] += 1
            own = base if rounds[base] == 1 else f"{base}#{rounds[base]}"
            checks.append(
                replace(
                    check,
                    id=own,
                    asset=asset,
                    started_s=_later(check.started_s, after_s),
                    finished_s=_later(check.finished_s, after_s),
                )
            )
            observations += [
                replace(
                    one,
                    id=f"{own}/{number}",
                    check=own,
                    # Of a capture the time is since its own beginning, which its passport tells.
                    t_s=one.t_s if "capture_started" in one.method else _later(one.t_s, after_s),
                )
                for number, one in enumerate(seen.get(check.id, ()), 1)
            ]
    return tuple(checks), tuple(observations)


def _events(runs: Sequence[Part]) -> tuple[Event, ...]:
    """What happened, oldest first; brought in twice, it stands once."""
    found: dict[tuple[str, str], Event] = {}
    taken: set[str] = set()
    for part in runs:
        for event in part.record.events:
            found.setdefault((event.id, event.kind), event)
    once = []
    for (id_, kind), event in found.items():
        own = id_ if id_ not in taken else f"{id_}:{kind}"
        taken.add(own)
        once.append(replace(event, id=own))
    return tuple(sorted(once, key=lambda one: (_utc(one.time), one.id)))


def _pacing(runs: Sequence[Part], latest: Pacing) -> Pacing:
    known = [one.record.run.pacing for one in runs]
    observed = [one.observed_s for one in known if one.observed_s is not None]
    return replace(
        latest,
        rounds=sum(one.rounds for one in known),
        observed_s=sum(observed) if observed else None,
        start_offset_s=None,
    )


def _instrument(runs: Sequence[Part], notes: Sequence[str]) -> Instrument:
    """The worst of what the measurer did in any of the runs, and the sum of what it dropped."""
    known = [one.record.run.instrument for one in runs]

    def worst(values: Iterable[float | None]) -> float | None:
        return max((value for value in values if value is not None), default=None)

    dropped = [one.socket_overflow_count for one in known]
    counted = [count for count in dropped if count is not None]
    every = dict.fromkeys([*notes, *(note for one in known for note in one.notes)])
    return Instrument(
        loop_lag_p99_s=worst(one.loop_lag_p99_s for one in known),
        loop_lag_max_s=worst(one.loop_lag_max_s for one in known),
        send_timer_error_p99_s=worst(one.send_timer_error_p99_s for one in known),
        socket_overflow_count=sum(counted) if counted else None,
        notes=tuple(every),
    )


def _twice(runs: Sequence[str]) -> list[str]:
    named = list(dict.fromkeys(runs))
    if not named:
        return []
    return [f"given more than once and counted once: {_listed(named)}"]


def _steps(runs: Sequence[Part]) -> list[str]:
    """Runs during which the wall clock was moved: their times are uncertain by as much."""
    moved = [
        f"{run.id} by {run.clock.step_s:+.1f} s"
        for run in (one.record.run for one in runs)
        if run.clock.step_s is not None
        and isfinite(run.clock.step_s)
        and abs(run.clock.step_s) >= _STEP_LEAST_S
    ]
    if not moved:
        return []
    return [f"the clock was moved during {_listed(moved)}: times there are uncertain by as much"]


def _renamed(renamed: Mapping[str, str]) -> list[str]:
    words = [f"{new} was called {old}" for old, new in sorted(renamed.items())]
    return [f"renamed, and judged as one: {_listed(words)}"] if words else []


def _vantages(runs: Sequence[Part]) -> list[str]:
    named = list(dict.fromkeys(
        one.record.run.vantage for one in runs if one.record.run.kind in {"check", "sweep"}
    ))  # fmt: skip
    if len(named) < 2:
        return []
    return [f"measured from {_listed(named)}, each kept as a series of its own"]


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _NAMED_MOST
    shown = ", ".join(words[:_NAMED_MOST])
    return f"{shown} and {more} more" if more > 0 else shown


def _later(value: float | None, after_s: float) -> float | None:
    return None if value is None else round(value + after_s, 9)


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _round(check: CheckResult) -> tuple[str, int]:
    match = _ROUND.search(check.id)
    return _ROUND.sub("", check.id), int(match[1]) if match else 1
