"""The report as text for a terminal: the verdict, the findings, the figures, the limits."""

from collections.abc import Iterable, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Literal

from nethealth.model.look import Branding
from reports.document import (
    Block,
    Bullets,
    Cell,
    Document,
    FindingBlock,
    Heading,
    KeyValues,
    Ladder,
    Mark,
    Paragraph,
    Section,
    SectionKey,
    Table,
    Timeline,
    Tornado,
)
from reports.escape import visible
from reports.ladder import terminal_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDTH = 100
TABLE_MAX_ROWS = 60  # printed of one table, the worst first; the other formats have them all
_SECTIONS: tuple[SectionKey, ...] = (
    "changes", "places", "findings", "sites", "resilience", "register", "before-after",
    "timelines", "calls", "streams",
    "case-cost", "case-options", "case-lines", "not-measured", "measured",
)  # fmt: skip
_MORE = {"Still missing": "missing", "Other explanations": "or else", "This explains": "explains"}
_GAP = 2  # between the columns of a table: one of padding, one of its empty divider
_WORD_MAX = 24  # a longer word in a table may be broken
_COLOURS = {"critical": "bold red", "warning": "yellow", "info": "cyan", "ok": "green", "none": ""}
_NARROW = 120  # below this a table leaves out its optional columns


def render_text(document: Document, width: int = WIDTH, colour: bool = False) -> str:
    """Lines of at most `width` columns; without `colour` no control character but line breaks."""
    from rich.console import Console  # noqa: PLC0415

    out = StringIO()
    console = Console(
        file=out,
        width=max(width, 40),
        height=100,
        color_system="standard" if colour else None,
        force_terminal=colour,
        no_color=not colour,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        force_jupyter=False,
    )
    branding = document.look.branding if document.look else Branding()
    for line in (branding.marking, branding.name, branding.title):
        if line is not None:
            console.print(_text(line, "bold"))
    if document.banner:
        console.print(_text(f"*** {document.banner} ***", "bold"))
    console.print(_text(document.heading_line))
    mark = document.summary.mark
    console.print(_text(document.verdict_line, _COLOURS[mark.kind]))
    if len(document.record.checks) > 1 or document.record.findings or document.record.period:
        console.print(_text(document.summary.answer))
    for section in sorted(document.sections, key=_order):
        if section.key in _SECTIONS and not _says_nothing(section.key, section.blocks):
            if section.key not in ("findings", "measured"):
                console.print()
                console.print(_text(section.title.upper(), "bold"))
            for block in section.blocks:
                _print(console, block)
    console.print()
    for line in (*document.limits_in_brief, f"data: sha256 {document.sha256}"):
        console.print(_text(line))
    if branding.marking is not None:
        console.print(_text(branding.marking, "bold"))
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _order(section: Section) -> int:
    return _SECTIONS.index(section.key) if section.key in _SECTIONS else len(_SECTIONS)


def _says_nothing(key: SectionKey, blocks: Iterable[Block]) -> bool:
    """What goes without saying: no finding, no change, or nothing left out."""
    return key in ("changes", "findings", "not-measured") and all(
        isinstance(block, Paragraph) for block in blocks
    )


def _print(console: "Console", block: Block) -> None:
    from rich.padding import Padding  # noqa: PLC0415

    def indented(text: str) -> None:
        console.print(Padding(_text(text), (0, 0, 0, 2)))

    match block:
        case Paragraph(text):
            indented(text)
        case Heading(text):
            console.print()
            console.print(_text(text, "bold"))
        case Bullets(items):
            for item in items:
                indented(item)
        case KeyValues(pairs):
            _print_pairs(console, pairs)
        case Table():
            _print_table(console, block)
        case FindingBlock():
            _print_finding(console, block)
        case Tornado():
            _print_table(console, block.table)
        case Timeline():
            indented(block.description)
        case Ladder():
            _print_ladder(console, block)
        case _:
            return  # the figures of charts stand in the tables


def _print_ladder(console: "Console", block: Ladder) -> None:
    console.print(_text(block.description))
    for line in terminal_lines(block, console.width):
        console.print(_text(line), soft_wrap=True)
    console.print()


