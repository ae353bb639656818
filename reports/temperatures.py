"""How warm it was: each sensor over the last day, from this run and from those before it."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nethealth.model.observation import Passport
from reports.document import Column, SeriesChart, Table
from reports.escape import clip
from reports.figures import is_number
from reports.view import View
from reports.words import count

CHARTS_MOST = 12
_ROWS_MOST = 24
_SECONDS_MOST = 1e9  # from the run's start; more is a damaged record


@dataclass(frozen=True, slots=True)
class _Course:
    asset: str
    sensor: str
    of_room: bool
    points: tuple[tuple[datetime, float | None], ...]


def temperature_charts(view: View) -> list[SeriesChart]:
    """One chart a sensor, those of rooms first; none for a sensor with a single value."""
    courses = [course for course in _courses(view) if _values(course.points)]
    courses.sort(
        key=lambda one: (not one.of_room, -max(_values(one.points)), one.asset, one.sensor)
    )
    charts = [_chart(view, number, one) for number, one in enumerate(courses[:CHARTS_MOST])]
    return [chart for chart in charts if chart is not None]


def _courses(view: View) -> list[_Course]:
    found: dict[tuple[str, str], dict[datetime, float | None]] = defaultdict(dict)
    for past in view.record.past:
        if past.name == "temperature_celsius" and past.asset is not None:
            value = float(past.value or 0) if is_number(past.value) else None
            found[past.asset, _sensor(past.method)][_aware(past.time)] = value
    started = _aware(view.record.run.started)
    for check in view.record.checks:
        if check.probe != "snmp":
            continue
        for seen in view.seen(check.id).get("temperature_celsius", ()):
            t_s = seen.t_s
            if t_s is None or not abs(t_s) < _SECONDS_MOST:
                continue
            value = float(seen.value or 0) if is_number(seen.value) else None
            place = check.asset or check.target
            with suppress(OverflowError):
                found[place, _sensor(seen.method)][started + timedelta(seconds=t_s)] = value
    rooms = {asset.id for asset in view.record.inventory.asset if asset.kind == "sensor"}
    return [
        _Course(asset, sensor, asset in rooms, tuple(sorted(points.items())))
        for (asset, sensor), points in found.items()
    ]


def _chart(view: View, number: int, course: _Course) -> SeriesChart | None:
    values = _values(course.points)
    if len(values) < 2:
        return None
    first = course.points[0][0]
    limit = view.record.settings.thresholds.temperature_c if course.of_room else None
    name = f"{clip(course.sensor, 40)} of {view.asset_name(course.asset)}"
    label = f"Temperature over time, {name}"
    last = values[-1]
    description = (
        f"{count(len(values), 'value')} from {first:%Y-%m-%d %H:%M} UTC on; lowest "
        f"{min(values):.1f} °C, highest {max(values):.1f} °C, at last {last:.1f} °C."
    )
    points = tuple(((at - first).total_seconds(), value) for at, value in course.points)
    table = _table(label, course.points)
    return SeriesChart(
        f"temperature-{number}", label, description, "°C", points, table, limit,
        since=f"{first:%H:%M} UTC",
    )  # fmt: skip


def _table(label: str, points: Sequence[tuple[datetime, float | None]]) -> Table:
    """Evenly chosen values, the last among them."""
    step = max(1, -(-len(points) // _ROWS_MOST))
    shown = points[::-1][::step][::-1]
    caption = f"{label}, figures"
    if len(shown) < len(points):
        caption += f": {len(shown)} of {len(points)}"
    rows = tuple(
        (f"{at:%Y-%m-%d %H:%M:%S}", "no data" if value is None else f"{value:.1f} °C")
        for at, value in shown
    )
    return Table(caption, (Column("Time, UTC"), Column("Value", numeric=True)), rows)


def _aware(moment: datetime) -> datetime:
    """A time of the record that names no zone is of UTC."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _values(points: Sequence[tuple[datetime, float | None]]) -> list[float]:
    return [value for _, value in points if value is not None]


def _sensor(method: Passport) -> str:
    return str(method.get("sensor") or "sensor")
