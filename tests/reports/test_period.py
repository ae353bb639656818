"""A period as a document: alike in every format, readable without colour, safe in any words."""

import csv
import io
import re
import shutil
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Literal

import docx
import openpyxl
import pytest
from axe_playwright_python.sync_playwright import Axe
from pdfua import validate
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as BrowserPage

from nethealth.model.period_codec import plain, sealed, typed
from nethealth.model.record import Record
from reports import RENDERERS, compose
from reports.charts import NARROW, WIDE, svg
from reports.document import Document, Heading, Table, Timeline
from reports.pictures import standalone
from tests.reports.pages import TAGS, Page
from tests.reports.period_history import period_record
from tests.reports.test_browser import OFFLINE, TOO_WIDE
from tests.reports.test_compose import words
from tests.reports.test_hostile import NASTY
from tests.reports.test_print import words as words_of_pdf

PERIOD_FORMATS = ("text", "json", "csv", "html", "pdf", "docx", "xlsx")


@cache
def record() -> Record:
    return period_record("change")


@cache
def document() -> Document:
    return compose(record())


@cache
def made(kind: str) -> bytes:
    return RENDERERS[kind].render(document())


def timelines() -> list[Timeline]:
    blocks = [block for section in document().sections for block in section.blocks]
    return [block for block in blocks if isinstance(block, Timeline)]


def table(key: str, caption: str) -> Table:
    section = next(one for one in document().sections if one.key == key)
    return next(
        block for block in section.blocks
        if isinstance(block, Table) and block.caption.startswith(caption)
    )  # fmt: skip


def test_the_summary_answers_in_few_words() -> None:
    summary = document().summary
    assert len(words(summary)) < 230
    said = " ".join(words(summary))
    assert (
        "1 of 3 sites had a fault that lasted or kept returning: South Cambridgeshire Hall" in said
    )
    assert (
        "Packet loss: hall-pbx, South Cambridgeshire Hall, in 34.1 % of runs, last on 11 Oct"
        in said
    )
    assert "After 12 Oct at South Cambridgeshire Hall: packet loss −5.00 points" in said
    assert "12 checks not run and 3 gaps" in said
    assert "Of 2 faults: 2 demonstrated" in said
    assert "Nothing now: no fault was there at the end" in said


def test_what_is_still_there_at_the_end_is_what_there_is_to_do() -> None:
    """The loss at Hall, had it been seen until the last day."""
    report = typed(record().period or {})
    until = report.asked.until
    seen = tuple(
        replace(one, last=until - timedelta(hours=4)) if one.id.startswith("packet-loss") else one
        for one in report.seen
    )
    lasting = replace(record(), period=plain(sealed(replace(report, seen=seen))))
    said = " ".join(words(compose(lasting).summary))
    assert "South Cambridgeshire Hall: read the error and discard counters" in said
    assert "check the power" not in said
    assert "34.1 % of runs. Checks" in said


def test_every_fault_that_is_not_told_is_counted() -> None:
    """Of nine faults three fit, one by one; the six hosts of the depot, one group, are left."""
    given = record()
    loss = next(one for one in given.findings if one.id.startswith("packet-loss"))
    more = [
        replace(loss, id=f"high-delay:a{n}", code="high-delay", site="depot", asset=f"a{n}")
        for n in range(6)
    ] + [replace(loss, id="poor-voice-quality:b", code="poor-voice-quality", asset="b")]
    said = " ".join(words(compose(replace(given, findings=(*given.findings, *more))).summary))
    assert "And 6 further faults, below." in said


def test_the_sites_stand_worst_first_with_what_was_seen_of_them() -> None:
    """The depot was silent for 1 of 41 days; Hall lost 1 packet in 20 on 14 of its 41."""
    rows = table("places", "South Cambridgeshire").rows
    assert [str(row[0]) for row in rows] == ["Waterbeach Depot", "South Cambridgeshire Hall"]
    assert [str(row[1]) for row in rows] == ["Critical, passing", "Warning"]
    assert str(rows[0][4]).startswith("97.56 %")  # 240 of 246
    assert str(rows[1][5]).startswith("1.71 %")  # 82 checks of 5 % among 240
    (other,) = table("places", "Huntingdonshire").rows
    assert str(other[1]) == "No fault found"


