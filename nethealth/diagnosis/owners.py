"""Addresses that two devices claim, by captures and by the ARP tables of devices.

A capture shows both claims as they are made. A table may be hours old, and an address may have
moved lawfully: two tables that disagree are a hint. One device whose table goes from one owner to
another and back has seen both answer. Which of the two is wrong is told only by who should have
the address.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise

from nethealth.diagnosis.capture import whole, words
from nethealth.diagnosis.device import Device
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence
from nethealth.diagnosis.lan import TELEPHONY_KINDS, Lan
from nethealth.diagnosis.text import counted, listing
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Observation

# Addresses that several routers share on purpose: VRRP (RFC 5798, 7.3), HSRP 1 and 2, GLBP, CARP.
SHARED = ("00:00:5e:00:01:", "00:00:5e:00:02:", "00:00:0c:07:ac:", "00:00:0c:9f:f", "00:07:b4:")
PROXY_LEAST = 8  # addresses at one owner: a router that answers for others (RFC 1027)
CHANGES_LEAST = 2  # there and back
BACK_WITHIN_S = 4 * 3600.0  # as long as routers keep an entry: leases are longer, and go round
CARDS_WITHIN = 8  # two MAC addresses this close are often two cards of one machine


@dataclass(frozen=True)
class _Claims:
    """Who claims one address: by each device's table in the order of rounds, and by captures."""

    address: str
    by_device: Mapping[str, tuple[Observation, ...]]
    captured: tuple[Observation, ...]
    times: tuple[datetime | None, ...]

    @property
    def owners(self) -> list[str]:
        tabled = {str(seen.value) for found in self.by_device.values() for seen in found}
        return sorted(tabled | {owner for seen in self.captured for owner in _claimants(seen)})

    @property
    def seen(self) -> tuple[Observation, ...]:
        tabled = (seen for found in self.by_device.values() for seen in found)
        return (*self.captured, *tabled)

    @property
    def turns(self) -> int:
        """How often a capture saw the claim go from one to another."""
        return max((whole(seen, "changes") or 0 for seen in self.captured), default=0)

    @property
    def flapping(self) -> bool:
        """Whether one observer saw it go to another owner and come back."""
        tabled = any(_there_and_back(found) for found in self.by_device.values())
        return tabled or self.turns >= CHANGES_LEAST


def _there_and_back(found: Sequence[Observation]) -> bool:
    """Whether one table went to another owner and back sooner than leases can go round."""
    held = [list(same) for _, same in groupby(found, key=lambda seen: str(seen.value))]
    return any(
        before[-1].t_s is not None
        and after[0].t_s is not None
        and before[-1].value == after[0].value
        and after[0].t_s - before[-1].t_s <= BACK_WITHIN_S
        for before, _, after in zip(held, held[1:], held[2:], strict=False)
    )


def address_conflicts(places: Sequence[Lan]) -> Iterator[Finding]:
    """One `address-conflict` for each address with two owners at one site."""
    for lan in places:
        evidence = lan.evidence
        claims = _claims(lan)
        for address in sorted(claims):
            if len(claims[address].owners) > 1:
                yield _finding(evidence, lan, claims[address])


def _claims(lan: Lan) -> Mapping[str, _Claims]:
    found = _tabled(lan.devices)
    captured, times = _captured(lan)
    return {
        address: _Claims(
            address,
            {key: tuple(seen) for key, seen in found.get(address, {}).items()},
            tuple(captured.get(address, ())),
            tuple(times.get(address, ())),
        )
        for address in {*found, *captured}
    }


