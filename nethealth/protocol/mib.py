"""Where the tables stand that are read by SNMP, and what the numbers in them mean.

Columns by name, as in the MIB without its prefix. Read in RFC 2863 (IF-MIB), RFC 3635
(EtherLike-MIB), RFC 4188 (BRIDGE-MIB), RFC 4318 (RSTP-MIB), RFC 4363 (Q-BRIDGE-MIB), RFC 4293
(IP-MIB), RFC 3621 (POWER-ETHERNET-MIB), RFC 4805 (DS1-MIB), RFC 1628 (UPS-MIB), RFC 3433
(ENTITY-SENSOR-MIB), RFC 6933 (ENTITY-MIB), IEEE 802.1AB (LLDP-MIB), ANSI/TIA-1057 (LLDP-MED),
CISCO-CDP-MIB, CISCO-ENVMON-MIB and PowerNet-MIB (APC).
"""

from collections.abc import Mapping, Sequence

from nethealth.protocol.snmp import Oid

Columns = Mapping[str, Oid]


def _under(root: str, columns: Mapping[str, int | str]) -> Columns:
    return {name: oid(f"{root}.{last}") for name, last in columns.items()}


def oid(dotted: str) -> Oid:
    """A dotted OID as numbers."""
    return tuple(int(part) for part in dotted.strip(".").split("."))


SYSTEM = _under(
    "1.3.6.1.2.1.1", {"descr": "1.0", "object_id": "2.0", "name": "5.0", "location": "6.0"}
)

_IF, _IFX = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
IF_NAMES: Columns = {**_under(_IF, {"descr": 2}), **_under(_IFX, {"name": 1})}
INTERFACES: Columns = {
    **_under(_IF, {"type": 3, "speed": 5, "admin": 7, "oper": 8, "last_change": 9}),
    **_under(_IFX, {"high_speed": 15, "alias": 18}),
}
DISCONTINUITY: Columns = _under(_IFX, {"discontinuity": 19})
INTERFACE_64: Columns = _under(
    _IFX,
    {
        "in_octets": 6, "in_unicast": 7, "in_multicast": 8, "in_broadcast": 9,
        "out_octets": 10, "out_unicast": 11, "out_multicast": 12, "out_broadcast": 13,
    },
)  # fmt: skip
INTERFACE_32: Columns = {  # for a device, or a slow interface, without the ones above
    **_under(_IF, {"in_octets": 10, "in_unicast": 11, "out_octets": 16, "out_unicast": 17}),
    **_under(_IFX, {"in_multicast": 2, "in_broadcast": 3, "out_multicast": 4, "out_broadcast": 5}),
}
INTERFACE_FAULTS: Columns = _under(
    _IF, {"in_discards": 13, "in_errors": 14, "out_discards": 19, "out_errors": 20}
)
_DOT3 = "1.3.6.1.2.1.10.7.2.1"
ETHERNET: Columns = _under(
    _DOT3,
    {
        "alignment_errors": 2, "fcs_errors": 3, "single_collisions": 4, "multiple_collisions": 5,
        "late_collisions": 8, "excessive_collisions": 9,
    },
)  # fmt: skip
DUPLEX: Columns = _under(_DOT3, {"duplex": 19})

_BRIDGE = "1.3.6.1.2.1.17"
SPANNING_TREE = _under(
    f"{_BRIDGE}.2", {"since_change": "3.0", "changes": "4.0", "root": "5.0", "root_port": "7.0"}
)
BRIDGE_PORTS = _under(f"{_BRIDGE}.1.4.1", {"if_index": 2})
STP_PORTS: Columns = {
    **_under(f"{_BRIDGE}.2.15.1", {"state": 3, "forward_transitions": 10}),
    **_under(f"{_BRIDGE}.2.19.1", {"edge": 3}),
}
FORWARDING = _under(f"{_BRIDGE}.4", {"learned_discards": "1.0", "ageing": "2.0"})
FDB = _under(f"{_BRIDGE}.4.3.1", {"port": 2, "status": 3})
VLAN_FDB = _under(f"{_BRIDGE}.7.1.2.2.1", {"port": 2, "status": 3})
ARP = _under("1.3.6.1.2.1.4.22.1", {"mac": 2})
ARP_NEW = _under("1.3.6.1.2.1.4.35.1", {"mac": 4})

