"""Addresses that two devices' ARP tables hold to be at different owners.

A table may be hours old, and an address may have moved lawfully: two tables that disagree are a
hint. One device whose table goes from one owner to another and back has seen both answer.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from nethealth.diagnosis.device import Device, devices, is_telephone
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Place
from nethealth.diagnosis.text import listing
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Observation

# Addresses that several routers share on purpose: VRRP (RFC 5798, 7.3), HSRP 1 and 2, GLBP, CARP.
SHARED = ("00:00:5e:00:01:", "00:00:5e:00:02:", "00:00:0c:07:ac:", "00:00:0c:9f:f", "00:07:b4:")
PROXY_LEAST = 8  # addresses at one owner: a router that answers for others (RFC 1027)
CHANGES_LEAST = 2  # there and back


@dataclass(frozen=True)
class _Claims:
    """Who owns one address, as each device has it, in the order of the rounds."""

    address: str
    by_device: Mapping[str, tuple[Observation, ...]]

    @property
    def owners(self) -> list[str]:
        return sorted({str(seen.value) for seen in self.seen})

    @property
    def seen(self) -> tuple[Observation, ...]:
        return tuple(seen for found in self.by_device.values() for seen in found)

    @property
    def flapping(self) -> bool:
        """Whether one device saw it go to another owner and come back."""
        for found in self.by_device.values():
            course = [owner for owner, _ in groupby(str(seen.value) for seen in found)]
            if len(course) > CHANGES_LEAST:
                return True
        return False


def address_conflicts(evidence: Evidence) -> Iterator[Finding]:
    """One `address-conflict` for each address with two owners at one site."""
    by_site: dict[str | None, list[Device]] = defaultdict(list)
    for device in devices(evidence):
        by_site[device.place.site].append(device)
    for site, group in by_site.items():
        claims = _claims(group)
        for address in sorted(claims):
            if len(claims[address].owners) > 1:
                yield _finding(evidence, site, group, claims[address])


def _claims(group: Sequence[Device]) -> Mapping[str, _Claims]:
    found: dict[str, dict[str, list[Observation]]] = defaultdict(lambda: defaultdict(list))
    addresses: dict[str, set[str]] = defaultdict(set)
    entries = [
        (device.place.key, address, seen)
        for device in group
        for one in device.rounds
        for seen in one.all("arp_entry")
        if isinstance(address := seen.method.get("ip"), str) and isinstance(seen.value, str)
    ]
    for _, address, seen in entries:
        addresses[str(seen.value)].add(address)
    for key, address, seen in entries:
        owner = str(seen.value)
        if not owner.startswith(SHARED) and len(addresses[owner]) < PROXY_LEAST:
            found[address][key].append(seen)
    return {
        address: _Claims(address, {key: tuple(seen) for key, seen in by.items()})
        for address, by in found.items()
    }


def _finding(
    evidence: Evidence, site: str | None, group: Sequence[Device], claims: _Claims
) -> Finding:
    near = evidence.site_place(site) if site is not None else group[0].place
    place = Place(f"{near.key}:{claims.address}", near.name, near.council, near.site)
    telephones = _telephones(group, claims.owners)
    wrong = bool(telephones) and not _is_of_telephone(evidence, claims.address)
    sure = claims.flapping
    direction = Direction.UNDETERMINED
    if sure and wrong and len(telephones) < len(claims.owners):
        direction = Direction.TELEPHONY_TO_NETWORK
    who = f" {listing(telephones)} is a telephone's." if telephones else ""
    return draft(
        evidence,
        "address-conflict",
        place,
        f"{claims.address} at {near.name} is held to be at {listing(claims.owners)}.{who}",
        seen=claims.seen,
        verdict=Verdict.SUPPORTED if sure else Verdict.SUGGESTIVE,
        direction=direction,
        refutations=(
            Refutation("Do routers share it on purpose?", "no: no owner is of VRRP or HSRP"),
            Refutation(
                "Did it move once, as a lease does?",
                "no: it went to another owner and came back" if sure
                else "it may have: each table holds one owner, and one may be old",
            ),
        ),
        missing=() if sure else ("an ARP request that both answer, sent on that network",),
        alternatives=("a device that was replaced", "a table that is hours old"),
    )  # fmt: skip


def _telephones(group: Sequence[Device], owners: Sequence[str]) -> list[str]:
    known = {
        seen.method.get("chassis")
        for device in group
        for seen in device.all_now("neighbour_name")
        if is_telephone(seen)
    }
    return [owner for owner in owners if owner in known]


def _is_of_telephone(evidence: Evidence, address: str) -> bool:
    return any(
        asset.address == address and asset.kind == "phone" for asset in evidence.assets.values()
    )
