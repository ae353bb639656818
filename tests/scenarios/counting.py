"""What a switch says by SNMP: counters that have run since it started, read twice, and its tables.

A counter is the integral of a rate, with the chance of single frames (Poisson). The broken frames
of a bad cable go with the frames that come in, whatever the duplex. Where one end runs at half
duplex and the other at full, the half end counts late collisions in proportion to what both send at
once, and the full end the stumps of the same frames as broken.
"""

from dataclasses import dataclass

import numpy as np

from tests.scenarios.book import Book
from tests.scenarios.lan import UNICAST_OCTETS, Device, Moment, Port, Switch

STEMS = (
    "in_octets", "out_octets", "in_unicast", "out_unicast", "in_multicast", "out_multicast",
    "in_broadcast", "out_broadcast",
)  # fmt: skip
WAIT_S = 10.0  # between the two readings of a check
_SAMPLES = 4
_TELEPHONE = ("bridge", "telephone")
_CLASS_W = (15.4, 4.0, 7.0, 15.4, 30.0)  # what a switch sets aside by class (IEEE 802.3af, at)


@dataclass
class Reading:
    """How one switch is read in this run: what is left out, and how long it has been up."""

    neighbours: bool = True
    stp: bool = True
    forwarding: bool = True
    uptime_s: float = 4e6


class Counters:
    """Every counter of a switch, followed from reading to reading."""

    def __init__(self, random: np.random.Generator, switch: Switch, busy: float) -> None:
        self._random = random
        self._switch = switch
        self._busy = busy
        self._counts: dict[tuple[str, str], int] = {}
        self._read_s: float | None = None

    def advance(self, time_s: float) -> None:
        """Let the counters run until then."""
        first_s = time_s if self._read_s is None else self._read_s
        span_s = time_s - first_s
        self._read_s = time_s
        if not self._counts:
            for port in self._switch.ports:
                for stem in (*STEMS, *_FAULTS):
                    most = 10 if stem in _FAULTS else 2**31
                    self._counts[port.name, stem] = int(self._random.integers(0, most))
        if span_s <= 0:
            return
        moments = [
            self._switch.at(first_s + span_s * (at + 0.5) / _SAMPLES, self._busy)
            for at in range(_SAMPLES)
        ]
        for port in self._switch.ports:
            seen = [moment[port.name] for moment in moments]
            for stem in STEMS:
                mean = sum(getattr(one, stem) for one in seen) / len(seen)
                self._counts[port.name, stem] += self._grown(mean * span_s)
            for stem, per_s in _faults(port, seen).items():
                self._counts[port.name, stem] += self._grown(per_s * span_s)

    def value(self, port: str, stem: str) -> int:
        return self._counts[port, stem]

    def add(self, port: str, stem: str, count: int) -> None:
        self._counts[port, stem] = self._counts.get((port, stem), 0) + count

    def _grown(self, mean: float) -> int:
        if mean > 1e6:
            return int(self._random.normal(mean, mean**0.5))
        return int(self._random.poisson(max(0.0, mean)))


_FAULTS = (
    "ethernet_fcs_errors", "ethernet_alignment_errors", "ethernet_late_collisions",
    "in_errors", "in_discards", "out_discards",
)  # fmt: skip


def _faults(port: Port, seen: list[Moment]) -> dict[str, float]:
    """Faults a second at a port; `port.duplex` is this end's, the device's the other's."""
    into = sum(one.in_unicast + one.in_broadcast + one.in_multicast for one in seen) / len(seen)
    out = sum(one.out_unicast + one.out_broadcast + one.out_multicast for one in seen) / len(seen)
    frame_s = UNICAST_OCTETS * 8 / port.speed_bps
    broken = into * port.broken_share
    # Two frames meet when one begins while the other is on the wire: rate by rate by frame time.
    meeting = 2 * into * out * frame_s
    other = port.devices[0].duplex if port.devices else port.duplex
    late = cut = 0.0
    if port.duplex == "half" and other == "full":
        late = meeting * 0.5  # beyond the first 64 octets of a frame of some 500
    elif port.duplex == "full" and other == "half":
        cut = meeting
    full = [one.out_beyond / UNICAST_OCTETS for one in seen]
    return {
        "ethernet_fcs_errors": broken + cut * 0.7,
        "ethernet_alignment_errors": broken * 0.05 + cut * 0.3,
        "ethernet_late_collisions": late,
        "in_errors": broken + cut,
        "in_discards": 0.0,
        "out_discards": sum(full) / len(full),
    }


