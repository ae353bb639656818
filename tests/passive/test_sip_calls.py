"""Calls from their messages: outcomes, delays and copies, each worked out by hand."""

from collections.abc import Iterable

import pytest

from nethealth.model.endpoint import Endpoint
from nethealth.model.pseudonym import Revealed
from nethealth.passive import sip_calls
from nethealth.passive.sip_call import Call
from nethealth.passive.sip_calls import Calls
from nethealth.passive.sip_parties import Parties
from nethealth.passive.sip_read import SeenMessage
from nethealth.passive.sip_transactions import names_of
from tests.passive.sip_script import (
    ALICE,
    ANSWER,
    BOB,
    OFFER,
    PROXY,
    SECOND,
    START_NS,
    Script,
    ordinary_call,
)


def calls_of(messages: Iterable[SeenMessage], end_s: float = 1000.0) -> Calls:
    calls = Calls(Parties(Revealed()), lambda call: None)
    for seen in messages:
        calls.take(seen, names_of(seen.message))
    calls.finish(START_NS + round(end_s * SECOND))
    return calls


def call_of(script: Script, end_s: float = 1000.0) -> Call:
    (call,) = calls_of(script.seen, end_s).results
    return call


def test_an_ordinary_call() -> None:
    call = call_of(ordinary_call(Script()))
    assert (call.outcome, call.status_code, call.ended_by, call.reason) == (
        "answered", 200, "caller", "Q.850 16",
    )  # fmt: skip
    assert call.post_dial_delay_s == 0.5
    assert call.answer_delay_s == 2.0
    assert call.ring_time_s == 1.5
    assert call.talk_time_s == 58.0
    assert call.progress_codes == (100, 180)
    assert (call.copy_count, call.challenge_count, call.reinvite_count, call.fork_count) == (
        0, 0, 0, 1,
    )  # fmt: skip
    assert call.acknowledged is True
    assert not call.began_before
    assert not call.still_going
    assert (call.offered, call.chosen) == (("G722", "PCMA", "TELEPHONE-EVENT"), "PCMA")
    assert [(end.side, str(end.announced.endpoint)) for end in call.media] == [
        ("caller", "198.18.0.1:40000"),
        ("callee", "198.18.0.3:50000"),
    ]
    assert [step.label for step in call.steps] == [
        "INVITE", "100 Phrase", "180 Phrase", "200 Phrase", "ACK", "BYE", "200 Phrase",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(486, "busy"), (600, "busy"), (480, "no answer"), (408, "no answer"), (404, "rejected"),
     (503, "rejected"), (603, "rejected"), (302, "redirected"), (487, "cancelled"),
     (407, "challenged")],
)  # fmt: skip
def test_a_call_that_is_not_answered(code: int, outcome: str) -> None:
    script = Script()
    script.request(0.0, "INVITE", body=OFFER)
    script.response(1.0, 180)
    script.response(4.0, code)
    script.request(4.1, "ACK", branch="z9hG4bKinvite1", to_tag="b")
    call = call_of(script)
    assert (call.outcome, call.status_code, call.ended_by) == (outcome, code, None)
    assert (call.answer_delay_s, call.talk_time_s, call.ring_time_s) == (None, None, 3.0)


def test_a_caller_who_gives_up() -> None:
    script = Script()
    script.request(0.0, "INVITE")
    script.response(1.0, 180)
    script.request(9.0, "CANCEL", branch="z9hG4bKinvite1")
    script.response(9.1, 200, "CANCEL", branch="z9hG4bKinvite1")
    script.response(9.2, 487)
    call = call_of(script)
    assert (call.outcome, call.ended_by, call.ring_time_s) == ("cancelled", "caller", 8.2)


def test_nobody_answers_at_all() -> None:
    """Timer A: copies after 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s (RFC 3261 section 17.1.1.2)."""
    script = Script()
    for at_s in (0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5):
        script.request(at_s, "INVITE")
    call = call_of(script, 100.0)
    assert (call.outcome, call.status_code, call.copies) == ("unanswered", None, (("INVITE", 6),))
    assert not call.still_going
    call = call_of(script, 40.0)
    assert (call.outcome, call.still_going) == ("in progress", True)