_LLDP = "1.0.8802.1.1.2.1"
LLDP_LOCAL = _under(f"{_LLDP}.3.7.1", {"id": 3, "descr": 4})
LLDP = _under(
    f"{_LLDP}.4.1.1",
    {
        "chassis_kind": 4, "chassis": 5, "port_kind": 6, "port": 7, "port_descr": 8,
        "name": 9, "descr": 10, "capabilities": 12,
    },
)  # fmt: skip
LLDP_MED = _under(
    f"{_LLDP}.5.4795.1.3.3.1",
    {"hardware": 1, "firmware": 2, "software": 3, "serial": 4, "manufacturer": 5, "model": 6},
)
CDP = _under("1.3.6.1.4.1.9.9.23.1.2.1.1", {"name": 6, "port": 7, "platform": 8, "duplex": 12})

# The base of RFC 3621; some collections hold a vendor's copy under another.
POE_PORTS = _under("1.3.6.1.2.1.105.1.1.1", {"admin": 3, "detection": 6, "class": 10, "denied": 12})
POE_SUPPLY = _under("1.3.6.1.2.1.105.1.3.1.1", {"power": 2, "status": 3, "consumption": 4})

E1_LINES = _under("1.3.6.1.2.1.10.18.6.1", {"elapsed": 3, "type": 5, "status": 10, "clock": 12})
E1_SECONDS: Columns = _under(
    "1.3.6.1.2.1.10.18.7.1",
    {"errored": 2, "severely_errored": 3, "unavailable": 5, "controlled_slip": 6},
)
E1_DAY: Columns = _under(
    "1.3.6.1.2.1.10.18.9.1",
    {"errored": 2, "severely_errored": 3, "unavailable": 5, "controlled_slip": 6},
)

UPS = _under(
    "1.3.6.1.2.1.33.1",
    {
        "battery_status": "2.1.0", "on_battery": "2.2.0", "minutes_left": "2.3.0",
        "charge": "2.4.0", "temperature": "2.7.0", "source": "4.1.0", "alarms": "6.1.0",
    },
)  # fmt: skip
APC_UPS = _under(
    "1.3.6.1.4.1.318.1.1.1",
    {"charge": "2.2.1.0", "temperature": "2.2.2.0", "ticks_left": "2.2.3.0",
     "replace": "2.2.4.0", "status": "4.1.1.0"},
)  # fmt: skip

SENSORS = _under(
    "1.3.6.1.2.1.99.1.1.1", {"type": 1, "scale": 2, "precision": 3, "value": 4, "status": 5}
)
ENTITIES = _under("1.3.6.1.2.1.47.1.1.1.1", {"descr": 2, "contained_in": 4, "name": 7})
APC_PROBES = _under(
    "1.3.6.1.4.1.318.1.1.10.2.3.2.1",
    {"name": 2, "status": 3, "temperature": 4, "unit": 5, "humidity": 6},
)
APC_PORTS = _under(
    "1.3.6.1.4.1.318.1.1.25.1.2.1", {"name": 3, "location": 4, "temperature": 6, "humidity": 7}
)
CISCO_TEMPERATURE = _under("1.3.6.1.4.1.9.9.13.1.3.1", {"descr": 2, "value": 3, "state": 6})

