"""The calls and registrations of a capture: tables over all, a ladder for those to ask about."""

from collections.abc import Iterator, Mapping, Sequence

from nethealth.model.observation import Observation, Scalar
from reports.call_charts import loss_charts, rate_chart
from reports.call_ladder import ladder
from reports.citing import figure
from reports.document import Block, Cell, Column, Heading, KeyValues, Paragraph, Table
from reports.escape import clip
from reports.view import View
from reports.words import count, interval, listed, observed, seconds

LADDERS_MAX = 10
CALLS_TELLING = 20  # rows of the table of calls that a terminal shows
_PARTY_MAX = 60
_CALLS, _MESSAGES = "call_outcome", "call_message_count"
_ORDINARY = ("answered", "cancelled", "busy")

Seen = Mapping[str, Sequence[Observation]]


def call_blocks(view: View) -> tuple[Block, ...]:
    """Nothing where no capture was read, or none that holds SIP."""
    blocks: list[Block] = []
    for check in view.record.checks:
        if check.probe == "capture":
            seen = view.seen(check.id)
            blocks += _calls(seen)
            blocks += _registrations(seen)
            blocks += _measures(seen)
            blocks += _far_ends(seen)
            blocks += _ladders(view, seen)
    return tuple(blocks)


def _of_call(seen: Seen, name: str, call: Scalar) -> list[Observation]:
    return [one for one in seen.get(name, ()) if one.method.get("call") == call]


def _parties(seen: Seen) -> dict[Scalar, str]:
    """The address of record, or the token in its place, by number."""
    return {
        _scalar(one, "party"): clip(str(one.value), _PARTY_MAX) for one in seen.get("sip_party", ())
    }


def _scalar(one: Observation, key: str) -> Scalar:
    found = one.method.get(key)
    return found if isinstance(found, str | int | float) else None


def _text(one: Observation, key: str) -> str:
    found = one.method.get(key)
    return "" if found is None else clip(str(found), _PARTY_MAX)


def _number(one: Observation) -> int:
    """The value of a count; 0 for what is none, as in a record that somebody made by hand."""
    return int(one.value) if isinstance(one.value, int | float) else 0


def _calls(seen: Seen) -> Iterator[Block]:
    total = sum(map(_number, seen.get("call_count", ())))
    if not total:
        return
    outcomes = [
        f"{one.value} {_text(one, 'outcome')}" for one in seen.get("call_outcome_count", ())
    ]
    again = sum(map(_number, seen.get("sip_retransmission_count", ())))
    text = f"{count(total, 'call')}: {listed(outcomes, 8)}."
    text += f" {count(again, 'SIP message')} {'was' if again == 1 else 'were'} sent again."
    yield Paragraph(text)
    columns = (
        Column("Call", numeric=True),
        Column("Began", numeric=True),
        Column("Caller", optional=True),
        Column("Callee", optional=True),
        Column("Outcome"),
        Column("To ringing", numeric=True),
        Column("To answer", numeric=True),
        Column("Talk", numeric=True),
        Column("Sent again", numeric=True),
        Column("Codec", optional=True),
        Column("Audio seen"),
    )
    parties = _parties(seen)
    rows = tuple(_call_row(seen, one, parties) for one in seen.get(_CALLS, ()))
    left = sum(map(_number, seen.get("call_left_out_count", ())))
    rest = f"and {count(left, 'further call')}, counted only" if left else ""
    if len(rows) > CALLS_TELLING:
        rest = f"and {len(rows) - CALLS_TELLING} more in html, csv and json"
    yield Table("Calls, in the order of their numbers", columns, rows, CALLS_TELLING, rest)


def _call_row(seen: Seen, one: Observation, parties: Mapping[Scalar, str]) -> tuple[Cell, ...]:
    call = _scalar(one, "call")

    def value(name: str) -> Cell:
        found = _of_call(seen, name, call)
        return figure(observed(found[0]), found[:1]) if found else "–"

    return (
        str(call),
        "–" if one.t_s is None else f"{one.t_s:,.1f} s",
        parties.get(_scalar(one, "caller_party"), "–"),
        parties.get(_scalar(one, "callee_party"), "–"),
        figure(outcome(one), [one]),
        value("post_dial_delay_s"),
        value("answer_delay_s"),
        value("talk_time_s"),
        value("call_retransmission_count"),
        _text(one, "codec_chosen") or "–",
        value("call_media_seen"),
    )


