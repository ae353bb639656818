"""How a site is looked after: cooling, temperature, owners, age, support, and its old lines."""

from collections.abc import Iterator

from nethealth.model.inventory import PSTN_CLOSES
from nethealth.model.measured import was_measured
from reports.buildings import (
    LISTED_MOST,
    NONE,
    ONE,
    SEVERAL,
    SOON,
    UNKNOWN,
    Known,
    Place,
    asset_line,
    asset_of,
    moment_of,
    not_given,
    site_line,
    today,
)
from reports.document import Mark
from reports.escape import clip
from reports.figures import is_number, number_of
from reports.view import View, long_date, utc
from reports.words import count, listed, observed

_WARM = ("pbx", "sbc", "server", "switch", "router", "gateway")  # what a room is cooled for


def cooling(place: Place) -> Known:
    units = place.site.cooling_units
    if units is None:
        text = "The register does not say how the room of the equipment is cooled."
        return Known("Cooling", UNKNOWN, text, lines=(not_given(place, "cooling_units"),))
    lines = (site_line(place, "cooling_units"),)
    if units == 0:
        return Known("Cooling", NONE, "By the register the room has no cooling.", (), lines)
    text = f"By the register the room has {count(units, 'cooling unit')}."
    return Known("Cooling", ONE if units == 1 else SEVERAL, text, (), lines)


def temperature(view: View, place: Place) -> Known:
    subject = "Temperature"
    sensors = place.kinds("sensor")
    lines = tuple(map(asset_line, sensors[:LISTED_MOST]))
    read = [one for one in place.seen("temperature_celsius") if is_number(one.value)]
    if read:
        warmest = max(read, key=number_of)
        at = moment_of(view, warmest)
        others = f", the warmest of {len(read)}" if len(read) > 1 else ""
        text = (
            f"{asset_of(view, warmest)} read {observed(warmest)} at "
            f"{clip(str(warmest.method.get('sensor') or 'its sensor'), 40)}{others}, last seen "
            f"{at:%H:%M} UTC on {long_date(at)}."
        )
        return Known(subject, Mark("ok", "Read"), text, (warmest,), lines)
    before = [
        value
        for value in place.past
        if value.name == "temperature_celsius" and is_number(value.value)
    ]
    if before:
        last = max(before, key=lambda value: utc(value.time))
        at = utc(last.time)
        text = (
            f"Nothing was read in this run; last seen {last.value:.1f} °C at "
            f"{view.asset_name(last.asset or 'a device')}, {at:%H:%M} UTC on {long_date(at)}."
        )
        return Known(subject, Mark("warning", "Not read"), text, lines=lines)
    if sensors:
        names = listed([view.asset_name(sensor.id) for sensor in sensors], LISTED_MOST)
        text = (
            f"{names} {'is' if len(sensors) == 1 else 'are'} in the register and gave no reading."
        )
        return Known(subject, Mark("warning", "Not read"), text, lines=lines)
    text = "The register has no sensor here, and no device that was read gave a temperature."
    mark = Mark("warning" if place.kinds(*_WARM) else "none", "Not watched")
    return Known(subject, mark, text, lines=("asset: none of kind sensor here",))


def monitored(view: View, place: Place) -> Known:
    subject = "Watched in this run"
    checks = [check for check in place.checks if was_measured(check)]
    measured = {check.asset for check in checks if check.asset is not None}
    dark = [asset for asset in place.assets if asset.id not in measured]
    seen = tuple(
        found[0]
        for check in checks[:LISTED_MOST]
        for found in list(view.seen(check.id).values())[:1]
    )
    if not place.assets:
        lines = (f"asset: none at {place.site.id}",)
        return Known(subject, UNKNOWN, "The register has no device here.", lines=lines)
    if not dark:
        text = f"All {count(len(place.assets), 'device')} of the register."
        return Known(subject, Mark("ok", "All"), text, seen)
    names = listed([view.asset_name(asset.id) for asset in dark], LISTED_MOST)
    text = f"{len(place.assets) - len(dark)} of {count(len(place.assets), 'device')}; not {names}."
    mark = Mark("warning", "None" if len(dark) == len(place.assets) else "Not all")
    return Known(subject, mark, text, seen, tuple(map(asset_line, dark[:LISTED_MOST])))