def test_challenges_are_folded_into_one_call() -> None:
    script = Script()
    script.request(0.0, "INVITE", body=OFFER)
    script.response(0.1, 407)
    script.request(0.2, "ACK", branch="z9hG4bKinvite1", to_tag="b")
    script.request(0.3, "INVITE", number=2, body=OFFER)
    script.response(0.5, 183, number=2, body=ANSWER)
    script.response(1.5, 200, number=2, body=ANSWER)
    call = call_of(script)
    assert (call.outcome, call.attempt_count, call.challenge_count) == ("answered", 2, 1)
    assert (call.post_dial_delay_s, call.answer_delay_s) == (0.5, 1.5)
    assert call.acknowledged is False, "no ACK of the 200 was seen"


def test_an_answer_to_a_challenge_from_another_port_is_the_same_call() -> None:
    """As over TCP, where each connection has a port of its own."""
    script = Script()
    elsewhere = Endpoint(ALICE.address, 50123)
    script.request(0.0, "INVITE")
    script.response(0.1, 401)
    script.request(0.3, "INVITE", elsewhere, number=2)
    script.response(1.5, 200, destination=elsewhere, number=2)
    call = call_of(script)
    assert (call.outcome, call.attempt_count, call.challenge_count) == ("answered", 2, 1)
    assert call.answer_delay_s == 1.5


def test_a_new_offer_within_the_call_is_no_new_call() -> None:
    script = ordinary_call(Script())
    script.request(10.0, "INVITE", BOB, ALICE, number=7, to_tag="a", from_tag="b", body=ANSWER)
    script.response(
        10.1, 200, source=ALICE, destination=BOB, number=7, to_tag="a", from_tag="b", body=OFFER
    )
    calls = calls_of(sorted(script.seen, key=lambda seen: seen.time_ns))
    (call,) = calls.results
    assert calls.call_count == 1
    assert (call.attempt_count, call.reinvite_count, call.answer_delay_s) == (1, 1, 2.0)


def test_the_same_call_at_two_hops() -> None:
    """A proxy forwards: each hop has its own branch, and delays are those of the caller's leg."""
    script = Script()
    hop = "z9hG4bKproxy"
    script.request(0.0, "INVITE", ALICE, PROXY, body=OFFER)
    script.response(0.01, 100, source=PROXY, to_tag=None)
    script.request(0.02, "INVITE", PROXY, BOB, branch=hop, body=OFFER)
    script.response(0.52, 180, source=BOB, destination=PROXY, branch=hop)
    script.response(0.53, 180, source=PROXY)
    script.response(2.0, 200, source=BOB, destination=PROXY, branch=hop, body=ANSWER)
    script.response(2.01, 200, source=PROXY, body=ANSWER)
    script.request(60.0, "BYE", BOB, PROXY, number=1, to_tag="a", from_tag="b")
    script.request(60.01, "BYE", PROXY, ALICE, number=1, to_tag="a", from_tag="b", branch="z9hG4x")
    call = call_of(script)
    assert (call.hop_count, call.attempt_count, call.copy_count) == (2, 1, 0)
    assert (call.caller, call.callee) == (ALICE, PROXY)
    assert (call.post_dial_delay_s, call.answer_delay_s, call.ended_by) == (0.53, 2.01, "callee")


@pytest.mark.parametrize(
    ("phrase", "label"),
    [
        ("Not Found", "404 Not Found"),
        ("User bob@example.org unknown", "404 User … unknown"),
        ("No route to 01223 450 000, sorry", "404 No route to …, sorry"),
        ("<sip:+441223450000@x> is away", "404 <…> is away"),
        ("See RFC 3261", "404 See RFC 3261"),
    ],
)
def test_a_reason_phrase_names_nobody(phrase: str, label: str) -> None:
    script = Script()
    script.request(0.0, "INVITE")
    script.response(1.0, 404, phrase=phrase)
    assert call_of(script).steps[1].label == label


