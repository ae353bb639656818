"""Router redundancy: which router carries each group, and how often that changes hands.

VRRP (RFC 5798), HSRP (RFC 2281), GLBP. A change is a hello as master or active from another
router than the last one that spoke so; a coup or a resignation is counted by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from nethealth.model.observation import Scalar
from nethealth.passive.analysis import Fact, Units
from nethealth.passive.packets import FRAGMENT_NONE, Packets
from nethealth.passive.series import BIN_S, Series, Tallies
from nethealth.wire import redundancy
from nethealth.wire.errors import WireError

UNITS: Units = {
    "redundancy_message_count": "packets",
    "redundancy_change_count": "changes",
    "redundancy_change_per_bin_max": "changes",
    "redundancy_state_change_count": "changes",
}
_GROUPS_MAX = 4096
_ROUTERS_MAX = 32
_FORWARDING = ("master", "active")

Key = tuple[str, int, int]  # protocol, VLAN, group


@dataclass(slots=True)
class _Group:
    carrier: str | None = None
    carriers: list[str] = field(default_factory=list)
    changes: int = 0
    first_ns: int | None = None
    coups: int = 0
    resignations: int = 0
    messages: int = 0
    states: dict[str, str] = field(default_factory=dict)
    state_changes: int = 0
    address: str | None = None


class RedundancyAnalysis:
    """Groups by protocol, VLAN and number."""

    def __init__(self, *, bin_s: float = BIN_S) -> None:
        self._groups: dict[Key, _Group] = {}
        self._messages: Tallies[str] = Tallies()
        self._series = Series(round(bin_s * 1e9))

    def feed(self, packets: Packets) -> None:
        whole = packets.fragment == FRAGMENT_NONE
        vrrp = whole & (packets.protocol == redundancy.VRRP_IP_PROTOCOL)
        for row in packets.rows(vrrp & (packets.transport_at >= 0)):
            at, most = int(packets.transport_at[row]), int(packets.transport_octets[row])
            self._hear("vrrp", packets, row, packets.octets_of(row, at, most))
        port = packets.destination_port
        hsrp = (port == redundancy.HSRP_PORT) | (port == redundancy.HSRP_IPV6_PORT)
        for name, mask in (("hsrp", hsrp), ("glbp", port == redundancy.GLBP_PORT)):
            for row in packets.rows(mask & packets.is_udp & whole):
                self._hear(name, packets, row, packets.payload(row))

    def _hear(self, name: str, packets: Packets, row: int, octets: bytes) -> None:
        try:
            hello = _PARSERS[name](octets)
        except WireError:
            return
        self._messages.add(hello.protocol)
        key = (hello.protocol, int(packets.vlan[row]), hello.group)
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= _GROUPS_MAX:
                return
            group = self._groups[key] = _Group()
        self._see(group, hello, packets.source_text(row), int(packets.time_ns[row]))

    def _see(
        self, group: _Group, hello: redundancy.RedundancyHello, router: str, time_ns: int
    ) -> None:
        group.messages += 1
        group.address = hello.address or group.address
        group.coups += hello.opcode == "coup"
        group.resignations += hello.opcode == "resign" or hello.state == "resigned"
        before = group.states.get(router)
        if before is not None and before != hello.state:
            group.state_changes += 1
        if before is not None or len(group.states) < _ROUTERS_MAX:
            group.states[router] = hello.state
        if hello.state not in _FORWARDING:
            return
        if group.carrier is not None and group.carrier != router:
            group.changes += 1
            self._series.add(time_ns)
            if group.first_ns is None:
                group.first_ns = time_ns
        group.carrier = router
        if router not in group.carriers and len(group.carriers) < _ROUTERS_MAX:
            group.carriers.append(router)

    def finish(self) -> Iterator[Fact]:
        for protocol in sorted(self._messages.counts):
            yield Fact(
                "redundancy_message_count",
                self._messages.counts[protocol],
                method={"protocol": protocol},
            )
        for (protocol, vlan, number), group in sorted(self._groups.items()):
            method: dict[str, Scalar] = {
                "protocol": protocol,
                "group": number,
                "vlan": None if vlan < 0 else vlan,
                "address": group.address,
            }
            yield Fact(
                "redundancy_change_count",
                group.changes,
                samples=group.messages,
                method={
                    **method,
                    "routers": list(group.carriers),
                    "coups": group.coups,
                    "resignations": group.resignations,
                },
                time_ns=group.first_ns,
            )
            yield Fact(
                "redundancy_state_change_count",
                group.state_changes,
                samples=group.messages,
                method=method,
            )
        yield from self._series.facts("redundancy_change_per_bin_max")


_PARSERS = {
    "vrrp": redundancy.parse_vrrp,
    "hsrp": redundancy.parse_hsrp,
    "glbp": redundancy.parse_glbp,
}
