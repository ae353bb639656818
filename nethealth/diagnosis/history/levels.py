"""Loss, delay and voice over a history: on the whole, and on which days."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from nethealth.diagnosis.attribution.days import Floats
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Place
from nethealth.diagnosis.history.course import Course
from nethealth.diagnosis.history.estate import Estate, SiteHistory, hosts
from nethealth.diagnosis.history.frame import Bools, Frame
from nethealth.diagnosis.history.shares import days_above, share_by_day
from nethealth.diagnosis.text import counted, listing, milliseconds, percent, percent_range
from nethealth.model.finding import Effect, Finding, Refutation, Verdict
from nethealth.model.observation import Observation
from nethealth.model.period import moment

POOR_SHARE = 0.01  # of the time: one minute in a hundred in which a call would sound poor
_DAYS_LEAST = 2  # slow ones, of a path that is not slow on the whole
_DAYS_NAMED = 5

Seen = Mapping[str, Sequence[Observation]]


def losses(evidence: Evidence, estate: Estate, frame: Frame, seen: Seen) -> Iterator[Finding]:
    """`packet-loss` of each site, or of hosts where the site as a whole is healthy."""
    limit = evidence.record.settings.thresholds.loss
    looked_at = frame.days * max(1, sum(1 for _ in hosts(estate)))
    for site in estate.sites:
        behind = [one for one in site.courses if not one.gateway and one.sent.any()]
        # What passes through a gateway unharmed arrived: it merely answers seldom.
        counted_in = behind or [one for one in site.courses if one.sent.any()]
        if not counted_in:
            continue
        found = _loss(evidence, site.place, counted_in, frame, seen, limit, looked_at)
        if found is not None:
            yield found
            continue
        if len(counted_in) > 1:
            for one in counted_in:
                found = _loss(evidence, one.place, [one], frame, seen, limit, looked_at)
                if found is not None:
                    yield found


def _loss(
    evidence: Evidence,
    place: Place,
    courses: Sequence[Course],
    frame: Frame,
    seen: Seen,
    limit: float,
    looked_at: int,
) -> Finding | None:
    lost = np.sum([one.lost for one in courses], axis=0)
    sent = np.sum([one.sent for one in courses], axis=0)
    whole = share_by_day(lost, sent)
    if whole is None:
        return None
    share, interval = whole
    bad = days_above(lost, sent, limit, looked_at)
    if interval[0] <= limit and not bad.any():
        return None
    measured = int((sent > 0).sum())
    worst = sorted(courses, key=lambda one: -float(one.lost.sum()))
    return draft(
        evidence,
        "packet-loss",
        place,
        f"{int(lost.sum())} of {int(sent.sum())} packets to {place.name} and back were lost, "
        f"outages left out: {percent(share)} (95 % interval {percent_range(interval)}), where the "
        f"limit is {percent(limit)}. {_on_days(bad, measured, frame)}",
        times=_span(courses),
        seen=[one for course in worst for one in seen[course.place.key][1:4]],
        refutations=(
            Refutation("Is it a short disturbance, or always so?",
                       f"above the limit by itself on {bad.sum()} of {counted(measured, 'day')}"),
            Refutation("Is one host of the place alone to blame?", listing([
                f"{one.place.name} lost {int(one.lost.sum())} of {int(one.sent.sum())}"
                for one in worst
            ])),
        ),
        missing=("the direction in which they were lost, which needs a reflector at the site",),
        alternatives=(
            "a router or host that answers only so many echo requests a second",
            "a queue that overflows on a full line",
            "a fault of the provider's line",
        ),
        effect=Effect(share, interval),
    )  # fmt: skip


def delays(evidence: Evidence, estate: Estate, frame: Frame, seen: Seen) -> Iterator[Finding]:
    """`high-delay` of each site that is slow on the whole, or on two days or more."""
    limit = evidence.record.settings.thresholds.delay_one_way_s
    for site in estate.sites:
        by_day = _medians(site, frame)
        known = by_day[np.isfinite(by_day)]
        if not known.size:
            continue
        one_way_s = float(np.median(known)) / 2
        slow = np.nan_to_num(by_day) / 2 > limit
        if one_way_s <= limit and slow.sum() < _DAYS_LEAST:
            continue
        yield draft(
            evidence,
            "high-delay",
            site.place,
            f"Packets to {site.place.name} take {milliseconds(one_way_s)} one way on a usual day "
            f"(half of the round trip); the limit is {milliseconds(limit)}. "
            f"{_on_days(slow, int(known.size), frame)}",
            times=_span(site.courses),
            seen=[
                one
                for course in site.courses
                for one in seen[course.place.key]
                if one.name == "round_trip_delay_median_s"
            ],
            refutations=(
                Refutation("Is it a short disturbance, or always so?",
                           f"above it on {slow.sum()} of {counted(int(known.size), 'day')}"),
            ),
            missing=("the delay of each direction by itself, which needs a reflector at the site",),
            alternatives=(
                "a long route, by satellite or mobile network", "a queue on a full line",
            ),
            effect=Effect(one_way_s),
        )  # fmt: skip


def voices(evidence: Evidence, estate: Estate, frame: Frame, seen: Seen) -> Iterator[Finding]:
    """`poor-voice-quality` of each site at which a call would sound poor for 1 % of the time."""
    limit = evidence.record.settings.thresholds.r_factor
    for site in estate.sites:
        told = [one for one in site.courses if one.speech_of is not None and one.scored.any()]
        # A stream like that of a call says more than echo requests do.
        streams = [one for one in told if one.speech_of != "ping"]
        basis = streams or told
        if not basis:
            continue
        poor = np.sum([one.poor for one in basis], axis=0)
        scored = np.sum([one.scored for one in basis], axis=0)
        whole = share_by_day(poor, scored)
        if whole is None or whole[1][0] <= POOR_SHARE:
            continue
        share, interval = whole
        days = int((poor > 0).sum())
        by = "streams like those of a call" if streams else "echo requests, which no call is"
        yield draft(
            evidence,
            "poor-voice-quality",
            site.place,
            f"A call with {site.place.name} would have sounded poor (R below {limit:.0f}) for "
            f"{percent(share)} of the time that was sampled (95 % interval "
            f"{percent_range(interval)}), on {days} of {counted(int((scored > 0).sum()), 'day')}: "
            f"told by {by}.",
            times=_span(basis),
            seen=[
                one for course in basis for one in seen[course.place.key] if one.name == "r_factor"
            ],
            verdict=Verdict.SUPPORTED if streams else Verdict.SUGGESTIVE,
            refutations=(
                Refutation("Was it one bad day?",
                           f"the interval is by day, and {days} days had some of it"),
            ),
            missing=() if streams else (
                "a stream like a call's, which needs a reflector at the site",
            ),
            alternatives=("echo requests that are treated worse than voice",)
            if not streams else (),
            effect=Effect(share, interval),
        )  # fmt: skip


def _medians(site: SiteHistory, frame: Frame) -> Floats:
    """The median round trip of each day over all hosts and bins; NaN for a day without."""
    together = np.vstack([one.delay_s.reshape(frame.days, -1).T for one in site.courses])
    medians = np.full(frame.days, np.nan)
    some = np.isfinite(together).any(axis=0)
    medians[some] = np.nanmedian(together[:, some], axis=0)
    return medians


def _on_days(bad: Bools, measured: int, frame: Frame) -> str:
    """Which days are above it by themselves."""
    days = [frame.first + timedelta(days=int(number)) for number in np.flatnonzero(bad)]
    if not days:
        return "No single day is above it by itself."
    if len(days) == measured:
        return f"Each of {counted(measured, 'day')} is above it by itself."
    named = [f"{day:%-d %B %Y}" for day in days]
    return (
        f"{len(days)} of {counted(measured, 'day')} are above it by themselves: "
        f"{listing(named, _DAYS_NAMED)}."
    )


def _span(courses: Sequence[Course]) -> list[datetime]:
    return [moment(min(one.first_s for one in courses)), moment(max(one.last_s for one in courses))]
