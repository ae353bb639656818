"""Loss of the streams that a capture holds: before its place by its own count, behind it by RTCP.

Packets that are missing at the capture point were lost between their sender and there, or by the
capture. What the receiver reports lost and the capture has was lost behind it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.ends import End, place_of_capture, site_place
from nethealth.diagnosis.evidence import Evidence, Place
from nethealth.diagnosis.recorded import Claim, Recordings, Stream, claimed, dropped
from nethealth.diagnosis.text import counted, listing, percent, percent_range
from nethealth.model.finding import Effect, Finding, Refutation, Verdict
from nethealth.model.observation import Observation
from nethealth.quality.loss import LossStatistics, from_burst_ratio, pool

PACKETS_LEAST = 100  # of all streams from one place: fewer say nothing of a path
_NAMES = ("packet_loss_ratio", "rtp_packets_lost", "rtp_packets_expected")


def recorded_losses(held: Recordings) -> Iterator[Finding]:
    """`packet-loss` of the voice from each place, and of the voice towards each receiver."""
    evidence = held.evidence
    for capture in held.captures:
        streams = held.streams(capture)
        lost = dropped(capture)
        for place, group in places(evidence, streams, lambda stream: stream.source).items():
            if found := _before(evidence, place, group, streams, lost):
                yield found
        for place, group in places(evidence, streams, lambda stream: stream.destination).items():
            if found := _behind(evidence, place, group):
                yield found


def places(
    evidence: Evidence, streams: Sequence[Stream], end: Callable[[Stream], End]
) -> dict[Place, list[Stream]]:
    """Streams by the site of an end; those of no known site by the capture."""
    found: dict[Place, list[Stream]] = defaultdict(list)
    for stream in streams:
        found[place_of(evidence, stream, end(stream))].append(stream)
    return dict(sorted(found.items(), key=lambda pair: pair[0].key))


def place_of(evidence: Evidence, stream: Stream, end: End) -> Place:
    """The site of an end, else that of the capture, else the capture itself."""
    if end.site is not None:
        return site_place(evidence, end.site)
    return place_of_capture(evidence, stream.capture)


def contradicting(streams: Sequence[Stream]) -> list[tuple[Stream, Claim]]:
    """Receivers that have what the capture lacks: the capture lost it, and the way did not."""
    found = []
    for stream, claim in claimed(streams):
        if stream.loss is None or claim.loss is None or not stream.loss.lost:
            continue
        if claim.loss.interval[1] < stream.loss.interval[0]:
            found.append((stream, claim))
    return found


@dataclass(frozen=True)
class _Heard:
    """What receivers say of the streams of one place, where they say anything of their loss."""

    streams: tuple[Stream, ...]
    loss: LossStatistics
    seen: tuple[Observation, ...]


def _before(
    evidence: Evidence, place: Place, streams: Sequence[Stream], all_: Sequence[Stream], lost: int
) -> Finding | None:
    parts = [stream.loss for stream in streams if stream.loss is not None]
    if not parts or sum(part.sent for part in parts) < PACKETS_LEAST:
        return None
    threshold = evidence.record.settings.thresholds.loss
    loss = pool(parts)
    if loss.interval[0] <= threshold:
        return None
    own = from_burst_ratio(loss.sent, max(0, loss.lost - lost), loss.burst_ratio, loss.run_max)
    against = contradicting(streams)
    unsure = own.interval[0] <= threshold or len(against) * 2 > len(
        [stream for stream in streams if stream.loss and stream.loss.lost]
    )
    worst = sorted(streams, key=lambda one: -(one.loss.ratio if one.loss else 0.0))
    bursts = (
        f" They came in bursts: {loss.burst_ratio:.1f} times as long as chance would make them."
        if loss.burst_ratio and loss.burst_ratio > 1.5
        else ""
    )
    return draft(
        evidence,
        "packet-loss",
        replace(place, key=f"{place.key}:recorded"),
        f"Of the voice from {place.name} that a capture holds "
        f"({counted(len(streams), 'stream')}) {loss.lost} of {loss.sent} packets are missing: "
        f"{percent(loss.ratio)} (95 % interval {percent_range(loss.interval)}), where the limit "
        f"is {percent(threshold)}. They were lost between their senders and the capture "
        f"point.{bursts}",
        rounds=[stream.capture.round for stream in streams[:1]],
        times=[moment for stream in streams if stream.span for moment in stream.span],
        seen=[stream.seen.get(name) for name in _NAMES for stream in worst],
        verdict=Verdict.INSUFFICIENT_DATA if unsure else Verdict.DEMONSTRATED,
        refutations=(
            Refutation(
                "Did the capture itself drop packets?",
                f"{counted(lost, 'packet')}, taken off" if lost else "none that it tells of",
            ),
            Refutation("Do the receivers lack them too?", _receivers(streams, against)),
            Refutation("Is voice from other places lossy there too?", _others(streams, all_)),
        ),
        missing=("a capture nearer to the senders, which shows where they are lost",),
        alternatives=(
            "a mirror port or a capturing machine that could not keep up",
            "a queue that overflows on a full line",
            "a fault of the provider's line",
        ),
        effect=Effect(estimate=loss.ratio, interval=loss.interval),
    )


def _behind(evidence: Evidence, place: Place, streams: Sequence[Stream]) -> Finding | None:
    """Loss that only the receivers tell of: their claim, beside streams that were whole here."""
    threshold = evidence.record.settings.thresholds.loss
    heard = _heard(streams)
    if heard is None or heard.loss.interval[0] <= threshold:
        return None
    here = [stream.loss for stream in heard.streams if stream.loss is not None]
    seen = pool(here) if here else None
    if seen is None or seen.interval[1] >= heard.loss.interval[0]:
        return None  # as much is missing here: it was lost before
    return draft(
        evidence,
        "packet-loss",
        replace(place, key=f"{place.key}:received"),
        f"Receivers at {place.name} report {heard.loss.lost} of {heard.loss.sent} packets of "
        f"voice lost, {percent(heard.loss.ratio)} (95 % interval "
        f"{percent_range(heard.loss.interval)}), where the limit is {percent(threshold)}. At the "
        f"capture point {seen.lost} of {seen.sent} are missing: they are lost behind it.",
        rounds=[stream.capture.round for stream in heard.streams[:1]],
        times=[moment for stream in heard.streams if stream.span for moment in stream.span],
        seen=[*heard.seen, *(stream.seen.get("packet_loss_ratio") for stream in heard.streams)],
        verdict=Verdict.SUPPORTED,
        refutations=(
            Refutation(
                "Were they missing before they passed here?",
                f"no: {seen.lost} of {counted(seen.sent, 'packet')}",
            ),
        ),
        missing=("a capture beside the receivers, since a report is their own word",),
        alternatives=("a receiver that counts what came too late as lost",),
        effect=Effect(estimate=heard.loss.ratio, interval=heard.loss.interval),
    )


def _heard(streams: Sequence[Stream]) -> _Heard | None:
    parts, told, seen = [], [], []
    for stream, claim in claimed(streams):
        one = next((each for each in claim.seen if each.name == "far_end_packet_loss_ratio"), None)
        if one is None or claim.loss is None:
            continue
        parts.append(claim.loss)
        told.append(stream)
        seen.append(one)
    if not parts or sum(part.sent for part in parts) < PACKETS_LEAST:
        return None
    return _Heard(tuple(told), pool(parts), tuple(seen))


def _receivers(streams: Sequence[Stream], against: Sequence[tuple[Stream, Claim]]) -> str:
    heard = _heard(streams)
    if heard is None:
        return "no receiver says how much it lost"
    said = f"{heard.loss.lost} of {heard.loss.sent} by the receivers' own count"
    if not against:
        return f"yes: {said}"
    names = listing([claim.reporter for _, claim in against], 3)
    return f"not all: {said}; {names} had what the capture lacks"


def _others(streams: Sequence[Stream], all_: Sequence[Stream]) -> str:
    others = [one.loss for one in all_ if one not in streams and one.loss is not None]
    if not others:
        return "the capture has no other"
    loss = pool(others)
    return f"{loss.lost} of {loss.sent} packets of it are missing"
