"""Whether calls that a capture holds sounded poor, by what is missing or late in their streams.

The delay of the way cannot be seen at one point and is taken as 0, so that R is the best that it
can have been: what is poor by it was poor.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Place, number
from nethealth.diagnosis.impairment import Heard, estimated, weighs_most
from nethealth.diagnosis.recorded import Claim, Recordings, Stream, claimed, dropped
from nethealth.diagnosis.recorded_loss import contradicting, places
from nethealth.diagnosis.text import counted, listing
from nethealth.model.finding import Effect, Finding, Refutation, Verdict
from nethealth.model.observation import Observation, Passport
from nethealth.quality.loss import LossStatistics, from_burst_ratio

_NAMES = ("r_factor", "mos_cqe", "packet_loss_ratio", "rtp_packets_late", "pdv_p99_s")
_CLAIMS = ("far_end_r_factor", "far_end_mos_cq", "far_end_mos_lq", "far_end_discard_ratio")


@dataclass(frozen=True)
class _Poor:
    stream: Stream
    r_factor: float
    missed: LossStatistics
    late: int
    scored: Observation


def recorded_voice(held: Recordings) -> Iterator[Finding]:
    """`poor-voice-quality` of the calls from each place, by the streams of a capture."""
    evidence = held.evidence
    for capture in held.captures:
        streams = held.streams(capture)
        for place, group in places(evidence, streams, lambda stream: stream.source).items():
            scored = [one for stream in group if (one := _scored(stream)) is not None]
            poor = [one for one in scored if _surely(evidence, one)]
            if poor:
                yield _finding(evidence, place, scored, poor)


def _scored(stream: Stream) -> _Poor | None:
    """A stream of which the reader estimated R, with what a listener missed of it."""
    seen, loss = stream.seen.get("r_factor"), stream.loss
    value = None if seen is None else number(seen)
    if seen is None or value is None or loss is None:
        return None
    late = max(0, int(stream.number("rtp_packets_late") or 0))
    missed = from_burst_ratio(
        loss.sent, min(loss.sent, loss.lost + late), loss.burst_ratio or 1.0, loss.run_max
    )
    return _Poor(stream, value, missed, late, seen)


def _surely(evidence: Evidence, one: _Poor) -> bool:
    """Whether R is below the limit even at the least that can have been missed."""
    limit = evidence.record.settings.thresholds.r_factor
    best = estimated(_passport(one), 0.0, one.missed.interval[0], one.missed.burst_ratio)
    return best.r_factor is not None and best.r_factor < limit and one.r_factor < limit


def _passport(one: _Poor) -> Passport:
    return {**one.scored.method, "codec": one.scored.method.get("e_model_codec", "G.711+PLC")}


def _finding(
    evidence: Evidence, place: Place, scored: Sequence[_Poor], poor: Sequence[_Poor]
) -> Finding:
    limit = evidence.record.settings.thresholds.r_factor
    worst = sorted(poor, key=lambda one: one.r_factor)
    first = worst[0]
    streams = [one.stream for one in worst]
    own = dropped(first.stream.capture)
    against = contradicting(streams)
    praised = [
        (stream, claim)
        for stream, claim in claimed(streams)
        if (claim.number("far_end_r_factor") or 0.0) >= limit
    ]
    denied = {id(stream) for stream, _ in (*against, *praised)}
    lost = sum(one.missed.lost - one.late for one in poor)
    unsure = own >= lost > 0 or len(denied) * 2 > len(poor)
    mos = first.stream.number("mos_cqe")
    heaviest = weighs_most(
        Heard(
            sent=first.missed.sent,
            lost=first.missed.lost - first.late,
            discarded=first.late,
            one_way_s=0.0,
            burst_ratio=first.missed.burst_ratio,
            passport=_passport(first),
        )
    )
    return draft(
        evidence,
        "poor-voice-quality",
        replace(place, key=f"{place.key}:recorded"),
        f"{len(poor)} of {counted(len(scored), 'stream')} of voice from {place.name} that a "
        f"capture holds sounded poor. The worst goes to {first.stream.destination.name}: R "
        f"{first.r_factor:.0f}, MOS-CQE {mos or 1.0:.1f} ({first.stream.codec}) at the best, since "
        f"the delay of the way is not seen, where the limit is R {limit:.0f}. Of "
        f"{counted(first.missed.sent, 'packet')} {first.missed.lost - first.late} were lost and "
        f"{first.late} came too late to be played.{f' {heaviest}' if heaviest else ''}",
        rounds=[first.stream.capture.round],
        times=[moment for stream in streams if stream.span for moment in stream.span],
        seen=[
            *(stream.seen.get(name) for stream in streams for name in _NAMES),
            *(one for _, claim in claimed(streams) for one in claim.seen if one.name in _CLAIMS),
        ],
        verdict=Verdict.INSUFFICIENT_DATA if unsure else Verdict.SUPPORTED,
        refutations=(
            Refutation("Was it poor at the least loss that the sample allows?", "yes"),
            Refutation(
                "Did the capture itself drop packets?",
                f"{counted(own, 'packet')}" if own else "none that it tells of",
            ),
            Refutation("What do the receivers say?", _said(streams, [*against, *praised])),
            Refutation("Is every stream from there as poor?", f"{len(poor)} of {len(scored)} are"),
        ),
        missing=("which concealment and buffer the telephones use",),
        alternatives=(
            "a sender that sends in bursts, and not the way",
            "a mirror port or a capturing machine that could not keep up",
        ),
        effect=Effect(estimate=first.r_factor),
    )


def _said(streams: Sequence[Stream], denying: Sequence[tuple[Stream, Claim]]) -> str:
    if denying:
        who = listing(sorted({claim.reporter for _, claim in denying}), 3)
        return f"that they had it well: {who}"
    told = [
        f"R {value:.0f} by {claim.reporter}"
        for _, claim in claimed(streams)
        if (value := claim.number("far_end_r_factor")) is not None
    ]
    told += [
        f"{claim.loss.lost} of {claim.loss.sent} lost by {claim.reporter}"
        for _, claim in claimed(streams)
        if claim.loss is not None
    ]
    return listing(told, 3) if told else "nothing: no report of theirs is in the capture"
