"""The report as a workbook: a sheet for each section, and all observations to calculate with."""

from collections.abc import Sequence
from io import BytesIO
from math import isfinite
from typing import TYPE_CHECKING

from nethealth.model.look import Branding
from reports.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Document,
    Figure,
    FindingBlock,
    Heading,
    IntervalChart,
    KeyValues,
    Ladder,
    Paragraph,
    SeriesChart,
    Table,
    Timeline,
    Tornado,
)
from reports.escape import clip, visible
from reports.rows import data_rows

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

ROWS_MOST = 1_048_576 - 2  # what a sheet holds, less its header and a word on what is left out
_TEXT_MOST = 32_767  # characters of a cell
_WIDE, _NARROW = 46, 16
_SHEET_NAME_MOST = 31
_PROPERTY_MOST = 255
_CITES = "Observations"  # the column of ids beside the figures that rest on them


def render_xlsx(document: Document) -> bytes:
    """One XLSX. Text is written as text, so that nothing of it is ever a formula or a link."""
    import xlsxwriter  # noqa: PLC0415 - only a workbook should load it

    out, tool = BytesIO(), document.record.tool
    with xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        book.set_properties(
            {
                "title": clip(visible(document.title), _PROPERTY_MOST),
                "subject": clip(visible(document.subtitle), _PROPERTY_MOST),
                "author": clip(visible(f"{tool.name} {tool.version}"), _PROPERTY_MOST),
                "comments": f"sha256 {document.sha256}",
                "created": document.record.run.started.replace(tzinfo=None),
            }
        )
        formats = _Formats(book)
        _summary(_Sheet(book, "Summary", formats), document, formats.title)
        for section in document.sections:
            sheet = _Sheet(book, section.title, formats)
            sheet.line(section.title, formats.title)
            for block in section.blocks:
                sheet.block(block)
        _observations(book, document, formats)
        if (marking := _branding(document).marking) is not None:
            for sheet in book.worksheets():
                sheet.set_header(f"&C&B{_header_text(marking)}")
                sheet.set_footer(f"&C&B{_header_text(marking)}")
    return out.getvalue()


class _Formats:
    """How cells look."""

    def __init__(self, book: "Workbook") -> None:
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self.header = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        self.text = book.add_format({"text_wrap": True, "valign": "top"})
        self.number = book.add_format({"align": "right", "valign": "top"})


class _Sheet:
    """Blocks one below the other."""

    def __init__(self, book: "Workbook", title: str, formats: _Formats) -> None:
        self._sheet: Worksheet = book.add_worksheet(_sheet_name(book, title))
        self._sheet.set_column(0, 0, _WIDE)
        self._sheet.set_column(1, 12, _NARROW + 8)
        self._formats = formats
        self._row = 0

    def line(self, text: str, how: "Format | None" = None) -> None:
        self._sheet.write_string(self._row, 0, _text(text), how or self._formats.text)
        self._row += 1

    def pair(self, term: str, meaning: str) -> None:
        self._sheet.write_string(self._row, 0, _text(term), self._formats.bold)
        self._sheet.write_string(self._row, 1, _text(meaning))
        self._row += 1

    def gap(self) -> None:
        self._row += 1

    def block(self, block: Block) -> None:
        match block:
            case Paragraph():
                self.line(block.text)
            case Heading():
                self.line(block.text, self._formats.bold)
            case Bullets():
                for item in block.items:
                    self.line(item)
            case KeyValues():
                for term, meaning in block.pairs:
                    self.pair(term, meaning)
            case Table():
                self._table(block)
            case FindingBlock():
                self._finding(block)
            case IntervalChart() | SeriesChart() | Ladder() | Tornado() | Timeline():
                self.line(f"{block.title}. {block.description}")
                self._table(block.table)

    def _finding(self, block: FindingBlock) -> None:
        self.line(f"{block.mark.word}: {block.title}: {block.place}", self._formats.bold)
        for one in block.statements:
            self.line(f"{one.text} {one.evidence}".strip())
        if block.left:
            self.line(f"and {block.left:,} more in the record")
        self.pair("What to do", block.action)
        self.pair("How sure", block.sure)
        self.pair("When", block.when)
        for title, items in block.more:
            self.pair(title, "; ".join(items))
        if block.evidence is not None:
            self._table(block.evidence)
        self.gap()

    def _table(self, table: Table) -> None:
        self.line(table.caption, self._formats.bold)
        titles = [column.title for column in table.columns]
        cites = [_cites(row) for row in table.rows]
        if any(cites):
            titles.append(_CITES)
        for index, title in enumerate(titles):
            self._sheet.write_string(self._row, index, _text(title), self._formats.header)
        self._row += 1
        for row, keys in zip(table.rows, cites, strict=True):
            if keys:
                self._sheet.write_string(self._row, len(row), _text(keys), self._formats.text)
            for index, (column, value) in enumerate(zip(table.columns, row, strict=True)):
                self._sheet.write_string(self._row, index, _text(str(value)), self._how(column))
            self._row += 1
        self.gap()

    def _how(self, column: Column) -> "Format":
        return self._formats.number if column.numeric else self._formats.text


