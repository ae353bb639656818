"""PDF, DOCX and XLSX: read back by other programs, tagged, and with nothing of the wire active."""

import io
import re
import subprocess
import zipfile
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import docx
import openpyxl
import pikepdf
import pytest
from docx.oxml.ns import qn
from pdfua import validate

from nethealth.model.record import Record
from reports import RENDERERS, compose, render
from reports.document import Document, IntervalChart, SeriesChart, Table
from reports.pdf import printable
from tests.reports import examples
from tests.reports.test_hostile import NASTY, PRINT, spoilt

HOSTILE = '#panic("x") #image("/etc/passwd") $x$ =HYPERLINK(1) ' + " ".join(
    text for text in NASTY if len(text) < 100
)


def hostile_record() -> Record:
    return spoilt(examples.degraded(), HOSTILE)


RECORDS = {
    "degraded": examples.degraded,
    "all clear": examples.all_clear,
    "acquitted": examples.acquitted,
    "not measured": examples.not_measured,
    "rounds": examples.rounds,
    "hostile": hostile_record,
}


@cache
def document(name: str) -> Document:
    return compose(RECORDS[name]())


@cache
def made(name: str, kind: str) -> bytes:
    return RENDERERS[kind].render(document(name))


def words(pdf: bytes, folder: Path) -> str:
    """The text of a PDF in its reading order, by poppler, on one line."""
    file = folder / "report.pdf"
    file.write_bytes(pdf)
    done = subprocess.run(["pdftotext", "-raw", str(file), "-"], capture_output=True, check=True)
    return " ".join(done.stdout.decode().replace("\u200b", "").split())


def tags(pdf: bytes) -> list[tuple[str, str]]:
    """Every structure element with its alternative text, in the order of reading."""
    found: list[tuple[str, str]] = []

    def walk(node: pikepdf.Object) -> None:
        if isinstance(node, pikepdf.Array):
            for each in node:
                walk(each)
        elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
            found.append((str(node["/S"]), str(node.get("/Alt", ""))))
            if "/K" in node:
                walk(node["/K"])

    with pikepdf.open(io.BytesIO(pdf)) as opened:
        walk(opened.Root.StructTreeRoot["/K"])
    return found


