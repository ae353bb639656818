"""Before and after a change, in a table for each change: what differed, and what that can mean."""

from collections.abc import Iterator

from nethealth.model.period_report import Change, Comparison, Figure
from reports.document import Block, Column, Heading, KeyValues, Paragraph, Table
from reports.period_view import PeriodView, fine_percent
from reports.words import count, listed, number, seconds, short_date

_LABELS = {
    "availability": "Checks answered",
    "packet_loss_ratio": "Packet loss",
    "round_trip_delay_median_s": "Delay, median",
    "round_trip_delay_p95_s": "Delay, 95th percentile",
    "r_factor": "R-factor, median",
}
_COLUMNS = (
    Column("What"),
    Column("Before", numeric=True),
    Column("After", numeric=True),
    Column("Difference", numeric=True),
    Column("95 % interval", numeric=True),
    Column("Beside other dates"),
)
_MEANING = (
    "Days were not drawn by lot, so a difference says that something differed after the day, not "
    "that the change made it. Where other sites are compared with, the last column says how this "
    "difference ranks among the same difference at other dates: rank 1 means none was as great."
)


def change_blocks(of: PeriodView) -> tuple[Block, ...]:
    """Nothing where no change was asked for."""
    if not of.period.changes:
        if of.period.asked.changes:
            return (Paragraph("No event of the kinds that were asked for is in this period."),)
        return ()
    blocks = [block for change in of.period.changes for block in _blocks(of, change)]
    if any(change.refused is None for change in of.period.changes):
        blocks.append(Paragraph(_MEANING))
    return tuple(blocks)


def lowered(comparison: Comparison) -> str:
    """What was compared, as it stands within a sentence."""
    label = _LABELS.get(comparison.outcome, comparison.outcome)
    return label if label.startswith("R-") else label[0].lower() + label[1:]


def difference(comparison: Comparison) -> str:
    """`−0.84 %-points`, `+3.20 ms`: after less before, with its sign."""
    return _signed(comparison.effect.value, comparison.unit)


def interval(comparison: Comparison) -> str:
    bounds = comparison.effect.interval
    if bounds is None:
        return "–"
    low, high = (_signed(bound, comparison.unit) for bound in bounds)
    return f"{low.removesuffix(' points')} to {high}"


def title(of: PeriodView, change: Change) -> str:
    source = "" if change.source == "given" else f" ({change.source})"
    day = f"{short_date(change.day)} {change.day.year}"
    return f"{day}{source}, {of.view.site_name(change.site)}"


def _blocks(of: PeriodView, change: Change) -> Iterator[Block]:
    yield Heading(title(of, change))
    if change.refused is not None:
        yield Paragraph(f"Not compared: {change.refused}.")
        if change.left_out:
            yield Paragraph(f"Not measured alike: {listed(list(change.left_out), 20)}.")
        return
    pairs = [("The same on both sides", f"{change.method}.")]
    if change.left_out:
        assets = listed(list(change.left_out), 20)
        pairs.append(("Left out, since not measured alike on both sides", f"{assets}."))
    yield KeyValues(tuple(pairs))
    rows = tuple(
        (
            _LABELS.get(one.outcome, one.outcome),
            _value(one.before, one.unit),
            _value(one.after, one.unit),
            difference(one) if one.refused is None else "not compared",
            interval(one) if one.refused is None else "–",
            one.refused or _contrast(one),
        )
        for one in change.comparisons
    )
    days = count(change.days_each_side, "day")
    yield Table(f"{title(of, change)}: {days} before and {days} after", _COLUMNS, rows)


def _contrast(one: Comparison) -> str:
    if not one.controls:
        return "no other site to compare with"
    if one.rank is None:
        return f"too few other dates ({one.placebos})"
    others = count(one.controls, "other site")
    return f"rank {one.rank} of {one.placebos + 1:,}, against {others}"


def _value(figure: Figure, unit: str) -> str:
    if figure.value is None:
        return "no data"
    if unit == "1":
        return fine_percent(figure.value)
    return seconds(figure.value) if unit == "s" else number(figure.value)


def _signed(value: float | None, unit: str) -> str:
    if value is None:
        return "no data"
    sign = "−" if value < 0 else "+" if value > 0 else "±"
    size = abs(value)
    if unit == "1":
        return f"{sign}{100 * size:.2f} points" if size else "±0 points"
    return f"{sign}{seconds(size) if unit == 's' else number(size)}"