def test_a_timeline_says_in_words_and_figures_what_it_draws() -> None:
    depot, hall, _ = timelines()
    assert "Most checks without an answer: 100 %, 20 Oct." in depot.description
    assert "Nothing was measured on 1 day." in depot.description
    assert "calls 90, exchange restarts 2 and changes 1" in hall.description
    assert "5.00 % on the worst" in hall.description
    assert "Loss: 1.71 % over the period" in hall.description  # as in the table of sites
    assert [lane.label for lane in hall.lanes][:2] == ["Calls", "Exchange restarts"]
    by_week = {str(row[0]): [str(cell) for cell in row[1:]] for row in hall.table.rows}
    assert len(by_week) == 6
    # The week of 19 October has an hour more than 168.
    assert by_week["19 Oct"][0] == "41 of 169"
    assert by_week["5 Oct"][2] == "5.00 %"
    assert by_week["12 Oct"][2] == "0 %"


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_timeline_is_drawn_within_its_frame_and_breaks_at_gaps(width: int) -> None:
    drawn = ET.fromstring(str(svg(timelines()[1], width=width, name="c")))
    _, _, right, bottom = map(float, drawn.attrib["viewBox"].split())
    for shape in drawn.iter():
        for name in ("x", "x1", "x2", "cx"):
            assert 0 <= float(shape.attrib.get(name, 0)) <= right
        for name in ("y", "y1", "y2", "cy"):
            assert 0 <= float(shape.attrib.get(name, 0)) <= bottom
    lines = [one for one in drawn.iter() if one.attrib.get("class") == "line"]
    # Of each of four panels two pieces: nothing was measured on 1 November.
    assert len(lines) == 8
    titles = {one.text for one in drawn.iter() if one.tag.endswith("text")}
    assert {"Loss, %", "Calls", "Hours measured, %", "change"} <= titles


def test_a_timeline_needs_no_colour() -> None:
    """In print everything drawn has one of two darks or is a rule; words tell them apart."""
    style = re.search("<style>(.*?)</style>", standalone(timelines()[1]))
    assert style is not None
    used = {
        name for one in ET.fromstring(standalone(timelines()[1])).iter()
        for name in one.attrib.get("class", "").split()
    }  # fmt: skip
    assert used <= {"chart", "wide", "grid", "axis", "end", "middle", "line", "limit", "bar"}
    assert "stroke-dasharray" in style[1]  # the limit differs from the line by its dashes


def test_before_and_after_says_what_was_the_same_and_what_it_does_not_show() -> None:
    text = " ".join(Page(made("html")).words)
    assert "The same on both sides" in text
    assert "from hq by nethealth 0.1.0, 20 echo requests every 200 ms" in text
    assert "−5.00 points" in text
    assert "not that the change made it" in text


def test_what_was_not_measured_has_its_reason() -> None:
    rows = table("not-measured", "12 checks not run").rows
    assert [str(cell) for cell in rows[0]] == [
        "blackout at hall, sat 07:00 to 10:00", "South Cambridgeshire Hall", "ping", "12",
    ]  # fmt: skip
    gaps = table("not-measured", "3 gaps").rows
    assert {str(row[1]) for row in gaps} == {"31 Oct 2026, 20:00 UTC+00:00"}
    assert {str(row[2]) for row in gaps} == {"2 Nov 2026, 00:00 UTC+00:00"}
    assert {str(row[4]) for row in gaps} == {"no run began"}


def test_times_are_in_utc_and_on_the_clock_of_the_place() -> None:
    facts = dict(document().facts)
    assert facts["Period"] == (
        "from 27 September 2026, 23:00:00 UTC (28 September 2026, 00:00:00 UTC+01:00, "
        "Europe/London) until 9 November 2026, 00:00:00 UTC (00:00:00 UTC+00:00, Europe/London)"
    )
    assert "10:30:00 UTC" in facts["Made"]
    method = " ".join(Page(made("html")).words)
    assert "25 Oct has 25 hours" in method


def test_the_same_sentences_stand_in_every_format(tmp_path: Path) -> None:
    shown = document()
    opened = docx.Document(io.BytesIO(made("docx")))
    book = openpyxl.load_workbook(io.BytesIO(made("xlsx")))
    texts = {
        "html": " ".join(" ".join(Page(made("html")).words).split()),
        "text": " ".join(made("text").decode().split()),
        "pdf": words_of_pdf(made("pdf"), tmp_path),
        "docx": "\n".join(one.text for one in opened.paragraphs),
        "xlsx": "\n".join(
            str(cell) for sheet in book for row in sheet.iter_rows(values_only=True)
            for cell in row if cell is not None
        ),
    }  # fmt: skip
    headings = [
        block.text for section in shown.sections for block in section.blocks
        if isinstance(block, Heading)
    ]  # fmt: skip
    for kind, text in texts.items():
        assert shown.summary.answer in text, kind
        for each in headings:
            assert each in text, (kind, each)
        assert "5.00 % on the worst" in text, kind
    for kind in ("html", "pdf", "docx", "xlsx"):
        for section in shown.sections:
            assert section.title[:31] in texts[kind], (kind, section.title)