def read(
    book: Book, random: np.random.Generator, switch: Switch, counters: Counters, at_s: float,
    how: Reading,
) -> None:  # fmt: skip
    """One check `snmp` of a switch: its counters twice, and its tables once."""
    check = book.check("snmp", at_s, asset=switch.asset, lasts_s=WAIT_S + 4)
    counters.advance(at_s)
    first = {
        (port.name, stem): counters.value(port.name, stem)
        for port in switch.ports
        for stem in (*STEMS, *_FAULTS)
    }
    counters.advance(at_s + WAIT_S)
    later_s = at_s + WAIT_S
    book.see(check, "snmp_response_delay_median_s", float(random.uniform(0.002, 0.02)), samples=40)
    book.see(check, "snmp_security", "v3 authPriv", authentication="SHA-1", privacy="AES-128")
    book.see(check, "uptime_s", how.uptime_s + at_s, at_s)
    for port in switch.ports:
        _interface(book, check, port, counters, first, later_s)
    if switch.has_tree and how.stp:
        _tree(book, check, switch, at_s)
    if switch.poe_w is not None:
        _power(book, random, check, switch, counters, later_s)
    if how.neighbours:
        _neighbours(book, check, switch, at_s)
    if how.forwarding:
        _forwarding(book, check, switch, at_s)


def past(book: Book, switch: Switch, counters: Counters, at_s: float, how: Reading) -> None:
    """What an earlier run left of the same switch: its counters, its uptime, its tree."""
    counters.advance(at_s)
    check = f"{switch.asset}:snmp"
    book.before(check, at_s, "uptime_s", how.uptime_s + at_s)
    for port in switch.ports:
        for stem in (*STEMS, *_FAULTS):
            name = stem if stem.startswith("ethernet") else f"interface_{stem}"
            book.before(check, at_s, f"{name}_count", counters.value(port.name, stem),
                        interface=port.name, bits=64)  # fmt: skip
    if switch.has_tree and how.stp:
        before = [change for change in switch.tree_changes_s if change < at_s]
        book.before(check, at_s, "spanning_tree_changes_count", 40 + len(before), bits=32)
        book.before(check, at_s, "spanning_tree_root", switch.root_before or switch.root)


def _interface(
    book: Book, check: str, port: Port, counters: Counters, first: dict[tuple[str, str], int],
    later_s: float,
) -> None:  # fmt: skip
    book.see(check, "interface_status", "up", interface=port.name, type=6, admin="up")
    book.see(check, "interface_speed_bps", port.speed_bps, interface=port.name)
    for stem in (*STEMS, *_FAULTS):
        name = stem if stem.startswith("ethernet") else f"interface_{stem}"
        value = counters.value(port.name, stem)
        increase = value - first[port.name, stem]
        book.see(check, f"{name}_count", value, later_s, interface=port.name, bits=64)
        book.see(check, f"{name}_per_s", increase / WAIT_S, later_s, samples=increase,
                 interface=port.name)  # fmt: skip
    book.see(check, "ethernet_duplex", port.duplex, interface=port.name)


def _tree(book: Book, check: str, switch: Switch, at_s: float) -> None:
    before = [change for change in switch.tree_changes_s if change <= at_s]
    since_s = at_s - max(before) if before else 9e5 + at_s
    book.see(check, "spanning_tree_changes_count", 40 + len(before))
    book.see(check, "spanning_tree_since_change_s", since_s)
    book.see(check, "spanning_tree_root", switch.root)
    for port in switch.ports:
        book.see(check, "spanning_tree_port_state", port.state(at_s), interface=port.name)
        if port.edge is not None:
            book.see(check, "spanning_tree_port_edge", port.edge, interface=port.name)


