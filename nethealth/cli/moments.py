"""Moments as people write them: a date, a date with a time, or how long ago."""

import re
from datetime import UTC, datetime, timedelta

import click

_AGO = re.compile(r"(\d{1,6}(?:\.\d+)?)([smhdw])")
_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604_800.0}
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


def moment(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> datetime | None:
    """An option's text as a time in UTC; a date is its first moment in UTC."""
    if value is None:
        return None
    text = value.strip()
    now = datetime.now(UTC)
    if match := _AGO.fullmatch(text):
        ago_s = float(match[1]) * _UNITS_S[match[2]]
        return max(_FIRST, now - timedelta(seconds=min(ago_s, now.timestamp())))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"found {value!r}; allowed: how long ago (90m, 8h, 30d, 52w), a date (2026-03-01), or "
            "a date and time (2026-03-01T09:00Z)",
            context,
            parameter,
        ) from None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if not _FIRST <= found <= now + timedelta(days=3660):
        raise click.BadParameter(
            f"found {value!r}; allowed: 1970 to ten years from now", context, parameter
        )
    return found