def _branding(document: Document) -> Branding:
    return document.look.branding if document.look is not None else Branding()


def _header_text(marking: str) -> str:
    """Text of a page's head, in which an ampersand begins a code."""
    return visible(marking).replace("&", "&&")


def _summary(sheet: _Sheet, document: Document, title: "Format") -> None:
    branding = _branding(document)
    for line in (branding.marking, branding.name):
        if line is not None:
            sheet.line(line)
    if document.banner is not None:
        sheet.line(document.banner)
    sheet.line(document.title, title)
    sheet.line(document.subtitle)
    if branding.foreword is not None:
        sheet.line(branding.foreword)
    sheet.gap()
    sheet.pair("State", document.summary.mark.word)
    sheet.pair("Answer", document.summary.answer)
    for question, sentences in document.summary.parts:
        sheet.pair(question, " ".join(sentences))
    sheet.gap()
    for term, meaning in document.facts:
        sheet.pair(term, meaning)


def _observations(book: "Workbook", document: Document, formats: _Formats) -> None:
    """As in the CSV, numbers as numbers."""
    columns, rows = data_rows(document.record)
    sheet = book.add_worksheet("Observations" if document.record.period is None else "Days")
    for index, title in enumerate(columns):
        sheet.write_string(0, index, title, formats.header)
    number = 0
    for number, row in enumerate(rows, 1):
        if number > ROWS_MOST:
            continue  # counted, so that it can be said
        for index, value in enumerate(row):
            if isinstance(value, bool):
                sheet.write_boolean(number, index, value)
            elif isinstance(value, int | float) and isfinite(value):
                sheet.write_number(number, index, value)
            elif value is not None:
                sheet.write_string(number, index, _text(str(value)))
    if number > ROWS_MOST:
        left = f"{number - ROWS_MOST} more stand in the CSV and in the record"
        sheet.write_string(ROWS_MOST + 1, 0, left)
    sheet.freeze_panes(1, 0)
    if number:
        sheet.autofilter(0, 0, min(number, ROWS_MOST), len(columns) - 1)
    sheet.set_column(0, len(columns) - 1, _NARROW)


def _sheet_name(book: "Workbook", title: str) -> str:
    """A name that no other sheet has, without the characters that a sheet's name may not have."""
    plain = "".join(" " if character in "[]:*?/\\'" else character for character in visible(title))
    taken = {sheet.get_name().lower() for sheet in book.worksheets()}
    name, number = plain[:_SHEET_NAME_MOST], 1
    while name.lower() in taken:
        number += 1
        name = f"{plain[: _SHEET_NAME_MOST - 4]} {number}"
    return name


def _cites(row: Sequence[Cell]) -> str:
    """What the row's figures rest on, by its ids in the sheet of observations."""
    keys = (key for cell in row if isinstance(cell, Figure) for key in cell.cites)
    return ", ".join(dict.fromkeys(keys))


def _text(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= _TEXT_MOST else shown[: _TEXT_MOST - 1] + "…"
