"""What a test call says: that none can be made, that one side is not heard, or that it is poor.

Of all measurements only this one went the way of a call: the verdict on its sound may be
`supported`, where ping alone suggests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Round, number
from nethealth.diagnosis.failures import SAYING
from nethealth.diagnosis.impairment import Heard, weighs_most
from nethealth.diagnosis.rounds import persistent
from nethealth.diagnosis.text import counted, listing, milliseconds, percent, reason_of
from nethealth.model.failure import Failure
from nethealth.model.finding import Effect, Finding, Refutation, Verdict
from nethealth.model.observation import Observation
from nethealth.quality.emodel import estimate

PACKETS_MIN = 50  # a second of speech, of which something would have arrived
_SIGNALS = ("sip_status_code", "sip_authenticated", "session_request_delay_s", "answer_delay_s")
_MEDIA = (
    "rtp_packets_sent", "rtp_packets_received", "rtp_wrong_source_count", "media_address_matched",
    "media_error_count", "rtcp_packets_received",
)  # fmt: skip
# The callee's own state, or a question to the caller: no call, and no fault of the way either.
_OWN_STATE = frozenset({401, 407, 480, 486, 600, 603})
_WAYS = {
    "return": "from the far end to here",
    "forward": "from here to the far end",
    "round-trip": "there and back",
}


def call_findings(evidence: Evidence) -> Iterator[Finding]:
    """`call-failed`, `one-way-audio` and `poor-voice-quality` of each host that was called."""
    for host in evidence.hosts:
        for series in host.of("call"):
            failures = persistent(series.rounds, _no_call)
            if failures:
                yield _failed(evidence, host, *failures[-1])
            missing = persistent(series.rounds, _unheard)
            if missing:
                yield _one_way(evidence, host, *missing[-1])
            poor = persistent(series.rounds, lambda one: _poor(evidence, one))
            if poor:
                yield _poor_call(evidence, host, *poor[-1])


def _called(host: Host, one: Round) -> str:
    """The host and the number; once where they are the same."""
    name, number_ = host.place.name, one.check.target
    return name if name == number_ else f"{name} ({number_})"


def _status(one: Round) -> int | None:
    value = one.number("sip_status_code")
    return None if value is None else int(value)


def _no_call(one: Round) -> str | None:
    """Why no call came about, or None."""
    status, failure = _status(one), one.check.failure
    if status is not None and status >= 300 and not (status == 487 and failure):
        seen = one.first("sip_status_code")
        phrase = str(seen.method.get("reason_phrase") or "")[:80] if seen else ""
        refused = f"was refused with {status} {phrase}".rstrip()
        asked = one.first("sip_authenticated")
        if asked is None:
            return refused
        return f"{refused} ({reason_of(str(asked.method.get('reason') or 'after a login'))})"
    if failure is None or failure is Failure.RESOLVE:
        return None
    if status is not None and status < 300:
        return f"was answered and broke off ({reason_of(one.check.reason)})"
    return f"{SAYING.get(failure, 'failed')} ({reason_of(one.check.reason)})"


def _failed(evidence: Evidence, host: Host, one: Round, fault: str) -> Finding:
    own_state = _status(one) in _OWN_STATE or one.check.failure is Failure.AUTH
    rang = one.word("sip_provisional_codes") or ""
    options = [
        int(value)
        for series in host.of("sip")
        for again in series.rounds
        if (value := again.number("sip_status_code")) is not None
    ]
    return draft(
        evidence,
        "call-failed",
        host.place,
        f"A test call to {_called(host, one)} {fault}.",
        rounds=[one],
        seen=[seen for seen in one.observations if seen.name in _SIGNALS],
        verdict=Verdict.INSUFFICIENT_DATA if own_state else Verdict.DEMONSTRATED,
        refutations=(
            Refutation("Did it ring?", f"yes: {rang}" if rang else "no provisional answer came"),
            Refutation(
                "Does the host answer OPTIONS?",
                f"yes: {options[-1]}" if options else "not measured, or no answer",
            ),
        ),
        missing=("a call to another number of the same system",),
        alternatives=(
            "a test number that is busy, out of order or no longer there",
            "a server that takes calls only from those who are registered",
            "a filter on the way",
        ),
    )


@dataclass(frozen=True, slots=True)
class _Heard:
    """Packets each way; None where nobody can tell."""

    sent: int
    back: int
    forward: int | None


def _unheard(one: Round) -> _Heard | None:
    """What was heard each way, if a side of an answered call was not heard at all."""
    if _status(one) != 200:
        return None
    sent = _count(one, "rtp_packets_sent", "forward")
    back = _count(one, "rtp_packets_received", "return", "round-trip")
    forward = _count(one, "rtp_packets_received", "forward")
    ended = one.first("rtp_packets_sent")
    two_way = ended is not None and ended.method.get("media_direction", "sendrecv") == "sendrecv"
    if sent is None or sent < PACKETS_MIN or back is None or not two_way:
        return None
    return _Heard(sent, back, forward) if back == 0 or forward == 0 else None


def _count(one: Round, name: str, *directions: str) -> int | None:
    for seen in one.all(name):
        if seen.method.get("direction") in directions:
            value = number(seen)
            return None if value is None else int(value)
    return None


def _one_way(evidence: Evidence, host: Host, one: Round, heard: _Heard) -> Finding:
    strangers = one.first("rtp_wrong_source_count")
    stray = 0 if strangers is None else int(number(strangers) or 0)
    from_elsewhere = ""
    if strangers is not None and stray:
        listed = strangers.method.get("sources")
        sources = [str(each) for each in listed] if isinstance(listed, Sequence) else []
        from_elsewhere = (
            f" {counted(stray, 'packet')} came from {listing(sources, 3)} instead of the address "
            "that the far end had announced."
        )
    return draft(
        evidence,
        "one-way-audio",
        host.place,
        f"A test call to {_called(host, one)} was answered, and {_saying(heard)}.{from_elsewhere}",
        rounds=[one],
        seen=[seen for seen in one.observations if seen.name in (*_SIGNALS, *_MEDIA)],
        refutations=(
            Refutation("Did packets leave here?", f"yes: {counted(heard.sent, 'packet')}"),
            Refutation("Did packets of the far end arrive?", _arrived(heard.back)),
            Refutation(
                "Does the far end report ours?",
                "no report came" if heard.forward is None else _arrived(heard.forward),
            ),
            Refutation("Did media come from another address?", "yes" if stray else "no"),
        ),
        missing=("a count of the packets at the far end's own port",),
        alternatives=(
            "a filter or a missing route for the ports of media",
            "a private or wrong address in the far end's description",
            "a far end that sends nothing while it hears silence",
        ),
    )


def _saying(heard: _Heard) -> str:
    if heard.forward == 0 and heard.back:
        return (
            f"no audio got from here to the far end: it reports none of our "
            f"{counted(heard.sent, 'packet')}, while {counted(heard.back, 'packet')} of its own "
            "arrived here"
        )
    if heard.forward == 0:
        return (
            "no audio passed in either direction: nothing arrived here, and the far end reports "
            f"none of our {counted(heard.sent, 'packet')}"
        )
    if heard.forward:
        return (
            "no audio got from the far end to here: not one packet arrived, while it reports "
            f"{heard.forward} of ours"
        )
    return (
        "no audio got from the far end to here: not one packet arrived; whether ours "
        f"({heard.sent}) got there is not known, since no report of the far end arrived either"
    )


def _arrived(packets: int) -> str:
    return f"yes: {counted(packets, 'packet')}" if packets else "no: none"


def _poor(evidence: Evidence, one: Round) -> Observation | None:
    """The direction with the least R, if R is below the limit even at the least likely loss."""
    limit = evidence.record.settings.thresholds.r_factor
    found = []
    for seen in one.all("r_factor"):
        value = number(seen)
        best = _at_least_loss(seen)
        if value is not None and best is not None and best < limit:
            found.append((value, seen.id, seen))
    return min(found)[2] if found else None


def _at_least_loss(seen: Observation) -> float | None:
    """R of the same call at the least loss that the 95 % interval allows."""
    low, delay_s = seen.method.get("loss_low"), seen.method.get("one_way_delay_s")
    burst = seen.method.get("burst_r")
    if not isinstance(low, int | float) or not isinstance(delay_s, int | float):
        return None
    return estimate(
        one_way_delay_s=delay_s,
        loss_ratio=low,
        burst_ratio=burst if isinstance(burst, int | float) else None,
        codec=str(seen.method.get("codec", "G.711+PLC")),
    ).r_factor


def _poor_call(evidence: Evidence, host: Host, one: Round, seen: Observation) -> Finding:
    way = str(seen.method.get("direction"))
    mos = next(
        (
            number(other)
            for other in one.all("mos_cqe")
            if other.method.get("direction") == seen.method.get("direction")
        ),
        None,
    )
    r_factor = number(seen) or 0.0
    lost = _number(seen, "loss_ratio")
    delay_s = _number(seen, "one_way_delay_s")
    limit = evidence.record.settings.thresholds.r_factor
    late = next(
        (
            number(other) or 0.0
            for other in one.all("late_discard_ratio")
            if other.method.get("direction") == seen.method.get("direction")
        ),
        0.0,
    )
    sent = seen.samples or 0
    missed = round(lost * sent)
    discarded = min(missed, round(late * sent))
    burst = seen.method.get("burst_r")
    heaviest = weighs_most(
        Heard(
            sent=sent,
            lost=missed - discarded,
            discarded=discarded,
            one_way_s=delay_s,
            burst_ratio=burst if isinstance(burst, int | float) and burst >= 1 else None,
            passport=seen.method,
        )
    )
    return draft(
        evidence,
        "poor-voice-quality",
        host.place,
        f"A test call to {_called(host, one)} sounded poor "
        f"{_WAYS.get(way, way)}: R {r_factor:.0f}, MOS-CQE {mos or 1.0:.1f}, where the limit is R "
        f"{limit:.0f}. Of {counted(seen.samples or 0, 'packet')} {percent(lost)} were lost or came "
        f"too late to be played; one way is taken as {milliseconds(delay_s)}, half of the round "
        f"trip.{f' {heaviest}' if heaviest else ''}",
        rounds=[one],
        seen=[
            other
            for other in one.observations
            if other.name in ("r_factor", "packet_loss_ratio", "late_discard_ratio", "pdv_p99_s")
            and other.method.get("direction") == seen.method.get("direction")
        ],
        verdict=Verdict.SUPPORTED,
        refutations=(
            Refutation("Was it poor at the least loss that the sample allows?", "yes"),
            Refutation("Was it our own sending?", _lateness(one)),
        ),
        missing=("which concealment and buffer the telephones use",),
        alternatives=(
            "a far end that is slow to send back what it hears",
            "a short disturbance at the time of this one call",
        ),
        effect=Effect(estimate=r_factor),
    )


def _number(seen: Observation, key: str) -> float:
    value = seen.method.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def _lateness(one: Round) -> str:
    late_s = one.number("send_lateness_max_s")
    return "not recorded" if late_s is None else f"at most {milliseconds(late_s)} late"