IF_STATUS = {
    1: "up", 2: "down", 3: "testing", 4: "unknown", 5: "dormant", 6: "not present",
    7: "lower layer down",
}  # fmt: skip
DUPLEX_WORDS = {1: "unknown", 2: "half", 3: "full"}
STP_STATE = {
    1: "disabled", 2: "blocking", 3: "listening", 4: "learning", 5: "forwarding", 6: "broken"
}  # fmt: skip
POE_DETECTION = {
    1: "disabled", 2: "searching", 3: "delivering", 4: "fault", 5: "test", 6: "other fault"
}  # fmt: skip
POE_STATUS = {1: "on", 2: "off", 3: "faulty"}
E1_CLOCK = {1: "loop", 2: "local", 3: "through", 4: "adaptive"}
E1_STATUS = (  # dsx1LineStatus: a sum of these, the first for 1
    "no alarm", "far end lost framing", "sending lost framing", "receiving AIS", "sending AIS",
    "loss of frame", "loss of signal", "looped back", "timeslot 16 AIS",
    "far end lost multiframe", "sending lost multiframe", "near end detects a test code",
    "other failure", "unavailable signal", "carrier equipment out of service",
    "payload AIS", "performance threshold",
)  # fmt: skip
UPS_BATTERY = {1: "unknown", 2: "normal", 3: "low", 4: "depleted"}
UPS_SOURCE = {
    1: "other", 2: "none", 3: "normal", 4: "bypass", 5: "battery", 6: "booster", 7: "reducer"
}  # fmt: skip
APC_STATUS = {2: "normal", 3: "battery"}
SENSOR_STATUS = {1: "ok", 2: "unavailable", 3: "non-operational"}
CELSIUS, PERCENT_HUMIDITY = 8, 9
_MAC_OCTETS = 6
_TEXT_MOST = 120


def text(octets: bytes | None) -> str | None:
    """What a device calls something, bounded and free of control characters; null for nothing."""
    if octets is None:
        return None
    words = octets[: 4 * _TEXT_MOST].decode("utf-8", "replace").strip("\0 \t\r\n")
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in words)
    return shown[:_TEXT_MOST] or None


def mac(octets: bytes | Sequence[int] | None) -> str | None:
    """A MAC address in the usual form; null unless it has six octets."""
    if octets is None or len(octets) != _MAC_OCTETS or not all(0 <= each < 256 for each in octets):
        return None
    return ":".join(f"{each:02x}" for each in octets)


def identifier(kind: int | None, octets: bytes | None, mac_kind: int) -> str | None:
    """A chassis or a port of LLDP, by its subtype: a MAC address, or text, or else octets."""
    if octets is None:
        return None
    if kind == mac_kind and (address := mac(octets)):
        return address
    return text(octets) if octets.isascii() else octets[:_TEXT_MOST].hex()


def bridge_id(octets: bytes | None) -> str | None:
    """Priority and MAC address of a bridge (IEEE 802.1D), as `8000.00:11:22:33:44:55`."""
    if octets is None or len(octets) != 2 + _MAC_OCTETS:
        return None
    return f"{octets[:2].hex()}.{mac(octets[2:])}"


def sensor_value(value: int, scale: int, precision: int) -> float | None:
    """What an ENTITY-SENSOR reads: value / 10^precision, in 10^(3*(scale - 9)) of its unit.

    Null where scale or precision are none that RFC 3433 has, or the value is its mark for one
    that is out of range.
    """
    if not (1 <= scale <= 17 and -8 <= precision <= 9) or abs(value) >= 1_000_000_000:
        return None
    return value * 10.0 ** (3 * (scale - 9) - max(precision, 0))


def fahrenheit(degrees: float) -> float:
    """Degrees Fahrenheit in degrees Celsius."""
    return (degrees - 32) * 5 / 9


def line_status(bits: int) -> str:
    """The alarms of an E1 in words, as dsx1LineStatus sums them."""
    words = [word for place, word in enumerate(E1_STATUS) if bits >> place & 1]
    return ", ".join(words) or "unknown"
