"""Storms of broadcasts, and the loops behind telephones that make them.

A loop that spanning tree cannot see, since a telephone swallows its frames, storms while the tree
stays as it is; a tree that changes storms for a moment and says so. A switch's counters show where
frames come back, a capture that the same frame does, many times over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nethealth.diagnosis.capture import Capture, whole, words
from nethealth.diagnosis.device import Device
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Round, number
from nethealth.diagnosis.lan import Lan, surest
from nethealth.diagnosis.moments import ran_at
from nethealth.diagnosis.text import counted, listing
from nethealth.diagnosis.tree import CHANGES_LEAST, tree_changes, unrest
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Observation
from nethealth.quality.counters import frames_most_per_s

ALIKE = 2.0  # two rates within this factor are of the same frames
BEHIND_MOST = 8  # addresses at the port of a telephone, with all that may hang on it
FULL_SHARE = 0.1  # of the shortest frames that a port's rate allows
FULL_LEAST_PER_S = 10_000.0
RUN_LEAST = 10  # equal frames in a row; a mirror port makes runs of two
ONCE_MOST = 2
NEAR = timedelta(minutes=15)  # how far a capture may be from a reading that it speaks of


def storms(places: Sequence[Lan]) -> Iterator[Finding]:
    """`broadcast-storm` above the threshold, and `phone-loop` where it has a loop's shape."""
    for lan in places:
        evidence = lan.evidence
        found = [finding for device in lan.devices for finding in _of_device(evidence, lan, device)]
        yield from found
        codes = {finding.code for finding in found}
        heard = [finding for one in lan.captures for finding in _of_capture(evidence, lan, one)]
        yield from surest(finding for finding in heard if finding.code not in codes)


def _of_device(evidence: Evidence, lan: Lan, device: Device) -> Iterator[Finding]:
    limit = evidence.record.settings.thresholds.broadcast_packets_per_s
    flows = [flow for flow in broadcasts(device) if flow.in_per_s >= limit]
    if flows:
        near = [one for one in lan.captures if _near(evidence, device, one)]
        yield _storm(evidence, device, flows, limit, near)
        yield from _loop(evidence, device, flows, limit, near)


@dataclass(frozen=True)
class Flow:
    """Broadcast at one port, in packets a second each way."""

    interface: str
    in_per_s: float
    out_per_s: float
    seen: tuple[Observation, ...]


def broadcasts(device: Device) -> Iterator[Flow]:
    """What each port of a switch takes in and sends out, by its last reading."""
    for interface in device.ports:
        ways = [
            device.now(f"interface_{way}_broadcast_per_s", interface=interface)
            for way in ("in", "out")
        ]
        into, out = (None if seen is None else number(seen) for seen in ways)
        if into is not None:
            yield Flow(interface, into, out or 0.0, tuple(seen for seen in ways if seen))


def _near(evidence: Evidence, device: Device, capture: Capture) -> bool:
    """Whether a capture was taken about when the device was last read."""
    read, span = ran_at(evidence, device.last), capture.span
    if read is None or not span:
        return False
    return span[0] - NEAR <= read[1] and read[0] <= span[-1] + NEAR


def _storm(
    evidence: Evidence, device: Device, flows: list[Flow], limit: float, near: Sequence[Capture]
) -> Finding:
    where, changes = device.place, tree_changes(device)
    ports = listing([f"{flow.interface} ({flow.in_per_s:.0f} a second)" for flow in flows])
    return draft(
        evidence,
        "broadcast-storm",
        where,
        f"{where.name} takes in more than {limit:.0f} broadcasts a second at {ports}.",
        rounds=device.rounds[-1:],
        seen=[
            *(seen for flow in flows for seen in flow.seen),
            *(seen for one in near for seen in one.all("broadcast_source_packet_count")),
        ],
        refutations=(
            Refutation(
                "Did the spanning tree change meanwhile, which storms by itself?",
                f"yes: {counted(changes, 'time')}" if changes else _flat(device),
            ),
        ),
        alternatives=("a machine that asks for very many addresses", "a loop of cables"),
    )


def _flat(device: Device) -> str:
    counted_it = device.now("spanning_tree_changes_count") is not None
    return "no: the count of its changes stood still" if counted_it else "unknown: it has no tree"


