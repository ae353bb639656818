"""A site's switch: what hangs at its ports, and what each port sends and takes in, each moment.

Every device sends frames of its own; the switch sends a broadcast out of every other port, and
multicast too where nothing tells it who wants it. Two ports that are joined behind the switch send
back to one what went out of the other, again and again, until the slower of the two is full; so do
two ports whose telephones, without power, send back all that they are sent.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["broadcast", "multicast"]
DeviceKind = Literal["phone", "pc", "server", "printer", "camera", "access-point", "uplink", "pbx"]
BROADCAST_OCTETS = 90  # of a mean frame of ARP, DHCP and names, with what a wire adds to it
UNICAST_OCTETS = 500
MULTICAST_OCTETS = 240  # G.711 in packets of 20 ms, on a wire


@dataclass
class Talk:
    """Frames a second that something sends while `now` says so."""

    kind: Kind
    per_s: float
    begins_s: float = -1e9
    ends_s: float = 1e9

    def at(self, time_s: float) -> float:
        return self.per_s if self.begins_s <= time_s < self.ends_s else 0.0


@dataclass
class Device:
    """What hangs at a port, and what it sends; `gets_per_s` is the unicast that it is sent."""

    kind: DeviceKind
    mac: str
    sends_per_s: float = 20.0
    gets_per_s: float = 25.0
    talks: list[Talk] = field(default_factory=list)
    announces: bool = True  # by LLDP or CDP
    duplex: str = "full"
    member: bool = False  # of the multicast groups, by IGMP
    dark_from_s: float = 1e9  # without power from then on, so that it announces nothing
    poe_class: int | None = None
    draws_w: float = 0.0

    def sends(self, kind: Kind, time_s: float) -> float:
        return sum(talk.at(time_s) for talk in self.talks if talk.kind == kind)


@dataclass
class Port:
    """A port; `broken_share` is of incoming frames that a bad cable breaks."""

    name: str
    devices: list[Device] = field(default_factory=list)
    speed_bps: float = 1e9
    duplex: str = "full"
    edge: bool | None = True
    broken_share: float = 0.0
    started_s: float | None = None  # its link came up: it listens and learns, 15 s each
    in_load_bps: Callable[[float], float] = lambda _: 0.0  # beyond what its devices send
    out_load_bps: Callable[[float], float] = lambda _: 0.0

    def state(self, time_s: float) -> str:
        """What the tree lets the port do; an edge port forwards at once."""
        since_s = 1e9 if self.started_s is None else time_s - self.started_s
        if self.edge or not 0 <= since_s < 30:
            return "forwarding"
        return "listening" if since_s < 15 else "learning"

    @property
    def phone(self) -> Device | None:
        return next((one for one in self.devices if one.kind == "phone"), None)

    def frames_most(self, octets: float) -> float:
        return self.speed_bps / 8 / octets


@dataclass
class Ring:
    """Ports that give back what they are sent, two or more: joined, or without power behind them.

    `efficiency` is the share of the slowest port's rate that circulates; `control_per_s` is the
    limit of storm control, where the switch has one.
    """

    ports: tuple[str, ...]
    begins_s: float
    ends_s: float
    efficiency: float = 0.7
    control_per_s: float | None = None

    def turns(self, time_s: float) -> bool:
        return self.begins_s <= time_s < self.ends_s


@dataclass
class Moment:
    """Frames and octets a second at one port."""

    in_unicast: float
    out_unicast: float
    in_broadcast: float
    out_broadcast: float
    in_multicast: float
    out_multicast: float
    in_octets: float
    out_octets: float
    out_beyond: float = 0.0  # octets a second that did not fit, and were thrown away


@dataclass
class Switch:
    """One switch that is read by SNMP."""

    asset: str
    ports: list[Port]
    snoops: bool = False  # and there is a querier, so that multicast goes to members alone
    rings: list[Ring] = field(default_factory=list)
    relays: list[Ring] = field(default_factory=list)  # single ports that give back what they get
    tree_changes_s: list[float] = field(default_factory=list)
    root: str = "8000:00:1b:54:00:00:01"
    root_before: str | None = None
    has_tree: bool = True
    poe_w: float | None = None
    supply_status: str = "on"
    forgotten: set[str] = field(default_factory=set)  # addresses that it has not heard for long
    floods: Callable[[float], float] = lambda _: 0.0

    def port(self, name: str) -> Port:
        return next(port for port in self.ports if port.name == name)

    def phones(self) -> list[Port]:
        return [port for port in self.ports if port.phone is not None]

    def ring_at(self, time_s: float) -> Ring | None:
        return next((ring for ring in self.rings if ring.turns(time_s)), None)

    def circulating(self, ring: Ring) -> float:
        """Frames a second that one of the joined ports takes in, of all kinds that are flooded."""
        slowest = min(self.port(name).frames_most(BROADCAST_OCTETS) for name in ring.ports)
        full = slowest * ring.efficiency
        return full if ring.control_per_s is None else min(full, ring.control_per_s)

    def at(self, time_s: float, busy: float) -> dict[str, Moment]:
        """What each port sends and takes in, with the site as busy as that."""
        sent = {
            kind: {
                port.name: sum(one.sends(kind, time_s) for one in port.devices)
                for port in self.ports
            }
            for kind in ("broadcast", "multicast")
        }
        into, out = self._spread(sent, time_s)
        found = {}
        for port in self.ports:
            unicast_in = busy * sum(one.sends_per_s for one in port.devices)
            unicast_out = busy * sum(one.gets_per_s for one in port.devices) + self.floods(time_s)
            name = port.name
            broadcasts, multicasts = into["broadcast"][name], into["multicast"][name]
            more_in, more_out = port.in_load_bps(time_s) / 8, port.out_load_bps(time_s) / 8
            going_out = (
                unicast_out * UNICAST_OCTETS
                + out["broadcast"][name] * BROADCAST_OCTETS
                + out["multicast"][name] * MULTICAST_OCTETS
                + more_out
            )
            room = port.speed_bps / 8
            found[name] = Moment(
                unicast_in + more_in / 1000, unicast_out + more_out / 1000, broadcasts,
                out["broadcast"][name], multicasts, out["multicast"][name],
                unicast_in * UNICAST_OCTETS + broadcasts * BROADCAST_OCTETS
                + multicasts * MULTICAST_OCTETS + more_in,
                min(room, going_out), max(0.0, going_out - room),
            )  # fmt: skip
        return found

    def _spread(
        self, sent: dict[str, dict[str, float]], time_s: float
    ) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
        """Frames into and out of each port by kind, with all that comes back."""
        into = {kind: dict(by_port) for kind, by_port in sent.items()}
        ring = self.ring_at(time_s)
        if ring is not None:
            total = sum(sum(by_port.values()) for by_port in sent.values()) or 1.0
            round_per_s = self.circulating(ring)
            for by_port in into.values():
                share = sum(by_port.values()) / total
                for name in ring.ports:
                    by_port[name] += share * round_per_s
        for relay in self.relays:
            if relay.turns(time_s):
                for by_port in into.values():
                    for name in relay.ports:
                        others = sum(value for port, value in by_port.items() if port != name)
                        most = self.port(name).frames_most(BROADCAST_OCTETS)
                        by_port[name] = min(most, others)
        out: dict[str, dict[str, float]] = {"broadcast": {}, "multicast": {}}
        for kind, by_port in into.items():
            whole = sum(by_port.values())
            for port in self.ports:
                wanted = kind == "broadcast" or not self.snoops or self._wants(port)
                others = whole - by_port[port.name] if wanted else 0.0
                out[kind][port.name] = min(others, port.frames_most(BROADCAST_OCTETS))
        return into, out

    def _wants(self, port: Port) -> bool:
        return any(one.member or one.kind == "uplink" for one in port.devices)
