"""What a switch's counters say of its tree, of storms, and of loops behind telephones.

A loop that spanning tree cannot see, since a telephone swallows its frames, storms while the tree
stays as it is; a tree that changes storms for a moment and says so (handbook of the field, and
RFC 4188). SNMP alone gives hints: who looped what is seen at the port, or in a capture.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from nethealth.diagnosis.device import Device, devices
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, number
from nethealth.diagnosis.text import counted, listing
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Observation
from nethealth.quality.counters import frames_most_per_s

CHANGES_LEAST = 5  # of the tree while it was watched: a single one is a computer switched on
RECENT_S = 3600.0
ALIKE = 2.0  # two rates within this factor are of the same frames
BEHIND_MOST = 8  # addresses at the port of a telephone, with all that may hang on it
FULL_SHARE = 0.1  # of the shortest frames that a port's rate allows
FULL_LEAST_PER_S = 10_000.0


def spanning_tree_changes(evidence: Evidence) -> Iterator[Finding]:
    """A root that is another than before, or a tree that keeps changing; one recent change is a
    hint."""
    for device in devices(evidence):
        if found := _tree(evidence, device):
            yield found


def _tree(evidence: Evidence, device: Device) -> Finding | None:
    root, since = device.now("spanning_tree_root"), device.now("spanning_tree_since_change_s")
    before = device.before("spanning_tree_root")
    roots = {one.word("spanning_tree_root") for one in device.rounds} - {None}
    moved = len(roots) > 1 or (
        root is not None and before is not None and before.value != root.value
    )
    changes = tree_changes(device)
    recent_s = None if since is None else number(since)
    where = device.place
    if moved:
        verdict = Verdict.DEMONSTRATED
        was = before.value if before is not None else min(str(each) for each in roots)
        words = f"follows another root than before ({root.value if root else was}, after {was})"
    elif changes >= CHANGES_LEAST:
        verdict, words = Verdict.DEMONSTRATED, f"saw its tree change {counted(changes, 'time')}"
    elif recent_s is not None and 0 <= recent_s < RECENT_S:
        verdict = Verdict.INSUFFICIENT_DATA
        words = f"saw its tree change {recent_s / 60:.0f} minutes ago"
    else:
        return None
    return draft(
        evidence,
        "spanning-tree-change",
        where,
        f"{where.name} {words}.",
        rounds=device.rounds[-1:],
        seen=[root, since, *device.all_now("spanning_tree_changes_count")],
        verdict=verdict,
        refutations=(
            Refutation(
                "Is the root the one it was?",
                "unknown: nothing was seen before" if before is None and len(roots) < 2
                else "no" if moved else "yes",
            ),
        ),
        missing=("which port changed, from the switch's log",),
        alternatives=("telephones or computers that start at ports that are no edge ports",),
    )  # fmt: skip


def tree_changes(device: Device) -> int:
    """How often the tree changed over the rounds and since the run before."""
    growth = device.growth("spanning_tree_changes")
    return 0 if growth is None else growth.increase


@dataclass(frozen=True)
class _Flow:
    """Broadcast at one port, in packets a second each way."""

    interface: str
    in_per_s: float
    out_per_s: float
    seen: tuple[Observation, ...]


def storms(evidence: Evidence) -> Iterator[Finding]:
    """`broadcast-storm` above the threshold, and `phone-loop` where it has a loop's shape."""
    limit = evidence.record.settings.thresholds.broadcast_packets_per_s
    for device in devices(evidence):
        flows = [flow for flow in _flows(device) if flow.in_per_s >= limit]
        if flows:
            yield _storm(evidence, device, flows, limit)
            yield from _loop(evidence, device, flows)


def _flows(device: Device) -> Iterator[_Flow]:
    for interface in device.ports:
        ways = [
            device.now(f"interface_{way}_broadcast_per_s", interface=interface)
            for way in ("in", "out")
        ]
        into, out = (None if seen is None else number(seen) for seen in ways)
        if into is not None:
            yield _Flow(interface, into, out or 0.0, tuple(seen for seen in ways if seen))


