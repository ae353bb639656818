"""For each site the network's quality by day, with the telephony's events under the same dates."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from nethealth.model.period_report import Daily, EventCount, Place
from reports.document import (
    Block,
    Column,
    Heading,
    Paragraph,
    Table,
    Timeline,
    TimelineLane,
    TimelinePanel,
)
from reports.period_view import PeriodView, fine_percent
from reports.words import count, listed, number, seconds, short_date

CHARTS_MOST = 24  # sites with a chart, the worst first
_LANES_MOST = 8
_Show = Callable[[float], str]
_DAILY_MOST = 31  # days that are listed one by one; more are listed by week
_KINDS = {
    "call": "Calls", "call-start": "Calls answered", "call-end": "Calls ended",
    "restart": "Restarts", "pbx-restart": "Exchange restarts", "page": "Pages",
    "paging": "Pages", "registration": "Registrations", "registration-failed":
    "Registrations failed", "registration-lost": "Registrations lost", "link-down": "Links down",
    "link-up": "Links up", "poe-denied": "Power refused to a device",
    "spanning-tree-change": "Spanning-tree changes", "tftp-load": "Firmware loads",
    "dhcp-no-leases": "No free addresses", "duplicate-address": "Duplicate addresses",
    "change": "Changes",
}  # fmt: skip


def timeline_blocks(of: PeriodView) -> tuple[Block, ...]:
    """A chart, its text and its table for each of the worst sites; then events of no known site."""
    blocks: list[Block] = []
    measured = [one for one in of.sites if one.measured]
    for place in measured[:CHARTS_MOST]:
        blocks.append(Heading(of.where(place)))
        blocks.append(_timeline(of, place))
        if events := _event_table(of, place):
            blocks.append(events)
    if len(measured) > CHARTS_MOST:
        left = count(len(measured) - CHARTS_MOST, "further site")
        blocks.append(Paragraph(
            f"Charts stand here for the {CHARTS_MOST} worst sites; the days of {left} are in the "
            "formats xlsx, csv and json."
        ))  # fmt: skip
    lost = [one for one in of.period.events if one.site is None]
    if lost:
        told = [f"{kind(one.kind)} {sum(one.by_day):,}" for one in lost]
        blocks.append(Paragraph(f"Events whose site is not known: {listed(told, 12)}."))
    return tuple(blocks)


def kind(name: str) -> str:
    """An event's kind in words; one of an own rule as it is."""
    return _KINDS.get(name, name.replace("-", " ").capitalize())


def _timeline(of: PeriodView, place: Place) -> Timeline:
    limits = of.record.settings.thresholds
    daily, hours = place.daily, of.period.hours
    events = [one for one in of.period.events if one.site == place.site]
    events.sort(key=lambda one: (-sum(map(bool, one.by_day)), one.kind))
    lanes = [TimelineLane(kind(one.kind), one.by_day) for one in events[:_LANES_MOST]]
    observed = tuple(
        round(100 * seen / whole) if whole else 0
        for seen, whole in zip(daily.hours, hours, strict=True)
    )
    name = of.where(place)
    return Timeline(
        id=f"timeline-{place.site}",
        title=f"{name}, day by day",
        description=_in_words(of, place, events),
        days=of.period.days,
        panels=(
            TimelinePanel("Checks not answered", "%", _unanswered(daily)),
            TimelinePanel("Loss", "%", _scaled(daily.loss_ratio, 100), 100 * limits.loss),
            TimelinePanel("Delay, 95th percentile", "ms", _scaled(daily.delay_p95_s, 1000),
                          2000 * limits.delay_one_way_s),
            TimelinePanel("R-factor, median", "", daily.r_factor_median, limits.r_factor),
        ),
        lanes=(*lanes, TimelineLane("Hours measured, %", observed)),
        marks=tuple(
            (of.period.days.index(one.day), "change")
            for one in of.period.changes
            if one.site == place.site and one.day in of.period.days
        ),
        table=_table(of, name, daily, events),
    )  # fmt: skip


