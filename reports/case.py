"""The business case: its sections, the cost of the faults, and the five cases."""

from collections.abc import Iterator

from nethealth.model.case_result import CaseResult, DisruptionCost
from reports.case_options import option_blocks
from reports.case_tables import figure_blocks, line_blocks, recharge_blocks, risk_blocks
from reports.citing import resting
from reports.document import (
    Block,
    Cell,
    Column,
    Heading,
    KeyValues,
    Paragraph,
    Section,
    SectionKey,
    Table,
)
from reports.money import plain, pounds, pounds_range
from reports.view import View
from reports.words import count, percent

_FIVE = (
    ("strategic", "Strategic case", "why change is needed, and what it is to achieve"),
    ("economic", "Economic case", "which option is the best use of public money"),
    ("commercial", "Commercial case", "how it is to be bought, and whether the market offers it"),
    ("financial", "Financial case", "what it costs each budget, and whether that is affordable"),
    ("management", "Management case", "who delivers it, when, and how it is watched"),
)


def case_sections(view: View) -> tuple[Section, ...]:
    """The case's own sections; none for a record without a case."""
    case = view.case
    if case is None:
        return ()
    candidates: tuple[tuple[SectionKey, str, tuple[Block, ...]], ...] = (
        ("case-cost", "What the faults cost", tuple(_cost(view, case))),
        ("case-options", "Options compared", tuple(option_blocks(case))),
        (
            "case-lines",
            "Lines on the public telephone network",
            tuple(line_blocks(view, case.lines)),
        ),
        ("case-risks", "Risk register", tuple(risk_blocks(view, case))),
        ("case-recharges", "Recharges between councils", tuple(recharge_blocks(view, case))),
        ("case-five", "The five cases", tuple(_five(view, case))),
        ("case-figures", "Figures, and who stands for them", tuple(figure_blocks(case.file))),
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
                (_finding(view, one.finding), view.site_name(one.site), f"{one.working_h:,.1f}",
                 plain(one.staff.central), percent(one.impairment.central),
                 pounds(one.gbp.low), pounds(one.gbp.central), pounds(one.gbp.high))
                for one in cost.priced
            ),
        )  # fmt: skip
    if cost.unpriced:
        yield Table(
            "Found, but without a price",
            (Column("Finding"), Column("Why")),
            tuple((_finding(view, one.finding), one.reason) for one in cost.unpriced),
        )


def _finding(view: View, key: str) -> Cell:
    """A finding by its id, with the observations that it rests on."""
    return resting(view, key, [one for one in view.findings if one.id == key])


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


def _five(view: View, case: CaseResult) -> Iterator[Block]:
    measured = {
        "strategic": _strategic(view, case),
        "economic": _economic(case),
        "financial": _financial(case),
        "management": _management(case),
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


def _management(case: CaseResult) -> str:
    """What a board would ask first: who stands for the risks and for what is to be moved."""
    parts = []
    if case.risks:
        parts.append(
            f"{len(case.ownerless_risks)} of {count(len(case.risks), 'risk')} without an owner"
        )
    if case.lines.remaining:
        without = len(case.lines.ownerless)
        parts.append(
            f"{without} of {count(case.lines.remaining, 'line')} still to be moved without an owner"
        )
    return f"{'; '.join(parts)}." if parts else ""


def _days(hours: float) -> str:
    return count(round(hours / 24), "day") if hours >= 48 else count(max(1, round(hours)), "hour")