def test_a_fork_rings_twice() -> None:
    script = Script()
    script.request(0.0, "INVITE")
    script.response(0.5, 180, to_tag="b")
    script.response(0.6, 180, to_tag="c")
    script.response(3.0, 200, to_tag="c")
    call = call_of(script)
    assert (call.fork_count, call.outcome, call.copy_count) == (2, "answered", 0)


def test_legs_of_a_back_to_back_user_agent_are_two_calls() -> None:
    one, two = ordinary_call(Script("leg-1")), ordinary_call(Script("leg-2"))
    calls = calls_of(sorted(one.seen + two.seen, key=lambda seen: seen.time_ns))
    assert calls.call_count == len(calls.results) == 2


def test_what_is_seen_twice() -> None:
    """A copy after 0.5 s is sent again; one after 0.4 ms came through a rewriting box."""
    script = ordinary_call(Script())
    script.response(2.0004, 200, body=ANSWER)
    script.response(2.5, 200, body=ANSWER)
    script.request(0.0002, "INVITE", Endpoint("203.0.113.1", 5060), BOB, body=OFFER)
    call = call_of(script)
    assert call.copies == (("200 to INVITE", 1),)
    assert sum(step.again for step in call.steps) == 1


def test_ringing_that_is_refreshed_is_not_sent_again() -> None:
    """RFC 3261 section 13.3.1.1: a 180 every minute keeps proxies from giving up."""
    script = Script()
    script.request(0.0, "INVITE")
    for at_s in (1.0, 61.0, 121.0):
        script.response(at_s, 180)
    assert call_of(script, 122.0).copy_count == 0


def test_reliable_provisional_answers_are_told_apart_by_their_number() -> None:
    script = Script()
    script.request(0.0, "INVITE")
    script.response(1.0, 183, headers=("RSeq: 1",))
    script.response(2.0, 183, headers=("RSeq: 2",))
    script.response(2.5, 183, headers=("RSeq: 2",))
    assert call_of(script).copies == (("183 to INVITE", 1),)


def test_a_capture_that_begins_in_the_middle() -> None:
    script = ordinary_call(Script())
    calls = calls_of(script.seen[-2:])
    (call,) = calls.results
    assert calls.call_count == 0, "no INVITE, and no answer to one"
    assert (call.outcome, call.began_before, call.invite_ns) == ("not seen", True, None)
    calls = calls_of(script.seen[3:])
    (call,) = calls.results
    assert calls.call_count == 1
    assert (call.outcome, call.began_before, call.answer_delay_s, call.talk_time_s) == (
        "answered", True, None, 58.0,
    )  # fmt: skip


def test_a_capture_that_ends_in_the_middle() -> None:
    call = call_of_part(5, 30.0)
    assert (call.outcome, call.still_going, call.talk_time_s) == ("answered", True, None)
    call = call_of_part(3, 30.0)
    assert (call.outcome, call.still_going) == ("in progress", True)


def call_of_part(count: int, end_s: float) -> Call:
    (call,) = calls_of(ordinary_call(Script()).seen[:count], end_s).results
    return call


def test_a_bye_tells_who_hung_up_where_the_answer_was_not_captured() -> None:
    script = Script()
    script.request(0.0, "INVITE")
    script.response(1.0, 180)
    script.request(9.0, "BYE", BOB, ALICE, to_tag="a", from_tag="b")
    call = call_of(script)
    assert (call.outcome, call.ended_by, call.answer_delay_s) == ("answered", "callee", None)
    script = Script()
    script.request(0.0, "INVITE")
    script.response(1.0, 180)
    script.request(9.0, "BYE", to_tag="b")
    assert call_of(script).outcome == "cancelled"