def _storm(evidence: Evidence, device: Device, flows: list[_Flow], limit: float) -> Finding:
    where, changes = device.place, tree_changes(device)
    ports = listing([f"{flow.interface} ({flow.in_per_s:.0f} a second)" for flow in flows])
    return draft(
        evidence,
        "broadcast-storm",
        where,
        f"{where.name} takes in more than {limit:.0f} broadcasts a second at {ports}.",
        rounds=device.rounds[-1:],
        seen=[seen for flow in flows for seen in flow.seen],
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


def _loop(evidence: Evidence, device: Device, flows: list[_Flow]) -> Iterator[Finding]:
    """Two ports that take in the same storm and give it back, under a tree that stands still.

    So do two machines that each send a storm and take in the other's: that frames come back is
    seen by who is learned at these ports, or by a port that is full of them both ways.
    """
    echoing = [flow for flow in flows if _alike(flow.in_per_s, flow.out_per_s)]
    pairs = [flow for flow in echoing if any(_same(flow, other) for other in echoing)]
    if len(pairs) < 2:
        return
    changes = tree_changes(device)
    known = device.now("spanning_tree_changes_count") is not None
    telephones = [f.interface for f in pairs if device.telephone_at(f.interface)]
    strangers = [seen for flow in pairs if (seen := _strangers(device, flow.interface))]
    returned = bool(strangers) or all(_full(device, flow) for flow in pairs)
    refuted = changes >= CHANGES_LEAST
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
        seen=[*(seen for flow in pairs for seen in flow.seen), *strangers],
        verdict=verdict,
        direction=Direction.TELEPHONY_TO_NETWORK if seen_there else Direction.UNDETERMINED,
        refutations=(
            Refutation(
                "Is the spanning tree at work, which a loop behind a telephone never wakes?",
                f"yes: it changed {counted(changes, 'time')}" if refuted
                else f"no: {counted(changes, 'change')}, as one computer makes that is switched on"
                if changes else _flat(device),
            ),
            Refutation(
                "Are they machines that each send a storm of their own?",
                "no: devices of other ports were learned there" if strangers
                else "no: the ports are full of it both ways" if returned
                else "they may be: nothing shows that frames come back",
            ),
        ),
        missing=("whether the storm ends when one of the two ports is shut",),
        alternatives=("two cables of any other device",),
    )  # fmt: skip


def _strangers(device: Device, interface: str) -> Observation | None:
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
    listed = learned.method.get("addresses")
    here = {str(each) for each in listed} if isinstance(listed, list | tuple) else set()
    elsewhere = {
        str(seen.method.get("chassis"))
        for seen in device.all_now("neighbour_name")
        if seen.method.get("interface") != interface
    }
    many = (number(learned) or 0) > BEHIND_MOST
    return learned if many or here & elsewhere else None


def _full(device: Device, flow: _Flow) -> bool:
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


def _same(flow: _Flow, other: _Flow) -> bool:
    return flow is not other and _alike(flow.in_per_s, other.in_per_s)


def slow_port_starts(evidence: Evidence) -> Iterator[Finding]:
    """A hint of `slow-port-start`: telephones at ports that are no edge ports."""
    for device in devices(evidence):
        slow = []
        for interface in device.interfaces:
            edge = device.now("spanning_tree_port_edge", interface=interface)
            state = device.now("spanning_tree_port_state", interface=interface)
            if edge is not None and edge.value is False and device.telephone_at(interface):
                slow.append((interface, edge, state))
        if not slow:
            continue
        where = device.place
        starting = [
            at for at, _, state in slow if state and state.value in {"listening", "learning"}
        ]
        now = f" {listing(starting)} is starting now." if starting else ""
        yield draft(
            evidence,
            "slow-port-start",
            where,
            f"{where.name} has telephones at {listing([at for at, _, _ in slow])}, which are no "
            f"edge ports: after a link comes up they wait while the tree listens and learns.{now}",
            rounds=device.rounds[-1:],
            seen=[seen for _, edge, state in slow for seen in (edge, state)],
            verdict=Verdict.SUGGESTIVE,
            direction=Direction.NETWORK_TO_TELEPHONY,
            refutations=(
                Refutation("Does the switch treat the port as an edge port?", "no: it says not"),
            ),
            missing=("how long a telephone really waits for its address after link-up",),
            alternatives=("rapid spanning tree, which waits only for a port that does not answer",),
        )
