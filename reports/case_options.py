"""Options compared: present values, what each rests on, and which figure moves it most."""

from collections.abc import Iterator

from nethealth.model.case_result import CaseResult, OptionWorth
from reports.document import (
    Block,
    Bullets,
    Column,
    Heading,
    Paragraph,
    Table,
    Tornado,
    TornadoRow,
)
from reports.money import figured, plain, pounds, pounds_range
from reports.words import count, percent

_SWINGS_SHOWN = 12
_KINDS = {
    "business-as-usual": "business as usual", "do-minimum": "do minimum", "option": "option",
}  # fmt: skip


def option_blocks(case: CaseResult) -> Iterator[Block]:
    if not case.options:
        return
    head = case.file.case
    yield Paragraph(
        f"Present values over {count(head.horizon_years, 'year')} after the year of the decision, "
        f"in prices of {head.price_year}, discounted at "
        f"{percent(case.file.discount.rate.central)} a year ({case.file.discount.rate.source}). "
        "A figure above zero in the last column is worth more than going on as now."
    )
    yield Table(
        "Present values in pounds",
        (
            Column("Option"), Column("Capital", numeric=True), Column("Revenue", numeric=True),
            Column("Optimism bias", numeric=True), Column("Cashable benefit", numeric=True),
            Column("Non-cashable benefit", numeric=True),
            Column("Net present value", numeric=True), Column("Against as now", numeric=True),
        ),
        tuple(
            (f"{one.name} ({_KINDS[one.kind]})", pounds(one.capital_gbp), pounds(one.revenue_gbp),
             pounds(one.bias_gbp), pounds(one.cashable_gbp), pounds(one.non_cashable_gbp),
             pounds(one.net_gbp), pounds(one.advantage_gbp))
            for one in case.options
        ),
    )  # fmt: skip
    told = [
        f"{option.name}: {text}"
        for option in case.file.option
        for text in (
            option.description,
            None
            if option.rejected_because is None
            else f"not carried forward: {option.rejected_because}",
        )
        if text
    ]
    if told:
        yield Bullets(tuple(told))
    for worth in case.options:
        yield from _option(worth)


def _option(worth: OptionWorth) -> Iterator[Block]:
    yield Heading(f"{worth.name}: what it rests on")
    yield Table(
        f"{worth.name}, flows a year",
        (
            Column("Flow"), Column("Kind"), Column("Years"), Column("Pounds a year", numeric=True),
            Column("Present value", numeric=True),
        ),
        tuple(
            (flow.name, flow.kind,
             str(flow.first_year) if flow.first_year == flow.last_year
             else f"{flow.first_year} to {flow.last_year}",
             pounds_range(flow.gbp_per_year), pounds(flow.present_gbp))
            for flow in worth.flows
        ),
    )  # fmt: skip
    if worth.swings:
        shown = worth.swings[:_SWINGS_SHOWN]
        widest = shown[0]
        table = Table(
            f"{worth.name} against as now: one figure at a time, the widest swing first",
            (
                Column("Figure"), Column("From", numeric=True), Column("To", numeric=True),
                Column("Advantage at low", numeric=True), Column("At high", numeric=True),
                Column("Switching value", numeric=True),
            ),
            tuple(
                (swing.figure, plain(swing.low), plain(swing.high), pounds(swing.at_low_gbp),
                 pounds(swing.at_high_gbp),
                 "none" if swing.switching is None else figured(swing.switching))
                for swing in shown
            ),
        )  # fmt: skip
        yield Tornado(
            id=f"case-tornado-{worth.id}",
            title=f"What moves the worth of {worth.name} most",
            description=f"Its advantage against going on as now is "
            f"{pounds(worth.advantage_gbp)} with all figures central. {widest.figure} moves it "
            f"most: from {pounds(widest.at_low_gbp)} to {pounds(widest.at_high_gbp)}.",
            middle=worth.advantage_gbp,
            rows=tuple(
                TornadoRow(swing.figure, swing.at_low_gbp, swing.at_high_gbp) for swing in shown
            ),
            table=table,
        )
