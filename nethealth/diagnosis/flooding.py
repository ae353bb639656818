"""Unicast frames that reach ports they are not for, since the switch forgot where they belong.

A router keeps an ARP entry for hours, a switch its forwarding entry for 300 s (IEEE 802.1D's
default): what a quiet device is sent goes to every port until it speaks. A port that mirrors
others shows the same frames, and so do a table that is full, a tree that changed, and a cluster
that wants it so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from nethealth.diagnosis.capture import Capture, whole, words
from nethealth.diagnosis.device import Device
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, number
from nethealth.diagnosis.lan import Lan, surest
from nethealth.diagnosis.text import counted, listing, percent
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Observation

UNKNOWN_RATIO = 0.01  # of all unicast
PACKETS_LEAST = 100
DESTINATIONS_LEAST = 5  # one stream recorded one way says nothing of a switch
ONE_WAY_RATIO = 0.5  # of destinations that never speak: a mirror of one direction looks like it
# Network Load Balancing of Windows, whose cluster address is flooded on purpose.
_CLUSTER = ("02:bf:", "03:bf:")


def unicast_floods(places: Sequence[Lan]) -> Iterator[Finding]:
    """One `unknown-unicast-flood` for each network where frames for the silent pass."""
    yield from surest(_all(places))


def _all(places: Sequence[Lan]) -> Iterator[Finding]:
    for lan in places:
        evidence = lan.evidence
        for capture in lan.captures:
            flood = _Flood(lan, capture)
            enough = flood.ratio >= UNKNOWN_RATIO and flood.packets >= PACKETS_LEAST
            lone = flood.one_way and flood.destinations < DESTINATIONS_LEAST
            if enough and (not lone or flood.forgotten):
                yield _finding(evidence, lan, flood)


@dataclass(frozen=True, eq=False)
class _Flood:
    """What a capture saw for addresses that never spoke, beside the tables of the place."""

    lan: Lan
    capture: Capture

    @cached_property
    def total(self) -> Observation | None:
        return self.capture.first("unknown_unicast_packet_count")

    @property
    def packets(self) -> float:
        return 0.0 if self.total is None else number(self.total) or 0.0

    @property
    def ratio(self) -> float:
        unicast = 0 if self.total is None else self.total.samples or 0
        return self.packets / unicast if unicast > 0 else 0.0

    @property
    def one_way(self) -> bool:
        silent, all_of_them = (
            whole(self.total, "silent_destinations"),
            whole(self.total, "destinations"),
        )
        return (silent or 0) >= ONE_WAY_RATIO * (all_of_them or 1)

    @property
    def destinations(self) -> int:
        return whole(self.total, "destinations") or 0

    @cached_property
    def targets(self) -> dict[str, Observation]:
        """By MAC address, the most wanted first."""
        found = self.capture.all("unknown_unicast_destination_packet_count")
        ranked = sorted(found, key=lambda seen: (-(number(seen) or 0), seen.id))
        return {mac: seen for seen in ranked if isinstance(mac := seen.method.get("mac"), str)}

    @property
    def of_cluster(self) -> bool:
        top = next(iter(self.targets), "")
        return top.startswith(_CLUSTER)

    @property
    def tree_changes(self) -> float | None:
        """BPDUs that told of a change; None where no BPDU was heard."""
        if not self.capture.count("stp_bpdu_count"):
            return None
        return self.capture.count("stp_topology_change_count") or 0.0

    @cached_property
    def forwarded(self) -> dict[str, Observation]:
        """Targets whose port a switch of the place knows."""
        return {
            mac: seen
            for device in self.lan.devices
            for seen in device.all_now("forwarding_port_address_count")
            for mac in words(seen, "addresses")
            if mac in self.targets
        }

    @cached_property
    def remembered(self) -> dict[str, Observation]:
        """Targets that an ARP table of the place still holds."""
        return {
            mac: seen
            for device in self.lan.devices
            for seen in device.all_now("arp_entry")
            if (mac := str(seen.value)) in self.targets
        }

    @cached_property
    def forgotten(self) -> list[str]:
        """In an ARP table, and in no forwarding table of a switch whose every entry is listed."""
        if not any(_all_listed(device) for device in self.lan.devices):
            return []
        return [mac for mac in self.remembered if mac not in self.forwarded]

    @property
    def full(self) -> int:
        """Addresses that a switch could not learn for want of room."""
        grown = (device.growth("forwarding_learned_discards") for device in self.lan.devices)
        return sum(found.increase for found in grown if found is not None)


def _all_listed(device: Device) -> bool:
    entries = device.now("forwarding_entry_count")
    count = None if entries is None else number(entries)
    listed = {
        mac
        for seen in device.all_now("forwarding_port_address_count")
        for mac in words(seen, "addresses")
    }
    return count is not None and count > 0 and len(listed) >= count


def _finding(evidence: Evidence, lan: Lan, flood: _Flood) -> Finding:
    verdict = _verdict(flood)
    sure = verdict is Verdict.SUPPORTED
    targets = list(flood.targets)
    held = f" An ARP table still holds {listing(flood.forgotten)}." if sure else ""
    return draft(
        evidence,
        "unknown-unicast-flood",
        lan.place,
        f"{percent(flood.ratio)} of the unicast frames in a capture at {lan.place.name} "
        f"({counted(int(flood.packets), 'packet')}) are for devices that never spoke in it, first "
        f"{listing(targets, 3)}.{held}",
        times=flood.capture.span,
        seen=[
            flood.total, *flood.targets.values(), *flood.remembered.values(),
            *flood.forwarded.values(),
        ],
        verdict=verdict,
        direction=Direction.NETWORK_TO_TELEPHONY if sure else Direction.UNDETERMINED,
        refutations=_refutations(flood),
        missing=() if sure else (
            "whether the port is a mirror, or one that should get nothing of it",
            "the ARP table of the router and the forwarding table of the switch at that time",
        ),
        alternatives=(
            "a port that mirrors others", "a forwarding table that is full",
            "a cluster whose address is flooded on purpose",
        ),
    )  # fmt: skip


def _verdict(flood: _Flood) -> Verdict:
    if flood.of_cluster or flood.full or len(flood.forwarded) * 2 > len(flood.targets):
        return Verdict.CONTRADICTED
    if flood.forgotten and not flood.tree_changes:
        return Verdict.SUPPORTED
    return Verdict.INSUFFICIENT_DATA if flood.one_way else Verdict.SUGGESTIVE


def _refutations(flood: _Flood) -> tuple[Refutation, ...]:
    changes = flood.tree_changes
    if flood.forgotten:
        known = f"no: {listing(flood.forgotten)} stand in an ARP table and in no forwarding table"
    elif flood.forwarded:
        known = f"yes: it knows the port of {listing(list(flood.forwarded))}"
    else:
        known = "unknown: no table of a switch at the site tells"
    return (
        Refutation("Does the switch know where they are, so that the port is a mirror?", known),
        Refutation(
            "Did the spanning tree change, which empties the tables?",
            "unknown: no word of the tree was heard" if changes is None
            else f"yes: {counted(int(changes), 'message')} told of it" if changes
            else "no: nothing told of a change",
        ),
        Refutation(
            "Is a forwarding table full?",
            f"yes: {counted(flood.full, 'address', 'addresses')} could not be learned"
            if flood.full else "nothing says so",
        ),
        Refutation(
            "Is it a cluster that wants to be flooded?", "yes" if flood.of_cluster else "no"
        ),
        Refutation(
            "Does the capture show one direction alone?",
            "it may: most destinations never speak in it" if flood.one_way
            else "no: most destinations speak in it",
        ),
    )  # fmt: skip
