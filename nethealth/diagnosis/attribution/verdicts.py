"""Registered hypotheses and trials to findings, by the ladder and its second door.

Only data after the registration counts, and only at the days that it names. All hypotheses of one
file are corrected together. That a test found nothing is evidence only where it could have found
what matters; an exposure alike on all days is a question for a trial.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from nethealth.diagnosis.attribution.aligned import (
    EVENTS_LEAST,
    PERMUTATIONS,
    Aligned,
    Windows,
    aligned_test,
)
from nethealth.diagnosis.attribution.days import Days, lay_out, without_daily_cycle
from nethealth.diagnosis.attribution.leadlag import Leads, lead_lag
from nethealth.diagnosis.attribution.many import holm
from nethealth.diagnosis.attribution.shifts import free_shifts, whole_day_shifts
from nethealth.diagnosis.catalogue import CODES
from nethealth.inventory.hours import zone
from nethealth.model.finding import (
    Direction,
    Effect,
    Finding,
    FindingCode,
    Refutation,
    Severity,
    Verdict,
)
from nethealth.model.hypothesis import LOWER_IS_WORSE, Hypothesis, HypothesisFile, Outcome
from nethealth.model.inventory import Inventory
from nethealth.model.observation import Event

SEED = 20_261_125  # of the permutations, so that a second reading finds the same
_LAGS_HOURS = 3
_CONTROL_ALPHA = 0.05
_CONTROL_PERMUTATIONS = 999

# What each mechanism does if it is found (the others have no direction of their own).
_TO_NETWORK = frozenset({
    "phone-loop", "phone-power-loop", "duplex-mismatch", "dhcp-exhaustion", "firmware-wave",
    "multicast-flood", "media-hairpin", "call-load", "registration-avalanche",
})  # fmt: skip
_TO_TELEPHONY = frozenset({
    "keepalive-reset", "broadcast-sensitive-phones", "unknown-unicast-flood", "dscp-misuse",
    "no-wan-qos", "dscp-bleached", "poe-budget", "slow-port-start",
})  # fmt: skip

Series = Sequence[tuple[datetime, float]]


@dataclass(frozen=True, slots=True)
class History:
    """Where the data come from: an outcome's values at a site, and what happened there."""

    outcome: Callable[[str, Outcome], Series]
    events: Callable[[str, str], Sequence[Event]]
    inventory: Inventory
    timezone: str


@dataclass(frozen=True, slots=True)
class _Tested:
    """One hypothesis with its data cut to what may be looked at."""

    hypothesis: Hypothesis
    registered: datetime
    until: datetime | None  # null: no look has come yet
    days: Days | None
    events: tuple[Event, ...]
    result: Aligned | None


def judge_hypotheses(
    file: HypothesisFile, registered: datetime, now: datetime, history: History
) -> tuple[Finding, ...]:
    """One finding for each hypothesis, whatever came of it."""
    tested = [_test(one, file, registered, now, history) for one in file.hypothesis]
    # One that is not due yet counts as well: it was registered, and will be looked at.
    p_values = [None if one.result is None else one.result.p for one in tested]
    adjusted = holm([1.0 if p is None else p for p in p_values])
    return tuple(
        _finding(one, file, None if p is None else least, len(tested), now, history)
        for one, p, least in zip(tested, p_values, adjusted, strict=True)
    )


def _test(
    hypothesis: Hypothesis,
    file: HypothesisFile,
    registered: datetime,
    now: datetime,
    history: History,
) -> _Tested:
    until = _last_look(hypothesis.looks, now, history.timezone)
    if until is None:
        return _Tested(hypothesis, registered, None, None, (), None)
    series = _within(history.outcome(hypothesis.site, hypothesis.outcome), registered, until)
    where = hypothesis.exposure_site or hypothesis.site
    events = tuple(
        one for one in history.events(hypothesis.exposure, where) if registered <= one.time < until
    )
    if not series:
        return _Tested(hypothesis, registered, until, None, events, None)
    days = _lay_out(series, hypothesis, file.holidays, history.timezone)
    result = _aligned(days, events, hypothesis, history.timezone)
    return _Tested(hypothesis, registered, until, days, events, result)


def _lay_out(
    series: Series, hypothesis: Hypothesis, holidays: Collection[date], timezone: str
) -> Days:
    """The outcome in bins, turned so that more is worse."""
    sign = -1.0 if hypothesis.outcome in LOWER_IS_WORSE else 1.0
    return lay_out(
        [moment for moment, _ in series],
        [sign * value for _, value in series],
        timezone=timezone,
        bin_s=hypothesis.bin_minutes * 60,
        holidays=holidays,
    )


def _aligned(
    days: Days,
    events: Sequence[Event],
    hypothesis: Hypothesis,
    timezone: str,
    *,
    control: bool = False,
) -> Aligned:
    places = days.place([one.time for one in events], timezone)
    return aligned_test(
        days, places, _windows(hypothesis), np.random.default_rng(SEED),
        permutations=_CONTROL_PERMUTATIONS if control else PERMUTATIONS,
        alpha=_alpha(hypothesis), interval=not control,
    )  # fmt: skip