def _tabled(devices: Sequence[Device]) -> Mapping[str, Mapping[str, list[Observation]]]:
    found: dict[str, dict[str, list[Observation]]] = defaultdict(lambda: defaultdict(list))
    addresses: dict[str, set[str]] = defaultdict(set)
    entries = [
        (device.place.key, address, seen)
        for device in devices
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
    return found


def _captured(
    lan: Lan,
) -> tuple[Mapping[str, list[Observation]], Mapping[str, list[datetime | None]]]:
    """What captures saw contested, but for what routers share and what one answers for many."""
    found: dict[str, list[Observation]] = defaultdict(list)
    times: dict[str, list[datetime | None]] = defaultdict(list)
    for capture in lan.captures:
        contested = capture.all("arp_claimant_count")
        many = Counter(owner for seen in contested for owner in set(_claimants(seen)))
        shared = {seen.method.get("address") for seen in capture.all("redundancy_change_count")}
        for seen in contested:
            address, owners = seen.method.get("address"), _claimants(seen)
            lawful = any(owner.startswith(SHARED) or many[owner] >= PROXY_LEAST for owner in owners)
            if isinstance(address, str) and address not in shared and not lawful:
                found[address].append(seen)
                times[address] += [capture.moment(seen), *capture.span[1:]]
    return found, times


def _claimants(seen: Observation) -> list[str]:
    first = seen.method.get("first_claimant")
    return [*([first] if isinstance(first, str) else []), *words(seen, "other_claimants")]


def _finding(evidence: Evidence, lan: Lan, claims: _Claims) -> Finding:
    telephones = _telephones(lan, claims)
    one_machine = _one_machine(claims.owners)
    sure = claims.flapping and not one_machine
    who = f" {listing(telephones)} is a telephone's." if telephones else ""
    times = [*claims.times, *([] if claims.times else _run(evidence))]
    told = lan.happened("duplicate-address")
    return draft(
        evidence,
        "address-conflict",
        lan.at(claims.address),
        f"{claims.address} at {lan.place.name} is held to be at {listing(claims.owners)}.{who}",
        times=times,
        seen=[*claims.seen, *told],
        verdict=Verdict.SUPPORTED if sure else Verdict.SUGGESTIVE,
        direction=_direction(lan, claims, telephones) if sure else Direction.UNDETERMINED,
        refutations=(
            Refutation("Do routers share it on purpose?", "no: no owner is of VRRP or HSRP"),
            Refutation(
                "Did it move once, as a lease does?",
                _moved(claims),
            ),
            Refutation(
                "Are they two cards of one machine?",
                "they may be: their addresses are neighbours" if one_machine
                else "no: their addresses are no neighbours",
            ),
            *(
                [Refutation("Does another device tell of it?",
                            f"yes: {counted(len(told), 'message')} of a duplicate address")]
                if told else []
            ),
        ),
        missing=_missing(lan, claims, telephones, sure),
        alternatives=(
            "a device that was replaced", "a table that is hours old",
            "a machine that answers by several cards, or that claims what others have on purpose",
        ),
    )  # fmt: skip


def _moved(claims: _Claims) -> str:
    if claims.turns >= CHANGES_LEAST:
        return f"no: in a capture it changed hands {counted(claims.turns, 'time')}"
    if claims.flapping:
        return "no: it went to another owner and came back"
    return "it may have: each observer saw it move once at most, and a table may be old"


def _missing(lan: Lan, claims: _Claims, telephones: Sequence[str], sure: bool) -> tuple[str, ...]:
    found = [] if sure else ["an ARP request that both answer, sent on that network"]
    if telephones and _rightful(lan, claims.address) is None:
        found.append("whose address it is: the inventory and DHCP do not say")
    return tuple(found)


def _direction(lan: Lan, claims: _Claims, telephones: Sequence[str]) -> Direction:
    """By who is wrong: a telephone with another's address, or another with a telephone's."""
    others = [owner for owner in claims.owners if owner not in telephones]
    if not telephones:
        known = {
            seen.method.get("mac")
            for capture in lan.captures
            for seen in capture.all("neighbour_device", telephone=False)
        }
        innocent = all(owner in known for owner in others)
        return Direction.NOT_TELEPHONY if innocent else Direction.UNDETERMINED
    rightful = _rightful(lan, claims.address)
    if not others or rightful is None:
        return Direction.UNDETERMINED
    return (
        Direction.NETWORK_TO_TELEPHONY if rightful == "telephony"
        else Direction.TELEPHONY_TO_NETWORK
    )  # fmt: skip


def _rightful(lan: Lan, address: str) -> str | None:
    """Whose it should be, `telephony` or `other`, by inventory and DHCP; None where none says."""
    if lan.site is not None and lan.site.gateway == address:
        return "other"
    asset = lan.telephones.asset_at(address)
    if asset is not None:
        return "telephony" if asset.kind in TELEPHONY_KINDS else "other"
    return "telephony" if address in lan.telephones.leased else None


def _telephones(lan: Lan, claims: _Claims) -> list[str]:
    made = {
        owner
        for seen in claims.captured
        for owner, maker in zip(_claimants(seen), _makers(seen), strict=False)
        if maker is not None
    }
    return [owner for owner in claims.owners if owner in lan.telephones.by_mac or owner in made]


def _makers(seen: Observation) -> Sequence[object]:
    found = seen.method.get("telephone_makers")
    return found if isinstance(found, Sequence) and not isinstance(found, str) else ()


def _one_machine(owners: Sequence[str]) -> bool:
    values = sorted(value for owner in owners if (value := _value(owner)) is not None)
    return len(values) == len(owners) and all(
        later - sooner < CARDS_WITHIN for sooner, later in pairwise(values)
    )


def _value(mac: str) -> int | None:
    try:
        return int(mac.replace(":", ""), 16)
    except ValueError:
        return None


def _run(evidence: Evidence) -> Iterator[datetime | None]:
    yield evidence.record.run.started
    yield evidence.record.run.finished
