"""Telephones at ports of a switch that wait while the spanning tree listens and learns.

RFC 4188 for the states; a port that leads to no other bridge may skip them (IEEE 802.1D-2004).
"""

from collections.abc import Iterator

from nethealth.diagnosis.device import devices
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence
from nethealth.diagnosis.text import listing
from nethealth.model.finding import Direction, Finding, Refutation, Verdict

_STARTING = frozenset({"listening", "learning"})


def slow_port_starts(evidence: Evidence) -> Iterator[Finding]:
    """`slow-port-start` of each switch with telephones at ports that are no edge ports.

    That one of them listens or learns, and no other port does, shows that they wait.
    """
    for device in devices(evidence):
        slow, waiting = [], []
        for interface in device.interfaces:
            edge = device.now("spanning_tree_port_edge", interface=interface)
            state = device.now("spanning_tree_port_state", interface=interface)
            telephone = device.telephone_at(interface)
            if state is not None and state.value in _STARTING and not telephone:
                waiting.append(interface)
            if edge is not None and edge.value is False and telephone:
                slow.append((interface, edge, state))
        if not slow:
            continue
        where = device.place
        starting = [at for at, _, state in slow if state and state.value in _STARTING]
        now = f" {listing(starting)} is starting now." if starting else ""
        verdict = Verdict.SUPPORTED if starting and not waiting else Verdict.SUGGESTIVE
        yield draft(
            evidence,
            "slow-port-start",
            where,
            f"{where.name} has telephones at {listing([at for at, _, _ in slow])}, which are no "
            f"edge ports: after a link comes up they wait while the tree listens and learns.{now}",
            rounds=device.rounds[-1:],
            seen=[seen for _, edge, state in slow for seen in (edge, state)],
            verdict=verdict,
            direction=Direction.NETWORK_TO_TELEPHONY,
            refutations=(
                Refutation("Does the switch treat the port as an edge port?", "no: it says not"),
                Refutation(
                    "Does the whole tree start or change, so that every port waits?",
                    f"it may: {listing(waiting)} wait too" if waiting
                    else "no: no other port waits" if starting
                    else "no port was seen to wait",
                ),
            ),
            missing=("how long a telephone really waits for its address after link-up",),
            alternatives=("rapid spanning tree, which waits only for a port that does not answer",),
        )  # fmt: skip
