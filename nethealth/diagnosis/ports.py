"""Ports of a switch whose two ends do not agree on their duplex.

The half-duplex end counts late collisions, the full-duplex end broken frames: one side hard-set,
the other left to negotiate (IEEE 802.3 clause 28, EtherLike-MIB of RFC 3635). A bad cable gives
broken frames too, but no late collisions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nethealth.diagnosis.capture import Capture
from nethealth.diagnosis.device import Device, Growth
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, number
from nethealth.diagnosis.lan import Lan
from nethealth.diagnosis.text import counted
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Observation
from nethealth.quality.counters import frames_most_per_s

BROKEN_LEAST = 10  # frames: fewer are what any copper has


@dataclass(frozen=True)
class _Port:
    """What both ends of one port say."""

    device: Device
    interface: str
    ours: Observation  # our duplex
    theirs: Observation | None  # what tells the neighbour's, by CDP or in a capture
    late: Growth | None
    broken: Growth | None

    @property
    def half(self) -> bool:
        return self.ours.value == "half"

    @property
    def collides(self) -> bool:
        return self.late is not None and self.late.increase > 0

    @property
    def breaks(self) -> bool:
        return self.broken is not None and self.broken.increase >= BROKEN_LEAST

    @property
    def seen(self) -> tuple[Observation | None, ...]:
        grown = [*(self.late.seen if self.late else ()), *(self.broken.seen if self.broken else ())]
        return (self.ours, self.theirs, *grown)


def duplex_mismatches(places: Sequence[Lan]) -> Iterator[Finding]:
    """One `duplex-mismatch` for each port with a sign of it, refuted ones included."""
    for lan in places:
        evidence = lan.evidence
        for device in lan.devices:
            for interface in device.interfaces:
                port = _port(lan, device, interface)
                if port is not None and (found := _judged(evidence, port)):
                    yield found
        for capture in lan.captures:
            if (heard := _heard(evidence, lan, capture)) is not None:
                yield heard


def duplex_of(seen: Observation) -> str | None:
    """What a neighbour says that its port runs at: CDP in a word, LLDP by the type of its port."""
    told = seen.method.get("duplex")
    if told in {"half", "full"}:
        return str(told)
    return "half" if seen.method.get("half_duplex") is True else None


def _heard(evidence: Evidence, lan: Lan, capture: Capture) -> Finding | None:
    """Two ends of one link that announce a duplex each: CDP passes no switch (a hint only)."""
    ends = [seen for seen in capture.all("neighbour_device", protocol="cdp") if duplex_of(seen)]
    told = {str(seen.method.get("mac")): duplex_of(seen) for seen in ends}
    if len(told) != 2 or len(set(told.values())) != 2:
        return None
    words = " and ".join(f"{mac} says {duplex}" for mac, duplex in sorted(told.items()))
    return draft(
        evidence,
        "duplex-mismatch",
        lan.at("-".join(sorted(told))),
        f"The two ends of a link at {lan.place.name} announce another duplex each: {words}.",
        times=capture.span,
        seen=ends,
        verdict=Verdict.SUGGESTIVE,
        direction=Direction.UNDETERMINED,
        refutations=(
            Refutation(
                "Is it a bad cable, which breaks frames and makes no collision late?",
                "unknown: no counter of a port is in the record",
            ),
            Refutation("Does the other end run at the same duplex?", f"no: {words}"),
        ),
        missing=("the late collisions and broken frames of that port, by SNMP",),
        alternatives=("two devices that are not at one link", "one that announces what is not so"),
    )


def _port(lan: Lan, device: Device, interface: str) -> _Port | None:
    ours = device.now("ethernet_duplex", interface=interface)
    if ours is None:
        return None
    speed = device.now("interface_speed_bps", interface=interface)
    bps = None if speed is None else number(speed)
    most = None if bps is None or bps <= 0 else frames_most_per_s(bps)
    late = device.growth("ethernet_late_collisions", most, interface=interface)
    fcs, alignment = (
        device.growth(f"ethernet_{kind}_errors", most, interface=interface)
        for kind in ("fcs", "alignment")
    )
    told = [
        seen
        for seen in device.neighbours(interface)
        if seen.method.get("duplex") in {"half", "full"}
    ]
    chassis = {seen.method.get("chassis") for seen in device.neighbours(interface)}
    told += [
        seen
        for capture in lan.captures
        for seen in capture.all("neighbour_device")
        if seen.method.get("mac") in chassis and duplex_of(seen) is not None
    ]
    return _Port(device, interface, ours, told[0] if told else None, late, _sum(fcs, alignment))


def _sum(one: Growth | None, other: Growth | None) -> Growth | None:
    if one is None or other is None:
        return one or other
    return Growth(
        one.increase + other.increase,
        max(one.watched_s, other.watched_s),
        one.per_s + other.per_s,
        one.seen + other.seen,
    )


def _judged(evidence: Evidence, port: _Port) -> Finding | None:
    theirs = None if port.theirs is None else duplex_of(port.theirs)
    differ = (
        theirs is not None and port.ours.value in {"half", "full"} and theirs != port.ours.value
    )
    agree = theirs is not None and theirs == port.ours.value
    if port.half and port.collides and not agree:
        late = port.late.increase if port.late else 0
        return _finding(
            evidence, port, Verdict.SUPPORTED,
            f"runs at half duplex and counted {counted(late, 'late collision')}: the other end "
            "sends whenever it likes, as at full duplex",
        )  # fmt: skip
    if differ and (port.collides or port.breaks):
        return _finding(
            evidence, port, Verdict.SUPPORTED,
            f"runs at {port.ours.value} duplex, its neighbour says {theirs}, and frames break",
        )  # fmt: skip
    if differ:
        return _finding(
            evidence, port, Verdict.SUGGESTIVE,
            f"runs at {port.ours.value} duplex and its neighbour says {theirs}, yet no frame broke",
        )  # fmt: skip
    if agree and (port.collides or port.breaks):
        return _finding(
            evidence, port, Verdict.CONTRADICTED,
            f"counts broken frames or collisions, and both ends run at {theirs} duplex: a cable, "
            "a connector or a length is at fault, not the duplex",
        )  # fmt: skip
    if port.breaks:
        broken = port.broken.increase if port.broken else 0
        return _finding(
            evidence, port, Verdict.INSUFFICIENT_DATA,
            f"counted {counted(broken, 'broken frame')} and no late collision at {port.ours.value} "
            "duplex: a bad cable, or an other end at half duplex",
        )  # fmt: skip
    if port.half and port.late is not None:
        return _finding(
            evidence, port, Verdict.SUGGESTIVE,
            "runs at half duplex, though no collision came late while it was watched",
        )  # fmt: skip
    return None


def _finding(evidence: Evidence, port: _Port, verdict: Verdict, words: str) -> Finding:
    where = port.device.port(port.interface)
    sure = verdict is Verdict.SUPPORTED
    return draft(
        evidence,
        "duplex-mismatch",
        where,
        f"{where.name} {words}.",
        rounds=port.device.rounds[-1:],
        seen=port.seen,
        verdict=verdict,
        direction=_direction(port) if sure else Direction.UNDETERMINED,
        refutations=_refutations(port),
        missing=() if port.theirs else ("the duplex of the other end",),
        alternatives=("a bad cable or connector", "a hub, whose ports are half duplex by nature"),
    )


def _refutations(port: _Port) -> tuple[Refutation, ...]:
    if port.late is None:
        late = "the device does not count them"
    else:
        late = (
            f"no: {port.late.increase} came late" if port.collides else "it may be: none came late"
        )
    other = "unknown: it does not say"
    if port.theirs is not None:
        same = duplex_of(port.theirs) == port.ours.value
        other = f"{'yes' if same else 'no'}: it says {duplex_of(port.theirs)}"
    return (
        Refutation("Is it a bad cable, which breaks frames and makes no collision late?", late),
        Refutation("Does the other end run at the same duplex?", other),
    )


def _direction(port: _Port) -> Direction:
    """A telephone at the port disturbs the network; another device has nothing to do with it."""
    telephone = port.device.telephone_at(port.interface)
    if telephone is None:
        return Direction.UNDETERMINED
    return Direction.TELEPHONY_TO_NETWORK if telephone else Direction.NOT_TELEPHONY
