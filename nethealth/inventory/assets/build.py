"""Rows of an asset register to the text of an inventory, and a list of what found no place."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nethealth.inventory.addresses import check_host
from nethealth.inventory.assets.columns import match, normal
from nethealth.inventory.assets.emit import Value, table
from nethealth.inventory.assets.errors import AssetFileError
from nethealth.inventory.assets.sheet import Row
from nethealth.inventory.assets.words import clean, date_of, is_yes, kind_of, mac_of, slug, year_of
from nethealth.inventory.faults import shown
from nethealth.inventory.parsing import MAX_BYTES

_TEXT_MAX = 500  # characters, as the model's Text
_CONTENT_MAX = 200
_HEAD = """\
# Made from an asset register. Check the names, the kinds and the owners; then give each site its
# gateway (the router's address), so that a dead site can be told from a dead host.
"""
_NO_COUNCIL = "# The register names no council for these sites: put its name here.\n"


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A row, or a cell of it, that is not in the inventory, and why."""

    row_number: int
    reason: str
    content: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The inventory's text and an account of every row.

    Each row is either one of `placed` or in `unplaced`. `unread` lists the single cells of placed
    rows that were left out or cut. `columns` is field to header; `unmatched` are the headers that
    nothing was taken from.
    """

    text: str
    placed: int
    unplaced: tuple[Unplaced, ...]
    unread: tuple[Unplaced, ...]
    columns: Mapping[str, str]
    unmatched: tuple[str, ...]


class _Refused(Exception):
    """This row has no place in the inventory."""


def build(
    rows: Iterable[Mapping[str, str]],
    *,
    mapping: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
) -> Imported:
    """An inventory that `nethealth.inventory.parse` reads, from the rows of a register.

    `mapping` (field to column) goes before the usual names of columns, `kinds` (word to asset
    kind) before the usual words. Raises AssetFileError where a mapped column does not exist, and
    where the text would be longer than an inventory may be.
    """
    rows = tuple(rows)
    headers = tuple(dict.fromkeys(header for row in rows for header in row))
    columns = match(headers, mapping or {})
    known = set(map(normal, headers))
    absent = [column for column in (mapping or {}).values() if normal(column) not in known]
    if absent:
        raise AssetFileError(
            f"the map names columns that the file lacks: {', '.join(map(shown, absent))}; "
            f"it has {', '.join(map(shown, headers))}"
        )
    register = _Register(rows, columns, kinds or {})
    text = register.text()
    if len(text.encode()) > MAX_BYTES:
        raise AssetFileError(
            f"the inventory would be longer than {MAX_BYTES} bytes: split the file"
        )
    return Imported(
        text,
        len(register.assets),
        tuple(register.unplaced),
        tuple(register.unread),
        columns,
        tuple(header for header in headers if header not in columns.values()),
    )


class _Ids:
    """Ids given out, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """The id as wanted, or with the next free number behind it."""
        identifier = wanted
        while identifier in self._taken:
            self._counts[wanted] = self._counts.get(wanted, 1) + 1
            identifier = f"{wanted}-{self._counts[wanted]}"
        self._taken.add(identifier)
        return identifier