def outcome(one: Observation) -> str:
    """`rejected (403)`, `answered, still going`: how a call ended, in a few words."""
    text = str(one.value)
    code = one.method.get("status_code")
    if text not in ("answered", "in progress", "not seen", "unanswered") and code is not None:
        text += f" ({_text(one, 'status_code')})"
    if one.method.get("still_going") is True and text == "answered":
        text += ", still going"
    if one.method.get("began_before") is True:
        text += ", began before"
    return text


def _registrations(seen: Seen) -> Iterator[Block]:
    accounts = seen.get("account_registration_count", ())
    if not accounts:
        return
    outcomes = [
        f"{one.value} {_text(one, 'outcome')}" for one in seen.get("registration_attempt_count", ())
    ]
    yield Paragraph(f"Registrations: {listed(outcomes, 6)}.")
    parties = _parties(seen)
    columns = (
        Column("Account"),
        Column("Attempts", numeric=True),
        Column("Succeeded", numeric=True),
        Column("Challenged", numeric=True, optional=True),
        Column("Failed, by code"),
        Column("Expiry asked", numeric=True, optional=True),
        Column("Expiry granted", numeric=True),
    )
    rows = tuple(
        (
            parties.get(_scalar(one, "party"), "–"),
            observed(one),
            _text(one, "successes"),
            _text(one, "challenges"),
            _failures(one),
            _expiry(one, "expiry_asked_s"),
            _expiry(one, "expiry_granted_s"),
        )
        for one in accounts
    )
    rest = f"and {len(rows) - CALLS_TELLING} more in html, csv and json"
    more = rest if len(rows) > CALLS_TELLING else ""
    yield Table("Registrations by account, most failures first", columns, rows, CALLS_TELLING, more)
    chart = rate_chart(seen)
    if chart is not None:
        yield chart


def _failures(one: Observation) -> str:
    codes, counts = one.method.get("failure_codes"), one.method.get("failure_counts")
    if not isinstance(codes, list | tuple) or not isinstance(counts, list | tuple) or not codes:
        return "–"
    pairs = zip(codes, counts, strict=False)
    return ", ".join(f"{amount} × {code or 'no answer'}" for code, amount in pairs)


def _expiry(one: Observation, key: str) -> str:
    found = one.method.get(key)
    return f"{found:,} s" if isinstance(found, int) else "–"


def _measures(seen: Seen) -> Iterator[Block]:
    """RFC 6076 as one table; a measure without a sample says so."""
    rows: list[tuple[Cell, ...]] = []
    for name, observations in seen.items():
        for one in observations:
            standard = _text(one, "standard")
            if standard.startswith("RFC 6076") and not name.endswith(("_p95_s", "_max_s")):
                title = _MEASURES.get(name, name)
                result = _text(one, "result")
                rows.append(
                    (
                        f"{title} ({result})" if result else title,
                        standard.rpartition(" ")[2],
                        figure(observed(one), [one]),
                        interval(one),
                        "–" if one.samples is None else f"{one.samples:,}",
                    )
                )
    if not any(row[4] not in ("0", "–") for row in rows):
        return
    columns = (
        Column("Measure"),
        Column("Section"),
        Column("Value", numeric=True),
        Column("95 % interval", numeric=True),
        Column("Samples", numeric=True),
    )
    yield Table(
        "SIP performance after RFC 6076, at the capture point", columns,
        tuple(sorted(rows, key=lambda row: (str(row[1]), str(row[0])))),
    )  # fmt: skip


_MEASURES = {
    "registration_request_delay_median_s": "Registration request delay, median",
    "ineffective_registration_attempts_ratio": "Ineffective registration attempts",
    "session_request_delay_median_s": "Session request delay, median",
    "session_disconnect_delay_median_s": "Session disconnect delay, median",
    "session_disconnect_failed_count": "BYE without an answer",
    "session_duration_time_median_s": "Session duration time, median",
    "session_establishment_ratio": "Session establishment ratio",
    "session_establishment_effectiveness_ratio": "Session establishment effectiveness ratio",
    "ineffective_session_attempts_ratio": "Ineffective session attempts",
    "session_completion_ratio": "Session completion ratio",
}


