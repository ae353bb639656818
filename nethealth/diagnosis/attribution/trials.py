"""Trials to findings: what the lot alone decides is the one way to `demonstrated` by statistics."""

from collections.abc import Collection
from datetime import UTC, date, datetime

import numpy as np

from nethealth.diagnosis.attribution.trial import Analysed, Half, analyse, schedule
from nethealth.diagnosis.attribution.verdicts import SEED, History, direction_of
from nethealth.diagnosis.catalogue import CODES
from nethealth.model.finding import Effect, Finding, Refutation, Severity, Verdict
from nethealth.model.hypothesis import LOWER_IS_WORSE, HypothesisFile, Trial


def judge_trials(
    file: HypothesisFile, registered: datetime, now: datetime, history: History
) -> tuple[Finding, ...]:
    """One finding for each trial; one that is not over yet is not looked into."""
    return tuple(_judge(one, file.holidays, registered, now, history) for one in file.trial)


def _judge(
    trial: Trial,
    holidays: Collection[date],
    registered: datetime,
    now: datetime,
    history: History,
) -> Finding:
    halves = schedule(trial, history.timezone, holidays)
    start, end = halves[0].start, halves[-1].end
    if start < registered:
        return _made(trial, history, start, end, Verdict.INSUFFICIENT_DATA,
                     "was registered after it began, so that the lot may have been chosen",
                     missing="a trial that begins after its registration")  # fmt: skip
    if end > now:
        return _made(trial, history, start, end, Verdict.INSUFFICIENT_DATA,
                     f"is not over before {end:%-d %B %Y}: nothing is looked at before",
                     missing="the rest of the trial")  # fmt: skip
    sign = -1.0 if trial.outcome in LOWER_IS_WORSE else 1.0
    series = history.outcome(trial.site, trial.outcome)
    found = analyse(
        halves, [moment for moment, _ in series], [sign * value for _, value in series],
        np.random.default_rng(SEED),
    )  # fmt: skip
    if found.p is None:
        return _made(trial, history, start, end, Verdict.INSUFFICIENT_DATA,
                     f"has {found.pairs} pairs of half-days with data; 5 are needed",
                     found=found, missing="data in both halves of the days")  # fmt: skip
    low, high = found.interval or (float("nan"), float("nan"))
    words = (
        f"was tried over {found.pairs} pairs of half-days drawn by lot: worse by "
        f"{found.estimate:.4g} with it on (95 % interval {low:.4g} to {high:.4g}), p {found.p:.4f}"
    )
    verdict = Verdict.NO_EVIDENCE
    if found.p <= trial.alpha:
        verdict = Verdict.DEMONSTRATED if (found.estimate or 0) > 0 else Verdict.CONTRADICTED
    return _made(trial, history, start, end, verdict, words, found=found, halves=halves)


def _made(
    trial: Trial,
    history: History,
    start: datetime,
    end: datetime,
    verdict: Verdict,
    words: str,
    *,
    found: Analysed | None = None,
    halves: tuple[Half, ...] = (),
    missing: str = "",
) -> Finding:
    site = next((one for one in history.inventory.site if one.id == trial.site), None)
    shown = verdict is Verdict.DEMONSTRATED
    rule = CODES.get(trial.mechanism)
    on = sum(half.on and half.start.hour < 12 for half in halves)
    return Finding(
        id=f"{trial.mechanism}:{trial.site}:{trial.id}",
        code=trial.mechanism,
        council=None if site is None else site.council,
        site=trial.site,
        asset=None,
        from_=start.astimezone(UTC),
        to=end.astimezone(UTC),
        severity=Severity.WARNING if shown else Severity.INFO,
        verdict=verdict,
        direction=direction_of(trial.mechanism) if shown else None,
        statement=f"That {trial.outcome} at {trial.site if site is None else site.name} is worse "
        f"while {trial.switch} is on {words}.",
        action=rule.action if shown and rule is not None else "Keep to the schedule to its end."
        if missing
        else "Look for another cause.",
        refutations=(
            Refutation("Could the time of day have done it?",
                       f"it was on in {on} of {trial.pairs} mornings, by lot"),
        ) if halves else (),
        missing=(missing,) if missing else (),
        effect=None
        if found is None or found.estimate is None
        else Effect(found.estimate, found.interval, found.p),
    )  # fmt: skip
