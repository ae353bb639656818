"""Changes of level at a site, and whether they came when something of the telephony was changed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC

import numpy as np

from nethealth.diagnosis.attribution.change_points import (
    EVENTS_LEAST,
    ChangePoint,
    Nearness,
    change_points,
    near_dates,
)
from nethealth.diagnosis.attribution.days import Days, Floats, without_daily_cycle
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Place
from nethealth.diagnosis.history.course import Course, about_medians
from nethealth.diagnosis.history.estate import Estate, SiteHistory
from nethealth.diagnosis.history.frame import Frame
from nethealth.diagnosis.history.words import at
from nethealth.diagnosis.text import listing
from nethealth.model.finding import Direction, Effect, Finding, Refutation
from nethealth.model.observation import Event, Observation

# Kinds of events at which something of the telephony is another than before.
TELEPHONY_CHANGES = frozenset({"pbx-restart", "restart", "firmware", "upgrade", "change"})
SEED = 20_261_126  # of the bootstrap, so that a second reading finds the same
_SEGMENT_LEAST_S = 86_400
_NEAR_ALPHA = 0.05
_SHOWN = 3
_WEEK_DAYS = 7


class _Outcome:
    """One thing that is followed, in words; changes smaller than `least` are nobody's concern."""

    def __init__(self, key: str, words: str, unit: str, factor: float, least: float) -> None:
        self.key, self.words, self.unit, self.factor, self.least = key, words, unit, factor, least

    def of(self, course: Course) -> Floats:
        return {"loss": course.loss_ratio, "delay": course.delay_s, "voice": course.speech}[
            self.key
        ]

    def shown(self, value: float) -> str:
        return f"{value * self.factor:.3g}{self.unit}"


_OUTCOMES = (
    _Outcome("delay", "the round trip to", " ms", 1000, 0.002),
    _Outcome("loss", "the loss on the way to", " %", 100, 0.002),
    _Outcome("voice", "the voice quality (R) of", "", 1, 3),
)


