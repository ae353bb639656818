"""Whether nothing may be sent to a site at a given moment."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from nethealth.inventory import hours
from nethealth.model.inventory import Blackout


def active(blackouts: Iterable[Blackout], site: str, when_utc: datetime, timezone: str) -> bool:
    """Whether one of the site's blackouts holds at `when_utc` (aware; naive is a ValueError).

    A window is read off the wall clock of `timezone`, from `from` to just before `to`. One whose
    `to` is not after its `from` ends on the next day, and `days` are those on which it starts. So
    on the night when the clocks go back the repeated hour is inside twice, and a window within
    the hour that they skip in spring does not take place.
    """
    if when_utc.tzinfo is None:
        raise ValueError("when_utc has no time zone")
    local = when_utc.astimezone(hours.zone(timezone))
    today, yesterday = local.weekday(), (local.date() - timedelta(days=1)).weekday()
    now = local.time()
    for blackout in blackouts:
        if blackout.site != site:
            continue
        start, end = time.fromisoformat(blackout.from_), time.fromisoformat(blackout.to)
        days = hours.weekdays(blackout.days)
        if start < end:
            if today in days and start <= now < end:
                return True
        elif (today in days and now >= start) or (yesterday in days and now < end):
            return True
    return False
