"""The rows of a table as WordprocessingML.

Written as text and read once: python-docx looks up every cell and every style anew, which takes a
second for each hundred rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from reports.citing import anchor
from reports.document import Cell, Column, Figure, Mark, Table
from reports.escape import visible

if TYPE_CHECKING:
    from docx.oxml.table import CT_Tbl

_TWIPS_PER_CM = 1440 / 2.54
_LINK = "1D4F91"
_BOOKMARK = '<w:bookmarkStart w:id="{0}" w:name="{1}"/><w:bookmarkEnd w:id="{0}"/>'
_TEXT_WIDTH_CM, _NUMBER_CM, _NUMBERS_MOST_CM = 17.0, 2.4, 16.5


def table_xml(
    table: Table, *, style: str, colours: Mapping[str, str], numbers: Mapping[str, int]
) -> "CT_Tbl":
    """A table with a header row that repeats, and no row broken at the end of a page.

    `style`: the id of the paragraphs' style; `colours`: of marks, as six hexadecimal digits;
    `numbers`: of what the cells cite.
    """
    from docx.oxml import parse_xml  # noqa: PLC0415 - lxml, which only a DOCX should load
    from docx.oxml.ns import nsdecls  # noqa: PLC0415

    widths = column_widths(table.columns)
    titles = tuple(column.title for column in table.columns)
    parts = [
        f"<w:tbl {nsdecls('w')}><w:tblPr>"
        '<w:tblStyle w:val="TableGrid"/><w:tblW w:w="0" w:type="auto"/>'
        '<w:tblLayout w:type="fixed"/><w:tblLook w:val="04A0" w:firstRow="1" w:lastRow="0"'
        ' w:firstColumn="1" w:lastColumn="0" w:noHBand="0" w:noVBand="1"/></w:tblPr><w:tblGrid>',
        *(f'<w:gridCol w:w="{width}"/>' for width in widths),
        "</w:tblGrid>",
        *_row(titles, table.columns, widths, style, colours, numbers, header=True),
    ]
    for place, row in enumerate(table.rows):
        mark = (place + 1, table.anchors[place]) if table.anchors else None
        parts += _row(row, table.columns, widths, style, colours, numbers, mark=mark)
    parts.append("</w:tbl>")
    made: Any = parse_xml("".join(parts))
    return made  # type: ignore[no-any-return]


def column_widths(columns: Sequence[Column]) -> list[int]:
    """Numbers get what they need, words share the rest, the first column a little more (twips)."""
    numbers = sum(column.numeric for column in columns)
    shares = [0.0 if column.numeric else column.share for column in columns]
    shares[0] *= 1.3
    each = min(_NUMBER_CM, _NUMBERS_MOST_CM / len(columns))
    rest = _TEXT_WIDTH_CM - each * numbers
    return [
        round(_TWIPS_PER_CM * (each if column.numeric else rest * share / sum(shares)))
        for column, share in zip(columns, shares, strict=True)
    ]


def _row(
    cells: Sequence[Cell],
    columns: Sequence[Column],
    widths: Sequence[int],
    style: str,
    colours: Mapping[str, str],
    numbers: Mapping[str, int],
    *,
    header: bool = False,
    mark: tuple[int, str] | None = None,  # the number and the name of a bookmark
) -> Iterator[str]:
    yield f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' if header else ''}</w:trPr>"
    marked = "" if mark is None else _BOOKMARK.format(*mark)
    for cell, column, width in zip(cells, columns, widths, strict=True):
        side = '<w:jc w:val="right"/>' if column.numeric else ""
        look = "<w:b/>" if header or isinstance(cell, Mark) else ""
        if isinstance(cell, Mark):
            look += f'<w:color w:val="{colours[cell.kind]}"/>'
        text = escape(visible(str(cell)))
        yield (
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr><w:p><w:pPr>'
            f'<w:pStyle w:val="{style}"/>{side}</w:pPr><w:r>'
            f"{f'<w:rPr>{look}</w:rPr>' if look else ''}"
            f'<w:t xml:space="preserve">{text}</w:t></w:r>'
            f"{cites_xml(cell.cites, numbers) if isinstance(cell, Figure) else ''}"
            f"{marked}</w:p></w:tc>"
        )
        marked = ""
    yield "</w:tr>"


def cites_xml(keys: Sequence[str], numbers: Mapping[str, int]) -> str:
    """Links to the rows of the list at the end, each by its number."""
    return "".join(
        f'<w:r><w:t xml:space="preserve"> </w:t></w:r><w:hyperlink w:anchor="{anchor(number)}">'
        f'<w:r><w:rPr><w:color w:val="{_LINK}"/></w:rPr><w:t>[{number}]</w:t></w:r></w:hyperlink>'
        for number in (numbers[key] for key in keys)
    )
