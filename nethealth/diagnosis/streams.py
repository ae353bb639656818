"""What STAMP streams say of each direction by itself: its loss, its voice and its marks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place, Round, number
from nethealth.diagnosis.rounds import persistent
from nethealth.diagnosis.text import counted, percent, percent_range
from nethealth.model.finding import Effect, Finding, Refutation
from nethealth.model.observation import Observation
from nethealth.quality.loss import LossStatistics, from_burst_ratio, pool

Way = Literal["forward", "return"]
WAYS: Mapping[Way, str] = {"forward": "on the way there", "return": "on the way back"}
_LOSS = ("packet_loss_ratio", "packets_lost_count", "packets_sent_count")


def streamed(hosts: Sequence[Host]) -> tuple[Round, ...]:
    """Every round of a STAMP stream of which something was sent.

    A check `coexistence` begins with one on the idle line, whose observations come first.
    """
    return tuple(
        one
        for host in hosts
        for series in host.of("stamp", "coexistence")
        for one in series.rounds
        if one.sent
    )


def directed(one: Round, name: str, way: str) -> Observation | None:
    """The observation of one direction."""
    return next((seen for seen in one.all(name) if seen.method.get("direction") == way), None)


def way_losses(hosts: Sequence[Host], overflow: int = 0) -> Mapping[Way, LossStatistics]:
    """Loss of each direction over all streams to these hosts; without those that tell none.

    `overflow` packets came back, and were lost in the measuring machine.
    """
    found: dict[Way, LossStatistics] = {}
    for way in WAYS:
        parts = [loss for one in streamed(hosts) if (loss := _loss(one, way)) is not None]
        if not parts:
            continue
        pooled = pool(parts)
        if way == "return" and overflow and pooled.lost:
            kept = max(0, pooled.lost - overflow)
            pooled = from_burst_ratio(pooled.sent, kept, pooled.burst_ratio, pooled.run_max)
        found[way] = pooled
    return found


def one_way_loss(evidence: Evidence, place: Place, hosts: Sequence[Host]) -> Finding | None:
    """`packet-loss` with its direction, where a stream shows one above the threshold for sure."""
    threshold = evidence.record.settings.thresholds.loss
    overflow = evidence.record.run.instrument.socket_overflow_count or 0
    losses = way_losses(hosts, overflow)
    lossy = [way for way, loss in losses.items() if loss.interval[0] > threshold]
    if not lossy:
        return None
    rounds = streamed(hosts)
    where = WAYS[lossy[0]] if len(lossy) == 1 else "in both directions"
    said = "; ".join(
        f"{WAYS[way]} {loss.lost} of {loss.sent}, {percent(loss.ratio)} "
        f"(95 % interval {percent_range(loss.interval)})"
        for way, loss in losses.items()
    )
    worst = max((losses[way] for way in lossy), key=lambda loss: loss.ratio)
    bursts = (
        f" They came in bursts: {worst.burst_ratio:.1f} times as long as chance would make them."
        if worst.burst_ratio and worst.burst_ratio > 1.5
        else ""
    )
    return draft(
        evidence,
        "packet-loss",
        place,
        f"Packets between here and {place.name} are lost {where}: {said}; the limit is "
        f"{percent(threshold)}.{bursts}",
        rounds=rounds,
        seen=[seen for one in rounds for seen in one.observations if seen.name in _LOSS],
        refutations=(
            Refutation("Is the other direction lossy too?", _other_way(lossy, losses, threshold)),
            Refutation("Do echo requests of the place get lost too?", _echoes(hosts)),
            Refutation(
                "Did the measuring machine drop them itself?",
                f"{counted(overflow, 'packet')}, taken off" if overflow else "no",
            ),
        ),
        missing=("the error counters of the interfaces on the path",),
        alternatives=(
            "a queue for marked packets that is too small",
            "a queue that overflows on a full line",
            "a fault of the provider's line",
        ),
        effect=Effect(estimate=worst.ratio, interval=worst.interval),
    )


def stream_marks(evidence: Evidence) -> Iterator[Finding]:
    """`dscp-bleached` of each reflector that sees, or whose answers bear, another mark than sent.

    What is found on the way there has the id that a trace of the same host would give it.
    """
    for host in evidence.hosts:
        for series in host.of("stamp", "coexistence"):
            for way in WAYS:
                found = persistent(series.rounds, partial(_changed, way=way))
                if found:
                    yield _bleached(evidence, host, way, *found[-1])


@dataclass(frozen=True)
class _Mark:
    sent: int
    seen: Observation
    arrived: int


def _loss(one: Round, way: Way) -> LossStatistics | None:
    ratio, lost = directed(one, "packet_loss_ratio", way), directed(one, "packets_lost_count", way)
    if ratio is None or lost is None or not ratio.samples:
        return None
    count = number(lost)
    if count is None or not 0 <= count <= ratio.samples:
        return None
    burst = directed(one, "packet_loss_burst_ratio", way)
    run = directed(one, "packet_loss_run_max_packets", way)
    return from_burst_ratio(
        ratio.samples,
        int(count),
        number(burst) if burst else None,
        int((number(run) if run else None) or 0),
    )


def _other_way(lossy: Sequence[Way], losses: Mapping[Way, LossStatistics], threshold: float) -> str:
    if len(lossy) == 2:
        return "yes"
    others = [(way, loss) for way, loss in losses.items() if way not in lossy]
    if not others:
        return "not measured"
    ((way, loss),) = others
    said = f"{WAYS[way]} {loss.lost} of {loss.sent}"
    return f"no: {said}" if loss.ratio <= threshold else f"perhaps: {said}, too few to tell"


def _echoes(hosts: Sequence[Host]) -> str:
    sent = sum(host.packets_sent for host in hosts if host.echoes)
    received = sum(one.received for host in hosts if host.echoes for one in host.pings)
    return f"{sent - received} of {sent}" if sent else "not measured"


def _changed(one: Round, way: Way) -> _Mark | None:
    seen = directed(one, "dscp_received", way)
    if seen is None or seen.value is None:
        return None
    arrived = number(seen)
    sent = seen.method.get("dscp" if way == "forward" else "expected")
    if arrived is None or not isinstance(sent, int) or arrived == sent:
        return None
    return _Mark(sent, seen, int(arrived))


def _bleached(evidence: Evidence, host: Host, way: Way, one: Round, mark: _Mark) -> Finding:
    other: Way = "return" if way == "forward" else "forward"
    back = directed(one, "dscp_received", other)
    key = host.place.key if way == "forward" else f"{host.place.key}:return"
    place = Place(key, host.place.name, host.place.council, host.place.site, host.place.asset)
    reached = "reach" if way == "forward" else "come back from"
    return draft(
        evidence,
        "dscp-bleached",
        place,
        f"Packets lose their mark {WAYS[way]}: sent with DSCP {mark.sent}, they {reached} "
        f"{host.place.name} with DSCP {mark.arrived} "
        f"({counted(mark.seen.samples or 0, 'packet')}).",
        rounds=[one],
        seen=[mark.seen, back],
        refutations=(
            Refutation(
                "Is the mark changed in the other direction too?",
                "not measured"
                if back is None or back.value is None
                else "yes"
                if _changed(one, other)
                else "no",
            ),
            Refutation(
                "May the reflector itself have changed it?",
                "no: it says what it received"
                if way == "forward"
                else "it says that it answered with the mark that was asked for",
            ),
        ),
        missing=("the hop that changes it, which a check `route` names",),
        alternatives=(
            "a provider whose contract has no classes of service",
            *(() if way == "forward" else ("a reflector that does not mark as it says",)),
        ),
    )
