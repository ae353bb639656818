"""The courses of a whole history by site, and its outages by how much fell silent at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from nethealth.diagnosis.evidence import Evidence, Place
from nethealth.diagnosis.history.course import Course, course
from nethealth.diagnosis.history.frame import Frame
from nethealth.diagnosis.history.spans import Spans, everywhere, lasting, without
from nethealth.model.check import ProbeKind
from nethealth.model.period import CheckPeriod, joined

# What says of a host that it is there, or how the way to it is.
_TOLD_BY: frozenset[ProbeKind] = frozenset({
    "ping", "tcp", "dns", "http", "sip", "call", "stamp", "snmp",
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class SiteHistory:
    """All hosts of one site, or one target that stands in no inventory.

    `silent`: when all of its hosts were, of two at the least; `courses` hold what is left of
    theirs, and nothing of it counts while the measuring machine itself was cut off.
    """

    place: Place
    courses: tuple[Course, ...]
    silent: Spans = ()
    still_silent: bool = False


@dataclass(frozen=True, eq=False)
class Estate:
    sites: tuple[SiteHistory, ...]
    cut_off: Spans  # when every one of several sites was silent


def gather_history(
    evidence: Evidence, checks: Iterable[CheckPeriod], frame: Frame, renamed: Mapping[str, str]
) -> Estate:
    """Sort the checks of a history by site and host; one site is in memory at a time."""
    limit = evidence.record.settings.thresholds.r_factor
    sites = []
    for _, of_site in groupby(checks, key=lambda one: (one.council or "", one.site or one.check)):
        hosts: dict[str, list[CheckPeriod]] = {}
        for one in of_site:
            if one.probe in _TOLD_BY:
                asset = renamed.get(one.asset or "", one.asset)
                key = asset or one.check.removesuffix(f":{one.probe}")
                hosts.setdefault(key, []).append(one)
        courses = []
        for key, several in sorted(hosts.items()):
            place, gateway = _place(evidence, key, several[-1], renamed)
            found = course(place, _one_by_one(several, renamed), frame, limit, gateway=gateway)
            if found is not None:
                courses.append(found)
        if courses:
            sites.append(SiteHistory(_site_place(evidence, courses[0].place), tuple(courses)))
    return _sorted_outages(sites)


def _one_by_one(
    several: Sequence[CheckPeriod], renamed: Mapping[str, str]
) -> Sequence[CheckPeriod]:
    """The checks of a host, with what it was called before joined to what it is called now."""
    if not any(one.asset in renamed for one in several):
        return several
    same: dict[tuple[str, str], list[CheckPeriod]] = {}
    for one in sorted(several, key=lambda one: one.times_s[0]):
        kind = one.check.removeprefix(f"{one.asset}:")
        same.setdefault((one.vantage, kind), []).append(one)
    return [joined(parts) for parts in same.values()]


def _sorted_outages(sites: Sequence[SiteHistory]) -> Estate:
    """The largest silence explains the smaller ones, as in a single run."""
    whole = [_whole(site) for site in sites]
    cut_off = everywhere([site.silent for site in whole]) if len(whole) > 1 else []
    cut_off = lasting(cut_off, 1)
    return Estate(tuple(_apart_from(site, cut_off) for site in whole), cut_off)


def _whole(site: SiteHistory) -> SiteHistory:
    silent = everywhere([one.silent for one in site.courses])
    return replace(site, silent=lasting(silent, 1))


def _apart_from(site: SiteHistory, cut_off: Spans) -> SiteHistory:
    least_s = max(one.step_s for one in site.courses) / 2
    alone = len(site.courses) == 1
    silent = [] if alone else lasting(without(site.silent, cut_off), least_s)
    elsewhere = sorted([*cut_off, *([] if alone else site.silent)])
    courses = tuple(
        replace(
            one,
            silent=tuple(left := lasting(without(one.silent, elsewhere), least_s)),
            still_silent=one.still_silent and bool(left) and left[-1][1] == one.silent[-1][1],
        )
        for one in site.courses
    )
    still = bool(silent) and all(one.still_silent for one in site.courses)
    return replace(site, courses=courses, silent=silent, still_silent=still)


def _place(
    evidence: Evidence, key: str, check: CheckPeriod, renamed: Mapping[str, str]
) -> tuple[Place, bool]:
    site = evidence.site_facts.get(check.site or "")
    council = check.council or (site.council if site else None)
    asset = renamed.get(check.asset or "", check.asset)
    if asset is not None:
        facts = evidence.assets.get(asset)
        gateway = bool(facts and site and site.gateway and facts.address == site.gateway)
        return Place(key, (facts.name if facts else None) or asset, council, check.site, asset), (
            gateway
        )
    if check.site is not None:
        name = f"the gateway of {site.name if site else check.site}"
        return Place(key, name, council, check.site), True
    return Place(key, check.target, council), False


def _site_place(evidence: Evidence, host: Place) -> Place:
    if host.site is None:
        return host
    facts = evidence.site_facts.get(host.site)
    return Place(host.site, facts.name if facts else host.site, host.council, host.site)


def hosts(estate: Estate) -> Iterator[Course]:
    for site in estate.sites:
        yield from site.courses
