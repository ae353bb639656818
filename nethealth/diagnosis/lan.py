"""The network of one site as a record shows it: captures, devices read by SNMP, events, hosts.

A capture that says of no site where it was taken is of the inventory's only site, or of none: then
it stands alone, and nothing else of the record speaks for or against it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from ipaddress import ip_address

from nethealth.diagnosis.capture import Capture, captures, words
from nethealth.diagnosis.device import Device, devices, is_telephone
from nethealth.diagnosis.evidence import Evidence, Host, Place
from nethealth.diagnosis.moments import YEARS, aware
from nethealth.model.finding import Finding, Verdict
from nethealth.model.inventory import Asset, Site
from nethealth.model.observation import Event, Observation

# Kinds of an inventory that are telephony whatever they send.
TELEPHONY_KINDS = frozenset({"pbx", "sbc", "gateway", "phone", "ata"})
# Of two findings of one id the surer stays; a refuted one says more than one that lacks data.
_RANK = (
    Verdict.DEMONSTRATED, Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.SUGGESTIVE,
    Verdict.INSUFFICIENT_DATA, Verdict.NO_EVIDENCE,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Lan:
    """What belongs together: all of one site, or one lone capture or device."""

    evidence: Evidence
    place: Place
    captures: tuple[Capture, ...]
    devices: tuple[Device, ...]
    hosts: tuple[Host, ...]

    @property
    def site(self) -> Site | None:
        return self.evidence.site_facts.get(self.place.site or "")

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """What happened there, by other systems' word, in the order of time."""
        site = self.place.site
        if site is None:
            return ()
        of_assets = {asset.id for asset in self.evidence.assets.values() if asset.site == site}
        found = (
            replace(event, time=aware(event.time))
            for event in self.evidence.record.events
            if (event.site == site or event.asset in of_assets)
            and YEARS[0] <= event.time.year < YEARS[1]
        )
        return tuple(sorted(found, key=lambda event: (event.time, event.id)))

    def happened(self, *kinds: str) -> tuple[Event, ...]:
        return tuple(event for event in self.events if event.kind in kinds)

    def at(self, key: str) -> Place:
        """A place within it, for a finding about one thing of several."""
        return replace(self.place, key=f"{self.place.key}:{key}")

    @cached_property
    def telephones(self) -> "Telephones":
        return Telephones(self)