def owners(view: View, place: Place) -> Known:
    without = [asset for asset in place.assets if not asset.owner]
    if not without:
        names = list(dict.fromkeys(asset.owner for asset in place.assets if asset.owner))
        text = f"Each of {count(len(place.assets), 'device')} has one: {listed(names, 4)}."
        lines = tuple(f"{asset_line(asset)}: owner" for asset in place.assets[:LISTED_MOST])
        return Known("Owner", Mark("ok", "Named"), text, lines=lines)
    names = [view.asset_name(asset.id) for asset in without]
    text = (
        f"{len(without)} of {count(len(place.assets), 'device')} without one: "
        f"{listed(names, LISTED_MOST)}."
    )
    lines = tuple(f"asset {asset.id}: owner" for asset in without[:LISTED_MOST])
    return Known("Owner", Mark("warning", "Missing"), text, lines=lines)


def age(view: View, place: Place) -> Known:
    dated = [asset for asset in place.assets if asset.installed is not None]
    if not dated:
        text = "The register does not say when anything here was installed."
        return Known("Age", UNKNOWN, text, lines=("asset: installed, not given",))
    oldest = min(dated, key=lambda asset: asset.installed or 0)
    years = today(view).year - (oldest.installed or 0)
    age = count(years, "year") if years > 0 else "less than a year"
    text = f"The oldest, {view.asset_name(oldest.id)}, is of {oldest.installed}: {age}."
    unknown = len(place.assets) - len(dated)
    if unknown:
        text += f" Not known of {count(unknown, 'other device')}."
    lines = (f"asset {oldest.id}: installed",)
    return Known("Age", Mark("info", f"Up to {age}"), text, lines=lines)


def support(view: View, place: Place) -> Known:
    subject, day = "Maker's support", today(view)
    dated = sorted(
        ((asset.end_of_support, asset.id) for asset in place.assets if asset.end_of_support),
    )
    over = [(end, key) for end, key in dated if end < day]
    soon = [(end, key) for end, key in dated if day <= end <= day + SOON]
    if not dated:
        text = "The register does not say until when anything here has it."
        return Known(subject, UNKNOWN, text, lines=("asset: end_of_support, not given",))
    parts = [
        f"{title} {listed([f'{view.asset_name(key)} ({end:%-d %b %Y})' for end, key in some], 4)}"
        for title, some in (("Over for", over), ("Ends within a year for", soon))
        if some
    ]
    first, key = dated[0]
    parts = parts or [f"The first to end is {view.asset_name(key)}, {first:%-d %b %Y}"]
    unknown = len(place.assets) - len(dated)
    if unknown:
        parts.append(f"Not known of {count(unknown, 'device')}")
    mark = Mark("warning", "Over") if over else Mark("info", "Ends soon" if soon else "Goes on")
    told = [each for _, each in (*over, *soon)] or [key]
    lines = tuple(f"asset {each}: end_of_support" for each in told[:LISTED_MOST])
    return Known(subject, mark, f"{'. '.join(parts)}.", lines=lines)


def public_lines(view: View, place: Place) -> Iterator[Known]:
    if not place.lines:
        return
    subject, left = "Public telephone lines", [one for one in place.lines if not one.migrated]
    if not left:
        text = f"All {count(len(place.lines), 'line')} of the register have been moved off it."
        lines = tuple(f"line {one.id}" for one in place.lines[:LISTED_MOST])
        yield Known(subject, Mark("ok", "Moved"), text, lines=lines)
        return
    days = (PSTN_CLOSES - today(view)).days
    closes = f"closes on {PSTN_CLOSES:%-d %B %Y}"
    when = f"{closes}, {count(days, 'day')} after this run" if days > 0 else "has closed"
    uses = listed(list(dict.fromkeys(one.use for one in left)), LISTED_MOST)
    text = f"{count(len(left), 'line')} ({uses}) on a network that {when}."
    lines = tuple(f"line {one.id}" for one in left[:LISTED_MOST])
    yield Known(subject, Mark("warning", "Not moved"), text, lines=lines)