def _power(
    book: Book, random: np.random.Generator, check: str, switch: Switch, counters: Counters,
    later_s: float,
) -> None:  # fmt: skip
    """Power by class is set aside port after port, until the supply has no more to give."""
    left = switch.poe_w or 0.0
    drawn = 0.0
    given: dict[str, bool] = {}
    wanting = [port for port in switch.ports if any(d.poe_class is not None for d in port.devices)]
    for place in random.permutation(len(wanting)):  # whoever asks first, another each time
        port = wanting[int(place)]
        device = next(one for one in port.devices if one.poe_class is not None)
        aside = _CLASS_W[device.poe_class or 0]
        given[port.name] = aside <= left
        if given[port.name]:
            left, drawn = left - aside, drawn + device.draws_w
    book.see(check, "poe_supply_power_w", switch.poe_w, supply="1")
    book.see(check, "poe_supply_consumption_w", round(drawn), supply="1")
    book.see(check, "poe_supply_status", switch.supply_status, supply="1")
    for number, port in enumerate(wanting, 1):
        device = next(one for one in port.devices if one.poe_class is not None)
        place_name = f"1/{number}"
        status = "delivering" if given[port.name] else "searching"
        if given[port.name]:
            book.see(check, "poe_port_status", status, poe_port=place_name, enabled=True,
                     passport={"class": device.poe_class},)  # fmt: skip
        else:
            book.see(check, "poe_port_status", status, poe_port=place_name, enabled=True)
        # A port that is refused asks again every few seconds.
        asked = 0 if given[port.name] else int(random.poisson(WAIT_S / 4)) + 1
        counters.add(port.name, "poe_port_denied", asked)
        book.see(check, "poe_port_denied_count", counters.value(port.name, "poe_port_denied"),
                 later_s, poe_port=place_name, bits=32)  # fmt: skip
        book.see(check, "poe_port_denied_per_s", asked / WAIT_S, later_s, samples=asked,
                 poe_port=place_name)  # fmt: skip


def _neighbours(book: Book, check: str, switch: Switch, at_s: float) -> None:
    told = [
        (port, one)
        for port in switch.ports
        for one in port.devices
        if one.announces and at_s < one.dark_from_s + 120
    ]  # as long as LLDP is believed
    lldp = [(port, one) for port, one in told if one.kind in {"phone", "access-point", "uplink"}]
    book.see(check, "neighbour_count", len(lldp), lldp=len(lldp), cdp=0)
    for port, device in lldp:
        book.see(
            check, "neighbour_name", f"{device.kind} {device.mac[-5:]}", protocol="lldp",
            interface=port.name, chassis=device.mac, capabilities=_capabilities(device),
        )  # fmt: skip
    for port, device in told:
        if device.kind == "phone" and device.duplex != "full":
            book.see(check, "neighbour_name", f"SEP{device.mac.replace(':', '').upper()}",
                     protocol="cdp", interface=port.name, duplex=device.duplex)  # fmt: skip


def _capabilities(device: Device) -> tuple[str, ...]:
    known: dict[str, tuple[str, ...]] = {
        "phone": _TELEPHONE, "access-point": ("bridge", "access point"),
        "uplink": ("bridge", "router"),
    }  # fmt: skip
    return known.get(device.kind, ())


def _forwarding(book: Book, check: str, switch: Switch, at_s: float) -> None:
    """Where each address was last heard: what circulates is last heard at one of the joined ports.

    A telephone and what hangs on it are in two VLANs at one port, so that no address is at two.
    """
    ring = switch.ring_at(at_s)
    everyone = [one.mac for port in switch.ports for one in port.devices]
    here = [] if ring is None else list(ring.ports)
    total = 0
    for port in switch.ports:
        learned = [one.mac for one in port.devices]
        if here and port.name not in here:
            learned = learned[:1] if port.devices and at_s % 2 < 1 else []  # heard this moment
        elif any(port.name in relay.ports and relay.turns(at_s) for relay in switch.relays):
            learned = everyone  # whatever it was sent came back
        elif here:
            learned = everyone[here.index(port.name) :: len(here)]
        learned = [one for one in learned if one not in switch.forgotten]
        total += len(learned)
        few = sorted(learned) if len(learned) <= 8 else []
        book.see(check, "forwarding_port_address_count", len(learned), interface=port.name,
                 addresses=few)  # fmt: skip
    book.see(check, "forwarding_entry_count", total)
    book.see(check, "forwarding_address_twice_count", 0, addresses=[])