def _far_ends(seen: Seen) -> Iterator[Block]:
    """What each reporter claims of a stream, beside our own count of it."""
    reporters: dict[tuple[str, ...], dict[str, Observation]] = {}
    for name, observations in seen.items():
        for one in observations:
            if one.method.get("source") == "far end" or name.startswith("rtcp_round_trip"):
                key = tuple(_text(one, part) for part in ("reporter", "ssrc", "side", "address"))
                reporters.setdefault(key, {})[name] = one
    if not reporters:
        return
    columns = (
        Column("Reporter"),
        Column("Of source"),
        Column("Loss it claims", numeric=True),
        Column("Loss seen here", numeric=True),
        Column("Jitter it claims", numeric=True),
        Column("Round trip from here", numeric=True),
        Column("Its MOS-LQ", numeric=True),
        Column("Its MOS-CQ", numeric=True, optional=True),
    )
    rows = tuple(_far_end_row(key, facts) for key, facts in reporters.items())
    yield Table(
        "What the far ends report (their claims, not our measurement)", columns, rows,
        CALLS_TELLING, "",
    )  # fmt: skip


def _far_end_row(key: tuple[str, ...], facts: Mapping[str, Observation]) -> tuple[str, ...]:
    def value(name: str) -> str:
        one = facts.get(name)
        return "–" if one is None or one.value is None else observed(one)

    def plain(name: str) -> str:
        one = facts.get(name)
        return "–" if one is None or one.value is None else f"{one.value}"

    any_fact = next(iter(facts.values()))
    lost, expected = any_fact.method.get("seen_lost"), any_fact.method.get("seen_expected")
    seen_here = "–"
    if isinstance(lost, int) and isinstance(expected, int) and expected:
        seen_here = f"{lost:,} of {expected:,}"
    reporter, ssrc, side, _ = key
    return (
        f"{reporter}, {side} side" if side else reporter,
        ssrc or "–",
        value("far_end_packet_loss_ratio"),
        seen_here,
        value("far_end_interarrival_jitter_median_s"),
        value("rtcp_round_trip_delay_median_s"),
        plain("far_end_mos_lq"),
        plain("far_end_mos_cq"),
    )


def _ladders(view: View, seen: Seen) -> Iterator[Block]:
    """The calls that somebody may ask about first, then the others, up to the cap."""
    calls = list(seen.get(_CALLS, ()))
    ranked = sorted(range(len(calls)), key=lambda index: _is_ordinary(seen, calls[index]))
    for one in (calls[index] for index in sorted(ranked[:LADDERS_MAX])):
        call = _scalar(one, "call")
        messages = next(iter(_of_call(seen, _MESSAGES, call)), None)
        drawn = None if messages is None else ladder(messages, str(call))
        if drawn is None:
            continue
        yield Heading(f"Call {call}: {outcome(one)}")
        pairs = [
            ("began", "–" if one.t_s is None else f"{seconds(one.t_s)} after the first packet"),
            ("Call-ID", _text(one, "call_id")),
            ("ended by", _text(one, "ended_by")),
            ("reason given", _text(one, "reason")),
            ("codecs offered", _list(one, "codecs_offered")),
            ("challenged", _times(one, "challenges")),
            ("changed while it ran", _times(one, "reinvites")),
            ("its answer", _unacknowledged(one)),
        ]
        yield KeyValues(tuple((term, text) for term, text in pairs if text))
        yield drawn
        yield from loss_charts(seen, call, one.t_s or 0.0, view.record.settings.thresholds.loss)


def _is_ordinary(seen: Seen, one: Observation) -> bool:
    again = _of_call(seen, "call_retransmission_count", _scalar(one, "call"))
    audio = _of_call(seen, "call_media_seen", _scalar(one, "call"))
    one_way = any(each.value != each.method.get("expected") for each in audio)
    went_well = one.value in _ORDINARY and one.method.get("began_before") is not True
    return went_well and not any(each.value for each in again) and not one_way


def _unacknowledged(one: Observation) -> str:
    return "no ACK of it was seen" if one.method.get("acknowledged") is False else ""


def _list(one: Observation, key: str) -> str:
    found = one.method.get(key)
    return ", ".join(map(str, found[:16])) if isinstance(found, list | tuple) else ""


def _times(one: Observation, key: str) -> str:
    found = one.method.get(key)
    return count(found, "time") if isinstance(found, int) and found else ""
