"""The business case: what it costs, the options, lines, risks, recharges, and every figure."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from nethealth.model.case import CaseFile, Figure
from nethealth.model.case_result import (
    CaseResult,
    DisruptionCost,
    LineInventory,
    OptionWorth,
    Recharged,
)
from reports.document import (
    Block,
    Bullets,
    Column,
    Heading,
    KeyValues,
    Paragraph,
    Section,
    SectionKey,
    Table,
    Tornado,
    TornadoRow,
)
from reports.money import figured, pence, plain, pounds, pounds_range
from reports.view import View
from reports.words import count, percent

_SWINGS_SHOWN = 12
_FIVE = (
    ("strategic", "Strategic case", "why change is needed, and what it is to achieve"),
    ("economic", "Economic case", "which option is the best use of public money"),
    ("commercial", "Commercial case", "how it is to be bought, and whether the market offers it"),
    ("financial", "Financial case", "what it costs each budget, and whether that is affordable"),
    ("management", "Management case", "who delivers it, when, and how it is watched"),
)
_KINDS = {
    "business-as-usual": "business as usual", "do-minimum": "do minimum", "option": "option",
}  # fmt: skip


def case_sections(view: View) -> tuple[Section, ...]:
    """The case's own sections; none for a record without a case."""
    case = view.case
    if case is None:
        return ()
    candidates: tuple[tuple[SectionKey, str, tuple[Block, ...]], ...] = (
        ("case-cost", "What the faults cost", tuple(_cost(view, case))),
        ("case-options", "Options compared", tuple(_options(case))),
        ("case-lines", "Lines on the public telephone network", tuple(_lines(view, case.lines))),
        ("case-risks", "Risk register", tuple(_risks(case))),
        ("case-recharges", "Recharges between councils", tuple(_recharges(view, case))),
        ("case-five", "The five cases", tuple(_five(view, case))),
        ("case-figures", "Figures, and who stands for them", tuple(_figures(case.file))),
    )
    return tuple(Section(key, title, blocks) for key, title, blocks in candidates if blocks)


def cost_in_brief(view: View) -> tuple[str, ...]:
    """What the summary says of cost; nothing where no case was given."""
    case = view.case
    if case is None:
        return ()
    if case.disruption is None:
        return ("No cost was worked out: the case gives no price of time.",)
    cost = case.disruption
    if not cost.priced:
        return ("Nothing found is sure enough to be priced.",)
    return (f"Staff time lost while observed: {pounds_range(cost.total_gbp)}; no budget falls.",)


def _cost(view: View, case: CaseResult) -> Iterator[Block]:
    cost = case.disruption
    if cost is None:
        yield Paragraph(
            "No cost was worked out: the case gives no [staff_time] or no [disruption]."
        )
        return
    yield Paragraph(
        f"In the {_days(cost.observed_h)} observed, the faults that are at least supported by "
        f"evidence cost staff time worth {pounds_range(cost.total_gbp)}. This is non-cashable: "
        "people waited, but no budget falls by it."
    )
    yield KeyValues(tuple(_cost_pairs(cost)))
    if cost.priced:
        yield Table(
            "Staff time by finding: hours, people, share of each hour, pounds",
            (
                Column("Finding"), Column("Site"), Column("Working hours", numeric=True),
                Column("People", numeric=True), Column("Share of an hour", numeric=True),
                Column("Low", numeric=True), Column("Central", numeric=True),
                Column("High", numeric=True),
            ),
            tuple(
                (one.finding, view.site_name(one.site), f"{one.working_h:,.1f}",
                 plain(one.staff.central), percent(one.impairment.central),
                 pounds(one.gbp.low), pounds(one.gbp.central), pounds(one.gbp.high))
                for one in cost.priced
            ),
        )  # fmt: skip
    if cost.unpriced:
        yield Table(
            "Found, but without a price",
            (Column("Finding"), Column("Why")),
            tuple((one.finding, one.reason) for one in cost.unpriced),
        )


