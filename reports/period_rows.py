"""The figures of a period as rows: of each place, of its days, of each day's events."""

from collections.abc import Iterator

from nethealth.model.observation import Scalar
from nethealth.model.period_codec import typed
from nethealth.model.period_report import Figure, Place
from nethealth.model.record import Record

COLUMNS = (
    "row", "council", "site", "asset", "day", "event", "count", "hours", "hours_of_day", "checks",
    "answered", "availability", "availability_low", "availability_high", "loss_ratio", "loss_low",
    "loss_high", "delay_median_s", "delay_p95_s", "r_factor_median", "r_factor_p5", "sha256",
)  # fmt: skip


def period_rows(record: Record) -> Iterator[tuple[Scalar, ...]]:
    """`row` says which: period, day or event. Null where nothing was measured."""
    period = typed(record.period or {})
    total = sum(period.hours)
    for place in period.places:
        where = (place.council, place.site, place.asset)
        yield (
            "period", *where, None, None, None, place.hours, total,
            place.availability.samples,
            sum(place.daily.answered), *_with_interval(place.availability),
            *_with_interval(place.loss), place.delay_median_s.value, place.delay_p95_s.value,
            place.r_factor_median.value, place.r_factor_p5.value, place.sha256,
        )  # fmt: skip
    names = [day.isoformat() for day in period.days]
    for place in period.places:
        yield from _days(place, names, period.hours)
    for event in period.events:
        for day, count in zip(names, event.by_day, strict=True):
            if count:
                yield (
                    "event", None, event.site, None, day, event.kind, count,
                    *(None,) * (len(COLUMNS) - 7),
                )  # fmt: skip


def _days(place: Place, names: list[str], hours: tuple[int, ...]) -> Iterator[tuple[Scalar, ...]]:
    daily = place.daily
    for day, whole, seen, checks, answered, *figures in zip(
        names, hours, daily.hours, daily.checks, daily.answered, daily.loss_ratio,
        daily.delay_median_s, daily.delay_p95_s, daily.r_factor_median, daily.r_factor_p5,
        strict=True,
    ):  # fmt: skip
        loss, *rest = figures
        yield (
            "day", place.council, place.site, place.asset, day, None, None, seen, whole, checks,
            answered, answered / checks if checks else None, None, None, loss, None, None, *rest,
            None,
        )  # fmt: skip


def _with_interval(figure: Figure) -> tuple[Scalar, ...]:
    return (figure.value, *(figure.interval or (None, None)))