def level_changes(
    evidence: Evidence,
    estate: Estate,
    frame: Frame,
    events: Sequence[Event],
    seen: Mapping[str, Sequence[Observation]],
) -> Iterator[Finding]:
    """`level-change` of each site and outcome whose level is another than before."""
    random = np.random.default_rng(SEED)
    for site in estate.sites:
        for outcome in _OUTCOMES:
            flat, usual = _of_site(site, outcome)
            if not np.isfinite(flat).any():
                continue
            rest = _without_cycle(frame.laid_out(flat))
            least = max(2, _SEGMENT_LEAST_S // frame.bin_s)
            points = change_points(rest, random, least_bins=least) or ()
            points = tuple(one for one in points if abs(one.after - one.before) >= outcome.least)
            if points:
                near = _near(points, site, frame, events)
                yield _finding(evidence, site, outcome, points, usual, near, frame, seen)


def _of_site(site: SiteHistory, outcome: _Outcome) -> tuple[Floats, float]:
    """The site's hosts as one series, and what is usual of them."""
    known = [values for one in site.courses if np.isfinite(values := outcome.of(one)).any()]
    if not known:
        return np.full(1, np.nan), 0.0
    usual = float(np.median([np.nanmedian(values) for values in known]))
    # Loss is rare: the median of hosts would be 0 however much one of them lost.
    return about_medians(known, np.nanmean if outcome.key == "loss" else np.nanmedian), usual


def _without_cycle(days: Days) -> Floats:
    """The values less what their time of day and kind of day usually add to the level of the week.

    Less the plain median of their time of day, a change of level would come back as a cycle.
    """
    of_day = np.full(len(days.values), np.nan)
    some = np.isfinite(days.values).any(axis=1)
    of_day[some] = np.nanmedian(days.values[some], axis=1)
    reach = _WEEK_DAYS // 2
    level = np.full(len(of_day), np.nan)
    for day in range(len(of_day)):
        week = of_day[max(0, day - reach) : day + reach + 1]
        if np.isfinite(week).any():
            level[day] = np.nanmedian(week)
    about = Days(days.first, days.bin_s, days.values - level[:, None], days.working)
    cycle = about.flat - without_daily_cycle(about)
    rest: Floats = days.flat - np.nan_to_num(cycle)
    return rest


def _near(
    points: Sequence[ChangePoint], site: SiteHistory, frame: Frame, events: Sequence[Event]
) -> tuple[Nearness, Sequence[Event]] | None:
    changed = [
        one
        for one in events
        if one.kind in TELEPHONY_CHANGES and one.site == site.place.site is not None
    ]
    times_s = np.asarray([int(one.time.timestamp()) for one in changed], dtype=np.int64)
    inside = (times_s >= frame.since_s) & (times_s < frame.until_s)
    if not inside.any():
        return None
    bins, _ = frame.bin_of(times_s[inside])
    near = near_dates([one.place for one in points], bins, frame.bins, frame.bins // frame.days)
    return None if near is None else (near, [one for one, kept in zip(changed, inside, strict=True)
                                             if kept])  # fmt: skip


def _finding(
    evidence: Evidence,
    site: SiteHistory,
    outcome: _Outcome,
    points: Sequence[ChangePoint],
    usual: float,
    near: tuple[Nearness, Sequence[Event]] | None,
    frame: Frame,
    seen: Mapping[str, Sequence[Observation]],
) -> Finding:
    place = site.place
    largest = sorted(points, key=lambda one: -abs(one.after - one.before))
    words = [
        f"by {'+' if one.after > one.before else '−'}"
        f"{outcome.shown(abs(one.after - one.before))} on {at(frame.moment(one.place))} "
        f"(95 % interval {at(frame.moment(one.low))} to {at(frame.moment(one.high))})"
        for one in sorted(largest[:_SHOWN], key=lambda one: one.place)
    ]
    close = near is not None and near[0].p is not None and near[0].p <= _NEAR_ALPHA
    shown = [one for course in site.courses for one in seen[course.place.key]]
    name = {"delay": "round_trip_delay_median_s", "loss": "packet_loss_ratio"}
    return draft(
        evidence,
        "level-change",
        Place(f"{place.key}:{outcome.key}", place.name, place.council, place.site, place.asset),
        f"{outcome.words[0].upper()}{outcome.words[1:]} {place.name} (usually "
        f"{outcome.shown(usual)}) changed its level {_count(len(points))}"
        f"{', most of all' if len(points) > _SHOWN else ''}: {listing(words, _SHOWN)}.",
        times=[frame.moment(points[0].low), frame.moment(points[-1].high)],
        seen=[
            *(one for one in shown if one.name == name.get(outcome.key, "r_factor")),
            *(near[1] if near is not None else ()),
        ],
        direction=Direction.UNDETERMINED if close else None,
        refutations=(
            Refutation("Is it the drift of noise that remembers?",
                       "no: the penalty of the search is that of the noise's long-run variance"),
            Refutation("Did something of the telephony change then?", _nearness(near, frame)),
        ),
        missing=("what was changed on the line, the routers and the telephony at these times",),
        alternatives=(
            "another route or line of the provider", "a change of what was measured",
            "work on the telephony that left no event",
        ),
        effect=Effect(largest[0].after - largest[0].before),
    )  # fmt: skip


def _count(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _nearness(near: tuple[Nearness, Sequence[Event]] | None, frame: Frame) -> str:
    if near is None:
        return "no restart or change of it is in the history of this site"
    found, events = near
    hours = [distance * frame.bin_s / 3600 for distance in found.distances]
    if found.p is None:
        each = [
            f"{one.kind} {one.time.astimezone(UTC):%-d %B %Y} {apart:.0f} h apart"
            for one, apart in zip(events, hours, strict=False)
        ]
        return f"{listing(each)}; fewer than {EVENTS_LEAST} events are shown and not tested"
    return (
        f"{len(found.distances)} events, in the median {float(np.median(hours)):.0f} h apart: "
        f"p {found.p:.4f} against the same dates moved round, where {found.least_p:.4f} is the "
        "least possible"
    )
