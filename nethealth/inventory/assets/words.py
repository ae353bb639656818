"""What the cells of a register mean: kinds of equipment, dates, years, and "n/a"."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date

from nethealth.inventory.assets.columns import normal

_NOTHING = {
    "", "na", "none", "null", "nil", "unknown", "unassigned", "notknown", "notapplicable", "tbc",
    "tbd", "nan", "noowner", "blank",
}  # fmt: skip

# In this order, because the first that fits decides: a "telephone switch" is an exchange, a
# "web server" is asked for its page, an "internet gateway" is a router.
_KINDS: tuple[tuple[str, str], ...] = (
    ("sensor", r"sensors?|thermometers?|temperature|environmental monitor(?:ing)?"),
    ("", r"mobile|cell ?phone|smart ?phone|softphone|head ?sets?|ups|printer|laptop|monitor"),
    ("sbc", r"sbcs?|session border controllers?"),
    ("ata", r"atas?|analogue? (?:telephone |terminal |phone )?adapt[eo]rs?"),
    ("router", r"firewalls?|routers?|(?:internet|default|wan|vpn) gateways?|sd ?wan|cpe"),
    (
        "pbx",
        r"(?:ip ?)?p(?:a)?bxs?|ippbx|meridian|call ?manager|cucm|call server|definity|hipath"
        r"|openscape|realitis|(?:tele)?phone (?:system|exchange|switch)s?|voice switch"
        r"|telephony (?:system|server)s?",
    ),
    ("gateway", r"gateways?"),
    (
        "phone",
        r"(?:tele|desk ?|ip ?|voip ?|sip ?|dect ?|conference ?)?phones?|handsets?|telephones?"
        r"|turret",
    ),
    ("switch", r"switch(?:es)?"),
    ("reflector", r"reflectors?|twamp|stamp"),
    ("service", r"web|web ?sites?|urls?|portals?|applications?(?! servers?)"),
    (
        "server",
        r"servers?|vms?|virtual machines?|hypervisors?|esxi?|dns|dhcp|nas|domain controllers?"
        r"|radius|ntp|hosts?",
    ),
)  # fmt: skip
_KIND_PATTERNS = tuple(
    (kind, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for kind, words in _KINDS
)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR = re.compile(r"(?<!\d)(19[5-9]\d|20\d\d|2100)(?!\d)")
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ][\d:.]+Z?)?")
_BRITISH = re.compile(r"(\d{1,2})[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ,]+(\d{4})(?: [\d:.]+)?")


def clean(text: str) -> str:
    """The cell on one line, without control characters; empty where it says "n/a" or the like."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    # A name of symbols alone is a name; one of punctuation alone is a dash in an empty cell.
    is_nothing = normal(words) in _NOTHING and not any(
        unicodedata.category(c) == "So" for c in words
    )
    return "" if is_nothing else words


def kind_of(kind_cell: str, others: str, mapped: Mapping[str, str]) -> str | None:
    """The asset kind: by the map, by the words of the kind's cell, then by those of the others.

    A map's empty word comes last: it is for rows that say nothing by themselves.
    """
    by_map = mapped.get(normal(kind_cell))
    if kind_cell and by_map:
        return by_map
    for text in (kind_cell, others):
        words = re.sub(r"[^0-9a-zA-Z]+", " ", text)
        for kind, pattern in _KIND_PATTERNS:
            if pattern.search(words):
                return kind or None
    return by_map


def year_of(text: str) -> int | None:
    """The first year from 1950 to 2100 in the text."""
    found = _YEAR.search(text)
    return int(found[1]) if found else None


def date_of(text: str) -> date | None:
    """A full date, year first or in the British order; null for anything less certain."""
    iso, british = _ISO.fullmatch(text), _BRITISH.fullmatch(text)
    if iso:
        year, month, day = iso.groups()
    elif british:
        day, month, year = british.groups()
    else:
        return None
    if month[:3].lower() in _MONTHS:
        month = str(_MONTHS.index(month[:3].lower()) + 1)
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def mac_of(text: str) -> str | None:
    """A MAC address in whatever punctuation, as six pairs in lower case; null for anything else."""
    digits = re.sub(r"[\s:.-]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        return None
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def is_yes(text: str) -> bool:
    """Whether the cell says yes."""
    return normal(text) in ("yes", "y", "true", "1", "x")


def slug(text: str) -> str:
    """The text as an id: ASCII letters, digits and hyphens, at most 48; empty if none is left."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")[:48].rstrip("-")
