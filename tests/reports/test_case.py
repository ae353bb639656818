"""The business case as it is read: every figure traced, nothing claimed beyond the evidence."""

import re
from dataclasses import replace
from functools import cache

import pytest

from nethealth.case.result import work_out
from nethealth.model.case_codec import plain, typed
from nethealth.model.case_result import Range
from nethealth.model.finding import Direction, Severity, Verdict
from reports import compose, render
from reports.case import case_sections
from reports.charts import NARROW, WIDE, svg
from reports.document import (
    Block,
    Bullets,
    Figure,
    Heading,
    KeyValues,
    Paragraph,
    Table,
    Tornado,
    TornadoRow,
)
from reports.money import figured, pence, pounds, pounds_range
from reports.view import View
from tests.reports import examples

RECORD = examples.with_case()
assert RECORD.case is not None
CASE = typed(RECORD.case)


def texts(block: Block) -> list[str]:
    match block:
        case Paragraph() | Heading():
            return [block.text]
        case Bullets():
            return list(block.items)
        case KeyValues():
            return [text for pair in block.pairs for text in pair]
        case Tornado():
            return [block.title, block.description, *texts(block.table)]
        case Table():
            return [block.caption, *(str(cell) for row in block.rows for cell in row)]
    return []


@cache
def said(key: str) -> str:
    [section] = [one for one in case_sections(View(RECORD)) if one.key == key]
    return "\n".join(text for block in section.blocks for text in texts(block))


def test_sections_stand_between_what_was_found_and_how_it_was_measured() -> None:
    keys = [section.key for section in compose(RECORD).sections]
    assert keys.index("findings") < keys.index("case-cost") < keys.index("method")
    assert [key for key in keys if key.startswith("case-")] == [
        "case-cost", "case-options", "case-lines", "case-risks", "case-recharges", "case-five",
        "case-figures",
    ]  # fmt: skip


def test_without_a_case_there_is_none_of_it() -> None:
    plain = examples.degraded()
    assert case_sections(View(plain)) == ()
    assert "What it costs" not in dict(compose(plain).summary.parts)


def test_nothing_is_proved_and_time_is_no_money_in_a_budget() -> None:
    whole = "\n".join(said(section.key) for section in case_sections(View(RECORD)))
    assert not re.search(r"\bprove[sdn]?\b", whole, re.IGNORECASE)
    assert "non-cashable" in said("case-cost")
    assert "rest would stay after a replacement" in said("case-cost")
    [sentence] = dict(compose(RECORD).summary.parts)["What it costs"]
    assert sentence.startswith("Staff time lost while observed: £")
    assert "no budget falls" in sentence


def test_every_figure_of_the_file_stands_there_with_its_owner() -> None:
    shown = said("case-figures")
    text = str(CASE.file)
    owners = re.findall(r"owner='([^']+)', basis=", text)
    assert owners
    assert shown.count("Head of Finance") == owners.count("Head of Finance")
    for path in (
        "discount.rate",
        "staff_time.salary_gbp",
        "option.hosted.cost.licences.amount_gbp",
        "optimism.equipment.mitigated",
        "disruption.impairment_of.site-outage",
    ):
        assert path in shown


def test_the_lines_are_a_ground_of_their_own() -> None:
    shown = said("case-lines")
    # the run is of 22 July 2026: 193 days to 31 January 2027
    assert "31 January 2027: on 22 July 2026 193 days are left" in shown
    assert "2 lines of 2 still hang on it" in shown
    assert "no fault need be found" in shown
    assert "Without an owner: hall-trunk" in shown


def test_the_lines_are_counted_by_use_site_and_owner() -> None:
    """Two lines by hand: the lift's is of Facilities, the trunk is nobody's; both at the hall."""
    shown = said("case-lines")
    assert "By use: exchange trunk 1, lift alarm 1." in shown
    assert "By site: South Cambridgeshire Hall 2." in shown
    assert "By owner: Facilities 1, nobody 1." in shown


def test_what_is_priced_and_what_is_not_lead_to_their_observations() -> None:
    cost = next(one for one in case_sections(View(RECORD)) if one.key == "case-cost")
    tables = {block.caption: block for block in cost.blocks if isinstance(block, Table)}
    priced = next(table for name, table in tables.items() if name.startswith("Staff time"))
    findings = {one.id: one for one in RECORD.findings}
    seen = {one.id for one in RECORD.observations}
    assert priced.rows
    for row in priced.rows:
        assert isinstance(row[0], Figure)
        assert set(row[0].cites) <= set(findings[row[0].text].evidence) & seen


