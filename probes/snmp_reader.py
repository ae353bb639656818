"""Asking one device by SNMP for one thing after another, within the time that there is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nethealth.model.check import SnmpGroup, SnmpParameters
from nethealth.model.failure import Failure
from nethealth.model.ports import NetworkFailure
from nethealth.model.probe import Env
from nethealth.protocol.mib import Columns, text
from nethealth.protocol.snmp import Cell, End, Oid, Reading, Reply, Request, Scalars, TableWalk
from probes.snmp_engine import SnmpConversation

Rows = Mapping[Oid, Mapping[str, Cell]]


class Reader:
    """Sends each request at its slot of the site's pacer, and again where no answer came.

    What was sent again is counted: it is an observation, not a detail. Each answer's delay is kept
    where the first copy was answered.
    """

    def __init__(
        self, conversation: SnmpConversation, parameters: SnmpParameters, env: Env, end_s: float
    ) -> None:
        self.delays_s: list[float] = []
        self.asked_count = 0
        self.unanswered_count = 0
        self._conversation = conversation
        self._parameters = parameters
        self._env = env
        self._end_s = end_s

    async def read(self, reading: Reading) -> None:
        """Until it has everything, or there is no time for another request."""
        while self._room_s() > 0 and (request := reading.request()) is not None:
            reading.receive(await self._ask(request))

    def _room_s(self) -> float:
        return self._end_s - self._env.clock.monotonic_s()

    async def _ask(self, request: Request) -> Reply:
        tries = 1 + self._parameters.retries
        for number in range(tries):
            await self._env.pacer.wait()
            self.asked_count += 1
            sent_s = self._env.clock.monotonic_s()
            timeout_s = max(0.05, min(self._parameters.timeout_s, self._room_s()))
            try:
                reply = await self._conversation.ask(request, timeout_s)
            except NetworkFailure as failure:
                if failure.failure is not Failure.TIMEOUT:
                    raise
                self.unanswered_count += 1
                if number + 1 == tries or self._room_s() <= 0:
                    raise
            else:
                if number == 0:
                    self.delays_s.append(max(0.0, reply.received_s - sent_s))
                return reply
        raise AssertionError("a range of one try at least")


@dataclass(frozen=True, slots=True)
class Want:
    """What one group is read by: single values, tables, and tables of counters, read twice.

    `instead`: tables that are read only where the one named has no rows.
    """

    scalars: Columns = field(default_factory=dict)
    tables: Mapping[str, Columns] = field(default_factory=dict)
    counters: Mapping[str, Columns] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Read:
    """All that one device said; a table that was not read has no rows."""

    scalars: dict[str, Cell] = field(default_factory=dict)  # "<group>.<name>"
    tables: dict[str, Rows] = field(default_factory=dict)
    second: dict[str, Rows] = field(default_factory=dict)  # tables of counters, the later time
    names: dict[int, str] = field(default_factory=dict)  # of interfaces, by ifIndex
    ends: dict[SnmpGroup, list[End]] = field(default_factory=dict)
    rereads: dict[str, Columns] = field(default_factory=dict)

    def rows(self, table: str) -> Rows:
        return self.tables.get(table, {})

    def pairs(self, table: str, index: Oid) -> dict[str, tuple[Cell, Cell | None]]:
        """The earlier and the later reading of a row's counters, by column."""
        later = self.second.get(table, {}).get(index, {})
        return {
            name: (cell, later.get(name)) for name, cell in self.rows(table).get(index, {}).items()
        }

    def name(self, index: int) -> str:
        return self.names.get(index, f"interface {index}")


async def read_group(
    reader: Reader, group: SnmpGroup, want: Want, parameters: SnmpParameters, read: Read
) -> None:
    """Everything of one group once; what is to be read again is put down in `read.rereads`."""
    ends = read.ends.setdefault(group, [])
    if want.scalars:
        scalars = Scalars(want.scalars)
        await reader.read(scalars)
        read.scalars.update({f"{group}.{name}": cell for name, cell in scalars.cells.items()})
        ends += scalars.ends.values()
    for table, columns in {**want.tables, **want.counters}.items():
        if read.rows(want.instead.get(table, "")):
            continue
        walk = await walked(reader, columns, parameters)
        read.tables[table] = walk.cells
        ends += walk.ends.values()
        if walk.cells and table in want.counters:
            read.rereads[table] = columns


async def walked(reader: Reader, columns: Columns, parameters: SnmpParameters) -> TableWalk:
    """One table."""
    walk = TableWalk(columns, parameters.repetitions, parameters.rows_most)
    await reader.read(walk)
    return walk


def ending(ends: Iterable[End]) -> str:
    """How the reading of a group went as a whole, for a person to read."""
    found = list(ends)
    if not found:
        return End.TIME
    worst = [end for end in found if end not in (End.READ, End.ABSENT)]
    if worst:
        return worst[0]
    return End.READ if End.READ in found else End.ABSENT


def number(cell: Cell | None) -> int | None:
    """What a cell holds, if it is a number."""
    return None if cell is None else cell.varbind.number


def words(cell: Cell | None) -> str | None:
    """What a cell holds, if it is a text; bounded, and without control characters."""
    return None if cell is None else text(cell.varbind.octets)
