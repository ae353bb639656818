"""The report as one self-contained HTML file: no script, no outside address, readable in print."""

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING

from reports.citing import anchor, numbers
from reports.document import Document
from reports.escape import visible

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "report.html.j2"
STYLE = "report.css"


def render_html(document: Document) -> bytes:
    """UTF-8 HTML; every value is escaped twice over: made visible, then made mere text."""
    template, style, style_hash = _parts()
    return template.render(
        document=document, style=style, style_hash=style_hash, numbers=numbers(document)
    ).encode()


@cache
def _parts() -> "tuple[Template, str, str]":
    """The template, the style sheet, and the hash by which the page's policy admits it alone."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415
    from markupsafe import Markup  # noqa: PLC0415

    from reports.charts import NARROW, WIDE, key, svg  # noqa: PLC0415

    def shown(value: object) -> object:
        return value if isinstance(value, Markup) else visible(str(value))

    loader = PackageLoader("reports")
    environment = Environment(
        loader=loader,
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(anchor=anchor, svg=svg, key=key, WIDE=WIDE, NARROW=NARROW)
    environment.tests["kind"] = lambda block, name: type(block).__name__ == name
    style, _, _ = loader.get_source(environment, STYLE)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template(TEMPLATE), Markup(style), f"sha256-{digest}"  # noqa: S704
