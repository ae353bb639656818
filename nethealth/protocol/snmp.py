"""Tables and scalars read by SNMP, without a socket or a clock (RFC 3416).

One request is out at a time. Each GETBULK also asks for sysUpTime, so that every value is known
to the device's own clock and a restart in the middle of a table shows. What a device answers may
run in circles or have no end: a column ends where its OIDs do not increase, and at a bound.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

Oid = tuple[int, ...]
Value = int | bytes | Oid | None
Kind = Literal[
    "integer", "octets", "oid", "address", "counter32", "gauge32", "timeticks", "opaque",
    "counter64", "noSuchObject", "noSuchInstance", "endOfMibView", "other",
]  # fmt: skip

SYS_UPTIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3)
SYS_UPTIME_0: Oid = (*SYS_UPTIME, 0)
VARBINDS_MOST = 48  # in one answer: about 1,200 octets, so that it needs no fragments
TOO_BIG, AUTHORIZATION_ERROR = 1, 16  # error-status of RFC 3416 section 3
_ABSENT = frozenset({"noSuchObject", "noSuchInstance", "endOfMibView"})
_NUMBERS = frozenset({"integer", "counter32", "gauge32", "timeticks", "counter64"})


@dataclass(frozen=True, slots=True)
class VarBind:
    """One variable: its name, the type that it came with, and its value; null where it is none."""

    oid: Oid
    kind: Kind
    value: Value = None

    @property
    def absent(self) -> bool:
        return self.kind in _ABSENT

    @property
    def number(self) -> int | None:
        """The value, if it is a number by its type."""
        return self.value if self.kind in _NUMBERS and isinstance(self.value, int) else None

    @property
    def octets(self) -> bytes | None:
        return self.value if self.kind == "octets" and isinstance(self.value, bytes) else None


@dataclass(frozen=True, slots=True)
class Request:
    """A GET of `oids`, or a GETBULK whose first `non_repeaters` are asked for once."""

    kind: Literal["get", "bulk"]
    oids: tuple[Oid, ...]
    non_repeaters: int = 0
    max_repetitions: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one request; `received_s` monotonic. `status`: error-status, 0 for none."""

    varbinds: tuple[VarBind, ...]
    received_s: float
    status: int = 0


class End(StrEnum):
    """How the reading of one column or scalar ended; the value is for a person to read."""

    READ = "read"
    ABSENT = "absent"  # which is a result: the device has no such table
    BOUND = "cut short: too many rows"
    LOOP = "cut short: the device's OIDs do not increase"
    STUCK = "cut short: the device answered with nothing new"
    TIME = "cut short: no time left"
    TOO_BIG = "refused: tooBig, even for a single value"
    DENIED = "refused: authorizationError"
    ERROR = "refused by the device"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value with the moment of its answer, by our clock and by the device's (null: untold)."""

    varbind: VarBind
    received_s: float
    uptime_s: float | None = None


class Reading(Protocol):
    """A conversation that asks until it has everything: `request` is null at its end."""

    def request(self) -> Request | None: ...
    def receive(self, reply: Reply) -> None: ...


@dataclass(slots=True)
class _Column:
    root: Oid
    cursor: Oid
    end: End | None = None
    rows: int = 0