def _cost_pairs(cost: DisruptionCost) -> Iterator[tuple[str, str]]:
    rate = cost.rate_gbp_per_h
    yield "An hour of work", f"{pounds_pence(rate.central)} ({_ends(rate.low, rate.high)})"
    yield (
        "Of it by the telephony",
        f"{pounds_range(cost.telephony_gbp)}: faults of the telephony itself, and those by which "
        "it disturbs the network. The rest would stay after a replacement.",
    )
    yearly = cost.telephony_gbp_per_year
    yield (
        "A year at the same rate",
        "not said: at least 14 days have to be observed"
        if yearly is None
        else f"{pounds_range(yearly)} by the telephony, an extrapolation",
    )
    if cost.contacts_gbp.high:
        yield (
            "Calls lost or made again",
            f"{pounds_range(cost.contacts_gbp)} at contact centres, a line of its own",
        )
    if cost.assumed_ratio is not None:
        yield "Resting on assumption", f"{percent(cost.assumed_ratio)} of the central cost"
    yield "Counted once", "an hour of a person in which several faults went on has one price"


def pounds_pence(value: float) -> str:
    return f"£{value:,.2f}"


def _ends(low: float, high: float) -> str:
    return "no range given" if low == high else f"{pounds_pence(low)} to {pounds_pence(high)}"


def _options(case: CaseResult) -> Iterator[Block]:
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


def _lines(view: View, lines: LineInventory) -> Iterator[Block]:
    if not lines.lines:
        return
    left = (
        f"{count(lines.days_left, 'day')} are left"
        if lines.days_left > 0
        else "that day has passed"
    )
    yield Paragraph(
        f"The public switched telephone network and ISDN are to close on "
        f"{long_date_of(lines)}: on {lines.today:%-d %B %Y} {left}. "
        f"{count(lines.remaining, 'line')} of {lines.remaining + lines.migrated} still "
        f"{'hangs' if lines.remaining == 1 else 'hang'} on it. This is a ground of its own: no "
        "fault need be found for it to hold."
    )
    if lines.by_use:
        yield Bullets(tuple(f"{use}: {number}" for use, number in lines.by_use))
    if lines.ownerless:
        yield Paragraph(f"Without an owner: {', '.join(lines.ownerless)}.")
    yield Table(
        "Lines, those that are left first",
        (Column("Line"), Column("Site"), Column("Kind"), Column("Use"), Column("Owner"),
         Column("State")),
        tuple(
            (line.id, view.site_name(line.site), line.kind, line.use, line.owner or "nobody",
             "migrated" if line.migrated else "not migrated")
            for line in lines.lines
        ),
    )  # fmt: skip


def long_date_of(lines: LineInventory) -> str:
    return f"{lines.retirement:%-d %B %Y}"


def _risks(case: CaseResult) -> Iterator[Block]:
    if not case.risks:
        return
    if case.ownerless_risks:
        yield Paragraph(f"Without an owner: {', '.join(case.ownerless_risks)}.")
    yield Table(
        f"Risks, likelihood times impact on a scale of {case.file.matrix.size}",
        (Column("Risk"), Column("Now"), Column("With controls"), Column("Target"), Column("Owner"),
         Column("Action"), Column("Evidence")),
        tuple(_risk_row(dict(row)) for row in case.risks),
    )  # fmt: skip


def _risk_row(row: dict[str, str]) -> tuple[str, ...]:
    def level(name: str) -> str:
        return f"{row[f'{name} score']}, {row[f'{name} band']}" if row[f"{name} score"] else "–"

    dates = [f"{what} {row[what]}" for what in ("due", "review") if row[what]]
    return (
        f"{row['id']}: {row['cause']}; so {row['event']}; then {row['consequence']}",
        level("inherent"),
        level("residual"),
        level("target"),
        row["owner"] or "nobody",
        "; ".join([row["action"] or "none", *dates]),
        row["evidence"] or "–",
    )


def _recharges(view: View, case: CaseResult) -> Iterator[Block]:
    for one in case.recharges:
        yield Table(
            f"{one.name}: by {one.key} as of {one.frozen:%-d %B %Y}, "
            f"total {pence(one.total_pence)}",
            (
                Column("Council"), Column("Key", numeric=True), Column("Common pot", numeric=True),
                Column("Its own", numeric=True), Column("Total", numeric=True),
            ),
            tuple(_recharge_rows(view, one)),
        )  # fmt: skip
        if one.uncounted:
            sites = ", ".join(view.site_name(site) for site in one.uncounted)
            yield Paragraph(f"Not counted, since the inventory gives no {one.key}: {sites}.")