def _loop(
    evidence: Evidence, device: Device, flows: list[Flow], limit: float, near: Sequence[Capture]
) -> Iterator[Finding]:
    """Two ports that take in the same storm and give it back, under a tree that stands still.

    So do two machines that each send a storm and take in the other's: that frames come back is
    seen in a capture, by who is learned at these ports, or by a port that is full of them both
    ways. A capture of the storm in which no frame comes again refutes it.
    """
    echoing = [flow for flow in flows if _alike(flow.in_per_s, flow.out_per_s)]
    pairs = [flow for flow in echoing if any(_same(flow, other) for other in echoing)]
    if len(pairs) < 2:
        return
    changes = tree_changes(device)
    known = device.now("spanning_tree_changes_count") is not None
    telephones = [f.interface for f in pairs if device.telephone_at(f.interface)]
    strange = [seen for flow in pairs if (seen := strangers(device, flow.interface))]
    repeats = [seen for one in near if (seen := _repeats(one)) is not None]
    again = [seen for seen in repeats if (number(seen) or 0) >= RUN_LEAST]
    once = not again and any(_each_once(one, limit) for one in near)
    returned = bool(strange or again) or all(_full(device, flow) for flow in pairs)
    refuted = changes >= CHANGES_LEAST or once
    seen_there = bool(telephones) and known and returned and not refuted
    verdict = Verdict.SUGGESTIVE
    if refuted:
        verdict = Verdict.CONTRADICTED
    elif seen_there:
        verdict = Verdict.SUPPORTED
    where = device.place
    who = f" A telephone is at {listing(telephones)}." if telephones else ""
    yield draft(
        evidence,
        "phone-loop",
        where,
        f"{where.name} takes in the same storm at {listing([f.interface for f in pairs])} as it "
        f"sends out there, as where two of its ports are joined behind it.{who}",
        rounds=device.rounds[-1:],
        seen=[*(seen for flow in pairs for seen in flow.seen), *strange, *repeats],
        verdict=verdict,
        direction=Direction.TELEPHONY_TO_NETWORK if seen_there else Direction.UNDETERMINED,
        refutations=(
            Refutation(
                "Is the spanning tree at work, which a loop behind a telephone never wakes?",
                f"yes: it changed {counted(changes, 'time')}" if changes >= CHANGES_LEAST
                else f"no: {counted(changes, 'change')}, as one computer makes that is switched on"
                if changes else _flat(device),
            ),
            Refutation(
                "Are they machines that each send a storm of their own?",
                "yes: a capture of it shows each frame once" if once
                else "no: a capture shows the same frame "
                f"{counted(int(max(number(seen) or 0 for seen in again)), 'time')} in a row"
                if again
                else "no: devices of other ports were learned there" if strange
                else "no: the ports are full of it both ways" if returned
                else "they may be: nothing shows that frames come back",
            ),
        ),
        missing=("whether the storm ends when one of the two ports is shut",),
        alternatives=("two cables of any other device",),
    )  # fmt: skip


def strangers(device: Device, interface: str) -> Observation | None:
    """What was learned at a port, if it is more than can hang there, or who announces himself
    elsewhere."""
    learned = next(
        (
            seen
            for seen in device.all_now("forwarding_port_address_count")
            if seen.method.get("interface") == interface
        ),
        None,
    )
    if learned is None:
        return None
    here = set(words(learned, "addresses"))
    elsewhere = {
        str(seen.method.get("chassis"))
        for seen in device.all_now("neighbour_name")
        if seen.method.get("interface") != interface
    }
    many = (number(learned) or 0) > BEHIND_MOST
    return learned if many or here & elsewhere else None


def _full(device: Device, flow: Flow) -> bool:
    """Whether a good part of the port's rate is broadcasts, in and out: no machine sends so many
    and takes in as many besides."""
    speed = device.now("interface_speed_bps", interface=flow.interface)
    bps = None if speed is None else number(speed)
    if bps is None or bps <= 0:
        return False
    least = FULL_SHARE * frames_most_per_s(bps)
    return min(flow.in_per_s, flow.out_per_s) >= least > FULL_LEAST_PER_S


def _alike(one: float, other: float) -> bool:
    return min(one, other) * ALIKE >= max(one, other) > 0


def _same(flow: Flow, other: Flow) -> bool:
    return flow is not other and _alike(flow.in_per_s, other.in_per_s)


def _repeats(capture: Capture) -> Observation | None:
    return capture.first("frame_repeat_run_max_packets")


