"""A finding from its parts: its time span, severity and evidence follow the same rules for all."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import isfinite

from nethealth.diagnosis.catalogue import CODES, MECHANISMS
from nethealth.diagnosis.evidence import Evidence, Place, Round
from nethealth.diagnosis.moments import aware, capture_start, moment_of
from nethealth.diagnosis.text import capital
from nethealth.model.finding import (
    Direction,
    Effect,
    Finding,
    FindingCode,
    Refutation,
    Severity,
    Verdict,
)
from nethealth.model.observation import Event, Observation

_RUN_LENGTH_MOST_S = 1e9  # a longer one is a damaged record


def draft(
    evidence: Evidence,
    code: FindingCode,
    place: Place,
    statement: str,
    *,
    rounds: Iterable[Round] = (),
    seen: Iterable[Observation | Event | None] = (),
    times: Iterable[datetime | None] = (),
    verdict: Verdict = Verdict.DEMONSTRATED,
    direction: Direction | None = None,
    action: str = "",
    refutations: tuple[Refutation, ...] = (),
    missing: tuple[str, ...] = (),
    alternatives: tuple[str, ...] = (),
    effect: Effect | None = None,
) -> Finding:
    """One finding; `action` is added to the code's own.

    It spans the `times` and the rounds that it rests on, and the whole run where it rests on none.
    What the data
    cannot yet tell from health is never more than information, whatever the inventory says, and
    neither is a mechanism of interaction below `supported`.
    """
    rounds = tuple(rounds)
    start, end = _span(evidence, rounds, times)
    severity = evidence.record.inventory.severity.get(code, CODES[code].severity)
    sure = verdict in {Verdict.DEMONSTRATED, Verdict.SUPPORTED}
    if verdict is Verdict.INSUFFICIENT_DATA or (code in MECHANISMS and not sure):
        severity = Severity.INFO
    return Finding(
        id=f"{code}:{place.key}",
        code=code,
        council=place.council,
        site=place.site,
        asset=place.asset,
        from_=start,
        to=end,
        severity=severity,
        verdict=verdict,
        direction=direction,
        statement=capital(statement),
        action=" ".join(filter(None, (action, CODES[code].action))),
        evidence=tuple(dict.fromkeys(one.id for one in seen if one is not None)),
        refutations=refutations,
        missing=missing,
        alternatives=alternatives,
        effect=effect,
    )


def _span(
    evidence: Evidence, rounds: tuple[Round, ...], times: Iterable[datetime | None]
) -> tuple[datetime, datetime]:
    run = evidence.record.run
    started = aware(run.started)
    moments = [aware(moment) for moment in times if moment is not None]
    for one in rounds:
        began = {capture_start(seen) for seen in one.observations} - {None}
        if began:  # a capture tells of the time in which it was taken, not of when it was read
            found = (moment_of(evidence, seen) for seen in one.observations)
            moments += [moment for moment in (*began, *found) if moment is not None]
            continue
        moments += [
            _after(started, time_s)
            for time_s in (
                one.check.started_s,
                one.check.finished_s,
                *(seen.t_s for seen in one.observations),
            )
            if time_s is not None and isfinite(time_s)
        ]
    if not moments:
        return started, max(started, aware(run.finished or run.started))
    return min(moments), max(moments)


def _after(started: datetime, seconds: float) -> datetime:
    bounded = min(max(seconds, -_RUN_LENGTH_MOST_S), _RUN_LENGTH_MOST_S)
    try:
        return started + timedelta(seconds=bounded)
    except OverflowError:
        return started