def _windows(hypothesis: Hypothesis) -> Windows:
    width = max(1, hypothesis.window_minutes // hypothesis.bin_minutes)
    return Windows(width, hypothesis.gap_minutes // hypothesis.bin_minutes)


def _alpha(hypothesis: Hypothesis) -> float:
    """Each look spends its share, so that several looks together keep the size."""
    return hypothesis.alpha / len(hypothesis.looks)


def _finding(
    tested: _Tested,
    file: HypothesisFile,
    adjusted: float | None,
    number: int,
    now: datetime,
    history: History,
) -> Finding:
    hypothesis, result = tested.hypothesis, tested.result
    if tested.until is None:
        first = min(hypothesis.looks)
        return _made(tested, now, history, Verdict.INSUFFICIENT_DATA,
                     f"is not tested before {first:%-d %B %Y}, the first day that was registered",
                     missing=("data up to the first look",))  # fmt: skip
    if tested.days is None or result is None:
        return _made(tested, now, history, Verdict.INSUFFICIENT_DATA,
                     "has no data since it was registered",
                     missing=(f"{hypothesis.outcome} at {hypothesis.site}",))  # fmt: skip
    if result.p is None or adjusted is None:
        return _made(tested, now, history, Verdict.INSUFFICIENT_DATA,
                     f"has {result.events} events with data around them; {EVENTS_LEAST} are needed",
                     missing=(f"more events of kind {hypothesis.exposure}",))  # fmt: skip
    alpha = _alpha(hypothesis)
    if not result.identifiable(alpha):
        return _made(tested, now, history, Verdict.INSUFFICIENT_DATA,
                     "cannot be answered from history: the events come alike on all days",
                     missing=("a trial in which they are switched on and off by lot "
                              "(`nethealth experiment plan`)",))  # fmt: skip
    controls = _controls(tested, file, history)
    hit = [site for site, p in controls.items() if p is not None and p <= _CONTROL_ALPHA]
    leads = _leads(tested, history)
    checks = _refutations(tested, controls, leads, adjusted, number, history)
    words = _effect_words(hypothesis, result)
    if adjusted <= alpha and (hit or leads == "outcome"):
        why = (
            f"so it does at {', '.join(hit)}, which these events cannot reach"
            if hit
            else "the outcome moves before the events, not after"
        )
        return _made(tested, now, history, Verdict.CONTRADICTED, f"{words}, but {why}",
                     refutations=checks, direction=Direction.NOT_TELEPHONY)  # fmt: skip
    if adjusted <= alpha and not any(p is not None for p in controls.values()):
        return _made(
            tested,
            now,
            history,
            Verdict.SUGGESTIVE,
            words,
            refutations=checks,
            missing=("a site with data that these events cannot reach, as a control",),
        )
    if adjusted <= alpha:
        return _made(tested, now, history, Verdict.SUPPORTED, words, refutations=checks,
                     direction=direction_of(hypothesis.mechanism))  # fmt: skip
    if result.mde is not None and result.mde <= hypothesis.smallest_effect:
        return _made(
            tested, now, history, Verdict.NO_EVIDENCE,
            f"{words}; an effect of {result.mde:.4g} would have been found 8 times in 10, and "
            f"{hypothesis.smallest_effect:.4g} is the least that matters", refutations=checks,
        )  # fmt: skip
    return _made(tested, now, history, Verdict.INSUFFICIENT_DATA,
                 f"{words}; less than {result.mde or float('nan'):.4g} could not have been found, "
                 f"and {hypothesis.smallest_effect:.4g} would matter",
                 refutations=checks, missing=("more events, or a longer time",))  # fmt: skip


def _made(
    tested: _Tested,
    now: datetime,
    history: History,
    verdict: Verdict,
    words: str,
    *,
    refutations: tuple[Refutation, ...] = (),
    missing: tuple[str, ...] = (),
    direction: Direction | None = Direction.UNDETERMINED,
) -> Finding:
    hypothesis, result = tested.hypothesis, tested.result
    site = next((one for one in history.inventory.site if one.id == hypothesis.site), None)
    name = hypothesis.site if site is None else site.name
    sure = verdict is Verdict.SUPPORTED
    rule = CODES.get(hypothesis.mechanism)
    return Finding(
        id=f"{hypothesis.mechanism}:{hypothesis.site}:{hypothesis.id}",
        code=hypothesis.mechanism,
        council=None if site is None else site.council,
        site=hypothesis.site,
        asset=None,
        from_=tested.registered,
        to=tested.until or now,
        severity=Severity.WARNING if sure else Severity.INFO,
        verdict=verdict,
        direction=direction,
        statement=f"That {hypothesis.outcome} at {name} is worse after events of kind "
        f"{hypothesis.exposure} {words}.",
        action=rule.action if sure and rule is not None else _NEXT[verdict],
        evidence=tuple(one.id for one in tested.events),
        refutations=refutations,
        missing=missing,
        alternatives=_OTHERWISE if sure else (),
        effect=None
        if result is None or result.estimate is None
        else Effect(result.estimate, result.interval, result.p, result.mde),
    )


_OTHERWISE = (
    "something else that is done at the same moments as these events",
    "a change of what was measured just then",
)
_NEXT = {
    Verdict.INSUFFICIENT_DATA: "Gather what is missing; until then blame and acquit nobody.",
    Verdict.NO_EVIDENCE: "Look for another cause.",
    Verdict.SUGGESTIVE: "Name a control and register anew; until then blame nobody.",
    Verdict.CONTRADICTED: "Look for what moves both, such as a shared line or a time of day.",
    Verdict.SUPPORTED: "Settle it by a trial in which the events are switched on and off by lot.",
}


def _effect_words(hypothesis: Hypothesis, result: Aligned) -> str:
    low, high = result.interval or (None, None)
    span = "" if low is None else f" (95 % interval {low:.4g} to {high:.4g})"
    return (
        f"was tested over {result.events} events: worse by {result.estimate:.4g}{span}, "
        f"p {result.p:.4f}"
    )


def _controls(
    tested: _Tested, file: HypothesisFile, history: History
) -> Mapping[str, float | None]:
    """The same test with the same events at sites that they cannot reach."""
    found: dict[str, float | None] = {}
    if tested.until is None:
        return found
    for site in tested.hypothesis.controls:
        series = _within(
            history.outcome(site, tested.hypothesis.outcome), tested.registered, tested.until
        )
        if not series:
            found[site] = None
            continue
        days = _lay_out(series, tested.hypothesis, file.holidays, history.timezone)
        found[site] = _aligned(
            days, tested.events, tested.hypothesis, history.timezone, control=True
        ).p
    return found


def _leads(tested: _Tested, history: History) -> Leads:
    """Whether the events move before the outcome, both without their daily cycle."""
    days = tested.days
    if days is None:
        return "neither"
    exposure = np.zeros(days.values.size)
    for place in days.place([one.time for one in tested.events], history.timezone):
        exposure[place] += 1
    counts = Days(days.first, days.bin_s, exposure.reshape(days.values.shape), days.working)
    lags = max(1, _LAGS_HOURS * 3600 // days.bin_s)
    error_s = max((one.clock_error_s or 0.0 for one in tested.events), default=0.0)
    found = lead_lag(
        without_daily_cycle(counts), without_daily_cycle(days), lags, np.random.default_rng(SEED)
    )
    return found.leads(error_s / days.bin_s)


def _refutations(
    tested: _Tested,
    controls: Mapping[str, float | None],
    leads: Leads,
    adjusted: float,
    number: int,
    history: History,
) -> tuple[Refutation, ...]:
    days = tested.days
    if days is None:
        return ()
    places = days.place([one.time for one in tested.events], history.timezone)
    windows = _windows(tested.hypothesis)
    whole, free = whole_day_shifts(days, places, windows), free_shifts(days, places, windows)
    found = [
        Refutation("Is it only one of several tests?",
                   f"{number} were registered together: p {adjusted:.4f} by Holm"),
        Refutation("Would whole days moved round show it as well?",
                   f"p {_shown(whole.p)}, where {whole.least_p:.4f} is the least possible"),
        Refutation("Would any moved time, without the daily cycle?", f"p {_shown(free.p)}"),
        Refutation("Which moves first?", {
            "exposure": "the events", "outcome": "the outcome", "neither": "not to be seen",
            "undetermined": "both within one bin or the clocks' error",
        }[leads]),
    ]  # fmt: skip
    found += [
        Refutation(f"Is {site} hit too, which they cannot reach?",
                   "no data there" if p is None else f"p {p:.4f}")
        for site, p in controls.items()
    ]  # fmt: skip
    if not controls:
        found.append(Refutation("Is a site hit that they cannot reach?", "none was named"))
    return tuple(found)


def _shown(p: float | None) -> str:
    return "not defined" if p is None else f"{p:.4f}"


def direction_of(mechanism: FindingCode) -> Direction | None:
    """Who disturbs whom by a mechanism; null for one that has no direction of its own."""
    if mechanism in _TO_NETWORK:
        return Direction.TELEPHONY_TO_NETWORK
    if mechanism in _TO_TELEPHONY:
        return Direction.NETWORK_TO_TELEPHONY
    return None


def _last_look(looks: Sequence[date], now: datetime, timezone: str) -> datetime | None:
    """The end of the latest day to look at that is over; null before the first."""
    local = zone(timezone)
    over = [
        end
        for look in looks
        if (end := datetime.combine(look + timedelta(days=1), time(), local).astimezone(UTC)) <= now
    ]
    return max(over, default=None)


def _within(series: Series, start: datetime, end: datetime) -> Series:
    return [(moment, value) for moment, value in series if start <= moment < end]