def test_the_pdf_passes_a_checker_with_a_figure_for_each_timeline(tmp_path: Path) -> None:
    file = tmp_path / "period.pdf"
    file.write_bytes(made("pdf"))
    report = validate(str(file))
    assert report.exit_code == 0, [each.message for each in report.findings]
    shapes = docx.Document(io.BytesIO(made("docx"))).inline_shapes
    assert [shape._inline.docPr.get("title") for shape in shapes] == [
        one.title for one in timelines()
    ]


def test_print_has_the_worst_rows_and_says_where_the_rest_is() -> None:
    whole = table("measured", "4 assets")
    short = replace(whole, printed=3).on_paper()
    assert len(short.rows) == 3
    assert short.caption == "4 assets, worst first: the first 3; all are in html, xlsx and csv"
    assert replace(whole, printed=4).on_paper().rows == whole.rows


def spoilt(text: str) -> Record:
    """The period with the text wherever something from outside may stand."""
    given = record()
    report = typed(given.period or {})
    named = {site.id: f"{text}{site.id}" for site in given.inventory.site}
    report = replace(
        report,
        vantages=(text,), versions=(text,),
        events=tuple(replace(one, kind=text) for one in report.events),
        not_run=tuple(replace(one, reason=text) for one in report.not_run),
        seen=tuple(replace(one, run=text) for one in report.seen),
        changes=tuple(
            replace(one, source=text, method=text, left_out=(text,)) for one in report.changes
        ),
        places=tuple(
            replace(one, asset=None if one.asset is None else f"{text}{one.asset}")
            for one in report.places
        ),
    )  # fmt: skip
    inventory = replace(
        given.inventory,
        site=tuple(replace(one, name=named[one.id]) for one in given.inventory.site),
        council=tuple(replace(one, name=text) for one in given.inventory.council),
    )
    return replace(
        given,
        tool=replace(given.tool, version=text),
        run=replace(given.run, vantage=text),
        inventory=inventory,
        findings=tuple(replace(one, statement=text, action=text) for one in given.findings),
        period=plain(sealed(report)),
    )


@pytest.mark.parametrize("text", NASTY, ids=repr)
def test_whatever_came_off_the_wire_is_only_text(text: str) -> None:
    shown = compose(spoilt(text))
    texts = {kind: RENDERERS[kind].render(shown) for kind in ("text", "html", "csv")}
    for kind, data in texts.items():
        hidden = {
            one for one in data.decode() if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")
        }
        assert hidden <= ({"\r", "\n"} if kind == "csv" else {"\n"})
    page = Page(texts["html"])
    assert set(page.tags) <= TAGS
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    rows = list(csv.reader(io.StringIO(texts["csv"].decode(), newline=""), strict=True))
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "\t"))]


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", '#panic("x") $x$ <b>\x00\ufffe'])
def test_in_print_and_in_a_workbook_too(text: str, tmp_path: Path) -> None:
    shown = compose(spoilt(text))
    book = openpyxl.load_workbook(io.BytesIO(RENDERERS["xlsx"].render(shown)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink is not None]
    assert docx.Document(io.BytesIO(RENDERERS["docx"].render(shown))).tables
    assert text.partition("\x00")[0] in words_of_pdf(RENDERERS["pdf"].render(shown), tmp_path)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    assert executable, "chromium is not installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=OFFLINE)
        yield browser
        browser.close()


@pytest.mark.parametrize(("width", "media"), [(1280, "screen"), (1280, "print"), (320, "screen")])
def test_the_page_has_no_violation(
    browser: Browser, tmp_path: Path, width: int, media: Literal["screen", "print"]
) -> None:
    page = opened(browser, made("html"), tmp_path, width)
    page.emulate_media(media=media)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    page.close()


@pytest.mark.parametrize("width", [1280, 320])
def test_the_page_scrolls_in_one_direction_only_whatever_its_words(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    long = RENDERERS["html"].render(compose(spoilt("unbroken" * 30)))
    for html in (made("html"), long):
        page = opened(browser, html, tmp_path, width)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(TOO_WIDE) == []
        page.close()


def opened(browser: Browser, html: bytes, folder: Path, width: int) -> BrowserPage:
    file = folder / "period.html"
    file.write_bytes(html)
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(file.as_uri())
    return page
