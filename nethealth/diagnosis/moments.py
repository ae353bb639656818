"""When an observation was made: since its run began, or since its capture did."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import isfinite

from nethealth.diagnosis.evidence import Evidence, Round
from nethealth.model.observation import Observation

_SECONDS_MOST = 1e9  # from the beginning; more is a damaged record
YEARS = (1970, 9000)  # what lies outside of it is a damaged record


def moment_of(evidence: Evidence, seen: Observation) -> datetime | None:
    """When an observation was made; null where the record does not say, or is damaged."""
    if not dated(seen):
        return None
    began = capture_start(seen) or aware(evidence.record.run.started)
    try:
        return began + timedelta(seconds=seen.t_s or 0.0)
    except OverflowError:
        return None


def ran_at(evidence: Evidence, one: Round) -> tuple[datetime, datetime] | None:
    """From when to when a check ran; null where the record does not say, or is damaged."""
    began, ended = one.check.started_s, one.check.finished_s
    found = [
        each for each in (began, ended)
        if each is not None and isfinite(each) and abs(each) < _SECONDS_MOST
    ]  # fmt: skip
    started = aware(evidence.record.run.started)
    try:
        moments = [started + timedelta(seconds=each) for each in found]
    except OverflowError:
        return None
    return (min(moments), max(moments)) if moments else None


def capture_start(seen: Observation) -> datetime | None:
    """When the capture began that an observation is of; null for one that is of no capture."""
    text = seen.method.get("capture_started")
    if not isinstance(text, str):
        return None
    try:
        found = aware(datetime.fromisoformat(text))
    except ValueError:
        return None
    return found if YEARS[0] <= found.year < YEARS[1] else None


def aware(moment: datetime) -> datetime:
    """The moment in a time zone; one that names none is of UTC, as the record's times are."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def dated(seen: Observation) -> bool:
    """Whether an observation bears a time that can be one."""
    return seen.t_s is not None and isfinite(seen.t_s) and abs(seen.t_s) < _SECONDS_MOST


def joined(
    spans: Iterable[tuple[datetime, datetime]], gap: timedelta = timedelta(0)
) -> list[tuple[datetime, datetime]]:
    """The same times in order as spans that have none in common; what meets within `gap` is one."""
    found: list[tuple[datetime, datetime]] = []
    for from_, to in sorted(spans):
        if found and from_ <= found[-1][1] + gap:
            found[-1] = found[-1][0], max(found[-1][1], to)
        else:
            found.append((from_, to))
    return found