def test_ended_calls_are_closed_while_the_capture_goes_on() -> None:
    calls = Calls(Parties(Revealed()), lambda call: None)
    for index in range(50):
        script = ordinary_call(Script(f"call-{index}"))
        for seen in script.seen:
            later = seen.time_ns + index * 200 * SECOND
            calls.take(moved(seen, later), names_of(seen.message))
    assert len(calls.results) >= 49, "all but perhaps the last"
    calls.finish(START_NS + 50 * 200 * SECOND)
    assert calls.call_count == len(calls.results) == 50


def test_caps_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_calls, "OPEN_MAX", 10)
    monkeypatch.setattr(sip_calls, "CLOSED_MAX", 10)
    ended: list[Call] = []
    calls = Calls(Parties(Revealed()), ended.append)
    for index in range(30):
        script = Script(f"call-{index}")
        script.request(index * 0.1, "INVITE")
        for seen in script.seen:
            calls.take(seen, names_of(seen.message))
    calls.finish(START_NS + 100 * SECOND)
    assert (calls.call_count, calls.evicted_count) == (30, 20)
    assert (len(calls.results), calls.results_left_out, len(ended)) == (5, 25, 30)
    assert sum(calls.outcomes.values()) == 30


def test_calls_to_ask_about_are_kept_however_many_ordinary_ones_come_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sip_calls, "CLOSED_MAX", 10)
    scripts = [ordinary_call(Script(f"call-{index}")) for index in range(20)]
    refused = Script("refused")
    refused.request(70.0, "INVITE")
    refused.response(71.0, 503)
    calls = calls_of(seen for script in [*scripts, refused] for seen in script.seen)
    assert [call.outcome for call in calls.results] == ["answered"] * 5 + ["rejected"]
    assert calls.outcomes == {"answered": 20, "rejected": 1}


def moved(seen: SeenMessage, time_ns: int) -> SeenMessage:
    return SeenMessage(time_ns, seen.source, seen.destination, seen.transport, seen.message)


FAX = (
    b"v=0\r\no=- 3 3 IN IP4 198.18.0.3\r\ns=-\r\nc=IN IP4 198.18.0.3\r\nt=0 0\r\n"
    b"m=image 50002 udptl t38\r\n"
)


def asking_for_fax(code: int, body: bytes = b"") -> Script:
    """The callee, which heard the tones, asks for T.38 by a re-INVITE (ITU-T T.38 annex D)."""
    script = Script()
    script.request(0.0, "INVITE", body=OFFER)
    script.response(2.0, 200, body=ANSWER)
    script.request(2.1, "ACK", branch="z9hG4bKack", to_tag="b")
    script.request(
        5.0, "INVITE", BOB, ALICE, branch="z9hG4bKfax", body=FAX, number=7, to_tag="a", from_tag="b"
    )
    if code:
        script.response(
            5.2, code, source=ALICE, destination=BOB, branch="z9hG4bKfax", body=body, number=7,
            to_tag="a", from_tag="b",
        )  # fmt: skip
    return script


@pytest.mark.parametrize(
    ("code", "body", "outcome"),
    [
        (200, FAX, ("accepted", 200)),
        (488, b"", ("refused", 488)),
        (200, OFFER, ("refused", 200)),  # it answers with audio alone
        (200, FAX.replace(b"50002", b"0"), ("refused", 200)),
        (491, b"", ("unanswered", None)),  # both asked at once: neither is refused
        (0, b"", ("unanswered", None)),
    ],
)
def test_what_came_of_asking_for_facsimile(
    code: int, body: bytes, outcome: tuple[str, int | None]
) -> None:
    asked = call_of(asking_for_fax(code, body)).facsimile
    assert asked is not None
    assert (asked.outcome, asked.status_code) == outcome


def test_call_that_offers_an_image_beside_audio_has_not_asked_for_facsimile_yet() -> None:
    script = Script()
    script.request(0.0, "INVITE", body=OFFER + b"m=image 40002 udptl t38\r\n")
    script.response(2.0, 200, body=ANSWER + b"m=image 0 udptl t38\r\n")
    assert call_of(script).facsimile is None
    assert call_of(ordinary_call(Script())).facsimile is None