def _print_finding(console: "Console", block: FindingBlock) -> None:
    from rich.text import Text  # noqa: PLC0415

    head = Text(block.mark.word.upper(), _COLOURS[block.mark.kind])
    head.append(visible(f"  {block.title}: {block.place}"), "bold")
    console.print()
    console.print(head)
    if len(block.statements) == 1:
        (only,) = block.statements
        pairs = [("what", only.text)]
        if only.evidence:
            pairs.append(("evidence", only.evidence))
    else:
        said = [
            line
            for one in block.statements
            for line in (f"- {one.text}", f"  {one.evidence}" if one.evidence else "")
            if line
        ]
        if block.left:
            said.append(f"- and {block.left:,} more in the record")
        pairs = [("" if index else "what", line) for index, line in enumerate(said)]
    pairs += [("do", block.action), ("sure", block.sure.partition(":")[0].lower())]
    pairs += [(_MORE[title], _joined(items)) for title, items in block.more if title in _MORE]
    _print_pairs(console, pairs)


def _joined(items: Iterable[str]) -> str:
    return "; ".join(item.removesuffix(".") for item in items)


def _print_pairs(console: "Console", pairs: Iterable[tuple[str, str]]) -> None:
    from rich.table import Table as Grid  # noqa: PLC0415

    grid = Grid.grid(padding=(0, 2))
    grid.add_column(min_width=10, max_width=26)
    grid.add_column(ratio=1)
    for term, meaning in pairs:
        grid.add_row(_text(f"  {term}"), _text(meaning))
    console.print(grid)


def _print_table(console: "Console", block: Table) -> None:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Table as Grid  # noqa: PLC0415

    told = block.rows[: block.telling]
    if not told and not block.rest:
        return
    shown = [
        index
        for index, column in enumerate(block.columns)
        if console.width >= _NARROW or not column.optional
    ]
    grid = Grid(box=SIMPLE_HEAD, padding=(0, _GAP - 1, 0, 0), show_edge=False, pad_edge=False)
    told = told[:TABLE_MAX_ROWS]
    cells = [[block.columns[index].title, *(str(row[index]) for row in told)] for index in shown]
    room = console.width - _GAP * (len(shown) - 1)
    for index, width in zip(shown, column_widths(cells, room), strict=True):
        column = block.columns[index]
        side: Literal["left", "right"] = "right" if column.numeric else "left"
        grid.add_column(_text(column.title), justify=side, overflow="fold", width=width)
    for row in told:
        grid.add_row(*(_cell(row[index]) for index in shown))
    console.print()
    if told:
        console.print(_text(block.caption, "bold"))
        console.print(grid)
    left = len(block.rows[: block.telling]) - TABLE_MAX_ROWS
    if left > 0:
        console.print(_text(f"and {left:,} more, in the formats html, csv and json"))
    if block.rest:
        console.print(_text(block.rest))


def column_widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """How wide each column of cells is to be, in at most `room` columns of the terminal.

    Words are broken only where the longest of each column do not fit side by side, the longest
    first; what room is left goes to the column that lacks most.
    """
    from rich.cells import cell_len  # noqa: PLC0415

    cells = [[visible(cell) for cell in column] for column in columns]
    whole = [max(1, *map(cell_len, column)) for column in cells]
    words = [max([1, *(cell_len(w) for cell in column for w in cell.split())]) for column in cells]
    most = _WORD_MAX
    while most > 1 and sum(min(word, most) for word in words) > room:
        most -= 1
    widths = [min(word, most) for word in words]
    for _ in range(room - sum(widths)):
        lacking = [full - width for full, width in zip(whole, widths, strict=True)]
        if max(lacking) <= 0:
            break
        widths[lacking.index(max(lacking))] += 1
    return widths


def _cell(cell: Cell) -> "Text":
    return _text(cell.word, _COLOURS[cell.kind]) if isinstance(cell, Mark) else _text(str(cell))


def _text(text: str, style: str = "") -> "Text":
    from rich.text import Text  # noqa: PLC0415

    return Text(visible(text), style)
