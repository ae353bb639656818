"""Record to document, document to every format."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from nethealth.model import codec
from nethealth.model.finding import Finding
from nethealth.model.look import Look
from nethealth.model.record import Record
from reports.changes import Changes, compare, render_changes
from reports.compose import compose
from reports.document import Document, Renderer
from reports.docx import render_docx
from reports.html import TemplateError, render_html
from reports.nagios import render_nagios
from reports.pdf import render_pdf
from reports.prometheus import render_prometheus
from reports.rows import render_csv
from reports.text import render_text
from reports.view import utc
from reports.xlsx import render_xlsx


def filename(what: str, started_utc: datetime, extension: str) -> str:
    """`nethealth-<what>-20261122T190355Z.<extension>`."""
    return f"nethealth-{what}-{utc(started_utc):%Y%m%dT%H%M%SZ}.{extension}"


RENDERERS: Mapping[str, Renderer] = MappingProxyType(
    {
        renderer.name: renderer
        for renderer in (
            Renderer("text", "txt", lambda document: render_text(document).encode()),
            Renderer("json", "json", lambda document: document.data),
            Renderer("csv", "csv", render_csv),
            Renderer("html", "html", render_html),
            Renderer("pdf", "pdf", render_pdf),
            Renderer("docx", "docx", render_docx),
            Renderer("xlsx", "xlsx", render_xlsx),
            Renderer("nagios", "nagios", render_nagios),
            Renderer("prometheus", "prom", render_prometheus),
        )
    }
)


def render(
    record: Record,
    formats: Sequence[str],
    *,
    previous: Sequence[Finding] | None = None,
    look: Look | None = None,
) -> tuple[bytes, ...]:
    """The record in each format; it is laid out once, and not at all for its own JSON alone.

    TemplateError if a template of `look` cannot be used.
    """
    if set(formats) == {"json"}:
        return (codec.dump(record),) * len(formats)
    document = compose(record, previous=previous, look=look)
    return tuple(RENDERERS[name].render(document) for name in formats)


__all__ = [
    "RENDERERS",
    "Changes",
    "Document",
    "Renderer",
    "TemplateError",
    "compare",
    "compose",
    "filename",
    "render",
    "render_changes",
    "render_text",
]
