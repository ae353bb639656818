"""How much a site's line carried, moment by moment, as its router counts it, or the port to it.

The router is the asset that has the site's gateway's address, or one of kind `router`; of its
interfaces the one that threw frames away while it was full, else that which carried most. Of a
switch it is a port at whose other end a router says to be. What the line can carry is what the
inventory declares, else the interface's own speed.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from nethealth.diagnosis.device import Device, Rated
from nethealth.diagnosis.evidence import number
from nethealth.diagnosis.lan import Lan
from nethealth.model.observation import Observation
from nethealth.quality.counters import octets_most_per_s

FULL = 0.8  # of what the line can carry: above it queues grow (handbook 5, mechanism 14)
_TOGETHER_S = 5.0  # the counters of both directions are read in one answer, or in the next
_OCTET_BITS = 8


@dataclass(frozen=True)
class Carried:
    """One interval between two readings: bits a second each way, and frames thrown away."""

    from_: datetime
    to: datetime
    in_bps: float
    out_bps: float
    discards: float | None
    seen: tuple[Observation, ...]


@dataclass(frozen=True)
class Line:
    """A site's line by one interface of its router; capacities in bit/s, None where unknown."""

    device: Device
    interface: str
    down_bps: float | None
    up_bps: float | None
    declared: bool
    carried: tuple[Carried, ...]

    def filled(self, one: Carried) -> float | None:
        """The bits a second of the direction that filled the line; None where none did.

        Which of in and out is down depends on the side of the router that is read: a line of two
        speeds counts as full where the faster one is, or where both ways fill the slower one.
        """
        known = [bps for bps in (self.down_bps, self.up_bps) if bps]
        if not known:
            return None
        most, least = max(one.in_bps, one.out_bps), min(one.in_bps, one.out_bps)
        if most >= FULL * max(known):
            return most
        return least if least >= FULL * min(known) else None


def line_of(lan: Lan) -> Line | None:
    """The line of a site, if its router was read at least twice, or the port that leads to it."""
    routers = [device for device in lan.devices if _routes(lan, device)]
    found = [line for device in routers for line in _lines(lan, device, device.interfaces)]
    if not found:
        found = [
            line
            for device in lan.devices
            for line in _lines(lan, device, tuple(filter(device.routed, device.interfaces)))
        ]
    return max(found, key=_busiest, default=None)


def _routes(lan: Lan, device: Device) -> bool:
    asset = lan.evidence.assets.get(device.place.asset or "")
    site = lan.evidence.site_facts.get(device.place.site or "")
    if asset is None:
        return device.host.gateway
    at_gateway = site is not None and site.gateway is not None and asset.address == site.gateway
    return asset.kind == "router" or at_gateway


def _lines(lan: Lan, device: Device, interfaces: Sequence[str]) -> Iterator[Line]:
    site = lan.evidence.site_facts.get(lan.place.site or "")
    down = site.wan_down_mbps if site is not None else None
    up = site.wan_up_mbps if site is not None else None
    for interface in interfaces:
        speed = device.now("interface_speed_bps", interface=interface)
        own_bps = None if speed is None else number(speed)
        carried = tuple(_carried(device, interface, own_bps))
        if carried:
            yield Line(
                device,
                interface,
                down * 1e6 if down else own_bps,
                up * 1e6 if up else own_bps,
                bool(down or up),
                carried,
            )


def _carried(device: Device, interface: str, own_bps: float | None) -> Iterator[Carried]:
    most = None if not own_bps else octets_most_per_s(own_bps)
    inward = device.rates("interface_in_octets", most, interface=interface)
    outward = device.rates("interface_out_octets", most, interface=interface)
    thrown = device.rates("interface_out_discards", None, interface=interface)
    for one in inward:
        other = _beside(one, outward)
        if other is None:
            continue
        lost = _beside(one, thrown)
        yield Carried(
            one.from_,
            one.to,
            one.per_s * _OCTET_BITS,
            other.per_s * _OCTET_BITS,
            None if lost is None else lost.increase,
            (*one.seen, *other.seen, *(lost.seen if lost is not None else ())),
        )


def _beside(one: Rated, others: Sequence[Rated]) -> Rated | None:
    near = timedelta(seconds=_TOGETHER_S)
    first = bisect_left(others, one.from_ - near, key=lambda each: each.from_)
    for each in islice(others, first, None):
        if each.from_ > one.from_ + near:
            return None
        if abs(each.to - one.to) <= near:
            return each
    return None


def _busiest(line: Line) -> tuple[bool, float, str, str]:
    """Where frames were thrown away while the line was full goes before all others.

    More arrives from within the site than a full line takes: the port that carried most is not it.
    """
    throws = any(one.discards and line.filled(one) is not None for one in line.carried)
    most = max(max(one.in_bps, one.out_bps) for one in line.carried)
    return throws, most, line.device.place.key, line.interface
