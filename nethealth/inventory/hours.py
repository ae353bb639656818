"""Days of the week and time zones, as the inventory writes them."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS_WORDS = '"daily", or days and spans such as "mon-fri" or "sat,sun", of ' + " ".join(DAYS)


def weekdays(days: str) -> frozenset[int]:
    """The days meant, Monday 0; a span may pass the end of the week. Raises ValueError."""
    if days.strip().lower() == "daily":
        return frozenset(range(7))
    chosen: set[int] = set()
    for part in days.lower().split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError("no days of the week")
        start, end = DAYS.index(first), DAYS.index(last if dash else first)
        chosen.update(day % 7 for day in range(start, end + 1 + (7 if end < start else 0)))
    return frozenset(chosen)


def zone(name: str) -> tzinfo:
    """The time zone of that name in the system's database; raises ValueError for any other."""
    if name == "UTC":  # known even to a machine without the database
        return UTC
    try:
        return ZoneInfo(name)
    # An absolute path, the name of a folder of zones, and a name that is in no database.
    except (ValueError, OSError, KeyError):
        raise ValueError("no known time zone") from None