def _recharge_rows(view: View, one: Recharged) -> Iterator[tuple[str, ...]]:
    for share in one.shares:
        yield (
            view.council_name(share.council), plain(share.key), pence(share.common_pence),
            pence(share.own_pence), pence(share.common_pence + share.own_pence),
        )  # fmt: skip
    common = sum(share.common_pence for share in one.shares)
    yield ("All", plain(sum(share.key for share in one.shares)), pence(common),
           pence(one.total_pence - common), pence(one.total_pence))  # fmt: skip


def _five(view: View, case: CaseResult) -> Iterator[Block]:
    measured = {
        "strategic": _strategic(view, case),
        "economic": _economic(case),
        "financial": _financial(case),
    }
    for key, title, what in _FIVE:
        yield Heading(title)
        written = getattr(case.file.sections, key)
        yield Paragraph(written or f"To be written: {what}.")
        if measured.get(key):
            yield Paragraph(f"Measured: {measured[key]}")


def _strategic(view: View, case: CaseResult) -> str:
    sentences = []
    if case.lines.remaining and case.lines.days_left > 0:
        sentences.append(
            f"{count(case.lines.remaining, 'line')} on a network that closes in "
            f"{count(case.lines.days_left, 'day')}."
        )
    found = len([one for one in view.findings if one.severity.rank > 0])
    sentences.append(
        f"{count(found, 'fault')} found in this run, of which "
        f"{len(case.disruption.priced) if case.disruption else 0} could be priced."
    )
    return " ".join(sentences)


def _economic(case: CaseResult) -> str:
    others = [one for one in case.options if one.kind != "business-as-usual"]
    if not others:
        return ""
    best = max(others, key=lambda one: one.advantage_gbp)
    return (
        f"of the options given, {best.name} has the highest net present value, "
        f"{pounds(best.advantage_gbp)} against going on as now."
    )


def _financial(case: CaseResult) -> str:
    best = max(case.options, key=lambda one: one.cashable_gbp, default=None)
    if best is None or not best.cashable_gbp:
        return ""
    return (
        f"cashable benefit of {best.name}: {pounds(best.cashable_gbp)} in present value; time "
        "that staff no longer lose is not cashable."
    )


def _figures(file: CaseFile) -> Iterator[Block]:
    yield Paragraph(
        f"{file.case.title}, dated {file.case.date:%-d %B %Y}, for which {file.case.owner} stands."
    )
    yield Table(
        "Every figure of the case",
        (
            Column("Figure"), Column("Central", numeric=True), Column("Low", numeric=True),
            Column("High", numeric=True), Column("Basis"), Column("Source"), Column("Date"),
            Column("Owner"),
        ),
        tuple(
            (path, plain(one.central), "–" if one.low is None else plain(one.low),
             "–" if one.high is None else plain(one.high), one.basis, one.source,
             one.date.isoformat(), one.owner)
            for path, one in _each_figure("", file)
        ),
    )  # fmt: skip


def _each_figure(path: str, value: object) -> Iterator[tuple[str, Figure]]:
    """Every figure of the file by its path, in the file's order."""
    if isinstance(value, Figure):
        yield path, value
    elif is_dataclass(value):
        for each in fields(value):
            yield from _each_figure(_joined(path, each.name), getattr(value, each.name))
    elif isinstance(value, dict):
        for key, inside in value.items():
            yield from _each_figure(_joined(path, str(key)), inside)
    elif isinstance(value, tuple):
        for index, inside in enumerate(value, 1):
            name = getattr(inside, "id", None) or getattr(inside, "name", None) or str(index)
            yield from _each_figure(_joined(path, str(name)), inside)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _days(hours: float) -> str:
    return count(round(hours / 24), "day") if hours >= 48 else count(max(1, round(hours)), "hour")
