"""What a report says, before any format: blocks that each renderer lays out in its own way.

Strings are as the record has them. Each renderer escapes them at the moment of writing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from nethealth.model.look import Look
from nethealth.model.record import Record

ChartUnit = Literal["ms", "%", "°C", ""]  # "": a plain number
MarkKind = Literal["critical", "warning", "info", "ok", "none"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A state in words; `kind` picks shape and colour where the format has them."""

    kind: MarkKind
    word: str

    def __str__(self) -> str:
        return self.word


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and the ids of the observations and events that it rests on."""

    text: str
    cites: tuple[str, ...]

    def __str__(self) -> str:
        return self.text


Cell = str | Mark | Figure


@dataclass(frozen=True, slots=True)
class Column:
    """`numeric` columns are set to the right; `optional` ones give way where room is short.

    `share`: how much of the room for words it gets in print, beside the others' 1.
    """

    title: str
    numeric: bool = False
    optional: bool = False
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of as many cells as there are columns; the first cell of a row is its header.

    A terminal shows the first `telling` rows, or all if None, and says `rest` of the others. On
    paper (PDF, DOCX) the first `printed` rows stand.
    `anchors`: what other places of the document call each row by, where they cite it.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    telling: int | None = None
    rest: str = ""
    anchors: tuple[str, ...] = ()
    printed: int | None = None

    def on_paper(self) -> "Table":
        """The table as it is printed; what is left out is said in the caption."""
        if self.printed is None or len(self.rows) <= self.printed:
            return self
        caption = f"{self.caption}: the first {self.printed:,}; all are in html, xlsx and csv"
        return replace(
            self,
            caption=caption,
            rows=self.rows[: self.printed],
            anchors=self.anchors[: self.printed],
        )


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section, one level below the section's own."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyValues:
    """Terms and their values, or words and their meanings."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One row of an interval chart; all three in the chart's unit."""

    label: str
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """A line from low to high with a mark at the middle, for each row; `limit` is a threshold."""

    id: str
    title: str
    description: str
    unit: ChartUnit
    rows: tuple[IntervalRow, ...]
    table: Table
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class SeriesChart:
    """Values over seconds since the moment that `since` names; None is a gap in the line."""

    id: str
    title: str
    description: str
    unit: ChartUnit
    points: tuple[tuple[float, float | None], ...]
    table: Table
    limit: float | None = None
    since: str = "the start"


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One message; `source` and `destination` index the places. `again`: a copy of one before."""

    time: str
    source: int
    destination: int
    label: str
    media: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Ladder:
    """The messages of one call from place to place, in the order of time.

    Drawn as lettered lifelines; `table` tells the same in full.
    """

    id: str
    title: str
    description: str
    places: tuple[str, ...]
    steps: tuple[LadderStep, ...]
    table: Table


@dataclass(frozen=True, slots=True)
class TornadoRow:
    """What one figure does to the whole, in pounds, at its low and at its high value."""

    label: str
    at_low: float
    at_high: float


@dataclass(frozen=True, slots=True)
class Tornado:
    """Bars about a middle, the widest first: which figure moves the result most."""

    id: str
    title: str
    description: str
    middle: float
    rows: tuple[TornadoRow, ...]
    table: Table


@dataclass(frozen=True, slots=True)
class TimelinePanel:
    """One daily value over the days, None where there was none; `limit` is a threshold."""

    title: str
    unit: ChartUnit
    values: tuple[float | None, ...]
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class TimelineLane:
    """How much of something there was on each day."""

    label: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Panels over lanes, all under the same days; `marks` are days with a word."""

    id: str
    title: str
    description: str
    days: tuple[date, ...]
    panels: tuple[TimelinePanel, ...]
    lanes: tuple[TimelineLane, ...]
    marks: tuple[tuple[int, str], ...]
    table: Table


@dataclass(frozen=True, slots=True)
class Statement:
    """What one finding says, and its evidence in a line."""

    text: str
    evidence: str
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FindingBlock:
    """One finding, or all that are alike at one site, ready to read.

    `left`: how many further statements the record alone has. `evidence`: of a single finding.
    """

    mark: Mark
    title: str
    place: str
    statements: tuple[Statement, ...]
    left: int
    action: str
    sure: str
    when: str
    evidence: Table | None
    more: tuple[tuple[str, tuple[str, ...]], ...] = ()  # what was tested, what is missing ...


Chart = IntervalChart | SeriesChart | Ladder | Tornado | Timeline
Block = Paragraph | Heading | Bullets | KeyValues | Table | Chart | FindingBlock
SectionKey = Literal[
    "changes", "sites", "resilience", "register", "findings", "calls", "streams", "charts",
    "measured", "not-measured", "method", "glossary", "cited", "places", "timelines",
    "before-after",
    "case-cost", "case-options", "case-lines", "case-risks", "case-recharges", "case-five",
    "case-figures",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Section:
    key: SectionKey
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The first page: under 200 words in all, labels included."""

    mark: Mark
    answer: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]  # a question, and its answer in sentences


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report; `record` is what it was made from, for formats that carry the data."""

    record: Record
    data: bytes  # the record as JSON
    sha256: str  # of `data`; for a period as `model.period_codec` says
    title: str
    subtitle: str
    banner: str | None
    facts: tuple[tuple[str, str], ...]
    summary: Summary
    sections: tuple[Section, ...]
    heading_line: str  # one line: what, when and from where
    limits_in_brief: tuple[str, ...]
    verdict_line: str  # the answer in capitals
    look: Look | None = None
    cited: tuple[str, ...] = ()  # observations and events: number n is the n-th, from 1


@dataclass(frozen=True, slots=True)
class Renderer:
    """One format: returns the file's bytes and touches nothing else."""

    name: str
    extension: str
    render: Callable[[Document], bytes]
