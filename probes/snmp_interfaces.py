"""Interfaces and Ethernet: state, speed, traffic, faults and collisions of each."""

from collections.abc import Iterator

from nethealth.model.observation import Observation, Passport
from nethealth.model.probe import Observer
from nethealth.protocol import mib
from nethealth.protocol.snmp import Cell, Oid
from nethealth.quality.counters import frames_most_per_s, octets_most_per_s
from probes.snmp_counters import counter, counter_units
from probes.snmp_reader import Read, Want, number, words

INTERFACES = Want(
    tables={"interfaces": mib.INTERFACES},
    counters={
        "discontinuity": mib.DISCONTINUITY,
        "traffic": mib.INTERFACE_64,
        "traffic-32": mib.INTERFACE_32,
        "faults": mib.INTERFACE_FAULTS,
    },
    instead={"traffic-32": "traffic"},
)
ETHERNET = Want(tables={"duplex": mib.DUPLEX}, counters={"ethernet": mib.ETHERNET})
_LOOPBACK = 24  # IANAifType softwareLoopback: the device talking to itself
LISTED_MOST = 128  # interfaces; a stack of switches may have more

UNITS: dict[str, str | None] = {
    "interface_count": "interfaces",
    "interface_status": None,
    "interface_speed_bps": "bit/s",
    "interface_since_change_s": "s",
    **{
        name: unit
        for stem in (*mib.INTERFACE_64, *mib.INTERFACE_FAULTS)
        for name, unit in counter_units(
            f"interface_{stem}", "octets" if stem.endswith("octets") else "packets"
        ).items()
    },
    "ethernet_duplex": None,
    **{
        name: unit
        for stem in mib.ETHERNET
        for name, unit in counter_units(f"ethernet_{stem}", "frames").items()
    },
}


def interfaces(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    """The state of each interface, and the counters of those that are up."""
    rows = {
        index: row
        for index, row in read.rows("interfaces").items()
        if number(row.get("type")) != _LOOPBACK
    }
    up = [index for index, row in rows.items() if number(row.get("oper")) == 1]
    if rows:
        shown = min(len(rows), LISTED_MOST)
        yield observe("interface_count", len(rows),
                      method={**passport, "up": len(up), "listed": shown})  # fmt: skip
    for index, row in list(rows.items())[:LISTED_MOST]:
        place = _place(passport, read, index)
        oper, admin = (number(row.get(name)) for name in ("oper", "admin"))
        yield observe(
            "interface_status",
            mib.IF_STATUS.get(oper or 4, "unknown"),
            method={
                **place,
                "admin": mib.IF_STATUS.get(admin or 4, "unknown"),
                # People write there who sits at the port.
                "alias": observe.names.user(words(row.get("alias")) or "") or None,
                "type": number(row.get("type")),
            },
        )
        speed = speed_bps(read, index)
        if speed is not None:
            yield observe("interface_speed_bps", speed, method=place)
        yield from _since_change(observe, place, row.get("last_change"))
        if oper == 1:
            yield from _traffic(observe, place, read, index, speed)


def ethernet(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    """Duplex and the faults of each port of Ethernet; those of ports that are down are left out."""
    rows = {**read.rows("duplex"), **read.rows("ethernet")}
    for index in list(rows)[:LISTED_MOST]:
        oper = read.rows("interfaces").get(index, {}).get("oper")
        if oper is not None and oper.varbind.number != 1:
            continue
        place = _place(passport, read, index)
        duplex = number(read.rows("duplex").get(index, {}).get("duplex"))
        if duplex is not None:
            yield observe("ethernet_duplex", mib.DUPLEX_WORDS.get(duplex, "unknown"), method=place)
        speed = speed_bps(read, index)
        for stem, cells in read.pairs("ethernet", index).items():
            yield from counter(
                observe, f"ethernet_{stem}", cells, place,
                most_per_s=None if speed is None else frames_most_per_s(speed),
                discontinuity_s=_discontinuities(read, index),
            )  # fmt: skip


def speed_bps(read: Read, index: Oid) -> float | None:
    """ifHighSpeed in megabits, or ifSpeed where it is absent or too coarse; null for 0."""
    row = read.rows("interfaces").get(index, {})
    high, low = number(row.get("high_speed")), number(row.get("speed"))
    if high:
        return high * 1e6
    return float(low) if low and low < 2**32 - 1 else None


def _traffic(
    observe: Observer, place: Passport, read: Read, index: Oid, speed: float | None
) -> Iterator[Observation]:
    # An interface slower than 20 Mb/s need not have the counters of 64 bits (RFC 2863, 3.1.6).
    table = "traffic" if index in read.rows("traffic") else "traffic-32"
    for stem, cells in {**read.pairs(table, index), **read.pairs("faults", index)}.items():
        most = octets_most_per_s if stem.endswith("octets") else frames_most_per_s
        yield from counter(
            observe, f"interface_{stem}", cells, place,
            most_per_s=None if speed is None else most(speed),
            discontinuity_s=_discontinuities(read, index),
        )  # fmt: skip


def _discontinuities(read: Read, index: Oid) -> tuple[float | None, float | None]:
    pair = read.pairs("discontinuity", index).get("discontinuity")
    return (None, None) if pair is None else (_ticks(pair[0]), _ticks(pair[1]))


def _since_change(observe: Observer, place: Passport, cell: Cell | None) -> Iterator[Observation]:
    """How long ago the interface came into its present state."""
    changed_s = _ticks(cell)
    if cell is None or changed_s is None or cell.uptime_s is None:
        return
    since_s = cell.uptime_s - changed_s
    if since_s >= 0:  # below it the uptime has wrapped since
        yield observe("interface_since_change_s", since_s, method=place, at_s=cell.received_s)


def _place(passport: Passport, read: Read, index: Oid) -> Passport:
    if_index = index[0] if index else 0
    return {**passport, "interface": read.name(if_index), "if_index": if_index}


def _ticks(cell: Cell | None) -> float | None:
    ticks = number(cell)
    return None if ticks is None else ticks / 100
