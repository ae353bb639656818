"""Record to document, document to every format."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from reports.changes import Changes, compare, render_changes
from reports.compose import compose
from reports.document import Document, Renderer
from reports.html import render_html
from reports.nagios import render_nagios
from reports.prometheus import render_prometheus
from reports.rows import render_csv
from reports.text import render_text
from reports.view import utc


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
            Renderer("nagios", "nagios", render_nagios),
            Renderer("prometheus", "prom", render_prometheus),
        )
    }
)

__all__ = [
    "RENDERERS",
    "Changes",
    "Document",
    "Renderer",
    "compare",
    "compose",
    "filename",
    "render_changes",
    "render_text",
]
