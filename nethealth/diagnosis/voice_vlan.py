"""Telephones that are told two voice VLANs, and go from one to the other without end.

A port may tell it by LLDP-MED (ANSI/TIA-1057), by CDP, and DHCP by an option. Where they differ
some telephones follow each in turn, and start anew every time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nethealth.diagnosis.capture import Capture, numbers
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, number
from nethealth.diagnosis.lan import Lan, surest
from nethealth.diagnosis.text import counted, listing
from nethealth.model.finding import Finding, Refutation, Verdict
from nethealth.model.observation import Observation

CYCLES_LEAST = 3  # a start takes two leases at most: one in the data VLAN, one in the voice VLAN
PERIOD_S = (20.0, 300.0)  # a telephone starts within one to three minutes
_VOICE = 1  # ANSI/TIA-1057 table 12; 2 is signalling, which may have a VLAN of its own


def voice_vlan_conflicts(places: Sequence[Lan]) -> Iterator[Finding]:
    """One `voice-vlan-conflict` for each network with a sign of it."""
    yield from surest(_all(places))


def _all(places: Sequence[Lan]) -> Iterator[Finding]:
    for lan in places:
        evidence = lan.evidence
        for capture in lan.captures:
            ports, circling = list(_ports(capture)), list(_circling(lan, capture))
            if any(port.differ for port in ports) or circling:
                yield _finding(evidence, lan, capture, ports, circling)


@dataclass(frozen=True)
class _Port:
    """What one port of a switch tells telephones, by protocol; 0 is "untagged"."""

    mac: str
    told: Mapping[str, frozenset[int]]
    seen: tuple[Observation, ...]

    @property
    def differ(self) -> bool:
        return len(set(self.told.values())) > 1

    @property
    def vlans(self) -> frozenset[int]:
        return frozenset(vlan for vlans in self.told.values() for vlan in vlans if vlan)

    @property
    def words(self) -> str:
        parts = (
            f"{protocol.upper()} says "
            + listing([str(vlan or "untagged") for vlan in sorted(vlans)])
            for protocol, vlans in sorted(self.told.items())
        )
        return f"{self.mac}: {'; '.join(parts)}"


def _ports(capture: Capture) -> Iterator[_Port]:
    """Ports of switches: what a telephone asks for or repeats is no advice to it."""
    told: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    seen: dict[str, list[Observation]] = defaultdict(list)
    for one in capture.all("voice_vlan_announced", telephone=False):
        mac, protocol, vlan = one.method.get("mac"), one.method.get("protocol"), number(one)
        of_voice = one.method.get("application") in {None, _VOICE}
        if not isinstance(mac, str) or not isinstance(protocol, str) or vlan is None:
            continue
        if of_voice and one.method.get("asked") is not True:
            tagged = one.method.get("tagged") is not False
            told[mac][protocol].add(int(vlan) if tagged else 0)
            seen[mac].append(one)
    for mac in sorted(told):
        vlans = {protocol: frozenset(each) for protocol, each in told[mac].items()}
        yield _Port(mac, vlans, tuple(seen[mac]))


@dataclass(frozen=True)
class _Circling:
    """A telephone that is given leases in two VLANs, and begins again and again."""

    mac: str
    starts: int
    period_s: float
    vlans: frozenset[int]
    seen: tuple[Observation, ...]


def _circling(lan: Lan, capture: Capture) -> Iterator[_Circling]:
    periods = {seen.method.get("mac"): seen for seen in capture.all("dhcp_cycle_median_s")}
    for seen in capture.all("dhcp_cycle_count"):
        mac, starts = seen.method.get("mac"), number(seen)
        if not isinstance(mac, str) or mac not in lan.telephones.by_mac or mac not in periods:
            continue
        period_s = number(periods[mac]) or 0.0
        spoken = capture.all("phone_vlan_packet_count", mac=mac)
        vlans = {int(vlan) for vlan in numbers(seen, "vlans")}
        vlans |= {vlan for one in spoken if isinstance(vlan := one.method.get("vlan"), int)}
        # In its data VLAN a telephone mostly speaks untagged, which is no number in the list.
        untagged = any(one.method.get("vlan") is None for one in spoken)
        if (
            (starts or 0) >= CYCLES_LEAST
            and PERIOD_S[0] <= period_s <= PERIOD_S[1]
            and len(vlans) + untagged >= 2
        ):
            facts = (seen, periods[mac], *spoken)
            yield _Circling(mac, int(starts or 0), period_s, frozenset(vlans), facts)


def _finding(
    evidence: Evidence, lan: Lan, capture: Capture, ports: list[_Port], circling: list[_Circling]
) -> Finding:
    differing = [port for port in ports if port.differ]
    led = [
        phone
        for phone in circling
        if any(port.vlans and port.vlans <= phone.vlans for port in differing)
    ]
    verdict = Verdict.SUPPORTED if led else Verdict.SUGGESTIVE
    if circling and ports and not differing:
        agreed = "yes: every port says one VLAN by each protocol"
    elif differing:
        agreed = f"no: {listing([port.words for port in differing])}"
    else:
        agreed = "unknown: the capture holds no advice of a switch"
    shown = led or circling
    phones = (
        f"{counted(len(shown), 'telephone')} there {'begins' if len(shown) == 1 else 'begin'} "
        f"again and again in two VLANs, {shown[0].mac} {counted(shown[0].starts, 'time')} and "
        f"every {shown[0].period_s:.0f} s"
        if shown
        else "no telephone was seen to begin again for it"
    )
    advice = (
        f"a switch tells two voice VLANs at one port ({differing[0].words})"
        if differing
        else "no switch was heard to tell two voice VLANs"
    )
    return draft(
        evidence,
        "voice-vlan-conflict",
        lan.place,
        f"At {lan.place.name} {advice}; {phones}.",
        times=capture.span,
        seen=[
            *(seen for phone in shown for seen in phone.seen),
            *(seen for port in ports for seen in port.seen),
        ],
        verdict=verdict,
        refutations=(
            Refutation("Do the protocols of each port agree?", agreed),
            Refutation(
                "Is it more than the two leases of one start?",
                f"yes: {listing([f'{phone.mac} began {phone.starts} times' for phone in shown])}"
                if shown
                else "none was seen to begin again",
            ),
            Refutation(
                "Is it refused a lease, so that the server is at fault?",
                "no: it is given one each time" if shown else "not asked",
            ),
        ),
        missing=() if led else (
            "what VLAN DHCP tells it",
            "whether it stays when one of the protocols is switched off at its port",
        ),
        alternatives=("a telephone that loses its power", "a telephone that is broken"),
    )  # fmt: skip
