"""The report as tagged PDF/UA-1, set by typst from a template that only ever sees data.

No text of the record is typesetting source: it comes in as JSON and is shown as it stands. The
fonts are typst's own, so that the same record gives the same file on any machine.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from nethealth.model.look import Look, Picture
from reports.citing import numbers
from reports.document import Chart, Document, Figure, Mark, Statement, Table
from reports.escape import visible
from reports.pictures import standalone

TEMPLATE = "report.typ"
STANDARD: Literal["ua-1"] = "ua-1"
_CONTROL_PICTURES = range(0x2400, 0x2420)
# What the fonts are known to hold beyond Latin: the rest is spelled out, since a PDF/UA must not
# show a box in place of a character. HTML shows every script.
_RANGES = (
    range(0x20, 0x7F), range(0xA0, 0xAD), range(0xAE, 0x180), range(0x391, 0x3A2),
    range(0x3A3, 0x3CA), range(0x410, 0x450),
)  # fmt: skip
_ALSO = frozenset("–—‘’‚“”„†•…‰′″€→←↑↓−≤≥≈≠∞ȘșȚț")


class PdfError(RuntimeError):
    """The typesetter refused the document; the message is its own."""


def render_pdf(document: Document) -> bytes:
    """One PDF, with title, language, reading order, header cells and alternative texts."""
    import typst  # noqa: PLC0415 - 85 MB that only a PDF should load

    data = json.dumps(plain(document), ensure_ascii=False)
    try:
        made = typst.compile(
            _template(),
            format="pdf",
            sys_inputs={"data": data},
            pdf_standards=[STANDARD],
            ignore_system_fonts=True,
            timestamp=int(document.record.run.started.timestamp()),
        )
    except typst.TypstError as error:
        raise PdfError(str(getattr(error, "diagnostic", error))[:800]) from None
    if not isinstance(made, bytes):
        raise PdfError("typst gave no file")
    return made


def plain(document: Document) -> dict[str, Any]:
    """The document as what JSON can hold; every text made fit for the page."""
    shown = ("title", "subtitle", "banner", "facts", "summary", "sections", "heading_line")
    known = numbers(document)
    found = {name: _plain(getattr(document, name), known) for name in shown}
    found["sha256"] = document.sha256
    look = document.look or Look()
    names = ("name", "marking", "foreword")
    found["brand"] = {each: _plain(getattr(look.branding, each), known) for each in names}
    found["logo"] = None if look.logo is None else _picture(look.logo)
    return found


def _picture(picture: Picture) -> dict[str, Any]:
    """A picture as what JSON can hold: its octets as numbers."""
    return {"kind": picture.kind, "data": list(picture.data)}


def printable(text: str) -> str:
    """The text with everything spelled out that the fonts do not hold."""
    return "".join(map(_printable_character, visible(text)))


def _plain(value: Any, known: Mapping[str, int]) -> Any:
    if isinstance(value, Mark):
        return {"kind": value.kind, "word": printable(value.word)}
    if isinstance(value, Figure):
        return {"text": printable(value.text), "cites": [known[key] for key in value.cites]}
    if isinstance(value, Statement):
        cites = [known[key] for key in value.cites]
        said = {"text": printable(value.text), "evidence": printable(value.evidence)}
        return {**said, "cites": cites}
    if isinstance(value, Chart):
        from reports.charts import key  # noqa: PLC0415 - markupsafe, which only drawing needs

        return {
            "block": "Chart",
            "title": printable(value.title),
            "description": printable(value.description),
            "key": printable(key(value)),
            "svg": printable(standalone(value)),
            "table": _plain(value.table, known),
        }
    if isinstance(value, Table):
        value = value.on_paper()
    if is_dataclass(value):
        found = {each.name: _plain(getattr(value, each.name), known) for each in fields(value)}
        return {"block": type(value).__name__, **found}
    if isinstance(value, tuple):
        return [_plain(each, known) for each in value]
    return printable(value) if isinstance(value, str) else value


def _printable_character(character: str) -> str:
    code = ord(character)
    if any(code in known for known in _RANGES) or character in _ALSO:
        return character
    if code in _CONTROL_PICTURES:
        return f"\\x{code - _CONTROL_PICTURES.start:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


@cache
def _template() -> bytes:
    return resources.files("reports").joinpath("templates", TEMPLATE).read_bytes()
