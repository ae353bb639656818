"""What the inventory and the readings of one run say of each site, gathered once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from nethealth.model.check import CheckResult
from nethealth.model.inventory import Asset, Line, Site
from nethealth.model.observation import Observation, PastValue
from reports.document import Mark
from reports.view import View, utc

_T = TypeVar("_T", Asset, Line)
_SECONDS_MOST = 1e9  # from the run's start; more is a damaged record

SOON = timedelta(days=365)  # so long beforehand the end of support is told
LISTED_MOST = 6  # names in one sentence, and lines of the register beside it
ONE, NONE = Mark("warning", "One only"), Mark("warning", "None")
SEVERAL, UNKNOWN = Mark("ok", "Two or more"), Mark("none", "Not known")


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that is known of a site, or that is not: where it was seen, and where written."""

    subject: str
    mark: Mark
    text: str
    seen: tuple[Observation, ...] = ()
    lines: tuple[str, ...] = ()  # of the inventory, as `site hall: gateway`


@dataclass(frozen=True, slots=True)
class Place:
    """A site with all that stands there, and what its devices said."""

    site: Site
    assets: tuple[Asset, ...]
    checks: tuple[CheckResult, ...]
    lines: tuple[Line, ...]
    sharing: tuple[str, ...]  # other sites whose first way out is the same
    same_building: tuple[str, ...]
    past: tuple[PastValue, ...]
    read: Mapping[str, tuple[Observation, ...]]  # by name, the last round of each check

    def kinds(self, *kinds: str) -> list[Asset]:
        return [asset for asset in self.assets if asset.kind in kinds]

    def seen(self, name: str) -> tuple[Observation, ...]:
        return self.read.get(name, ())


def places(view: View) -> list[Place]:
    """Every site of the inventory, in its order."""
    inventory = view.record.inventory
    assets, lines = _by_site(inventory.asset), _by_site(inventory.line)
    checks: dict[str, list[CheckResult]] = defaultdict(list)
    for rounds in view.series.values():
        if rounds[-1].site is not None:
            checks[rounds[-1].site].append(rounds[-1])
    site_of = {asset.id: asset.site for asset in inventory.asset}
    past: dict[str, list[PastValue]] = defaultdict(list)
    for value in view.record.past:
        if value.asset in site_of:
            past[site_of[value.asset]].append(value)
    upstreams: dict[str, list[str]] = defaultdict(list)
    buildings: dict[str, list[str]] = defaultdict(list)
    for site in inventory.site:
        if site.upstream:
            upstreams[site.upstream].append(site.id)
        if site.building:
            buildings[site.building].append(site.id)
    return [
        Place(
            site=site,
            assets=tuple(assets.get(site.id, ())),
            checks=tuple(checks[site.id]),
            lines=tuple(lines.get(site.id, ())),
            sharing=_others(upstreams.get(site.upstream or "", ()), site.id),
            same_building=_others(buildings.get(site.building or "", ()), site.id),
            past=tuple(past[site.id]),
            read=_last_round(view, checks[site.id]),
        )
        for site in inventory.site
    ]


def asset_of(view: View, seen: Observation) -> str:
    """The asset that an observation is of, by the register's name for it; else its target."""
    check = view.checks.get(seen.check)
    if check is None:
        return "a device"
    return view.asset_name(check.asset) if check.asset else check.target


def site_line(place: Place, key: str) -> str:
    """Where in the inventory a key of the site stands."""
    return f"site {place.site.id}: {key}"


def not_given(place: Place, key: str) -> str:
    """Which line would say what is not known."""
    return f"{site_line(place, key)}, not given"


def asset_line(asset: Asset) -> str:
    return f"asset {asset.id}"


def today(view: View) -> date:
    """The day on which the run began; a report says of no other day how old things are."""
    return utc(view.record.run.started).date()


def moment_of(view: View, seen: Observation) -> datetime:
    """When it was seen; the run's start where the record does not say."""
    t_s = seen.t_s if seen.t_s is not None and abs(seen.t_s) < _SECONDS_MOST else 0.0
    try:
        return utc(view.record.run.started) + timedelta(seconds=t_s)
    except OverflowError:
        return utc(view.record.run.started)


def _by_site(things: Iterable[_T]) -> dict[str, list[_T]]:
    found: dict[str, list[_T]] = defaultdict(list)
    for thing in things:
        found[thing.site].append(thing)
    return found


def _others(ids: Iterable[str], own: str) -> tuple[str, ...]:
    return tuple(each for each in ids if each != own)


def _last_round(view: View, checks: Sequence[CheckResult]) -> dict[str, tuple[Observation, ...]]:
    """What the last round of each check saw, by name."""
    read: dict[str, list[Observation]] = defaultdict(list)
    for check in checks:
        for name, found in view.seen(check.id).items():
            read[name] += [one for one in found if one.check == found[-1].check]
    return {name: tuple(found) for name, found in read.items()}
