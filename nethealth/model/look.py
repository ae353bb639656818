"""Whose report it is: a council's name, logo, marking and words, and templates of its own.

A report's data and verdicts are the same whatever it looks like.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from nethealth.model.inventory import Text

PictureKind = Literal["png", "svg"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branding:
    """The whole of `report.toml`; whatever is left out is as it was."""

    name: Text | None = None  # of the council whose report it is
    logo: Text | None = None  # a file beside this one, PNG or SVG
    marking: Annotated[str, Field(min_length=1, max_length=60)] | None = None  # on every page
    contact: Text | None = None
    title: Text | None = None
    foreword: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    __pydantic_config__ = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was checked and holds nothing but a picture; the sizes are in pixels."""

    kind: PictureKind
    data: bytes
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Look:
    """Branding with its logo, and templates by name in place of the program's own."""

    branding: Branding = Branding()
    logo: Picture | None = None
    templates: Mapping[str, str] = field(default_factory=dict)
