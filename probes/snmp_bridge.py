"""What a switch knows of its tree and of who is where: spanning tree, forwarding table, ARP."""

from collections import defaultdict
from collections.abc import Iterator

from nethealth.model.observation import Observation, Passport
from nethealth.model.probe import Observer
from nethealth.protocol import mib
from nethealth.protocol.snmp import Oid
from probes.snmp_counters import counter, counter_units
from probes.snmp_reader import Read, Want, number

SPANNING_TREE = Want(
    scalars=mib.SPANNING_TREE,
    tables={"bridge-ports": mib.BRIDGE_PORTS},
    counters={"stp-ports": mib.STP_PORTS},
)
FORWARDING = Want(
    scalars=mib.FORWARDING,
    tables={"bridge-ports": mib.BRIDGE_PORTS, "vlan-fdb": mib.VLAN_FDB, "fdb": mib.FDB},
    instead={"fdb": "vlan-fdb"},
)
ARP = Want(tables={"arp": mib.ARP, "arp-new": mib.ARP_NEW}, instead={"arp-new": "arp"})
ADDRESSES_MOST = 8  # listed at one port: an access port has a phone and what hangs on it
ARP_LISTED_MOST = 256
_LEARNED = 3
_MAC_OCTETS, _IPV4_OCTETS = 6, 4

UNITS: dict[str, str | None] = {
    "spanning_tree_since_change_s": "s",
    "spanning_tree_changes_count": "changes",
    "spanning_tree_root": None,
    "spanning_tree_root_port": None,
    "spanning_tree_port_state": None,
    "spanning_tree_port_edge": None,
    **counter_units("spanning_tree_port_forward_transitions", "transitions"),
    "forwarding_entry_count": "addresses",
    "forwarding_port_address_count": "addresses",
    "forwarding_address_twice_count": "addresses",
    "forwarding_learned_discards_count": "addresses",
    "forwarding_ageing_s": "s",
    "arp_entry_count": "addresses",
    "arp_entry": None,
}


def spanning_tree(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    """The tree as this switch sees it, and the state of each of its ports."""
    get = {name: read.scalars.get(f"spanning-tree.{name}") for name in mib.SPANNING_TREE}
    since, changes = number(get["since_change"]), number(get["changes"])
    if since is not None:
        yield observe("spanning_tree_since_change_s", since / 100, method=passport)
    if changes is not None:
        yield observe("spanning_tree_changes_count", changes, method=passport)
    root = get["root"]
    if root is not None and (named := mib.bridge_id(root.varbind.octets)):
        yield observe("spanning_tree_root", named, method=passport)
    root_port = number(get["root_port"])
    if root_port is not None:
        # Port 0 is none: the switch itself is the root.
        shown = "itself" if root_port == 0 else _port(read, root_port)
        yield observe("spanning_tree_root_port", shown, method=passport)
    for index, row in read.rows("stp-ports").items():
        place = {**passport, "interface": _port(read, index[0] if index else 0)}
        state, edge = number(row.get("state")), number(row.get("edge"))
        if state is None or state == 1:  # disabled: nothing is plugged in
            continue
        yield observe("spanning_tree_port_state", mib.STP_STATE.get(state, "unknown"), method=place)
        if edge in (1, 2):  # TruthValue
            yield observe("spanning_tree_port_edge", edge == 1, method=place)
        pair = read.pairs("stp-ports", index).get("forward_transitions")
        if pair is not None:
            yield from counter(
                observe, "spanning_tree_port_forward_transitions", pair, place, most_per_s=None
            )


def forwarding(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    """How many addresses were learned at each port, and which, where they are few."""
    learned = read.rows("vlan-fdb") or read.rows("fdb")
    places: dict[int, set[str]] = defaultdict(set)
    ports: dict[str, set[int]] = defaultdict(set)
    for index, row in learned.items():
        address, port = mib.mac(index[-_MAC_OCTETS:]), number(row.get("port"))
        # Port 0 is an address learned at no port of this bridge (RFC 4188).
        if address is None or not port or number(row.get("status")) not in (None, _LEARNED):
            continue
        places[port].add(address)
        ports[address].add(port)
    if learned:
        yield observe("forwarding_entry_count", len(ports), method=passport)
        twice = sorted(address for address, found in ports.items() if len(found) > 1)
        yield observe(
            "forwarding_address_twice_count",
            len(twice),
            method={**passport, "addresses": twice[:ADDRESSES_MOST]},
        )
    for port, addresses in sorted(places.items()):
        few = sorted(addresses) if len(addresses) <= ADDRESSES_MOST else []
        yield observe(
            "forwarding_port_address_count",
            len(addresses),
            method={**passport, "interface": _port(read, port), "addresses": few},
        )
    for name, unit_name in (
        ("learned_discards", "forwarding_learned_discards_count"),
        ("ageing", "forwarding_ageing_s"),
    ):
        value = number(read.scalars.get(f"forwarding.{name}"))
        if value is not None:
            yield observe(unit_name, value, method=passport)


def arp(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    """Which MAC address this device holds each IPv4 address to be at."""
    known: dict[tuple[str, int], str] = {}
    for table in ("arp", "arp-new"):
        for index, row in read.rows(table).items():
            cell = row.get("mac")
            address = _ipv4(table, index)
            owner = mib.mac(cell.varbind.octets if cell else None)
            if address and owner:
                known[(address, index[0])] = owner
    if known:
        yield observe(
            "arp_entry_count", len(known),
            method={**passport, "listed": min(len(known), ARP_LISTED_MOST)},
        )  # fmt: skip
    for (address, if_index), owner in list(known.items())[:ARP_LISTED_MOST]:
        yield observe(
            "arp_entry", owner, method={**passport, "ip": address, "interface": read.name(if_index)}
        )


def _ipv4(table: str, index: Oid) -> str | None:
    """The address of a row: ifIndex.address, in the newer table ifIndex.1.4.address."""
    if table == "arp-new" and index[1:3] != (1, _IPV4_OCTETS):
        return None
    octets = index[3:] if table == "arp-new" else index[1:]
    if len(octets) != _IPV4_OCTETS or not all(0 <= each < 256 for each in octets):
        return None
    return ".".join(map(str, octets))


def _port(read: Read, port: int) -> str:
    """The interface behind a port of the bridge."""
    if_index = number(read.rows("bridge-ports").get((port,), {}).get("if_index"))
    return f"bridge port {port}" if if_index is None else read.name(if_index)