class Telephones:
    """Who is known for telephony, and by what; whoever is not among them is unknown, not innocent.

    By the inventory's kind, the capability that it announces, its vendor class or the maker of its
    address as DHCP showed it, or signalling that it sent. Age and `legacy` are no sign.
    """

    def __init__(self, lan: Lan) -> None:
        self._lan = lan
        self._assets: dict[str, list[Asset]] = defaultdict(list)
        for asset in lan.evidence.assets.values():
            if asset.address is not None and (address := _address(asset.address)) is not None:
                self._assets[address].append(asset)
        self.by_mac: dict[str, str] = {}
        self.by_address: dict[str, str] = {}
        self.leased: set[str] = set()  # addresses that DHCP gave to telephones
        for capture in lan.captures:
            self._of_capture(capture)
        for device in lan.devices:
            for seen in device.all_now("neighbour_name"):
                if is_telephone(seen) and isinstance(chassis := seen.method.get("chassis"), str):
                    self.by_mac.setdefault(chassis.lower(), "it announces itself as a telephone")
        self._of_tables()

    def asset_at(self, address: str) -> Asset | None:
        """The inventory's asset with this address, at this site or at none that is known."""
        found = self._assets.get(_address(address) or "", [])
        here = [asset for asset in found if asset.site == self._lan.place.site]
        if here:
            return here[0]
        return found[0] if len(found) == 1 else None

    def why(self, address: str) -> str | None:
        """By what an IP address is known for telephony; None where it is not."""
        asset = self.asset_at(address)
        site = self._lan.evidence.site_facts.get(asset.site) if asset is not None else None
        router = site is not None and site.gateway is not None and site.gateway == address
        if asset is not None and asset.kind in TELEPHONY_KINDS and not router:
            return f"the inventory has it as {asset.id}, a {asset.kind}"
        return self.by_address.get(address)

    def why_not(self, address: str) -> str | None:
        """By what it is known to be something else; None where it is not known."""
        asset = self.asset_at(address)
        if asset is None or asset.kind in TELEPHONY_KINDS or self.why(address) is not None:
            return None
        return f"the inventory has it as {asset.id}, a {asset.kind}"

    def _of_capture(self, capture: Capture) -> None:
        for seen in capture.all("neighbour_device", telephone=True):
            how = "it announces itself as a telephone"
            if isinstance(mac := seen.method.get("mac"), str):
                self.by_mac.setdefault(mac, how)
            if isinstance(address := seen.method.get("address"), str):
                self.by_address.setdefault(address, how)
        for seen in capture.all("dhcp_phone_client_count"):
            for mac in words(seen, "macs"):
                self.by_mac.setdefault(mac, "it asked for a lease as telephones do")
            for address in words(seen, "leased_addresses"):
                self.by_address.setdefault(address, "it was leased to a telephone")
                self.leased.add(address)
        for seen in capture.all("legacy_signalling_endpoint_packet_count"):
            address, sent = seen.method.get("address"), seen.method.get("packets_sent")
            if isinstance(address, str) and isinstance(sent, int) and sent > 0:
                self.by_address.setdefault(address, f"it speaks {seen.method.get('protocol')}")

    def _of_tables(self) -> None:
        """What ARP tables join, where they agree: an address is whose its MAC address is."""
        owners: dict[str, set[str]] = defaultdict(set)
        for device in self._lan.devices:
            for one in device.rounds:
                for seen in one.all("arp_entry"):
                    if isinstance(address := seen.method.get("ip"), str):
                        owners[address].add(str(seen.value).lower())
        for address in sorted(owners):
            if len(owners[address]) > 1:
                continue
            (mac,) = owners[address]
            if mac in self.by_mac:
                self.by_address.setdefault(address, self.by_mac[mac])
            elif (why := self.why(address)) is not None:
                self.by_mac[mac] = why


def lans(evidence: Evidence) -> Iterator[Lan]:
    """Every network of which a record holds a capture, a device or an event, by site."""
    sites = _sites(evidence)
    taken = [(capture, taken_at(evidence, capture)) for capture in captures(evidence)]
    read = list(devices(evidence))
    for site in sites:
        yield Lan(
            evidence,
            evidence.site_place(site),
            tuple(capture for capture, where in taken if where == site),
            tuple(device for device in read if device.place.site == site),
            evidence.sites.get(site, ()),
        )
    for capture, where in taken:
        if where is None:
            yield Lan(evidence, place_of_lone(capture), (capture,), (), ())
    for device in read:
        if device.place.site is None:
            yield Lan(evidence, device.place, (), (device,), (device.host,))


def lans_by_site(evidence: Evidence) -> dict[str | None, Lan]:
    """The networks of sites alone, so that what is of no site finds none."""
    return {lan.place.site: lan for lan in lans(evidence) if lan.place.site is not None}


def taken_at(evidence: Evidence, capture: Capture) -> str | None:
    """The site at which a capture was taken: its own word, else the only site that there is."""
    sites = _sites(evidence)
    return capture.round.check.site or (sites[0] if len(sites) == 1 else None)


def place_of_lone(capture: Capture) -> Place:
    """The place of a capture that is of no known site."""
    where = capture.host.place
    return Place(where.key, f"the network of {where.name}", where.council)


def surest(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Of several findings of one id, as several captures of a site give them, the surest."""
    kept: dict[str, Finding] = {}
    for finding in findings:
        other = kept.get(finding.id)
        if other is None or _RANK.index(finding.verdict) < _RANK.index(other.verdict):
            kept[finding.id] = finding
    yield from kept.values()


def overlap(one: tuple[datetime, datetime], other: tuple[datetime, datetime]) -> bool:
    """Whether two spans of time have a moment in common."""
    return one[0] <= other[1] and other[0] <= one[1]


def quoted(seen: Observation | None) -> str:
    """A text of a stranger, bounded, as it may stand in a statement."""
    return "" if seen is None else str(seen.value)[:60]


def _sites(evidence: Evidence) -> list[str]:
    return sorted({*evidence.site_facts, *evidence.sites})


def _address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None