def test_a_finding_below_supported_is_listed_without_a_price() -> None:
    hint = replace(
        RECORD.findings[0], id="multicast-flood:hall", code="multicast-flood", site="hall",
        severity=Severity.INFO, verdict=Verdict.SUGGESTIVE,
        direction=Direction.TELEPHONY_TO_NETWORK,
    )  # fmt: skip
    record = replace(RECORD, findings=(*RECORD.findings, hint), case=None)
    record = replace(record, case=plain(work_out(CASE.file, record)))
    cost = next(one for one in case_sections(View(record)) if one.key == "case-cost")
    table = next(
        block for block in cost.blocks
        if isinstance(block, Table) and block.caption == "Found, but without a price"
    )  # fmt: skip
    rows = {str(row[0]): str(row[1]) for row in table.rows}
    assert rows["multicast-flood:hall"] == (
        "its verdict is suggestive: at least supported is needed"
    )


def test_the_five_cases_are_filled_in_where_the_record_speaks() -> None:
    five = said("case-five")
    for title in ("Strategic", "Economic", "Commercial", "Financial", "Management"):
        assert f"{title} case" in five
    assert "2 lines on a network that closes in 193 days." in five
    assert "1 of 2 lines still to be moved without an owner" in five
    assert "has the highest net present value" in five


def test_each_council_sees_its_own_and_the_total() -> None:
    shown = next(one for one in case_sections(View(RECORD)) if one.key == "case-recharges")
    table = next(block for block in shown.blocks if isinstance(block, Table))
    names = [str(row[0]) for row in table.rows]
    assert names == [*(council.name for council in RECORD.inventory.council), "All"]
    pence = [round(float(str(row[-1]).strip("£").replace(",", "")) * 100) for row in table.rows]
    assert sum(pence[:-1]) == pence[-1]


def test_shares_and_options_are_shown_to_the_penny_and_the_pound() -> None:
    assert "total £50,000.00" in said("case-recharges")
    assert "business as usual" in said("case-options")
    assert "not carried forward: It ends with the network that it needs." in said("case-options")
    assert "Standard rate" in said("case-options") or "standard rate" in said("case-options")


def tornadoes() -> list[Tornado]:
    return [
        block
        for section in case_sections(View(RECORD))
        for block in section.blocks
        if isinstance(block, Tornado)
    ]


def test_a_tornado_shows_the_widest_swing_first_about_the_central_worth() -> None:
    assert [chart.id for chart in tornadoes()] == ["case-tornado-adapters", "case-tornado-hosted"]
    for chart in tornadoes():
        spans = [abs(row.at_high - row.at_low) for row in chart.rows]
        assert spans == sorted(spans, reverse=True)
        assert all(
            min(row.at_low, row.at_high) - 1e-6
            <= chart.middle
            <= max(row.at_low, row.at_high) + 1e-6
            for row in chart.rows
        )
        assert len(chart.table.rows) == len(chart.rows)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_its_bars_lie_where_their_figures_are(width: int) -> None:
    """By the axis' own marks: two of them give the scale, the bars must follow it."""
    chart = Tornado(
        "t", "Title", "Text", 0.0,
        (TornadoRow("first", -200.0, 300.0), TornadoRow("second", 50.0, -100.0)),
        Table("", (), ()),
    )  # fmt: skip
    drawn = str(svg(chart, width=width, name="t"))
    labels = re.findall(r'class="axis[^"]*" x="([\d.]+)"[^>]*>([^<]+)<', drawn)
    places = {
        float(text.replace("£", "").replace("−", "-").replace(",", "")): float(x)
        for x, text in labels
    }
    (v0, x0), *_, (v1, x1) = sorted(places.items())
    scale = (x1 - x0) / (v1 - v0)
    bars = re.findall(r'class="bar" x="([\d.]+)" width="([\d.]+)"', drawn)
    for (x, size), (low, high) in zip(bars, ((-200, 300), (-100, 50)), strict=True):
        assert float(x) == pytest.approx(x0 + (low - v0) * scale, abs=0.2)
        assert float(size) == pytest.approx((high - low) * scale, abs=0.2)


def test_what_is_not_written_yet_is_said() -> None:
    file = replace(CASE.file, sections=replace(CASE.file.sections, commercial=None))
    record = replace(RECORD, case=plain(replace(CASE, file=file)))
    blocks = [
        text
        for section in case_sections(View(record))
        for block in section.blocks
        for text in texts(block)
    ]
    assert any(text.startswith("To be written: how it is to be bought") for text in blocks)


def test_the_same_case_gives_the_same_pages() -> None:
    assert render(RECORD, ["html", "csv", "json"]) == render(
        examples.with_case(), ["html", "csv", "json"]
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1234.4, "£1,234"), (-1234.4, "−£1,234"), (0.0, "£0"), (4.1, "£4.10"), (-0.001, "£0.00")],
)
def test_pounds(value: float, shown: str) -> None:
    assert pounds(value) == shown


def test_ranges_pence_and_worked_out_figures() -> None:
    assert pounds_range(Range(400, 1000, 2000)) == "£400 to £2,000, central £1,000"
    assert pounds_range(Range(7, 7, 7)) == "£7.00"
    assert pence(123405) == "£1,234.05"
    assert (figured(70983.96), figured(0.31561)) == ("70,984", "0.3156")
