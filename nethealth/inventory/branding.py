"""`report.toml` to a council's name, logo, marking and words, or to every error that it holds."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nethealth.inventory.faults import printable, shown
from nethealth.inventory.pictures import WORDS, check_picture
from nethealth.inventory.toml import TomlFile, Trouble
from nethealth.model.look import Branding, Look, Picture

Read = Callable[[str], bytes]  # of a file beside the branding; ValueError says why not

EXAMPLE = """\
# Whose report it is, for `nethealth report --branding report.toml`. Every key may be left out.
name = "South Cambridgeshire District Council"
marking = "OFFICIAL"       # on every page
logo = "logo.svg"          # a file beside this one: PNG or SVG, at most 512 KiB, never fetched
contact = "ICT service desk, servicedesk@council.example, 01223 496 0000"
title = "Network and telephony health report"
foreword = "Prepared for the ICT Shared Services Board."
"""


def parse_branding(text: str, read: Read, *, name: str = "report.toml") -> Look:
    """Read one, with its logo by `read`; raises InventoryError with every fault and its line."""
    found: list[Picture] = []

    def inconsistencies(document: Mapping[str, Any]) -> Iterator[Trouble]:
        for key in ("name", "marking", "contact", "title"):
            value = document.get(key)
            if isinstance(value, str) and not value.isprintable():
                yield (key,), shown(value), "text on one line, without control characters"
        logo = document.get("logo")
        if isinstance(logo, str) and logo:
            try:
                found.append(_logo(logo, read))
            except ValueError as error:
                yield ("logo",), f"{shown(logo)} ({printable(str(error))})", WORDS

    branding = TomlFile(Branding, inconsistencies).parse(text, name=name)
    return Look(branding, found[0] if found else None)


def _logo(place: str, read: Read) -> Picture:
    if "://" in place:
        raise ValueError("an address: a logo is never fetched, so save it beside this file")
    return check_picture(read(place))
