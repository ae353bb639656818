"""The report as one self-contained HTML file: no script, no outside address, readable in print."""

import base64
import hashlib
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from nethealth.model.look import Look, Picture
from reports.citing import anchor, numbers
from reports.document import Document
from reports.escape import visible

if TYPE_CHECKING:
    from jinja2 import BaseLoader, Environment, Template

TEMPLATE = "report.html.j2"
STYLE = "report.css"


class TemplateError(ValueError):
    """A template that cannot be used; the message names its file and line."""


def render_html(document: Document) -> bytes:
    """UTF-8 HTML; every value is escaped twice over: made visible, then made mere text.

    Templates of the council's own run in a sandbox; TemplateError if one cannot be used.
    """
    look = document.look or Look()
    if not look.templates:
        return _rendered(document, look, *_parts())
    try:
        return _rendered(document, look, *_own_parts(look.templates))
    except Exception as error:
        raise TemplateError(_told(error)) from error


def _rendered(document: Document, look: Look, template: "Template", style: str) -> bytes:
    paged = page_marking(look.branding.marking)
    return template.render(
        document=document,
        style=style,
        page_style=paged,
        style_hash=" ".join(f"'{_digest(each)}'" for each in (style, paged) if each),
        numbers=numbers(document),
        look=look,
        logo=None if look.logo is None else data_uri(look.logo),
    ).encode()


def page_marking(marking: str | None) -> str:
    """What puts the marking at the head and the foot of each printed page; empty without one.

    Every character is written by its number, so that none of them can end the text.
    """
    from markupsafe import Markup  # noqa: PLC0415

    if marking is None:
        return ""
    text = "".join(f"\\{ord(each):06x}" for each in visible(marking))
    box = f'{{ content: "{text}"; font: bold 10pt sans-serif; color: #000; }}'
    return Markup(f"@page {{ @top-center {box} @bottom-center {box} }}")  # noqa: S704


def data_uri(picture: Picture) -> str:
    """The picture inside the page: nothing is fetched."""
    kind = {"png": "image/png", "svg": "image/svg+xml"}[picture.kind]
    return f"data:{kind};base64,{base64.b64encode(picture.data).decode()}"


@cache
def _parts() -> "tuple[Template, str]":
    """The template and the style sheet, whose hash is what the page's policy admits."""
    from jinja2 import Environment, PackageLoader  # noqa: PLC0415

    return _made(Environment, PackageLoader("reports"))


def _own_parts(templates: Mapping[str, str]) -> "tuple[Template, str]":
    """Those of the council, and the program's own for what it has none of."""
    from jinja2 import ChoiceLoader, FunctionLoader, PackageLoader  # noqa: PLC0415
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    def own(name: str) -> "tuple[str, str, Callable[[], bool]] | None":
        return (templates[name], name, lambda: True) if name in templates else None

    loader = ChoiceLoader([FunctionLoader(own), PackageLoader("reports")])
    return _made(ImmutableSandboxedEnvironment, loader)


def _made(kind: "type[Environment]", loader: "BaseLoader") -> "tuple[Template, str]":
    from jinja2 import StrictUndefined  # noqa: PLC0415
    from markupsafe import Markup  # noqa: PLC0415

    from reports.charts import NARROW, WIDE, key, svg  # noqa: PLC0415

    def shown(value: object) -> object:
        return value if isinstance(value, Markup) else visible(str(value))

    environment = kind(
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
    if "</" in style:
        raise TemplateError(f"{STYLE}: found '</'; allowed: a style sheet, which has none")
    return environment.get_template(TEMPLATE), Markup(style)  # noqa: S704


def _digest(style: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}"


def _told(error: Exception) -> str:
    """The template's file and line, and what is wrong there."""
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415

    if isinstance(error, TemplateError):
        return str(error)
    if isinstance(error, TemplateSyntaxError):
        return f"{error.name or TEMPLATE}:{error.lineno}: {error.message}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.endswith((".j2", ".css"))
    ]
    name, line = (frames[-1].filename, frames[-1].lineno) if frames else (TEMPLATE, None)
    place = f"{name.rpartition('/')[2]}{'' if line is None else f':{line}'}"
    return f"{place}: {type(error).__name__}: {error}"