@dataclass
class TableWalk:
    """Some columns of one table, whole or up to `rows_most` rows each.

    `cells` by index and column's name; `ends` says how each column ended. A column that
    the device answers with an error status is given up, after smaller and smaller requests.
    """

    columns: Mapping[str, Oid]
    repetitions: int
    rows_most: int
    cells: dict[Oid, dict[str, Cell]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._columns = {name: _Column(root, root) for name, root in self.columns.items()}
        self._asked: tuple[str, ...] = ()
        self._width = max(1, VARBINDS_MOST // 6)  # columns in one request
        self._repetitions = max(1, self.repetitions)

    @property
    def ends(self) -> Mapping[str, End]:
        return {
            name: End.TIME if column.end is None else column.end
            for name, column in self._columns.items()
        }

    def request(self) -> Request | None:
        open_ = [name for name, column in self._columns.items() if column.end is None]
        self._asked = tuple(open_[: self._width])
        if not self._asked:
            return None
        cursors = tuple(self._columns[name].cursor for name in self._asked)
        repetitions = min(self._repetitions, max(1, VARBINDS_MOST // len(cursors)))
        return Request("bulk", (SYS_UPTIME, *cursors), 1, repetitions)

    def receive(self, reply: Reply) -> None:
        if reply.status:
            self._refused(reply.status)
            return
        before = [self._columns[name].cursor for name in self._asked]
        uptime_s, repeated = _uptime(reply.varbinds)
        for varbind, name in zip(repeated, _around(self._asked), strict=False):
            column = self._columns[name]
            if column.end is None:
                self._take(name, column, Cell(varbind, reply.received_s, uptime_s))
        stuck = all(
            self._columns[name].end is None and self._columns[name].cursor == cursor
            for name, cursor in zip(self._asked, before, strict=True)
        )
        if stuck:
            for name in self._asked:
                self._columns[name].end = End.STUCK

    def _take(self, name: str, column: _Column, cell: Cell) -> None:
        oid, length = cell.varbind.oid, len(column.root)
        if cell.varbind.absent or oid[:length] != column.root:
            column.end = End.READ if column.rows else End.ABSENT
        elif oid <= column.cursor:
            column.end = End.LOOP
        elif column.rows >= self.rows_most:
            column.end = End.BOUND
        else:
            column.cursor = oid
            column.rows += 1
            self.cells.setdefault(oid[length:], {})[name] = cell

    def _refused(self, status: int) -> None:
        if status == TOO_BIG and self._repetitions > 1:
            self._repetitions //= 2
        elif len(self._asked) > 1:
            self._width = max(1, len(self._asked) // 2)
        else:
            self._columns[self._asked[0]].end = refusal(status)


@dataclass
class Scalars:
    """Single values by GET, as many at once as the device can put into one answer."""

    oids: Mapping[str, Oid]
    cells: dict[str, Cell] = field(default_factory=dict)
    ends: dict[str, End] = field(default_factory=dict)
    _size: int = 16

    def __post_init__(self) -> None:
        self._asked: tuple[str, ...] = ()

    def request(self) -> Request | None:
        open_ = [name for name in self.oids if name not in self.ends]
        self._asked = tuple(open_[: self._size])
        if not self._asked:
            return None
        return Request("get", (SYS_UPTIME_0, *(self.oids[name] for name in self._asked)))

    def receive(self, reply: Reply) -> None:
        if reply.status:
            if len(self._asked) > 1:
                self._size = max(1, len(self._asked) // 2)
            else:
                self.ends[self._asked[0]] = refusal(reply.status)
            return
        uptime_s, rest = _uptime(reply.varbinds)
        answered = {varbind.oid: varbind for varbind in rest}
        for name in self._asked:
            varbind = answered.get(self.oids[name])
            if varbind is None:
                self.ends[name] = End.STUCK
            elif varbind.absent:
                self.ends[name] = End.ABSENT
            else:
                self.ends[name] = End.READ
                self.cells[name] = Cell(varbind, reply.received_s, uptime_s)


def refusal(status: int) -> End:
    """How a column ended that the device answered with this error status and nothing else."""
    if status == TOO_BIG:
        return End.TOO_BIG
    return End.DENIED if status in (6, AUTHORIZATION_ERROR) else End.ERROR


def _uptime(varbinds: Sequence[VarBind]) -> tuple[float | None, Sequence[VarBind]]:
    """sysUpTime of an answer, in seconds, and what follows it."""
    if not varbinds:
        return None, ()
    first, *rest = varbinds
    told = first.oid == SYS_UPTIME_0 and first.kind == "timeticks" and first.number is not None
    return (first.number or 0) / 100 if told else None, rest


def _around(names: Sequence[str]) -> Iterator[str]:
    while names:
        yield from names
