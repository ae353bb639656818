"""Who says to be at the other end of each port: LLDP with LLDP-MED, and CDP."""

from collections.abc import Iterator, Mapping

from nethealth.model.observation import Observation, Passport
from nethealth.model.probe import Observer
from nethealth.protocol import mib
from nethealth.protocol.snmp import Cell, Oid
from probes.snmp_reader import Read, Want, number, words

NEIGHBOURS = Want(
    tables={
        "lldp-local": mib.LLDP_LOCAL,
        "lldp": mib.LLDP,
        "lldp-med": mib.LLDP_MED,
        "cdp": mib.CDP,
    }
)
LISTED_MOST = 128
_CHASSIS_MAC, _PORT_MAC = 4, 3  # LldpChassisIdSubtype, LldpPortIdSubtype
# LldpSystemCapabilitiesMap, the first for the first bit
_CAPABILITIES = (
    "other", "repeater", "bridge", "access point", "router", "telephone", "cable", "station"
)  # fmt: skip

UNITS: dict[str, str | None] = {"neighbour_count": "neighbours", "neighbour_name": None}


def neighbours(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    """One observation for each neighbour, with what it says of itself in the passport."""
    lldp, cdp = read.rows("lldp"), read.rows("cdp")
    if lldp or cdp:
        yield observe(
            "neighbour_count", len(lldp) + len(cdp),
            method={**passport, "lldp": len(lldp), "cdp": len(cdp)},
        )  # fmt: skip
    for index, row in list(lldp.items())[:LISTED_MOST]:
        chassis = _identifier(row, "chassis", _CHASSIS_MAC)
        med = {name: words(cell) for name, cell in read.rows("lldp-med").get(index, {}).items()}
        capabilities = _capabilities(row.get("capabilities"))
        named = words(row.get("name"))
        if named and "telephone" in capabilities:  # which may be called as its user is
            named = observe.names.user(named)
        yield observe(
            "neighbour_name",
            named or chassis,
            method={
                **passport,
                "protocol": "lldp",
                "interface": _local(read, index),
                "chassis": chassis,
                "port": _identifier(row, "port", _PORT_MAC),
                "port_description": words(row.get("port_descr")),
                "description": words(row.get("descr")),
                "capabilities": capabilities,
                **med,
            },
        )
    for index, row in list(cdp.items())[:LISTED_MOST]:
        duplex = number(row.get("duplex"))
        yield observe(
            "neighbour_name",
            words(row.get("name")),
            method={
                **passport,
                "protocol": "cdp",
                "interface": read.name(index[0] if index else 0),
                "port": words(row.get("port")),
                "description": words(row.get("platform")),
                "duplex": None if duplex is None else mib.DUPLEX_WORDS.get(duplex, "unknown"),
            },
        )


def _local(read: Read, index: Oid) -> str:
    """Our own port's name, from the second part of lldpRemIndex."""
    port = index[1] if len(index) > 1 else 0
    row = read.rows("lldp-local").get((port,), {})
    return words(row.get("descr")) or words(row.get("id")) or f"LLDP port {port}"


def _identifier(row: Mapping[str, Cell], name: str, mac_kind: int) -> str | None:
    cell = row.get(name)
    kind = number(row.get(f"{name}_kind"))
    return None if cell is None else mib.identifier(kind, cell.varbind.octets, mac_kind)


def _capabilities(cell: Cell | None) -> list[str]:
    octets = cell.varbind.octets if cell else None
    if not octets:
        return []
    return [word for place, word in enumerate(_CAPABILITIES) if octets[0] & 0x80 >> place]
