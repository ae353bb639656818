"""Loss on a path, pooled over the hosts of a site.

It needs the lower end of the 95 % interval above the threshold; a loss that the sample cannot tell
from the threshold is said to be so, and is no warning.
"""

from collections.abc import Iterable, Iterator, Sequence
from statistics import NormalDist

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place, Round, decisive_first
from nethealth.diagnosis.streams import one_way_loss
from nethealth.diagnosis.text import counted, listing, percent, percent_range
from nethealth.model.finding import Effect, Finding, Refutation, Verdict
from nethealth.model.observation import Observation
from nethealth.quality.loss import (
    LossStatistics,
    from_burst_ratio,
    packets_needed,
    pool,
    wilson,
)

_LOSS = ("packet_loss_ratio", "packets_sent_count", "packets_received_count")


def loss_of(hosts: Sequence[Host], overflow: int = 0) -> LossStatistics | None:
    """Loss of the hosts that answer echo requests, pooled; None if there are none.

    `overflow` packets are taken off: they arrived, and were lost in the measuring machine.
    """
    pooled = loss_of_rounds(one for host in hosts if host.echoes for one in host.pings)
    if pooled is None:
        return None
    if not (overflow and pooled.lost):
        return pooled
    kept = max(0, pooled.lost - overflow)
    return from_burst_ratio(pooled.sent, kept, pooled.burst_ratio, pooled.run_max)


def loss_of_rounds(rounds: Iterable[Round]) -> LossStatistics | None:
    """Loss of these rounds of echo requests, pooled; None if there are none."""
    parts = [
        from_burst_ratio(
            one.sent,
            one.sent - one.received,
            one.number("packet_loss_burst_ratio"),
            int(one.number("packet_loss_run_max_packets") or 0),
        )
        for one in rounds
    ]
    return pool(parts) if parts else None


def packet_losses(evidence: Evidence) -> Iterator[Finding]:
    """`packet-loss` of each site as a whole, or of single hosts where the whole is healthy.

    A stream to a reflector there says more than echo requests do: it names the direction.
    """
    overflow = evidence.record.run.instrument.socket_overflow_count or 0
    threshold = evidence.record.settings.thresholds.loss
    for place, hosts in evidence.groups:
        by_direction = one_way_loss(evidence, place, hosts)
        if by_direction is not None:
            yield by_direction
            continue
        lossy = [host for host in hosts if host.echoes and _lost(host)]
        whole = loss_of(hosts, overflow)
        if whole is None or not lossy or _only_the_gateway(hosts, lossy):
            continue
        if whole.interval[0] > threshold:
            yield _packet_loss(evidence, place, hosts, whole)
            continue
        single = [
            (host, loss)
            for host in lossy
            if len(hosts) > 1 and not host.gateway
            if (loss := loss_of([host], overflow)) and _clear(loss, threshold, len(hosts))
        ]
        for host, loss in single:
            yield _packet_loss(evidence, host.place, [host], loss)
        if whole.ratio > threshold and not single:
            yield _too_few(evidence, place, hosts, whole)


def _lost(host: Host) -> int:
    return sum(one.sent - one.received for one in host.pings)


def _only_the_gateway(hosts: Sequence[Host], lossy: Sequence[Host]) -> bool:
    """Whether packets pass through the gateway unharmed, which then only answers some of them."""
    behind = [host for host in hosts if host.echoes and not host.gateway]
    return bool(behind) and all(host.gateway for host in lossy)


def _clear(loss: LossStatistics, threshold: float, hosts: int) -> bool:
    """Whether one of many hosts is over the threshold, at 95 % for all of them together."""
    z = NormalDist().inv_cdf(1 - 0.025 / hosts)
    return wilson(loss.ratio * loss.n_effective, loss.n_effective, z=z)[0] > threshold


def _packet_loss(
    evidence: Evidence, place: Place, hosts: Sequence[Host], loss: LossStatistics
) -> Finding:
    rounds = _pinged(hosts)
    bursts = (
        f" They came in bursts: {loss.burst_ratio:.1f} times as long as chance would make them."
        if loss.burst_ratio and loss.burst_ratio > 1.5
        else ""
    )
    late = sum(int(one.number("late_reply_count") or 0) for one in rounds)
    return draft(
        evidence,
        "packet-loss",
        place,
        f"{loss.lost} of {loss.sent} packets to {place.name} and back were lost: "
        f"{percent(loss.ratio)} (95 % interval {percent_range(loss.interval)}), "
        f"where the limit is {percent(evidence.record.settings.thresholds.loss)}.{bursts}",
        rounds=rounds,
        seen=_evidence(rounds),
        refutations=(
            Refutation("Is one host of the place alone to blame?", _by_host(hosts)),
            Refutation(
                "Do other sites lose packets at the same time?", _other_losses(evidence, place)
            ),
            Refutation(
                "Did the measuring machine drop them itself?",
                _dropped(evidence),
            ),
            Refutation(
                "Were they only late?", f"{late} came after the wait was over" if late else "no"
            ),
        ),
        missing=(
            "the direction in which they were lost, which needs a reflector at the site",
            "the error counters of the interfaces on the path",
        ),
        alternatives=(
            "a router or host that answers only so many echo requests a second",
            "a queue that overflows on a full line",
            "a fault of the provider's line",
        ),
        effect=Effect(estimate=loss.ratio, interval=loss.interval),
    )


def _dropped(evidence: Evidence) -> str:
    overflow = evidence.record.run.instrument.socket_overflow_count
    if overflow is None:
        return "not measured"
    return f"{counted(overflow, 'packet')} at its own sockets, taken off" if overflow else "no"


def _too_few(
    evidence: Evidence, place: Place, hosts: Sequence[Host], loss: LossStatistics
) -> Finding:
    threshold = evidence.record.settings.thresholds.loss
    needed = packets_needed(loss.ratio, threshold, loss.burst_ratio)
    rounds = _pinged(hosts)
    return draft(
        evidence,
        "packet-loss",
        place,
        f"{loss.lost} of {loss.sent} packets to {place.name} and back were lost: too few to tell "
        f"from the limit of {percent(threshold)} (95 % interval {percent_range(loss.interval)}). "
        f"If the loss is what it seems, about {needed} packets would show it.",
        rounds=rounds,
        seen=_evidence(rounds),
        verdict=Verdict.INSUFFICIENT_DATA,
        missing=(f"about {needed} packets in all",),
        alternatives=("chance",),
        effect=Effect(estimate=loss.ratio, interval=loss.interval),
    )


def _pinged(hosts: Sequence[Host]) -> list[Round]:
    return [one for host in hosts if host.echoes for one in host.pings]


def _evidence(rounds: Sequence[Round]) -> list[Observation]:
    """The lossiest hosts first, and of each the loss before the counts that it comes from."""
    lossiest = sorted(rounds, key=lambda one: (one.received - one.sent) / one.sent)
    return decisive_first(lossiest, _LOSS)


def _by_host(hosts: Sequence[Host]) -> str:
    shares = [
        f"{host.place.name} lost {_lost(host)} of {host.packets_sent}"
        for host in sorted(hosts, key=lambda host: (-_lost(host), host.place.key))
        if host.echoes
    ]
    return listing(shares)


def _other_losses(evidence: Evidence, place: Place) -> str:
    others = [
        f"{other.name} {loss.lost} of {loss.sent}"
        for other, hosts in evidence.groups
        if other.site and other.site != place.site
        if (loss := loss_of(hosts))
    ]
    return listing(others) if others else "no other site was measured"
