"""What the SIP analysis observes, under its names in the record."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from nethealth.model.endpoint import Endpoint
from nethealth.model.observation import Passport, Scalar
from nethealth.passive.analysis import Fact, Units
from nethealth.passive.sip_call import Call
from nethealth.passive.sip_calls import Calls
from nethealth.passive.sip_measures import Measures
from nethealth.passive.sip_media_seen import EndSeen, StreamBook, media_expected, media_seen
from nethealth.passive.sip_registrations import RecordAccount, Registrations

CALLS_SHOWN_MAX = 100
RECORDS_SHOWN_MAX = 100
COPY_LABELS_MAX = 40
_TEXT_MAX = 128
_STATISTICS = ("median_s", "p95_s", "max_s")
_VANTAGE = "capture point"

UNITS: Units = {
    "sip_request_count": None,
    "sip_response_count": None,
    "sip_malformed_count": None,
    "sip_cut_count": None,
    "sip_mirrored_count": None,
    "sip_keepalive_count": None,
    "sip_tcp_gap_count": None,
    "sip_retransmission_count": None,
    "sip_party": None,
    "call_count": None,
    "call_outcome_count": None,
    "call_outcome": None,
    "call_left_out_count": None,
    "post_dial_delay_s": "s",
    "answer_delay_s": "s",
    "ring_time_s": "s",
    "talk_time_s": "s",
    "call_retransmission_count": None,
    "call_message_count": None,
    "call_media_seen": None,
    "call_facsimile": None,
    "media_endpoint_announced": None,
    "registration_attempt_count": None,
    "registration_failure_count": None,
    "registration_left_out_count": None,
    "registration_requests_per_s_max": "1/s",
    "account_registration_count": None,
    **{
        f"{name}_{statistic}": "s"
        for name in (
            "registration_request_delay", "session_request_delay", "session_disconnect_delay",
            "session_duration_time",
        )
        for statistic in _STATISTICS
    },
    "ineffective_registration_attempts_ratio": "1",
    "session_disconnect_failed_count": None,
    "session_establishment_ratio": "1",
    "session_establishment_effectiveness_ratio": "1",
    "ineffective_session_attempts_ratio": "1",
    "session_completion_ratio": "1",
}  # fmt: skip


def count_facts(name: str, key: str, counts: Mapping[str, int]) -> Iterator[Fact]:
    """One fact for each kind, the commonest first."""
    for word, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        yield Fact(name, count, method={key: word})


def copy_facts(copies: Counter[str]) -> Iterator[Fact]:
    """Messages sent again, by what they were; rare ones beyond the cap are counted together."""
    common = copies.most_common(COPY_LABELS_MAX)
    for label, count in common:
        yield Fact("sip_retransmission_count", count, method={"message": label})
    rest = sum(copies.values()) - sum(count for _, count in common)
    if rest:
        yield Fact("sip_retransmission_count", rest, method={"message": "other"})


def measure_facts(measures: Measures) -> Iterator[Fact]:
    """RFC 6076; a ratio of nothing has the value null and no sample."""
    for measure in measures.results():
        left_out = (
            measures.registration_left_out_count
            if measure.section in ("4.1", "4.2")
            else measures.call_left_out_count
        )
        method: dict[str, Scalar] = {
            "standard": f"RFC 6076 section {measure.section}",
            "definition": measure.definition,
            "measured_at": _VANTAGE,
            "left_out": left_out,
        }
        if measure.result is not None:
            method["result"] = measure.result
        yield Fact(
            measure.name, measure.value, samples=measure.samples, interval=measure.interval,
            method=method,
        )  # fmt: skip


def call_facts(calls: Calls, streams: StreamBook) -> Iterator[Fact]:
    """Counts over all calls, and each of the calls that are shown: unusual ones go first."""
    yield Fact(
        "call_count", calls.call_count,
        method={"definition": "Call-IDs with an INVITE or an answer to one"},
    )  # fmt: skip
    outcomes = {str(outcome): count for outcome, count in calls.outcomes.items()}
    yield from count_facts("call_outcome_count", "outcome", outcomes)
    kept = [(call, streams.ends(call)) for call in calls.results]
    kept.sort(key=lambda pair: (_is_ordinary(*pair), pair[0].number))
    left_out = calls.results_left_out + max(0, len(kept) - CALLS_SHOWN_MAX)
    caps = {
        "shown_max": CALLS_SHOWN_MAX,
        "closed_early": calls.evicted_count,  # since too many were open at a time
        "messages_left_out": calls.message_left_out_count,
        "messages_too_late": calls.late_count,
    }
    yield Fact("call_left_out_count", left_out, method=caps)
    for call, ends in sorted(kept[:CALLS_SHOWN_MAX], key=lambda pair: pair[0].number):
        yield from _one_call(call, ends)


def _is_ordinary(call: Call, ends: Sequence[EndSeen]) -> bool:
    """Whether nobody would ask about the call: nothing unusual in its messages nor in its audio."""
    seen = media_seen(call, ends)
    return call.is_ordinary and (seen is None or seen == media_expected(call))


def _one_call(call: Call, ends: Sequence[EndSeen]) -> Iterator[Fact]:
    at_ns = call.first_ns
    number: Passport = {"call": call.number}
    yield Fact("call_outcome", call.outcome, method=_passport(call), time_ns=at_ns)
    for name, value in (
        ("post_dial_delay_s", call.post_dial_delay_s),
        ("answer_delay_s", call.answer_delay_s),
        ("ring_time_s", call.ring_time_s),
        ("talk_time_s", call.talk_time_s),
    ):
        if value is not None:
            yield Fact(name, value, samples=1, method=number, time_ns=at_ns)
    yield Fact(
        "call_retransmission_count", call.copy_count, time_ns=at_ns,
        method={**number, "messages": [f"{label}: {count}" for label, count in call.copies]},
    )  # fmt: skip
    yield _ladder(call)
    for one in ends:
        yield Fact("media_endpoint_announced", str(one.end.announced.endpoint), time_ns=at_ns,
                   method=_media_passport(call, one))  # fmt: skip
    if call.facsimile is not None:
        yield Fact("call_facsimile", call.facsimile.outcome, time_ns=at_ns,
                   method={**number, "status_code": call.facsimile.status_code})  # fmt: skip
    seen = media_seen(call, ends)
    if seen is not None:
        yield Fact(
            "call_media_seen", seen, time_ns=at_ns,
            method={**number, "expected": media_expected(call), "measured_at": _VANTAGE,
                    "limit": "media may take another way than past this point"},
        )  # fmt: skip


def _passport(call: Call) -> Passport:
    return {
        "call": call.number,
        "call_id": call.call_id[:_TEXT_MAX],
        "transport": call.transport,
        "caller": str(call.caller),
        "callee": str(call.callee),
        "caller_party": call.caller_party,
        "callee_party": call.callee_party,
        "status_code": call.status_code,
        "ended_by": call.ended_by,
        "reason": call.reason,
        "progress_codes": list(call.progress_codes),
        "attempts": call.attempt_count,
        "challenges": call.challenge_count,
        "reinvites": call.reinvite_count,
        "forks": call.fork_count,
        "hops": call.hop_count,
        "acknowledged": call.acknowledged,
        "began_before": call.began_before,
        "still_going": call.still_going,
        "codecs_offered": list(call.offered),
        "codec_chosen": call.chosen,
        "measured_at": _VANTAGE,
    }


def _ladder(call: Call) -> Fact:
    """The messages as parallel lists; places are indices into `places`, times in s from the first.

    Only methods, codes and phrases stand here, no name and no number of anybody.
    """
    place_of = _places(call)
    places: dict[str, int] = {}
    for step in call.steps:
        for end in (step.source, step.destination):
            places.setdefault(place_of[end], len(places))
    return Fact(
        "call_message_count",
        call.step_count,
        method={
            "call": call.number,
            "places": list(places),
            "times_s": [round((step.time_ns - call.first_ns) / 1e9, 6) for step in call.steps],
            "from": [places[place_of[step.source]] for step in call.steps],
            "to": [places[place_of[step.destination]] for step in call.steps],
            "labels": [step.label for step in call.steps],
            "of": [step.of or "" for step in call.steps],
            "media": [step.media for step in call.steps],
            "again": [step.again for step in call.steps],
            "left_out": call.step_count - len(call.steps),
        },
        time_ns=call.first_ns,
    )


def _places(call: Call) -> dict[Endpoint, str]:
    """Where each end stands in the ladder: a host, with its port if it uses only one.

    Where messages go from one port of a host to another one, each port is a place.
    """
    ends = {end for step in call.steps for end in (step.source, step.destination)}
    ports: dict[str, set[int]] = {}
    for end in ends:
        ports.setdefault(end.address, set()).add(end.port)
    inside = any(step.source.address == step.destination.address for step in call.steps)
    return {
        end: str(end) if inside or len(ports[end.address]) == 1 else end.address for end in ends
    }


def _media_passport(call: Call, seen: EndSeen) -> Passport:
    announced = seen.end.announced
    return {
        "call": call.number,
        "side": seen.end.side,
        "media": announced.kind,
        "direction_announced": announced.direction,
        "codecs": list(announced.codecs),
        "rtp_packets_to": seen.packets_to,
        "rtp_packets_from": seen.packets_from,
        "other_sources": list(seen.other_sources),
    }


def registration_facts(registrations: Registrations) -> Iterator[Fact]:
    """Outcomes, failures by code, the rate over time, and the accounts that fared worst."""
    outcomes = {str(outcome): count for outcome, count in registrations.outcomes.items()}
    yield from count_facts("registration_attempt_count", "outcome", outcomes)
    for code, count in sorted(registrations.failures.items()):
        yield Fact("registration_failure_count", count, method={"status_code": code or None})
    if registrations.asked.total:
        yield _rate(registrations)
    ranked = sorted(
        registrations.accounts.items(),
        key=lambda pair: (-sum(pair[1].failures.values()), -pair[1].attempt_count, pair[0]),
    )
    shown = ranked[:RECORDS_SHOWN_MAX]
    left_out = len(ranked) - len(shown) + registrations.account_left_out_count
    if left_out or registrations.evicted_count:
        yield Fact(
            "registration_left_out_count", left_out,
            method={"shown_max": RECORDS_SHOWN_MAX, "closed_early": registrations.evicted_count},
        )  # fmt: skip
    for party, account in shown:
        yield _account(party, account)


def _rate(registrations: Registrations) -> Fact:
    start_ns, asked = registrations.asked.series()
    width_s = registrations.asked.width_s
    failed_ns, failed = registrations.failed.series(width_s)
    offset = (failed_ns - start_ns) // (width_s * 1_000_000_000) if failed else 0
    aligned = [0] * len(asked)
    for index, count in enumerate(failed):
        if 0 <= index + offset < len(aligned):
            aligned[index + offset] = count
    return Fact(
        "registration_requests_per_s_max",
        registrations.asked.most / width_s,
        samples=registrations.asked.total,
        method={
            "bin_s": width_s,
            "requests": asked,
            "refusals": aligned,
            "registrars": [name for name, _ in registrations.registrars.most_common(4)],
        },
        time_ns=start_ns,
    )


def _account(party: int, account: RecordAccount) -> Fact:
    return Fact(
        "account_registration_count",
        account.attempt_count,
        method={
            "party": party,
            "successes": account.success_count,
            "challenges": account.challenge_count,
            "removals": account.removal_count,
            "failure_codes": [code or None for code in sorted(account.failures)],
            "failure_counts": [account.failures[code] for code in sorted(account.failures)],
            "expiry_asked_s": account.asked_s,
            "expiry_granted_s": account.granted_s,
        },
        time_ns=account.first_ns,
    )
