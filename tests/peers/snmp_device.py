"""What a switch, a gateway and a server room would say by SNMP, as lines for `snmpd.write_table`.

OIDs are written out as the MIBs have them, so that they are no copy of those under test.
"""

from tests.peers.snmpd import Entry

IF, IFX, DOT3 = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1", "1.3.6.1.2.1.10.7.2.1"
ROOTS = (
    ".1.3.6.1.2.1.1.3", ".1.3.6.1.2.1.2.2", ".1.3.6.1.2.1.31.1.1", ".1.3.6.1.2.1.10",
    ".1.3.6.1.2.1.17", ".1.3.6.1.2.1.4.22", ".1.3.6.1.2.1.105", ".1.3.6.1.2.1.33",
    ".1.3.6.1.2.1.47", ".1.3.6.1.2.1.99", ".1.0.8802.1.1.2", ".1.3.6.1.4.1.318", ".1.3.6.1.4.1.9",
)  # fmt: skip
Table = dict[str, Entry]


def integer(value: int) -> Entry:
    return "integer", str(value)


def counter(value: int) -> Entry:
    return "counter", str(value)


def wide(value: int) -> Entry:
    return "counter64", str(value)


def string(value: str) -> Entry:
    return "string", value


def octets(value: str) -> Entry:
    """Octets as hexadecimal digits, with or without colons."""
    digits = value.replace(":", "")
    return "octet", " ".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def uptime(seconds: float) -> Table:
    return {"1.3.6.1.2.1.1.3.0": ("timeticks", str(round(seconds * 100)))}


def started(moment_s: float) -> Table:
    """An uptime that runs on, since a Unix time."""
    return {"1.3.6.1.2.1.1.3.0": ("boot", f"{moment_s:.2f}")}


def interface(
    index: int,
    name: str,
    *,
    mbps: int = 1000,
    oper: int = 1,
    counters: dict[int, int] | None = None,
    narrow: dict[int, int] | None = None,
) -> Table:
    """`counters` by column of ifXTable (64 bits), `narrow` by column of ifTable (32 bits)."""
    return {
        f"{IF}.2.{index}": string(f"port {name}"),
        f"{IF}.3.{index}": integer(6),
        f"{IF}.5.{index}": ("gauge", str(mbps * 1_000_000)),
        f"{IF}.7.{index}": integer(1),
        f"{IF}.8.{index}": integer(oper),
        f"{IF}.9.{index}": ("timeticks", "100"),
        **{f"{IF}.{column}.{index}": counter(value) for column, value in (narrow or {}).items()},
        f"{IFX}.1.{index}": string(name),
        **{f"{IFX}.{column}.{index}": wide(value) for column, value in (counters or {}).items()},
        f"{IFX}.15.{index}": ("gauge", str(mbps)),
        f"{IFX}.18.{index}": string(f"desk {index}"),
        f"{IFX}.19.{index}": ("timeticks", "0"),
    }


def ethernet(index: int, *, duplex: int, fcs: int = 0, late: int = 0) -> Table:
    return {
        f"{DOT3}.2.{index}": counter(0),
        f"{DOT3}.3.{index}": counter(fcs),
        f"{DOT3}.8.{index}": counter(late),
        f"{DOT3}.19.{index}": integer(duplex),
    }


def sensor(
    index: int, name: str, value: int, *, scale: int = 9, precision: int = 1, kind: int = 8
) -> Table:
    """A row of ENTITY-SENSOR-MIB (kind 8: degrees Celsius, 9: percent of relative humidity)."""
    root = "1.3.6.1.2.1.99.1.1.1"
    return {
        f"1.3.6.1.2.1.47.1.1.1.1.2.{index}": string("sensor"),
        f"1.3.6.1.2.1.47.1.1.1.1.4.{index}": integer(1),
        f"1.3.6.1.2.1.47.1.1.1.1.7.{index}": string(name),
        f"{root}.1.{index}": integer(kind),
        f"{root}.2.{index}": integer(scale),
        f"{root}.3.{index}": integer(precision),
        f"{root}.4.{index}": integer(value),
        f"{root}.5.{index}": integer(1),
    }
