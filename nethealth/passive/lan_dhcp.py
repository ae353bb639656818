"""DHCP: what is asked and answered, which telephones ask where, and clients that go in circles."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from nethealth.passive.analysis import Fact, Units
from nethealth.passive.packets import Packet, Packets
from nethealth.passive.phones import is_phone_class, phone_maker
from nethealth.passive.series import BIN_S, KEYS_MAX, Series, Tallies
from nethealth.wire import dhcp
from nethealth.wire.errors import WireError

UNITS: Units = {
    "dhcp_message_count": "packets",
    "dhcp_message_per_bin_max": "packets",
    "dhcp_client_count": "clients",
    "dhcp_unanswered_client_count": "clients",
    "dhcp_phone_client_count": "clients",
    "dhcp_scope_client_count": "clients",
    "dhcp_cycle_count": "cycles",
    "dhcp_cycle_median_s": "s",
    "dhcp_server_count": "servers",
}
_PORTS = (dhcp.SERVER_PORT, dhcp.CLIENT_PORT)
_CYCLES_SHOWN = 20
_CYCLES_MIN = 3  # DISCOVERs after a lease: fewer are a restart or two
_STARTS_MAX = 64
_TRANSACTION_S = 60  # DISCOVERs this close with one transaction number are one try
_CLASSES_SHOWN = 20
_PHONES_SHOWN = 200
_SCOPES_SHOWN = 20
_LOCAL_BIT = 0x02  # of a MAC address that nobody assigned: most mobile devices make one up


@dataclass(slots=True)
class _Client:
    """One MAC address, as far as it asked."""

    discovers: int = 0
    acks: int = 0
    naks: int = 0
    releases: int = 0
    transaction: int | None = None
    last_discover_ns: int = 0
    starts_ns: list[int] = field(default_factory=list)  # of separate tries
    vlans: set[int] = field(default_factory=set)
    vendor_class: str | None = None
    scope: tuple[int, str] = (-1, "")  # where it asked last: VLAN, and the relay that passed it on
    asked: set[tuple[int, str]] = field(default_factory=set)
    leased: dict[tuple[int, str], str] = field(default_factory=dict)  # the address, by where
    refused: set[tuple[int, str]] = field(default_factory=set)

    def is_phone(self, mac: str) -> bool:
        return is_phone_class(self.vendor_class) or phone_maker(mac) is not None


class DhcpAnalysis:
    """A client is a MAC address. A try is a DISCOVER of a new transaction."""

    def __init__(self, *, bin_s: float = BIN_S) -> None:
        self._bin_ns = round(bin_s * 1e9)
        self._counts: Counter[str] = Counter()
        self._bins: dict[str, Series] = {}
        self._clients: dict[str, _Client] = {}
        self._servers: Tallies[str] = Tallies()

    def feed(self, packets: Packets) -> None:
        source, destination = packets.source_port, packets.destination_port
        mask = (source == _PORTS[0]) | (source == _PORTS[1])
        mask |= (destination == _PORTS[0]) | (destination == _PORTS[1])
        for packet in packets.messages(mask & packets.is_udp, _wanted):
            try:
                message = dhcp.parse(packet.payload)
            except WireError:
                continue
            self._hear(message, packet)

    def _hear(self, message: dhcp.DhcpMessage, packet: Packet) -> None:
        kind = message.message_type or "BOOTP"
        self._counts[kind] += 1
        self._bins.setdefault(kind, Series(self._bin_ns)).add(packet.time_ns)
        if kind in ("OFFER", "ACK", "NAK"):
            self._servers.add(message.server or packet.source)
        client = self._clients.get(message.client_mac)
        if client is None:
            if len(self._clients) >= KEYS_MAX:
                return
            client = self._clients[message.client_mac] = _Client()
        if message.operation == 1:
            client.vendor_class = message.vendor_class or client.vendor_class
            if len(client.vlans) < _STARTS_MAX:
                client.vlans.add(packet.vlan)
        self._scope(client, message, kind, packet.vlan)
        if kind == "DISCOVER":
            self._discover(client, message.transaction, packet.time_ns)
        client.acks += kind == "ACK"
        client.naks += kind == "NAK"
        client.releases += kind == "RELEASE"

    @staticmethod
    def _scope(client: _Client, message: dhcp.DhcpMessage, kind: str, vlan: int) -> None:
        """Where it asked, and what came of it there; an answer belongs to where it asked last."""
        if kind == "DISCOVER" or (kind == "REQUEST" and not client.asked):
            client.scope = (vlan, message.relay_ip or "")
            if len(client.asked) < _STARTS_MAX:
                client.asked.add(client.scope)
        if kind == "ACK" and message.your_ip is not None and client.scope in client.asked:
            client.leased[client.scope] = message.your_ip
        if kind == "NAK" and client.scope in client.asked:
            client.refused.add(client.scope)
        if kind == "RELEASE":
            client.leased = {
                scope: each for scope, each in client.leased.items() if each != message.client_ip
            }

    @staticmethod
    def _discover(client: _Client, transaction: int, time_ns: int) -> None:
        client.discovers += 1
        again = client.transaction == transaction
        again &= time_ns - client.last_discover_ns < _TRANSACTION_S * 1_000_000_000
        client.transaction, client.last_discover_ns = transaction, time_ns
        if not again and len(client.starts_ns) < _STARTS_MAX:
            client.starts_ns.append(time_ns)

    def finish(self) -> Iterator[Fact]:
        for kind in sorted(self._counts):
            count = self._counts[kind]
            yield Fact("dhcp_message_count", count, samples=count, method={"message_type": kind})
        if not self._counts:
            return
        yield Fact("dhcp_client_count", len(self._clients))
        asking = [each for each in self._clients.values() if each.discovers]
        yield Fact(
            "dhcp_unanswered_client_count",
            sum(not each.acks for each in asking),
            samples=len(asking),
            method={"clients_refused": sum(each.naks > 0 for each in self._clients.values())},
        )
        top, _ = self._servers.top(_CLASSES_SHOWN)
        yield Fact(
            "dhcp_server_count",
            len(self._servers.counts),
            method={"servers": [server for server, _ in top], "packets": [n for _, n in top]},
        )
        yield from self._phones()
        yield from self._scopes()
        yield from self._cycles()
        for kind in sorted(self._bins):
            yield from self._bins[kind].facts("dhcp_message_per_bin_max", {"message_type": kind})

    def _phones(self) -> Iterator[Fact]:
        """Telephones by VLAN: which of them is the data VLAN, the inventory knows."""
        by_vlan: dict[int, list[str]] = {}
        macs: dict[int, list[str]] = {}
        leased: dict[int, list[str]] = {}
        for mac, client in self._clients.items():
            if client.is_phone(mac):
                for vlan in client.vlans:
                    kind = client.vendor_class or phone_maker(mac) or ""
                    by_vlan.setdefault(vlan, []).append(kind)
                    macs.setdefault(vlan, []).append(mac)
                    leased.setdefault(vlan, []).extend(
                        address for (where, _), address in client.leased.items() if where == vlan
                    )
        for vlan in sorted(by_vlan):
            kinds = Counter(by_vlan[vlan]).most_common(_CLASSES_SHOWN)
            yield Fact(
                "dhcp_phone_client_count",
                len(by_vlan[vlan]),
                method={
                    "vlan": None if vlan < 0 else vlan,
                    "kinds": [kind for kind, _ in kinds],
                    "kind_clients": [count for _, count in kinds],
                    "macs": sorted(macs[vlan])[:_PHONES_SHOWN],
                    "leased_addresses": sorted(leased[vlan])[:_PHONES_SHOWN],
                },
            )

    def _scopes(self) -> Iterator[Fact]:
        """Of each scope, who was given a lease in it and who was not, telephones apart."""
        scopes = {scope for client in self._clients.values() for scope in client.asked}
        asked = {scope: [0, 0] for scope in scopes}  # others, telephones
        leased = {scope: [0, 0] for scope in scopes}
        refused = {scope: [0, 0] for scope in scopes}
        twice, random = dict.fromkeys(scopes, 0), dict.fromkeys(scopes, 0)
        for mac, client in self._clients.items():
            phone = client.is_phone(mac)
            for scope in client.asked:
                asked[scope][phone] += 1
                leased[scope][phone] += scope in client.leased
                refused[scope][phone] += scope in client.refused
                twice[scope] += phone and scope in client.leased and len(client.leased) > 1
                random[scope] += bool(int(mac[:2], 16) & _LOCAL_BIT)
        for scope in sorted(scopes, key=lambda each: (-sum(asked[each]), each))[:_SCOPES_SHOWN]:
            vlan, relay = scope
            yield Fact(
                "dhcp_scope_client_count",
                sum(asked[scope]),
                method={
                    "vlan": None if vlan < 0 else vlan,
                    "relay": relay or None,
                    "phones": asked[scope][1],
                    "phones_leased": leased[scope][1],
                    "phones_leased_elsewhere_too": twice[scope],
                    "phones_refused": refused[scope][1],
                    "others_leased": leased[scope][0],
                    "others_refused": refused[scope][0],
                    "local_macs": random[scope],
                },
            )

    def _cycles(self) -> Iterator[Fact]:
        """Clients that begin again and again although they are given leases."""
        circling = sorted(
            (
                (mac, client)
                for mac, client in self._clients.items()
                if len(client.starts_ns) >= _CYCLES_MIN and client.acks
            ),
            key=lambda each: -len(each[1].starts_ns),
        )
        for mac, client in circling[:_CYCLES_SHOWN]:
            starts = client.starts_ns
            gaps = sorted(later - sooner for sooner, later in pairwise(starts))
            method = {
                "mac": mac,
                "vendor_class": client.vendor_class,
                "vlans": sorted(vlan for vlan in client.vlans if vlan >= 0),
                "releases": client.releases,
            }
            yield Fact(
                "dhcp_cycle_count", len(starts), method=method, time_ns=starts[0],
            )  # fmt: skip
            yield Fact(
                "dhcp_cycle_median_s",
                gaps[len(gaps) // 2] / 1e9,
                samples=len(gaps),
                method={"mac": mac},
            )


def _wanted(packet: Packet) -> bool:
    return packet.source_port in _PORTS or packet.destination_port in _PORTS
