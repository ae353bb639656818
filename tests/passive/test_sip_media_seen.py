"""A call's media announced beside the streams that were seen."""

import pytest

from nethealth.model.endpoint import Endpoint
from nethealth.passive.announced import StreamEnds
from nethealth.passive.sip_call import Call
from nethealth.passive.sip_media_seen import StreamBook, media_expected, media_seen
from tests.passive.sip_script import ANSWER, OFFER, SECOND, START_NS, Script, ordinary_call
from tests.passive.test_sip_calls import call_of

CALLER, CALLEE = Endpoint("198.18.0.1", 40000), Endpoint("198.18.0.3", 50000)


def stream(source: Endpoint, destination: Endpoint, first_s: float, last_s: float) -> StreamEnds:
    first_ns, last_ns = (START_NS + round(at_s * SECOND) for at_s in (first_s, last_s))
    return StreamEnds(source, destination, 100, first_ns, last_ns)


def seen(call: Call, *streams: StreamEnds) -> str | None:
    return media_seen(call, StreamBook(streams).ends(call))


def test_both_ways_and_one_way() -> None:
    call = call_of(ordinary_call(Script()))  # answered from 2 to 60 s
    there, back = stream(CALLER, CALLEE, 2, 60), stream(CALLEE, CALLER, 2, 60)
    assert seen(call, there, back) == "both ways"
    assert seen(call, there) == "towards the callee"
    assert seen(call, back) == "towards the caller"
    assert seen(call) == "none"
    assert media_expected(call) == "both ways"


def test_behind_a_translator_the_source_may_still_tell() -> None:
    """What leaves the caller's announced end goes to the callee, wherever the packets go to."""
    call = call_of(ordinary_call(Script()))
    elsewhere = Endpoint("203.0.113.9", 1234)
    assert seen(call, stream(CALLER, elsewhere, 2, 60)) == "towards the callee"
    stranger = stream(elsewhere, CALLER, 2, 60)
    (caller, _) = StreamBook([stranger]).ends(call)
    assert (caller.packets_to, caller.other_sources) == (100, ("203.0.113.9:1234",))


def test_the_next_call_on_the_same_port_is_not_this_one() -> None:
    call = call_of(ordinary_call(Script()))
    assert seen(call, stream(CALLEE, CALLER, 60.2, 90)) == "none"
    assert seen(call, stream(CALLEE, CALLER, 50, 90)) == "none", "10 of 40 s"
    assert seen(call, stream(CALLEE, CALLER, 0, 61)) == "towards the caller"


@pytest.mark.parametrize(
    ("offer", "answer", "expected"),
    [
        (b"a=recvonly\r\n", b"a=sendonly\r\n", "towards the caller"),
        (b"a=sendonly\r\n", b"a=recvonly\r\n", "towards the callee"),
        (b"a=inactive\r\n", b"a=inactive\r\n", "none"),
    ],
)
def test_what_the_descriptions_allow(offer: bytes, answer: bytes, expected: str) -> None:
    script = Script()
    script.request(0.0, "INVITE", body=OFFER + offer)
    script.response(1.0, 200, body=ANSWER + answer)
    assert media_expected(call_of(script)) == expected


def test_nothing_is_said_of_calls_without_both_descriptions_or_too_short() -> None:
    script = Script()
    script.request(0.0, "INVITE")
    script.response(1.0, 200, body=ANSWER)
    script.request(60.0, "BYE", number=2, to_tag="b")
    assert seen(call_of(script)) is None
    script = Script()
    script.request(0.0, "INVITE", body=OFFER)
    script.response(1.0, 200, body=ANSWER)
    script.request(2.5, "BYE", number=2, to_tag="b")
    assert seen(call_of(script)) is None
