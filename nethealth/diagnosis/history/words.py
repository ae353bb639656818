"""Times and lengths of time as they stand in a statement about a history."""

from datetime import datetime

from nethealth.diagnosis.history.spans import Span
from nethealth.model.period import moment

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def length(seconds: float) -> str:
    """`45 min`, `5 h 10 min`, `3 d 4 h`."""
    minutes = max(1, round(seconds / _MINUTE_S))
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 2 * 24 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, rest = divmod(round(minutes / 60), 24)
    return f"{days} d {rest} h" if rest else f"{days} d"


def at(when: datetime) -> str:
    """`3 March 2026 09:15 UTC`."""
    return f"{when:%-d %B %Y %H:%M} UTC"


def between(span: Span) -> str:
    return f"{at(moment(span[0]))} to {at(moment(span[1]))}"