class _Register:
    """The councils, sites and assets met so far."""

    def __init__(
        self,
        rows: Iterable[Mapping[str, str]],
        columns: Mapping[str, str],
        kinds: Mapping[str, str],
    ) -> None:
        self._columns = columns
        self._kinds = {normal(word): kind for word, kind in kinds.items()}
        self._ids = _Ids()  # of sites and assets together: a target may name either
        self._council_ids = _Ids()
        self._first: dict[tuple[str, str], int] = {}  # what may stand once only, and its row
        self._councils: dict[str, dict[str, Value | None]] = {}
        self._sites: dict[tuple[str, str], dict[str, Value | None]] = {}
        self._council_of_site: dict[str, str] = {}
        self.assets: list[dict[str, Value | None]] = []
        self.unplaced: list[Unplaced] = []
        self.unread: list[Unplaced] = []
        numbered = [
            # Rows that do not know their place are taken to stand under one row of headers.
            (row.number if isinstance(row, Row) else index, self._fields(row), row)
            for index, row in enumerate(rows, start=2)
        ]
        for _, cells, _ in numbered:
            if cells["site"] and cells["council"]:
                self._council_of_site.setdefault(_key(cells["site"]), cells["council"])
        for number, cells, row in numbered:
            try:
                self._place(number, cells)
            except _Refused as refusal:
                content = clean(" | ".join(cell for cell in row.values() if cell))[:_CONTENT_MAX]
                self.unplaced.append(Unplaced(number, str(refusal), content))

    def _fields(self, row: Mapping[str, str]) -> dict[str, str]:
        fields = (
            "id", "hostname", "name", "address", "mac", "site", "council", "kind", "vendor",
            "model", "owner", "installed", "end_of_support", "legacy",
        )  # fmt: skip
        return {field: clean(row.get(self._columns.get(field, ""), "")) for field in fields}

    def _place(self, number: int, cells: Mapping[str, str]) -> None:
        address = _address(cells)
        if not cells["site"]:
            raise _Refused("no site")
        kind = self._kind(cells)
        if cells["id"]:
            self._once("asset tag", cells["id"], number)
        self._once("address", address, number)
        label = cells["id"] or cells["hostname"] or cells["name"] or f"{kind}-{address}"
        name = cells["hostname"] or cells["name"]
        installed, end = year_of(cells["installed"]), date_of(cells["end_of_support"])
        mac = mac_of(cells["mac"])
        date_words, mac_words = "no date that can be read with certainty", "no MAC address"
        for field, found, words in (
            ("installed", installed, date_words),
            ("end_of_support", end, date_words),
            ("mac", mac, mac_words),
        ):
            if cells[field] and found is None:
                reason = f"{self._columns[field]}: {words}"
                self.unread.append(Unplaced(number, reason, cells[field][:_CONTENT_MAX]))
        site = self._site(number, cells)
        self.assets.append(
            {
                "id": self._ids.take(slug(label) or kind),
                "site": site,
                "kind": kind,
                "address": address,
                "mac": mac,
                "name": self._short(number, "name", name),
                "legacy": True if is_yes(cells["legacy"]) else None,
                "owner": self._short(number, "owner", cells["owner"]),
                "vendor": self._short(number, "vendor", cells["vendor"]),
                "model": self._short(number, "model", cells["model"]),
                "installed": installed,
                "end_of_support": end,
            }
        )

    def _kind(self, cells: Mapping[str, str]) -> str:
        others = " ".join(cells[field] for field in ("model", "name", "vendor"))
        kind = kind_of(cells["kind"], others, self._kinds)
        if kind is None:
            raise _Refused(
                f"the kind {shown(cells['kind'])} is not known: say what it is in a map file, "
                f"[kinds] {shown(cells['kind'])} = one of the kinds"
            )
        return kind

    def _once(self, what: str, value: str, number: int) -> None:
        first = self._first.get((what, value.casefold()))
        if first is not None:
            raise _Refused(f"the same {what} as row {first}: {shown(value)}")
        self._first[(what, value.casefold())] = number

    def _site(self, number: int, cells: Mapping[str, str]) -> str:
        council = cells["council"] or self._council_of_site.get(_key(cells["site"]), "")
        key = (_key(council), _key(cells["site"]))
        if key not in self._sites:
            self._sites[key] = {
                "id": self._ids.take(slug(cells["site"]) or "site"),
                "council": self._council(number, council),
                "name": self._short(number, "site", cells["site"]),
            }
        return str(self._sites[key]["id"])

    def _council(self, number: int, name: str) -> str:
        key = _key(name)
        if key not in self._councils:
            self._councils[key] = {
                "id": self._council_ids.take(slug(name) or "council"),
                "name": self._short(number, "council", name) or "Council",
            }
        return str(self._councils[key]["id"])

    def _short(self, number: int, what: str, text: str) -> str | None:
        if len(text) > _TEXT_MAX:
            self.unread.append(
                Unplaced(number, f"{what}: cut to {_TEXT_MAX} characters", text[:_CONTENT_MAX])
            )
        return text[:_TEXT_MAX] or None

    def text(self) -> str:
        """The inventory."""
        parts = [_HEAD]
        for key, council in self._councils.items():
            parts.append(("" if key else _NO_COUNCIL) + table("[[council]]", council))
        parts += [table("[[site]]", site) for site in self._sites.values()]
        parts += [table("[[asset]]", asset) for asset in self.assets]
        return "\n".join(parts)


def _key(name: str) -> str:
    """What two spellings of one name share; the name itself where nothing of it is a letter."""
    return normal(name) or name


def _address(cells: Mapping[str, str]) -> str:
    dynamic = normal(cells["address"]) in ("dhcp", "dynamic")
    found = (not dynamic and cells["address"]) or cells["hostname"]
    if not found:
        raise _Refused("neither an address nor a host name")
    try:
        # Registers of networks note the prefix length with the address.
        return str(ipaddress.ip_interface(found).ip) if "/" in found else check_host(found)
    except ValueError:
        raise _Refused(f"{shown(found)} is neither an address nor a host name") from None
