"""ARP: two owners of one address, announcements that nobody asked for, and how much there is.

RFC 826; RFC 5227 for probes, announcements and what a conflict is.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address

import numpy as np

from nethealth.passive.analysis import Fact, Units
from nethealth.passive.columns import Ints, mixed, u16, u32, u48
from nethealth.passive.packets import Packets
from nethealth.passive.phones import phone_maker
from nethealth.passive.series import BIN_S, KEYS_MAX, Series
from nethealth.passive.text import mac_text

UNITS: Units = {
    "arp_message_count": "packets",
    "arp_conflict_count": "packets",
    "arp_conflict_per_bin_max": "packets",
    "arp_claimant_count": "devices",
    "arp_gratuitous_count": "packets",
    "arp_gratuitous_per_bin_max": "packets",
}
ARP_TYPE = 0x0806
_OCTETS = 28
_ETHERNET_IPV4 = 0x0001_0800, 0x0604
_CLAIMANTS_SHOWN = 8
_CONFLICTS_SHOWN = 50


@dataclass(slots=True)
class _Address:
    """Who claimed an address: the first is taken for its owner, whoever is right."""

    owner: int
    owner_frames: int = 0
    others: dict[int, int] = field(default_factory=dict)
    first_conflict_ns: int | None = None
    changes: int = 0  # how often the claim went from one device to another
    last: int = 0


class ArpAnalysis:
    """Conflicts per address; a claim is an address that a sender gives as its own."""

    def __init__(self, *, bin_s: float = BIN_S) -> None:
        self._addresses: dict[int, _Address] = {}
        self._contested: list[int] = []  # of these, who has more than its owner
        self._messages = {"request": 0, "reply": 0, "other": 0}
        self._gratuitous = 0
        self._conflict_bins = Series(round(bin_s * 1e9))
        self._gratuitous_bins = Series(round(bin_s * 1e9))

    def feed(self, packets: Packets) -> None:
        octets = packets.octets
        rows = np.flatnonzero(packets.ethertype == ARP_TYPE)
        at = packets.network_at[rows]
        whole = at + _OCTETS <= packets.frame_end[rows]
        rows, at = rows[whole], at[whole]
        known = (u32(octets, at) == _ETHERNET_IPV4[0]) & (u16(octets, at + 4) == _ETHERNET_IPV4[1])
        rows, at = rows[known], at[known]
        if not len(rows):
            return
        operation = u16(octets, at + 6)
        sender_ip, target_ip = u32(octets, at + 14), u32(octets, at + 24)
        times = packets.time_ns[rows]
        requests, replies = int((operation == 1).sum()), int((operation == 2).sum())
        self._messages["request"] += requests
        self._messages["reply"] += replies
        self._messages["other"] += len(rows) - requests - replies
        gratuitous = (sender_ip == target_ip) & (sender_ip != 0)
        self._gratuitous += int(gratuitous.sum())
        self._gratuitous_bins.add_all(times[gratuitous])
        claims = np.flatnonzero((sender_ip != 0) & ((operation == 1) | (operation == 2)))
        if len(claims):
            self._claim(
                sender_ip[claims], u48(octets, at[claims] + 8).astype(np.int64), times[claims]
            )

    def _claim(self, ips: Ints, macs: Ints, times: Ints) -> None:
        """Claims in the order of time; alike ones are counted together."""
        key = mixed(ips, macs)
        _, first, inverse, counts = np.unique(
            key, return_index=True, return_inverse=True, return_counts=True
        )
        conflicting = np.zeros(len(first), np.bool_)
        order = np.argsort(first)
        places = first[order]
        for group, place, ip, mac, count in zip(
            order.tolist(),
            places.tolist(),
            ips[places].tolist(),
            macs[places].tolist(),
            counts[order].tolist(),
            strict=True,
        ):
            address = self._addresses.get(ip)
            if address is None:
                if len(self._addresses) >= KEYS_MAX:
                    continue
                address = self._addresses[ip] = _Address(mac, last=mac)
            if mac == address.owner:
                address.owner_frames += count
                continue
            conflicting[group] = True
            if mac in address.others or len(address.others) < KEYS_MAX:
                address.others[mac] = address.others.get(mac, 0) + count
            if address.first_conflict_ns is None:
                address.first_conflict_ns = int(times[place])
                self._contested.append(ip)
        if self._contested:
            self._changes(ips, macs)
        self._conflict_bins.add_all(times[conflicting[inverse]])

    def _changes(self, ips: Ints, macs: Ints) -> None:
        """How often the claimants of a contested address took turns: a fight, or one handover."""
        chosen = np.flatnonzero(np.isin(ips, self._contested))
        for ip, mac in zip(ips[chosen].tolist(), macs[chosen].tolist(), strict=True):
            address = self._addresses[ip]
            address.changes += address.last != mac
            address.last = mac

    def finish(self) -> Iterator[Fact]:
        for kind, count in self._messages.items():
            if count:
                yield Fact("arp_message_count", count, method={"operation": kind})
        contested = sorted(
            ((ip, each) for ip, each in self._addresses.items() if each.others),
            key=lambda pair: -sum(pair[1].others.values()),
        )
        total = sum(sum(each.others.values()) for _, each in contested)
        yield Fact(
            "arp_conflict_count",
            total,
            samples=sum(self._messages.values()),
            method={"addresses_contested": len(contested), "addresses": len(self._addresses)},
        )
        for ip, each in contested[:_CONFLICTS_SHOWN]:
            others = [mac for mac, _ in Counter(each.others).most_common(_CLAIMANTS_SHOWN)]
            yield Fact(
                "arp_claimant_count",
                1 + len(each.others),
                samples=each.owner_frames + sum(each.others.values()),
                method={
                    "address": str(IPv4Address(ip)),
                    "first_claimant": mac_text(each.owner),
                    "first_claimant_packets": each.owner_frames,
                    "other_claimants": [mac_text(mac) for mac in others],
                    "other_claimants_packets": [each.others[mac] for mac in others],
                    "telephone_makers": [
                        phone_maker(mac_text(mac)) for mac in (each.owner, *others)
                    ],
                    "changes": each.changes,
                },
                time_ns=each.first_conflict_ns,
            )
        yield Fact("arp_gratuitous_count", self._gratuitous)
        yield from self._conflict_bins.facts("arp_conflict_per_bin_max")
        yield from self._gratuitous_bins.facts("arp_gratuitous_per_bin_max")