def _busiest_per_s(capture: Capture) -> float:
    """Broadcasts a second in the busiest bin."""
    return max((one.per_s for one in capture.bins("broadcast_per_bin_max")), default=0.0)


def _each_once(capture: Capture, limit: float) -> bool:
    """Whether a capture holds the storm, and no frame of it more often than a mirror shows it."""
    run = _repeats(capture)
    longest = None if run is None else number(run)
    return longest is not None and longest <= ONCE_MOST and _busiest_per_s(capture) >= limit


def _of_capture(evidence: Evidence, lan: Lan, capture: Capture) -> Iterator[Finding]:
    limit = evidence.record.settings.thresholds.broadcast_packets_per_s
    per_s = _busiest_per_s(capture)
    if per_s >= limit:
        yield _heard_storm(evidence, lan, capture, per_s, limit)
    run = _repeats(capture)
    if run is not None and (number(run) or 0) >= RUN_LEAST:
        yield _heard_loop(evidence, lan, capture, run)


def _storm_times(capture: Capture, limit: float) -> list[datetime]:
    return [
        moment
        for one in capture.bins("broadcast_per_bin_max")
        if one.per_s >= limit
        for moment in (one.from_, one.to)
    ]


def _heard_storm(
    evidence: Evidence, lan: Lan, capture: Capture, per_s: float, limit: float
) -> Finding:
    sources = sorted(
        capture.all("broadcast_source_packet_count"), key=lambda seen: -(number(seen) or 0)
    )
    first = ""
    if sources:
        of_all = whole(sources[0], "packets_of_all") or 0
        sent = number(sources[0]) or 0
        first = f"; {sources[0].method.get('mac')} sent {sent:.0f} of {of_all}"
    return draft(
        evidence,
        "broadcast-storm",
        lan.place,
        f"Up to {per_s:.0f} broadcasts a second pass in a capture at {lan.place.name}; the limit "
        f"is {limit:.0f}{first}.",
        times=_storm_times(capture, limit),
        seen=[*capture.all("broadcast_per_bin_max"), *sources, _repeats(capture)],
        refutations=(
            Refutation(
                "Did the spanning tree change meanwhile, which storms by itself?",
                _tree(capture),
            ),
        ),
        alternatives=("a machine that asks for very many addresses", "a loop of cables"),
    )


def _tree(capture: Capture) -> str:
    heard = unrest(capture)
    if heard is None:
        return "unknown: no word of the tree was heard"
    if heard.roots:
        return "yes: its root changed"
    return f"yes: {counted(heard.changes, 'time')}" if heard.changes else "no: nothing told of it"


def _heard_loop(evidence: Evidence, lan: Lan, capture: Capture, run: Observation) -> Finding:
    """A loop that a capture shows; whose it is, no frame in it tells."""
    heard = unrest(capture)
    refuted = heard is not None and heard.at_work
    return draft(
        evidence,
        "phone-loop",
        lan.place,
        f"In a capture at {lan.place.name} the same frame passes {int(number(run) or 0)} times in "
        "a row: it goes round in a loop.",
        times=capture.span,
        seen=[
            run, capture.first("frame_repeat_count"),
            *capture.all("frame_repeat_source_count"), *capture.all("stp_topology_change_count"),
        ],
        verdict=Verdict.CONTRADICTED if refuted else Verdict.SUGGESTIVE,
        direction=Direction.UNDETERMINED,
        refutations=(
            Refutation(
                "Is the spanning tree at work, which a loop behind a telephone never wakes?",
                _tree(capture),
            ),
            Refutation("Does a mirror show frames twice?", "no: that makes no more than two"),
        ),
        missing=(
            "at which ports it goes round: the counters, the neighbours and the forwarding table "
            "of the switches at that time",
            "whether the storm ends when one of the ports is shut",
        ),
        alternatives=("two cables of any other device", "a link between switches closed twice"),
    )  # fmt: skip


def rounds_of(device: Device, interface: str) -> list[tuple[Round, float, float]]:
    """Broadcasts a second into and out of one port in each round that has both."""
    found = []
    for one in device.rounds:
        rates = [
            next(
                (
                    value
                    for seen in one.all(f"interface_{way}_broadcast_per_s")
                    if seen.method.get("interface") == interface
                    and (value := number(seen)) is not None
                ),
                None,
            )
            for way in ("in", "out")
        ]
        if rates[0] is not None and rates[1] is not None:
            found.append((one, rates[0], rates[1]))
    return found
