"""Which observations the figures of a document rest on, numbered, and listed at its end.

The number of a citation is the place of its observation in the list: [1] is the first one cited.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from nethealth.model.finding import Finding
from nethealth.model.observation import Event, Observation
from reports.document import (
    Block,
    Cell,
    Column,
    Document,
    Figure,
    FindingBlock,
    IntervalChart,
    Ladder,
    Section,
    SeriesChart,
    Table,
    Timeline,
    Tornado,
)
from reports.escape import clip
from reports.view import View, utc
from reports.words import interval, observation_label, observed

_PARTS = ("sensor", "interface", "line", "poe_port", "ip")  # of a device that has many of a kind
_COLUMNS = (
    Column("Number"),
    Column("Observation"),
    Column("What"),
    Column("Value", numeric=True),
    Column("Samples", numeric=True),
    Column("95 % interval", numeric=True),
    Column("Target"),
)


CITED_MOST = 6  # by one figure: one over many rounds rests on more, which the record has


def figure(text: str, seen: Iterable[Observation | None]) -> Cell:
    """The text with what it rests on; the mere text where that is nothing."""
    cites = tuple(dict.fromkeys(one.id for one in seen if one is not None))[:CITED_MOST]
    return Figure(text, cites) if cites else text


def resting(view: View, text: str, findings: Iterable[Finding]) -> Cell:
    """The text with what the findings rest on that it speaks of."""
    cites = known(view, (key for finding in findings for key in finding.evidence))
    cites = tuple(dict.fromkeys(cites))[:CITED_MOST]
    return Figure(text, cites) if cites else text


def known(view: View, keys: Iterable[str]) -> tuple[str, ...]:
    """Of these the ones that the record has."""
    return tuple(key for key in keys if key in view.observations or key in view.events)


def with_cited(
    view: View, sections: tuple[Section, ...]
) -> tuple[tuple[Section, ...], tuple[str, ...]]:
    """The sections with the list at the end of what they cite, if anything, and that by itself."""
    keys = cited(sections)
    if not keys:
        return sections, keys
    annex = Section("cited", "Annex: observations cited", (cited_table(view, keys),))
    return (*sections, annex), keys


def cited(sections: Iterable[Section]) -> tuple[str, ...]:
    """Everything that is cited, once each, in the order of reading."""
    return tuple(
        dict.fromkeys(key for section in sections for block in section.blocks for key in _of(block))
    )


def cited_table(view: View, keys: Sequence[str]) -> Table:
    """The list at the end: each observation or event as the record has it."""
    rows = tuple(
        (f"[{number}]", key, *evidence_row(view, key)[1:]) for number, key in enumerate(keys, 1)
    )
    caption = "Observations and events, by the numbers in brackets"
    anchors = tuple(anchor(number) for number in range(1, len(rows) + 1))
    return Table(caption, _COLUMNS, rows, telling=0, anchors=anchors)


def numbers(document: Document) -> Mapping[str, int]:
    """The number of each observation that is cited."""
    return {key: number for number, key in enumerate(document.cited, 1)}


def anchor(number: int) -> str:
    """What its row is called by in a file."""
    return f"o{number}"


def evidence_row(view: View, key: str) -> tuple[str, ...]:
    """Id, what, value, samples, interval and target of an observation or an event."""
    found: Observation | Event | None = view.observations.get(key) or view.events.get(key)
    if isinstance(found, Observation):
        check = view.checks.get(found.check)
        samples = "–" if found.samples is None else f"{found.samples:,}"
        return (
            key,
            _what(found),
            observed(found),
            samples,
            interval(found),
            clip(check.target, 100) if check else "–",
        )
    if isinstance(found, Event):
        return (key, f"event: {found.kind}", f"{utc(found.time):%H:%M:%S} UTC", "–", "–", "–")
    return (key, "not in this record", "no data", "–", "–", "–")


def _what(found: Observation) -> str:
    """The observation in words, with the part of a device that it is of."""
    part = next((found.method[key] for key in _PARTS if found.method.get(key)), None)
    label = observation_label(found.name)
    return label if part is None else f"{label}, {clip(str(part), 40)}"


def _of(block: Block) -> Iterator[str]:
    match block:
        case Table():
            for row in block.rows:
                for cell in row:
                    if isinstance(cell, Figure):
                        yield from cell.cites
        case FindingBlock():
            for statement in block.statements:
                yield from statement.cites
            if block.evidence is not None:
                yield from _of(block.evidence)
        case IntervalChart() | SeriesChart() | Ladder() | Tornado() | Timeline():
            yield from _of(block.table)
        case _:
            return