@pytest.mark.parametrize("name", RECORDS)
def test_the_pdf_passes_a_checker_and_says_what_it_is(name: str, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(made(name, "pdf"))
    report = validate(str(file))
    assert report.exit_code == 0, [each.message for each in report.findings]
    opened = pikepdf.open(file)
    assert str(opened.Root.Lang).lower().startswith("en")
    assert opened.Root.MarkInfo.Marked
    with opened.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == printable(document(name).title)


def test_figures_have_alternatives_and_tables_header_cells() -> None:
    found = tags(made("degraded", "pdf"))
    kinds = [kind for kind, _ in found]
    charts = [
        block
        for section in document("degraded").sections
        for block in section.blocks
        if isinstance(block, IntervalChart | SeriesChart)
    ]
    figures = [text for kind, text in found if kind == "/Figure"]
    assert charts
    assert len(figures) == len(charts)
    for figure, chart in zip(figures, charts, strict=True):
        assert chart.description in figure
    assert kinds.count("/Table") >= len(charts)
    assert kinds.count("/TH") >= kinds.count("/Table") * 2
    assert kinds.index("/H1") < kinds.index("/H2")


def test_the_pdf_holds_every_section_and_finding(tmp_path: Path) -> None:
    text = words(made("degraded", "pdf"), tmp_path)
    shown = document("degraded")
    assert shown.summary.answer in text
    for section in shown.sections:
        assert section.title in text
    assert shown.sha256 in text
    for finding in RECORDS["degraded"]().findings[:3]:
        assert finding.statement in text


def test_the_same_record_gives_the_same_pdf() -> None:
    assert made("degraded", "pdf") == RENDERERS["pdf"].render(compose(examples.degraded()))


def test_scripts_that_the_fonts_lack_are_spelled_out(tmp_path: Path) -> None:
    assert printable("Cámara Łódź €5 — 漢\x1b[31m\u202e") == (
        "Cámara Łódź €5 — \\u6f22\\x1b[31m\\u202e"
    )
    record = examples.degraded()
    named = replace(record, run=replace(record.run, vantage="漢字 ليل 😀"))
    [pdf] = render(named, ["pdf"])
    assert r"\u6f22\u5b57" in words(pdf, tmp_path)


def test_what_is_hostile_is_only_text_in_print(tmp_path: Path) -> None:
    text = words(made("hostile", "pdf"), tmp_path)
    assert '#panic("x") #image("/etc/passwd")' in text
    opened = pikepdf.open(io.BytesIO(made("hostile", "pdf")))
    for page in opened.pages:
        for link in page.get("/Annots", ()):  # from a figure to its observation, nowhere else
            assert str(link.Subtype) == "/Link"
            assert "/Dest" in link
            assert "/A" not in link
    assert "/Names" not in opened.Root or "/JavaScript" not in opened.Root.Names


@cache
def read_docx(name: str) -> "docx.document.Document":
    return docx.Document(io.BytesIO(made(name, "docx")))


@pytest.mark.parametrize("name", RECORDS)
def test_the_docx_has_headings_in_order_and_header_rows(name: str) -> None:
    opened = read_docx(name)
    levels = [
        int(paragraph.style.name.removeprefix("Heading "))
        for paragraph in opened.paragraphs
        if paragraph.style is not None and str(paragraph.style.name).startswith("Heading ")
    ]
    assert levels[:2] == [1, 2]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for table in opened.tables:
        [first, *rest] = table._tbl.tr_lst
        assert first.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None
        assert all(row.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is None for row in rest)
    assert opened.core_properties.title
    assert opened.core_properties.language == "en-GB"


def test_the_docx_has_the_tables_and_the_alternatives_of_the_charts() -> None:
    opened = read_docx("degraded")
    charts = [
        block
        for section in document("degraded").sections
        for block in section.blocks
        if isinstance(block, IntervalChart | SeriesChart)
    ]
    described = [shape._inline.docPr.get("descr") for shape in opened.inline_shapes]
    assert described == [f"{chart.title}. {chart.description}" for chart in charts]
    plain = [
        block
        for section in document("degraded").sections
        for block in section.blocks
        if isinstance(block, Table)
    ]
    captions = [paragraph.text for paragraph in opened.paragraphs
                if paragraph.style is not None and paragraph.style.name == "Caption"]  # fmt: skip
    for table in plain:
        at = captions.index(table.caption)
        assert len(opened.tables[at].rows) == 1 + len(table.rows)
        assert opened.tables[at].cell(1, 0).text == str(table.rows[0][0])


def test_a_docx_is_xml_whatever_the_wire_sent() -> None:
    with zipfile.ZipFile(io.BytesIO(made("hostile", "docx"))) as parts:
        text = parts.read("word/document.xml").decode()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", text)
    assert "<script" not in text
    assert "w:instrText" not in text


def test_the_workbook_holds_every_observation_as_in_the_record() -> None:
    record = examples.degraded()
    book = openpyxl.load_workbook(io.BytesIO(made("degraded", "xlsx")))
    sheet = book["Observations"]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    header = [cell.value for cell in sheet[1]]
    values = {row[header.index("observation")]: row[header.index("value")] for row in rows}
    for seen in record.observations:
        if isinstance(seen.value, float):  # 16 digits are what a workbook holds
            assert values[seen.id] == pytest.approx(seen.value, rel=1e-15)
        else:
            assert values[seen.id] == seen.value
    assert book.sheetnames[0] == "Summary"
    assert len({sheet.title.lower() for sheet in book}) == len(book.sheetnames)


@pytest.mark.parametrize("text", NASTY, ids=repr)
def test_any_text_can_be_printed(text: str) -> None:
    record = spoilt(examples.one_target(), text)
    assert all(render(record, sorted(PRINT)))
    assert formulas(record) == []


def formulas(record: Record) -> list[str]:
    [data] = render(record, ["xlsx"])
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [
        f"{sheet.title}!{cell.coordinate}"
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f" or cell.hyperlink is not None
    ]


def test_nothing_in_a_workbook_is_a_formula_or_a_link() -> None:
    assert formulas(hostile_record()) == []
