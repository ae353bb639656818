"""The estate of a simulated council: sites with a line, a switch, telephones, and people at work.

Drawn anew for each history: how many sites and telephones, how fast each line, at what hour of
which day it is measured, and what each device chatters about. Nothing here is at fault.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from nethealth.model.inventory import Asset, AssetKind, Site
from tests.scenarios.book import COUNCIL, Book
from tests.scenarios.lan import BROADCAST_OCTETS, Device, DeviceKind, Port, Switch, Talk
from tests.scenarios.line import Line
from tests.scenarios.probing import Local
from tests.scenarios.rhythm import office

NAMES = ("hall", "depot", "library", "mill", "quay")
_PHONE_MACS = ("00:1b:54", "00:04:f2", "08:00:0f", "00:1b:ba")  # makers of telephones
_PC_MACS = ("3c:52:82", "d4:be:d9", "10:65:30")
_LINES_BPS = ((20e6, 4e6), (40e6, 10e6), (80e6, 20e6), (100e6, 100e6))
# What an old set's processor bears of broadcasts before it neglects its calls (handbook 5, 10).
_SET_BEARS_PER_S = 500.0


SOURCES = (
    "ping", "snmp", "neighbours", "spanning-tree", "forwarding", "coexistence", "sip", "capture",
    "events",
)  # fmt: skip


@dataclass
class Frame:
    """One frame of a capture: when, in seconds since the run began, and its octets."""

    at_s: float
    octets: bytes


@dataclass
class SiteWorld:
    """One site as it is."""

    id: str
    upstream: str
    line: Line
    switch: Switch
    subnet: int
    inside: Callable[[float], Local] = lambda _: Local()  # what its own network adds
    down: Callable[[float], bool] = lambda _: False  # without power at that moment
    frames: list[Frame] = field(default_factory=list)
    # What a log tells: kind, when, and the asset if it is one.
    logged: list[tuple[str, float, str | None]] = field(default_factory=list)
    holes: list[tuple[float, float]] = field(default_factory=list)  # the line was cut
    notes: list[Callable[["World", Book, int, float], None]] = field(default_factory=list)

    def address(self, host: int) -> str:
        return f"198.18.{self.subnet}.{host}"


@dataclass
class World:
    """Everything that a run could see, and what the run does see of it (`sources`)."""

    random: np.random.Generator
    started: datetime
    sites: dict[str, SiteWorld]
    rounds: int = 2
    interval_s: float = 300.0
    sources: set[str] = field(default_factory=lambda: set(SOURCES))
    overflow: int = 0
    lag_s: float = 0.001
    earlier_s: float | None = -3600.0

    def busy(self, at_s: float) -> float:
        return office(self.started + timedelta(seconds=at_s))

    def site(self, id_: str) -> SiteWorld:
        return self.sites[id_]

    def any_site(self) -> SiteWorld:
        return self.sites[str(self.random.choice(sorted(self.sites)))]

    def between(self, low: float, high: float) -> float:
        return float(self.random.uniform(low, high))

    def about(self, value: float, spread: float = 0.3) -> float:
        """A value that scatters by so much of itself (log-normal)."""
        return float(value * np.exp(spread * self.random.standard_normal()))

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)


def mac(random: np.random.Generator, kind: DeviceKind) -> str:
    makers = _PHONE_MACS if kind == "phone" else _PC_MACS
    head = makers[int(random.integers(len(makers)))]
    tail = ":".join(f"{int(random.integers(256)):02x}" for _ in range(3))
    return f"{head}:{tail}"


def device(random: np.random.Generator, kind: DeviceKind) -> Device:
    """One device with the chatter of its kind."""
    usual = {"phone": 0.3, "pc": 0.8, "server": 1.5, "printer": 0.5, "camera": 0.2,
             "access-point": 4.0, "uplink": 6.0, "pbx": 0.5}[kind]  # fmt: skip
    many = {"uplink": 900.0, "server": 200.0, "access-point": 150.0, "camera": 90.0}.get(kind, 20.0)
    spread = float(np.exp(0.4 * random.standard_normal()))
    return Device(
        kind, mac(random, kind), many * spread, many * spread * 1.2,
        [Talk("broadcast", usual * spread), Talk("multicast", usual * 0.6 * spread)],
        announces=kind in {"phone", "access-point", "uplink"},
    )  # fmt: skip


def site_world(random: np.random.Generator, id_: str, number: int, phones: int) -> SiteWorld:
    down, up = _LINES_BPS[int(random.integers(len(_LINES_BPS)))]
    line = Line(down, up, float(random.uniform(0.003, 0.02)), down, up)
    ports = [Port("Gi0/1", [device(random, "uplink")], edge=False)]
    ports += [
        Port(f"Gi0/{at + 2}", [device(random, "phone"), device(random, "pc")],
             speed_bps=1e8 if random.random() < 0.5 else 1e9)
        for at in range(phones)
    ]  # fmt: skip
    kinds: tuple[DeviceKind, ...] = ("server", "pbx", "printer", "access-point")
    for kind in kinds:
        ports.append(Port(f"Gi0/{len(ports) + 1}", [device(random, kind)]))
    switch = Switch(f"{id_}-switch", ports, snoops=bool(random.random() < 0.5))
    return SiteWorld(id_, f"provider-{'abc'[number % 3]}", line, switch, number + 1)


def world(seed: int, names: Sequence[str] | None = None) -> World:
    """An estate in which all is well, of these sites or of two to four that are drawn."""
    random = np.random.default_rng(seed)
    count = int(random.integers(2, 5))
    day = datetime(2026, 10, 5, tzinfo=UTC) + timedelta(days=int(random.integers(0, 42)))
    started = day + timedelta(seconds=int(random.integers(7 * 3600, 19 * 3600)))
    drawn_names = [NAMES[int(at)] for at in random.permutation(len(NAMES))[:count]]
    order = drawn_names if names is None else list(names)
    drawn = {
        id_: site_world(random, id_, at, int(random.integers(3, 7))) for at, id_ in enumerate(order)
    }
    return World(random, started, drawn, rounds=int(random.integers(2, 4)))


def known(site: SiteWorld) -> tuple[Site, list[Asset]]:
    """What the inventory says of a site."""
    line = site.line
    kinds: tuple[tuple[str, AssetKind, int], ...] = (
        ("switch", "switch", 2), ("pbx", "pbx", 10), ("server", "server", 20),
        ("phone", "phone", 100), ("reflector", "reflector", 30), ("gateway", "gateway", 11),
        ("room", "sensor", 40), ("ups", "sensor", 41), ("router", "router", 1),
    )  # fmt: skip
    assets = [
        Asset(id=f"{site.id}-{what}", site=site.id, kind=kind, address=site.address(host),
              owner="ICT", legacy=kind in {"pbx", "gateway"})
        for what, kind, host in kinds
    ]  # fmt: skip
    place = Site(
        id=site.id, council=COUNCIL, name=f"{site.id.title()} House", gateway=site.address(1),
        upstream=site.upstream, wan_down_mbps=line.declared_down_bps / 1e6,
        wan_up_mbps=line.declared_up_bps / 1e6,
    )  # fmt: skip
    return place, assets


def strain(site: SiteWorld, kind: str, at_s: float, busy: float) -> Local:
    """What the site's own LAN does to packets for one of its hosts at that moment."""
    moments = site.switch.at(at_s, busy)
    port = next(
        (port for port in site.switch.ports if any(one.kind == kind for one in port.devices)),
        site.switch.ports[0],
    )
    now = moments[port.name]
    full = (now.out_octets + now.out_beyond) * 8 / port.speed_bps
    loss = max(0.0, 1 - 0.97 / full) if full > 0.97 else 0.0
    broadcasts = now.out_broadcast
    if kind == "phone" and broadcasts > _SET_BEARS_PER_S:
        loss = max(loss, min(0.9, 0.1 * (broadcasts / _SET_BEARS_PER_S - 1)))
    wait_s = 0.004 * full / max(0.05, 1 - full) if full < 0.97 else 0.02
    wire = max(one.out_broadcast for one in moments.values()) * BROADCAST_OCTETS * 8
    if wire > 0.2 * 1e8:  # the switch's own processor, and every host's
        loss, wait_s = max(loss, 0.05), wait_s + 0.03
    return Local(loss, wait_s)
