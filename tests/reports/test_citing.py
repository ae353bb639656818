"""Every figure leads to what it rests on: each number in brackets is resolved in every format."""

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache

import docx
import openpyxl
import pikepdf
import pytest
from docx.oxml.ns import qn

from reports import RENDERERS, compose
from reports.document import Block, Document, Figure, FindingBlock, Table
from reports.findings import SHOWN_MAX
from tests.reports import examples

RECORDS = {
    name: examples.ALL[name]
    for name in ("degraded", "rounds", "many-alike", "captured", "equipped", "with a case")
}


@cache
def document(name: str) -> Document:
    return compose(RECORDS[name]())


def tables(block: Block) -> Iterator[Table]:
    found = getattr(block, "table", None) or getattr(block, "evidence", None)
    if isinstance(block, Table):
        yield block
    elif isinstance(found, Table):
        yield found


def figures(shown: Document) -> list[Figure]:
    return [
        cell
        for section in shown.sections
        for block in section.blocks
        for table in tables(block)
        for row in table.rows
        for cell in row
        if isinstance(cell, Figure)
    ]


def cites(shown: Document) -> set[str]:
    """What tables and statements cite, gathered here without the program's own walk."""
    told = {
        key
        for section in shown.sections
        for block in section.blocks
        if isinstance(block, FindingBlock)
        for statement in block.statements
        for key in statement.cites
    }
    return told | {key for figure in figures(shown) for key in figure.cites}


@pytest.mark.parametrize("name", RECORDS)
def test_the_list_at_the_end_is_what_is_cited_and_in_the_record(name: str) -> None:
    shown = document(name)
    record = shown.record
    ids = {seen.id for seen in record.observations} | {event.id for event in record.events}
    assert set(shown.cited) == cites(shown) <= ids
    assert len(set(shown.cited)) == len(shown.cited)
    if not shown.cited:
        return
    assert shown.sections[-1].key == "cited"
    [listed] = shown.sections[-1].blocks
    assert isinstance(listed, Table)
    assert [row[:2] for row in listed.rows] == [
        (f"[{number}]", key) for number, key in enumerate(shown.cited, 1)
    ]


def test_a_figure_shows_the_value_of_what_it_cites() -> None:
    """The worst loss of a site, looked for in the record by hand: 3 of 20 is 15 %."""
    sites = next(one for one in document("degraded").sections if one.key == "sites")
    rows = [row for block in sites.blocks if isinstance(block, Table) for row in block.rows]
    [loss] = [row[4] for row in rows if row[0] == "One Leisure St Ives"]
    assert isinstance(loss, Figure)
    assert (loss.text, loss.cites) == ("15.0 %", ("leisure-gateway:ping/1",))
    seen = {one.id: one for one in document("degraded").record.observations}[loss.cites[0]]
    assert (seen.name, seen.value, seen.samples) == ("packet_loss_ratio", 0.15, 20)


def test_every_number_of_the_sites_and_the_charts_cites_something() -> None:
    """But for counts of samples and of checks, which are no observations themselves."""
    for name in ("degraded", "rounds"):
        for section in document(name).sections:
            if section.key not in ("sites", "charts"):
                continue
            for block in section.blocks:
                for table in tables(block):
                    for row in table.rows:
                        measured = [
                            cell
                            for cell in row
                            if re.fullmatch(r"[\d.,]+ (ms|s|%|µs)", str(cell))
                            and cell is not row[0]
                        ]
                        assert all(isinstance(cell, Figure) for cell in measured), row


@pytest.mark.parametrize("name", RECORDS)
def test_each_link_of_the_page_leads_to_its_row(name: str) -> None:
    page = RENDERERS["html"].render(document(name)).decode()
    main = ET.fromstring(page[page.index("<main") : page.index("</main>") + len("</main>")])
    rows = {row.get("id"): row for row in main.iter("tr")}
    links = [link for link in main.iter("a") if link.get("class") == "cite"]
    assert len(links) >= len(document(name).cited)
    for link in links:
        row = rows[str(link.get("href")).removeprefix("#")]
        number, key = ("".join(cell.itertext()).strip() for cell in list(row)[:2])
        assert number == link.text
        assert key == document(name).cited[int(number.strip("[]")) - 1]


