"""What was silent, when and for how long: sites, hosts, and the measuring machine itself."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Place
from nethealth.diagnosis.history.course import Course
from nethealth.diagnosis.history.estate import Estate, SiteHistory
from nethealth.diagnosis.history.spans import Spans, total
from nethealth.diagnosis.history.words import between, length
from nethealth.diagnosis.text import counted, percent
from nethealth.model.finding import Effect, Finding, Refutation
from nethealth.model.observation import Observation
from nethealth.model.period import moment


def outages(
    evidence: Evidence, estate: Estate, seen: Mapping[str, Sequence[Observation]]
) -> Iterator[Finding]:
    """`site-outage` and `host-down` of every place that was silent, even where it is no more."""
    for site in estate.sites:
        if site.silent:
            yield _site_outage(evidence, site, estate.cut_off, seen)
        for course in site.courses:
            if course.silent:
                yield _host_down(evidence, course, seen[course.place.key])
    if estate.cut_off:
        yield _cut_off(evidence, estate.cut_off, len(estate.sites))


def _site_outage(
    evidence: Evidence,
    site: SiteHistory,
    cut_off: Spans,
    seen: Mapping[str, Sequence[Observation]],
) -> Finding:
    measured_s = max(one.last_s for one in site.courses) - min(one.first_s for one in site.courses)
    gateways = [one for one in site.courses if one.gateway]
    return draft(
        evidence,
        "site-outage",
        site.place,
        f"All {counted(len(site.courses), 'host')} of {site.place.name} were silent at the same "
        f"time, {_times(site.silent, measured_s)}{_still(site.still_silent)}",
        times=_ends(site.silent),
        seen=[one for course in site.courses for one in seen[course.place.key][:1]],
        refutations=(
            Refutation(
                "Was its gateway silent too?",
                "yes" if gateways else "not measured: the inventory names no gateway",
            ),
            Refutation(
                "Was the measuring machine itself cut off?",
                f"not then; it was for {length(total(cut_off))} at other times"
                if cut_off
                else "no: other sites answered, or no other was measured",
            ),
        ),
        alternatives=("power that was switched off at the site", "work that was announced"),
        missing=("the log of the site's power supply and router for these times",),
        effect=Effect(total(site.silent) / max(measured_s, 1)),
    )


def _host_down(evidence: Evidence, course: Course, seen: Sequence[Observation]) -> Finding:
    measured_s = course.last_s - course.first_s
    never = "" if course.answered else " It never answered in this time."
    return draft(
        evidence,
        "host-down",
        course.place,
        f"{course.place.name} was silent {_times(course.silent, measured_s)}"
        f"{_still(course.still_silent)}{never}",
        times=_ends(course.silent),
        seen=seen,
        refutations=(
            Refutation("Was it a single question that was lost?",
                       "no: two checks in a row at the least had no answer"),
            Refutation("Was the whole site silent?",
                       "not at these times: what fell silent with the site is not counted here"),
        ),
        alternatives=("a device that was switched off, or replaced, on purpose",),
        missing=("the log of the host for these times",),
        effect=Effect(total(course.silent) / max(measured_s, 1)),
    )  # fmt: skip


def _cut_off(evidence: Evidence, cut_off: Spans, sites: int) -> Finding:
    machine = evidence.vantage_place
    return draft(
        evidence,
        "instrument-limited",
        Place(f"{machine.key}:link", machine.name),
        f"{machine.name} was itself cut off {_times(cut_off, None)}. Every one of {sites} sites "
        "was silent then, and none of it is held against a site.",
        times=_ends(cut_off),
        action="Mend the link of the measuring machine.",
        alternatives=("a fault of a provider that all sites share",),
    )


def _times(spans: Spans, measured_s: int | None) -> str:
    """How often, for how long, and when it was longest; without the full stop."""
    longest = max(spans, key=lambda span: span[1] - span[0])
    share = (
        "" if not measured_s else f" ({percent(total(spans) / measured_s)} of {length(measured_s)})"
    )
    if len(spans) == 1:
        return f"once, from {between(longest)}: {length(total(spans))}{share}"
    latest = f", the last from {between(spans[-1])}" if spans[-1] != longest else ""
    return (
        f"{len(spans)} times, {length(total(spans))} in all{share}: the longest from "
        f"{between(longest)}{latest}"
    )


def _still(still: bool) -> str:
    return ", and still was at the end." if still else "."


def _ends(spans: Spans) -> list[datetime]:
    return [moment(spans[0][0]), moment(spans[-1][1])]
