"""Which checks an asset gets, from its kind, its list `checks` and its tables."""

from collections.abc import Collection, Iterable, Mapping

from nethealth.model.check import ProbeKind, SnmpGroup
from nethealth.model.inventory import Asset

# What this version can measure, in the order in which an asset's checks are planned.
PLANNED_KINDS: tuple[ProbeKind, ...] = (
    "ping", "tcp", "dns", "http", "sip", "call", "route", "path-mtu", "stamp",
    "coexistence",
    "snmp",
    "sip-alg", "nat",
)  # fmt: skip
# Made of our own reflector alone: they send an INVITE, or have it speak.
WITNESSED_KINDS: tuple[ProbeKind, ...] = ("sip-alg", "nat")
# What rings somewhere is never planned for a table alone: the list `checks` has to say so.
ONLY_WHERE_LISTED: frozenset[str] = frozenset({"call"})
DNS_RECORD_TYPES = ("A", "AAAA", "SRV", "NAPTR", "PTR", "MX", "TXT", "CNAME", "NS", "SOA")

_BY_ASSET_KIND: Mapping[str, tuple[ProbeKind, ...]] = {
    "pbx": ("ping", "sip"),
    "sbc": ("ping", "sip"),
    "gateway": ("ping", "sip"),
    "reflector": ("ping", "stamp"),
    "service": (),
}
# What is worth reading of each by SNMP; of everything else, its interfaces and sensors.
SNMP_GROUPS: Mapping[str, tuple[SnmpGroup, ...]] = {
    "switch": (
        "interfaces", "ethernet", "spanning-tree", "forwarding", "neighbours", "poe", "sensors"
    ),
    "router": ("interfaces", "ethernet", "arp", "neighbours", "sensors"),
    "pbx": ("interfaces", "ethernet", "e1", "sensors"),
    "gateway": ("interfaces", "ethernet", "e1", "sensors"),
    "sensor": ("sensors", "ups"),
}  # fmt: skip
SNMP_GROUPS_ELSE: tuple[SnmpGroup, ...] = ("interfaces", "sensors", "ups")


def probe_kinds(
    asset_kind: str, checks: Iterable[str] | None, tables: Collection[str]
) -> tuple[ProbeKind, ...]:
    """The kinds that are planned: those listed, else those of the asset's kind and its tables.

    A service is what its tables say, a web page where it has none; everything else is also
    pinged. A call has to be listed: its table only says what may be called. Kinds that this
    version cannot measure are left out.
    """
    if checks is not None:
        wanted = set(checks)
    else:
        wanted = {*_BY_ASSET_KIND.get(asset_kind, ("ping",)), *tables} - ONLY_WHERE_LISTED
        if not wanted.intersection(PLANNED_KINDS):
            wanted.add("http")
    return tuple(kind for kind in PLANNED_KINDS if kind in wanted)


def tables_of(asset: Asset) -> tuple[ProbeKind, ...]:
    """The probe kinds of which the asset has a table."""
    return tuple(kind for kind in PLANNED_KINDS if getattr(asset, field_of(kind), None) is not None)


def field_of(kind: ProbeKind) -> str:
    """The model's name for the table of a kind, whose hyphen no field can have."""
    return kind.replace("-", "_")