def _in_words(of: PeriodView, place: Place, events: Sequence[EventCount]) -> str:
    days, daily = of.period.days, place.daily
    said = []
    silent = [(v, d) for v, d in zip(_unanswered(daily), days, strict=True) if v is not None]
    if silent:
        most, day = max(silent, key=lambda pair: pair[0])
        said.append(
            f"Most checks without an answer: {fine_percent(most / 100)}, {short_date(day)}."
            if most else "Every check was answered."
        )  # fmt: skip
    for words, values, whole, show in (
        ("Loss", daily.loss_ratio, place.loss, fine_percent),
        ("Delay (95th percentile)", daily.delay_p95_s, place.delay_p95_s, seconds),
    ):
        known = [(value, day) for value, day in zip(values, days, strict=True) if value is not None]
        if known:
            worst, day = max(known, key=lambda pair: pair[0])
            over = "" if whole.value is None else f"{show(whole.value)} over the period, "
            said.append(
                f"{words}: {over}{show(worst)} on the worst day, {short_date(day)}."
                if worst else f"{words}: none on any day."
            )  # fmt: skip
    voice = [(v, d) for v, d in zip(daily.r_factor_median, days, strict=True) if v is not None]
    if voice:
        least, day = min(voice)
        said.append(f"R-factor: lowest daily median {number(round(least))}, {short_date(day)}.")
    unmeasured = sum(not hours for hours in daily.hours)
    if unmeasured:
        said.append(f"Nothing was measured on {count(unmeasured, 'day')}.")
    told = [f"{kind(one.kind).lower()} {sum(one.by_day):,}" for one in events[:_LANES_MOST]]
    said.append(f"Events: {listed(told, _LANES_MOST)}." if told else "No event is known here.")
    return " ".join(said)


def _event_table(of: PeriodView, place: Place) -> Table | None:
    """Days with an event beside days without: no test, and said so."""
    events = [one for one in of.period.events if one.site == place.site]
    rows = tuple(
        (
            kind(one.kind),
            f"{sum(one.by_day):,}",
            f"{sum(map(bool, one.by_day)):,}",
            _both(one.loss_with, one.loss_without, fine_percent),
            _both(one.delay_p95_with_s, one.delay_p95_without_s, seconds),
        )
        for one in sorted(events, key=lambda one: -sum(one.by_day))
    )
    if not rows:
        return None
    columns = (
        Column("Event"),
        Column("How many", numeric=True),
        Column("On days", numeric=True),
        Column("Median loss: such days, others", numeric=True),
        Column("Median delay (95th): such days, others", numeric=True),
    )
    caption = (
        f"Events at {of.where(place)}: days with and days without, side by side, which is no test "
        "of cause"
    )
    return Table(caption, columns, rows)


def _table(of: PeriodView, name: str, daily: Daily, events: Sequence[EventCount]) -> Table:
    """By day, or by week with each week's worst day."""
    days = of.period.days
    single = len(days) <= _DAILY_MOST
    columns = (
        Column("Day" if single else "Week from"),
        Column("Hours measured", numeric=True),
        Column("Answered", numeric=True),
        Column("Loss" if single else "Loss, worst day", numeric=True),
        Column("Delay, 95th" if single else "Delay, 95th, worst day", numeric=True),
        Column("R, median" if single else "R, worst day", numeric=True),
        Column("Events", numeric=True),
    )
    rows = tuple(
        (
            short_date(days[chosen[0]]),
            f"{sum(daily.hours[i] for i in chosen)} of {sum(of.period.hours[i] for i in chosen)}",
            _answered(daily, chosen),
            _most(daily.loss_ratio, chosen, fine_percent),
            _most(daily.delay_p95_s, chosen, seconds),
            _least(daily.r_factor_median, chosen),
            f"{sum(one.by_day[i] for one in events for i in chosen):,}",
        )
        for chosen in _rows(days, single)
    )
    return Table(f"{name}, figures by {'day' if single else 'week'}", columns, rows, telling=0)


def _rows(days: Sequence[date], single: bool) -> Iterator[list[int]]:
    """The numbers of the days that share a row; weeks begin on Monday."""
    chosen: list[int] = []
    for number_, day in enumerate(days):
        if chosen and (single or day.weekday() == 0):
            yield chosen
            chosen = []
        chosen.append(number_)
    if chosen:
        yield chosen


def _unanswered(daily: Daily) -> tuple[float | None, ...]:
    """In per cent, by day."""
    return tuple(
        100 * (1 - answered / checks) if checks else None
        for answered, checks in zip(daily.answered, daily.checks, strict=True)
    )


def _answered(daily: Daily, chosen: Sequence[int]) -> str:
    checks = sum(daily.checks[i] for i in chosen)
    return fine_percent(sum(daily.answered[i] for i in chosen) / checks) if checks else "no data"


def _most(values: Sequence[float | None], chosen: Sequence[int], show: _Show) -> str:
    known = [value for i in chosen if (value := values[i]) is not None]
    return show(max(known)) if known else "no data"


def _least(values: Sequence[float | None], chosen: Sequence[int]) -> str:
    known = [value for i in chosen if (value := values[i]) is not None]
    return number(round(min(known))) if known else "no data"


def _both(on: float | None, off: float | None, show: _Show) -> str:
    return ", ".join("no data" if one is None else show(one) for one in (on, off))


def _scaled(values: Sequence[float | None], factor: float) -> tuple[float | None, ...]:
    return tuple(None if one is None else one * factor for one in values)
