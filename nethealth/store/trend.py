"""What became of a value over time: points gathered by run, hour or day, with a sparkline."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from statistics import median
from typing import Literal

from nethealth.model.observation import Scalar
from nethealth.store.base import Point

Period = Literal["run", "hour", "day"]
BARS = "▁▂▃▄▅▆▇█"
GAP = "·"  # a period without a value, which is not a low one


@dataclass(frozen=True, slots=True)
class Cell:
    """One period: the median of its numbers, or its commonest code, word or truth.

    `value` is null where nothing was measured; `points` then counts the attempts.
    """

    start: datetime
    value: Scalar
    points: int


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One name at one asset (or at the site itself); all rows of a trend have the same periods."""

    site: str | None
    asset: str | None
    name: str
    unit: str | None
    cells: tuple[Cell, ...]
    spark: str


def trend(points: Iterable[Point], by: Period, *, timezone: tzinfo = UTC) -> tuple[TrendRow, ...]:
    """A row for each asset and name, in order of both; hours and days are those of `timezone`."""
    gathered: dict[tuple[str, str, str], dict[datetime, list[Point]]] = {}
    run_starts: dict[str, datetime] = {}
    starts: set[datetime] = set()
    for point in sorted(points, key=lambda point: point.time):
        moment = run_starts.setdefault(point.run, point.time) if by == "run" else point.time
        start = _start(moment.astimezone(timezone), by)
        starts.add(start)
        place = (point.site or "", point.asset or "", point.name)
        gathered.setdefault(place, defaultdict(list))[start].append(point)
    rows = []
    for (site, asset, name), periods in sorted(gathered.items()):
        cells = tuple(_cell(name, start, periods.get(start, ())) for start in sorted(starts))
        unit = next(point.unit for members in periods.values() for point in members)
        spark = sparkline([_number(cell.value) for cell in cells])
        rows.append(TrendRow(site or None, asset or None, name, unit, cells, spark))
    return tuple(rows)


def sparkline(values: Sequence[float | None]) -> str:
    """One character a value, from the least to the greatest; GAP for null."""
    known = [value for value in values if value is not None]
    if not known:
        return GAP * len(values)
    low, span = min(known), max(known) - min(known)
    top = len(BARS) - 1
    return "".join(
        GAP if value is None else BARS[round((value - low) / span * top) if span else 0]
        for value in values
    )


def _start(moment: datetime, by: Period) -> datetime:
    match by:
        case "run":
            return moment
        case "hour":
            return moment.replace(minute=0, second=0, microsecond=0)
        case "day":
            return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _cell(name: str, start: datetime, points: Sequence[Point]) -> Cell:
    values = [point.value for point in points if point.value is not None]
    numbers = [number for value in values if (number := _number(value)) is not None]
    if not values:
        return Cell(start, None, len(points))
    # A status of 200 and one of 503 have no mean, and no median either.
    if name.endswith("_code") or len(numbers) < len(values):
        return Cell(start, Counter(values).most_common(1)[0][0], len(points))
    return Cell(start, median(numbers), len(points))


def _number(value: Scalar) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value
