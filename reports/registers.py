"""A register as CSV or XLSX: text only, so that nothing in it runs as a formula."""

import csv
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO

from reports.rows import cell

_COLUMN_WIDTH = 24


def render_register(
    columns: Sequence[str], rows: Sequence[Mapping[str, str]], *, xlsx: bool, sheet: str = "Risks"
) -> bytes:
    """One row each, in the order given; RFC 4180 in UTF-8, or a workbook of one sheet."""
    return _xlsx(columns, rows, sheet) if xlsx else _csv(columns, rows)


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([cell(column) for column in columns])
    for row in rows:
        writer.writerow([cell(row.get(column, "")) for column in columns])
    return out.getvalue().encode("utf-8-sig")  # by the mark a spreadsheet knows it for UTF-8


def _xlsx(columns: Sequence[str], rows: Sequence[Mapping[str, str]], name: str) -> bytes:
    import xlsxwriter  # noqa: PLC0415 - only a workbook should load it

    out = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet(name)
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        header = book.add_format({"bold": True, "bottom": 1})
        sheet.set_column(0, max(0, len(columns) - 1), _COLUMN_WIDTH)
        sheet.freeze_panes(1, 0)
        for index, column in enumerate(columns):
            sheet.write_string(0, index, column, header)
            for number, row in enumerate(rows, 1):
                sheet.write_string(number, index, row.get(column, ""), wrapped)
    return out.getvalue()