@pytest.mark.parametrize("name", ["degraded", "rounds"])
def test_each_link_in_print_leads_somewhere(name: str) -> None:
    shown = document(name)
    with pikepdf.open(io.BytesIO(RENDERERS["pdf"].render(shown))) as opened:
        links = [link for page in opened.pages for link in page.get("/Annots", ())]
        pages = [page.obj for page in opened.pages]
        wanted = sum(len(figure.cites) for figure in figures(shown))
        assert len(links) >= wanted > 0
        assert all(link.Dest[0] in pages for link in links)
        assert all(str(link.Contents) for link in links)


@pytest.mark.parametrize("name", ["degraded", "rounds"])
def test_each_link_of_the_docx_has_its_bookmark(name: str) -> None:
    shown = document(name)
    body = docx.Document(io.BytesIO(RENDERERS["docx"].render(shown))).element.body
    marks = {mark.get(qn("w:name")): mark for mark in body.iter(qn("w:bookmarkStart"))}
    links = list(body.iter(qn("w:hyperlink")))
    assert len(links) >= len(shown.cited) > 0
    for link in links:
        number = "".join(run.text or "" for run in link.iter(qn("w:t")))
        row = marks[link.get(qn("w:anchor"))].getparent()
        assert "".join(run.text or "" for run in row.iter(qn("w:t"))) == number
    assert len({mark.get(qn("w:id")) for mark in marks.values()}) == len(marks)


def test_the_workbook_names_the_observations_beside_their_figures() -> None:
    shown = document("degraded")
    book = openpyxl.load_workbook(io.BytesIO(RENDERERS["xlsx"].render(shown)))
    known = {row[11] for row in book["Observations"].iter_rows(min_row=2, values_only=True)}
    named = set()
    for sheet in book.worksheets[:-1]:
        place = None
        for row in sheet.iter_rows(values_only=True):
            if "Observations" in row:
                place = row.index("Observations")
            elif place is not None and place < len(row) and row[place]:
                named |= set(str(row[place]).split(", "))
    assert named
    assert named <= known
    assert {key for figure in figures(shown) for key in figure.cites} <= named


def test_calls_and_streams_of_a_capture_cite_their_own_observations() -> None:
    calls = next(one for one in document("captured").sections if one.key == "calls")
    table = next(
        block for block in calls.blocks
        if isinstance(block, Table) and block.caption.startswith("Calls")
    )  # fmt: skip
    outcome, ringing = table.rows[0][4], table.rows[0][5]
    seen = {one.id: one for one in document("captured").record.observations}
    assert isinstance(outcome, Figure)
    assert isinstance(ringing, Figure)
    assert seen[outcome.cites[0]].name == "call_outcome"
    assert seen[outcome.cites[0]].method["call"] == 1
    assert (seen[ringing.cites[0]].name, seen[ringing.cites[0]].value) == ("post_dial_delay_s", 0.6)


def test_a_check_shown_in_full_names_its_observations() -> None:
    record = examples.one_target()
    [table] = [
        block
        for section in compose(record).sections
        for block in section.blocks
        if isinstance(block, Table) and block.caption == "Where these figures come from"
    ]
    [(check, rests)] = table.rows
    assert check == record.checks[0].id
    assert isinstance(rests, Figure)
    assert rests.cites == tuple(one.id for one in record.observations)
    assert rests.text == "8 observations"  # loss, four of delay, its variation, R and MOS


def test_a_finding_of_many_cites_at_least_one_for_each_statement() -> None:
    shown = document("many-alike")
    block = next(
        block
        for section in shown.sections
        for block in section.blocks
        if isinstance(block, FindingBlock) and len(block.statements) > 1
    )
    assert len(block.statements) == SHOWN_MAX
    assert all(statement.cites for statement in block.statements)
