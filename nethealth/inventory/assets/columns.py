"""Which column of a register holds what, by its usual names or by a map file."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nethealth.inventory.assets.errors import AssetFileError
from nethealth.inventory.faults import listed, nearest, printable, shown
from nethealth.model.inventory import ASSET_KINDS

# Of each field the names in order of trust: the first that a register has is taken.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "id": (
        "asset tag", "asset id", "asset number", "asset no", "asset ref", "asset reference",
        "tag", "device id", "inventory number", "configuration item", "ci", "id", "ref",
        "reference", "asset", "serial number", "serial no", "serial",
    ),
    "hostname": (
        "hostname", "host", "fqdn", "dns name", "computer name", "device name", "system name",
        "node name", "node", "device",
    ),
    "name": (
        "name", "asset name", "display name", "description", "asset description", "item", "label",
    ),
    "address": (
        "ip address", "ip", "ip addr", "ipv4 address", "ipv4", "management ip",
        "management ip address", "mgmt ip", "mgmt ip address", "management address", "primary ip",
        "primary ip address", "network address", "ipv6 address", "ipv6", "address",
    ),
    "mac": (
        "mac address", "mac", "mac addr", "ethernet address", "hardware address",
        "physical address",
    ),
    "site": (
        "site", "site name", "location", "location name", "building", "building name", "premises",
        "office", "campus", "property", "depot",
    ),
    "council": (
        "council", "authority", "local authority", "organisation", "organization",
        "organisation name", "organization name", "partner", "customer", "client", "tenant",
        "company",
    ),
    "kind": (
        "kind", "type", "asset type", "device type", "equipment type", "category",
        "asset category", "class", "asset class", "ci class", "ci type", "role", "device role",
    ),
    "vendor": ("manufacturer", "make", "vendor", "brand", "supplier"),
    "model": ("model", "model name", "model number", "model no", "product", "product name"),
    "owner": (
        "owner", "asset owner", "owned by", "service owner", "custodian", "responsible",
        "responsible person", "responsible officer", "responsible team", "managed by",
        "assigned to", "team", "department", "contact",
    ),
    "installed": (
        "installed", "install date", "installation date", "date installed", "year installed",
        "installation year", "in service date", "commissioned", "purchase date", "purchased",
        "date purchased", "date of purchase", "acquisition date", "acquired",
    ),
    "end_of_support": (
        "end of support", "end of support date", "support end", "support ends", "support end date",
        "support expiry", "eos", "eos date", "end of life", "end of life date", "eol", "eol date",
        "warranty end", "warranty end date", "warranty expiry", "warranty expires",
        "warranty expiry date", "warranty expiration", "warranty",
    ),
    "legacy": ("legacy", "is legacy"),
}  # fmt: skip

_PARENTHESES = re.compile(r"\([^)]*\)|\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class AssetMap:
    """What a map file says: field to column, and words of the register to kinds."""

    columns: Mapping[str, str]
    kinds: Mapping[str, str]


def normal(text: str) -> str:
    """The text without what people write differently: case, spaces and punctuation."""
    return "".join(character for character in text.casefold() if character.isalnum())


def parse_map(text: str, *, name: str = "map") -> AssetMap:
    """Read a map file: `[columns] address = "Mgmt IP"` and `[kinds] "Avaya set" = "phone"`.

    The empty text among the kinds stands for rows that have none. Raises AssetFileError.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise AssetFileError(f"{name}: {printable(str(error))}") from None
    faults = [
        f"{name}: found {shown(key)}; allowed: the tables [columns] and [kinds]"
        for key in document
        if key not in ("columns", "kinds") or not isinstance(document[key], dict)
    ]
    if faults:
        raise AssetFileError("\n".join(faults))
    columns, kinds = document.get("columns", {}), document.get("kinds", {})
    for field, column in columns.items():
        if field not in FIELDS:
            hint = nearest(field, FIELDS)
            faults.append(f"{name}: columns: found {shown(field)}{hint}; allowed: {listed(FIELDS)}")
        if not isinstance(column, str):
            faults.append(
                f"{name}: columns.{printable(field)}: found {shown(column)}; allowed: text"
            )
    for word, kind in kinds.items():
        if kind not in ASSET_KINDS:
            hint = nearest(kind, ASSET_KINDS) if isinstance(kind, str) else ""
            faults.append(
                f"{name}: kinds.{shown(word)}: found {shown(kind)}{hint}; "
                f"allowed: {listed(ASSET_KINDS)}"
            )
    if faults:
        raise AssetFileError("\n".join(faults))
    return AssetMap(columns, kinds)


def match(headers: Iterable[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Field to column header; `mapping` goes before the usual names, one column to one field."""
    headers = tuple(headers)
    by_name: dict[str, str] = {}
    for header in headers:
        by_name.setdefault(normal(header), header)
    # "IP address (management)" is an IP address, unless a column says so without the brackets.
    for header in headers:
        by_name.setdefault(normal(_PARENTHESES.sub("", header)), header)
    found = {
        field: by_name[normal(column)]
        for field, column in mapping.items()
        if normal(column) in by_name
    }
    for field, names in FIELDS.items():
        for name in names:
            usual = by_name.get(normal(name))
            if usual is not None and field not in found and usual not in found.values():
                found[field] = usual
    return found


def match_count(headers: Iterable[str]) -> int:
    """How many of the fields these cells would name, were they headers."""
    return len(match((header for header in headers if header), {}))
