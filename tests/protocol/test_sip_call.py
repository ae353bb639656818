"""A call against far ends that are played by hand, message by message, by RFC 3261's rules."""

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.model.endpoint import Endpoint
from nethealth.protocol.sip_call import CHALLENGES_MAX, Call, CallState, Outgoing
from nethealth.wire.sip import SipRequest, SipResponse, parse_message
from tests.peers.hostile_sip import response

LOCAL = Endpoint("192.0.2.7", 40001)
PEER = Endpoint("192.0.2.1", 5060)
SDP = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)
CONTACT = "Contact: <sip:echo@192.0.2.1:5070>"


class Scene:
    """One call and what it has sent so far, parsed."""

    def __init__(self, transport: str = "udp") -> None:
        self.call = Call(
            "sip:echo@192.0.2.1",
            "udp" if transport == "udp" else "tcp",
            LOCAL,
            PEER,
            media=Endpoint("192.0.2.7", 30000),
            rtcp_port=30001,
            codecs=("PCMA", "PCMU"),
            getrandbits=Random(3).getrandbits,
        )
        self.sent: list[SipRequest | SipResponse] = []
        self.raw: list[Outgoing] = []
        self.invite = b""
        self.at(0.0)
        self.invite = self.raw[0].data

    def at(self, now: float) -> list[SipRequest | SipResponse]:
        """What it sends at `now`."""
        out = self.call.due(now)
        self.raw += out
        new = [parse_message(one.data) for one in out]
        self.sent += new
        return new

    def get(self, data: bytes, now: float = 1.0) -> list[SipRequest | SipResponse]:
        """What it sends upon `data`."""
        self.call.receive_datagram(data, PEER, now)
        return self.at(now)

    def answer(self, start: str, *more: str, tag: str = "far", body: str = "") -> bytes:
        """A response to the INVITE with a tag of the far end."""
        octets = response(self.invite, start, more="\r\n".join(more), body=body)
        return re.sub(rb"(\r\nTo: [^\r]*)", rb"\1;tag=" + tag.encode(), octets, count=1)

    def answered(self) -> None:
        self.get(self.answer("200 OK", CONTACT, "Content-Type: application/sdp", body=SDP))
        assert self.call.state is CallState.ANSWERED

    def request(
        self, method: str, number: int, *more: str, tag: str = "far", body: str = ""
    ) -> bytes:
        """A request of the far end within the call."""
        invite = parse_message(self.invite)
        lines = [
            f"{method} sip:nethealth@{LOCAL} SIP/2.0",
            f"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{method}{number}",
            f"From: <sip:echo@192.0.2.1>;tag={tag}",
            f"To: {invite.value('from')}",
            f"Call-ID: {invite.call_id}",
            f"CSeq: {number} {method}",
            *more,
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join([*lines, "", ""]) + body).encode()


def words(messages: list[SipRequest | SipResponse]) -> list[str | int]:
    return [one.method if isinstance(one, SipRequest) else one.status_code for one in messages]


def test_the_invite() -> None:
    scene = Scene()
    (invite,) = scene.sent
    assert isinstance(invite, SipRequest)
    assert (invite.method, invite.uri) == ("INVITE", "sip:echo@192.0.2.1")
    assert invite.value("supported") == "100rel"
    assert invite.value("content-type") == "application/sdp"
    assert b"m=audio 30000 RTP/AVP 8 0\r\n" in invite.body
    assert invite.content_length == len(invite.body)


def test_every_codec_is_announced_as_its_profile_has_it() -> None:
    """RFC 3551 table 4; G.722 at 8000 Hz for history's sake (4.5.2), G.729 without Annex B."""
    call = Call(
        "sip:echo@192.0.2.1", "udp", LOCAL, PEER, media=Endpoint("192.0.2.7", 30000),
        rtcp_port=30001, codecs=("G722", "PCMA", "G729", "PCMU"),
        getrandbits=Random(1).getrandbits,
    )  # fmt: skip
    body = parse_message(call.due(0.0)[0].data).body.decode().split("\r\n")
    assert "m=audio 30000 RTP/AVP 9 8 18 0" in body
    assert {line for line in body if line.startswith(("a=rtpmap", "a=fmtp"))} == {
        "a=rtpmap:9 G722/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:18 G729/8000",
        "a=rtpmap:0 PCMU/8000", "a=fmtp:18 annexb=no",
    }  # fmt: skip


def test_copies_at_the_intervals_of_timer_a_until_timer_b() -> None:
    """Section 17.1.1.2: after 0.5 s, then at intervals that double; over at 32 s."""
    scene = Scene()
    times = [0.0]
    while scene.call.state is CallState.CALLING:
        now = scene.call.next_deadline_s
        assert now is not None
        if scene.at(now):
            times.append(now)
    assert times == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert scene.call.state is CallState.TIMED_OUT
    assert scene.call.is_over
    assert len({one.data for one in scene.raw}) == 1


def test_over_a_stream_one_copy() -> None:
    scene = Scene("tcp")
    assert scene.call.next_deadline_s == 32.0
    assert scene.at(31.9) == []


def test_ringing_stops_the_copies() -> None:
    scene = Scene()
    assert scene.get(scene.answer("100 Trying"), 0.2) == []
    assert scene.call.next_deadline_s is None
    assert scene.call.progress is None, "100 is only the next hop's word"
    scene.get(scene.answer("180 Ringing"), 0.3)
    scene.get(scene.answer("183 Session Progress"), 0.4)
    assert scene.call.progress == (0.3, 180)
    assert scene.call.provisional == [100, 180, 183]


def test_an_ordinary_call() -> None:
    scene = Scene()
    scene.get(scene.answer("180 Ringing"), 0.3)
    (ack,) = scene.get(scene.answer("200 OK", CONTACT, body=SDP), 2.0)
    assert isinstance(ack, SipRequest)
    assert (ack.method, ack.uri, ack.to_tag) == ("ACK", "sip:echo@192.0.2.1:5070", "far")
    assert ack.cseq is not None
    assert ack.cseq.number == 1
    assert ack.top_via != parse_message(scene.invite).top_via
    assert scene.raw[-1].hop == Endpoint("192.0.2.1", 5070)
    assert scene.call.answered_s == 2.0
    media = scene.call.media
    assert media is not None
    assert (media.remote, media.rtcp) == (Endpoint("192.0.2.1", 6000), Endpoint("192.0.2.1", 6001))
    assert media.codec.name == "PCMA"
    scene.call.hang_up(12.0)
    (bye,) = scene.at(12.0)
    assert isinstance(bye, SipRequest)
    assert (bye.method, bye.uri, bye.to_tag) == ("BYE", "sip:echo@192.0.2.1:5070", "far")
    assert bye.cseq is not None
    assert bye.cseq.number == 2
    assert not scene.call.is_over
    assert words(scene.at(12.5)) == ["BYE"], "a copy, since nothing has come"
    scene.get(response(scene.raw[-1].data), 12.6)
    assert scene.call.is_over
    assert (scene.call.bye_status, scene.call.ended_by) == (200, "us")


def test_a_second_200_gets_the_same_ack() -> None:
    scene = Scene()
    scene.answered()
    first = scene.raw[-1]
    assert words(scene.get(scene.answer("200 OK", CONTACT, body=SDP))) == ["ACK"]
    assert scene.raw[-1] == first


def test_the_route_set_is_that_of_record_route_in_reverse() -> None:
    scene = Scene()
    routes = "Record-Route: <sip:192.0.2.66;lr>, <sip:192.0.2.77:5080;lr>"
    (ack,) = scene.get(scene.answer("200 OK", CONTACT, routes, body=SDP))
    assert isinstance(ack, SipRequest)
    assert ack.values("route") == ["<sip:192.0.2.77:5080;lr>", "<sip:192.0.2.66;lr>"]
    assert ack.uri == "sip:echo@192.0.2.1:5070"
    assert scene.raw[-1].hop == Endpoint("192.0.2.77", 5080)


def test_a_strict_router_stands_in_the_request_uri() -> None:
    scene = Scene()
    (ack,) = scene.get(scene.answer("200 OK", CONTACT, "Record-Route: <sip:192.0.2.66>", body=SDP))
    assert isinstance(ack, SipRequest)
    assert ack.uri == "sip:192.0.2.66"
    assert ack.values("route") == ["<sip:echo@192.0.2.1:5070>"]


@pytest.mark.parametrize(
    "status", ["302 Moved", "401 No", "486 Busy Here", "503 No", "603 Decline"]
)
def test_a_refusal_is_acknowledged_in_the_transaction(status: str) -> None:
    scene = Scene()
    (ack,) = scene.get(scene.answer(status, "Contact: <sip:112@192.0.2.9>"))
    assert isinstance(ack, SipRequest)
    invite = parse_message(scene.invite)
    assert isinstance(invite, SipRequest)
    assert (ack.method, ack.uri) == ("ACK", invite.uri)
    assert ack.top_via == invite.top_via
    assert ack.to_tag == "far"
    assert scene.call.state is CallState.REFUSED
    assert scene.call.is_over is (status != "401 No"), "a challenge waits for an answer"
    scene.call.answer_challenge(None)
    assert scene.call.is_over
    assert words(scene.get(scene.answer(status))) == ["ACK"], "our ACK was lost"
    scene.call.hang_up(5.0)
    assert scene.at(5.0) == []


def test_it_rings_too_long() -> None:
    scene = Scene()
    scene.get(scene.answer("180 Ringing"))
    scene.call.hang_up(20.0)
    (cancel,) = scene.at(20.0)
    invite = parse_message(scene.invite)
    assert isinstance(cancel, SipRequest)
    assert isinstance(invite, SipRequest)
    assert (cancel.method, cancel.uri, cancel.to_tag) == ("CANCEL", invite.uri, None)
    assert cancel.top_via == invite.top_via
    assert cancel.cseq is not None
    assert cancel.cseq.number == 1
    scene.get(response(scene.raw[-1].data), 20.1)
    assert not scene.call.is_over, "the INVITE itself is still to be answered"
    assert words(scene.get(scene.answer("487 Request Terminated"), 20.2)) == ["ACK"]
    assert scene.call.is_over


def test_no_cancel_before_a_provisional_answer() -> None:
    """Section 9.1; nor is there any further copy that could make it ring after all."""
    scene = Scene()
    scene.call.hang_up(0.4)
    assert scene.at(0.5) == []
    assert words(scene.get(scene.answer("180 Ringing"), 0.7)) == ["CANCEL"]


def test_answered_while_the_cancel_was_on_its_way() -> None:
    scene = Scene()
    scene.get(scene.answer("180 Ringing"))
    scene.call.hang_up(20.0)
    scene.at(20.0)
    assert words(scene.get(scene.answer("200 OK", CONTACT, body=SDP), 20.1)) == ["ACK", "BYE"]
    assert not scene.call.is_over


def test_a_second_callee_is_ended_at_once() -> None:
    scene = Scene()
    scene.answered()
    other = scene.get(scene.answer("200 OK", "Contact: <sip:two@192.0.2.2>", tag="two", body=SDP))
    assert words(other) == ["ACK", "BYE"]
    assert {one.hop for one in scene.raw[-2:]} == {Endpoint("192.0.2.2", 5060)}
    assert scene.call.other_answers == 1
    assert scene.call.state is CallState.ANSWERED


def test_prack_of_each_reliable_answer_once_and_in_order() -> None:
    scene = Scene()
    (prack,) = scene.get(
        scene.answer("183 Progress", "Require: 100rel", "RSeq: 776", CONTACT, body=SDP)
    )
    assert isinstance(prack, SipRequest)
    assert (prack.method, prack.uri) == ("PRACK", "sip:echo@192.0.2.1:5070")
    assert prack.value("rack") == "776 1 INVITE"
    scene.get(response(scene.raw[-1].data))
    again = scene.answer("183 Progress", "Require: 100rel", "RSeq: 776", CONTACT)
    assert scene.get(again) == []
    assert scene.get(scene.answer("180 Ringing", "Require: 100rel", "RSeq: 778", CONTACT)) == []
    (second,) = scene.get(scene.answer("180 Ringing", "Require: 100rel", "RSeq: 777", CONTACT))
    assert second.value("rack") == "777 1 INVITE"
    scene.get(response(scene.raw[-1].data))
    assert scene.call.pracks == 2
    scene.get(scene.answer("200 OK", CONTACT))  # the description came before
    assert scene.call.media is not None
    assert scene.call.media_fault is None
    scene.call.hang_up(9.0)
    (bye,) = scene.at(9.0)
    assert bye.cseq is not None
    assert bye.cseq.number == 4


def test_the_far_end_hangs_up() -> None:
    scene = Scene()
    scene.answered()
    assert words(scene.get(scene.request("BYE", 7), 4.0)) == [200]
    assert (scene.call.ended_by, scene.call.hung_up_s) == ("peer", 4.0)
    assert scene.call.is_over
    scene.call.hang_up(5.0)
    assert scene.at(5.0) == []
    assert words(scene.get(scene.request("BYE", 7), 6.0)) == [200], "our answer was lost"


def test_what_the_far_end_may_ask() -> None:
    scene = Scene()
    scene.answered()
    assert words(scene.get(scene.request("OPTIONS", 1))) == [200]
    assert words(scene.get(scene.request("INFO", 2))) == [200]
    assert words(scene.get(scene.request("REFER", 3, "Refer-To: <sip:112@192.0.2.1>"))) == [405]
    assert words(scene.get(scene.request("UPDATE", 4, "Session-Expires: 90"))) == [200]
    (refused,) = scene.get(scene.request("UPDATE", 5, "Require: timer"))
    assert words([refused]) == [420]
    assert refused.value("unsupported") == "timer"
    assert words(scene.get(scene.request("CANCEL", 6))) == [481]
    assert scene.call.requests["REFER"] == 1


def test_a_reinvite_moves_the_media() -> None:
    scene = Scene()
    scene.answered()
    held = SDP.replace("audio 6000", "audio 7000") + "a=sendonly\r\n"
    (reply,) = scene.get(scene.request("INVITE", 1, "Contact: <sip:b@192.0.2.8>", body=held))
    assert words([reply]) == [200]
    assert b"a=recvonly" in reply.body
    assert b"m=audio 30000 RTP/AVP 8\r\n" in reply.body
    media = scene.call.media
    assert media is not None
    assert (media.remote.port, media.sends, media.receives) == (7000, False, True)
    assert scene.get(scene.request("ACK", 1)) == []
    (offer,) = scene.get(scene.request("INVITE", 2))
    assert b"m=audio 30000 RTP/AVP 8 0\r\n" in offer.body
    only_opus = SDP.replace("AVP 8", "AVP 96")
    assert words(scene.get(scene.request("INVITE", 3, body=only_opus))) == [488]
    assert words(scene.get(scene.request("INVITE", 4, body="nonsense"))) == [488]
    scene.call.hang_up(9.0)
    (bye,) = scene.at(9.0)
    assert isinstance(bye, SipRequest)
    assert bye.uri == "sip:b@192.0.2.8", "the target was refreshed"


def test_requests_of_nobody_we_know() -> None:
    scene = Scene()
    scene.answered()
    assert words(scene.get(scene.request("BYE", 1, tag="forged"))) == [481]
    other = scene.request("BYE", 2).replace(b"Call-ID: ", b"Call-ID: x")
    assert scene.get(other) == [], "no answer that a stranger could use"
    assert scene.call.state is CallState.ANSWERED
    assert scene.call.foreign_count == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"branch=z9hG4bK", b"branch=z9hG4bKx"), (b"CSeq: 1 INVITE", b"CSeq: 2 INVITE"),
        (b"192.0.2.7:40001;branch", b"192.0.2.9:40001;branch"), (b";tag=", b";tag=x"),
    ],
)  # fmt: skip
def test_answers_to_another_question_change_nothing(old: bytes, new: bytes) -> None:
    scene = Scene()
    scene.get(scene.answer("200 OK", CONTACT, body=SDP).replace(old, new, 1))
    assert scene.call.state is CallState.CALLING
    assert scene.call.foreign_count == 1


@pytest.mark.parametrize(
    "body",
    [
        "", "nonsense", SDP.replace("6000", "0"), SDP.replace("AVP 8", "AVP 3"),
        SDP.replace("IN IP4 192.0.2.1\r\nt", "IN IP4 media.example\r\nt"),
        SDP.replace("RTP/AVP", "RTP/SAVP"), SDP.replace("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0"),
    ],
)  # fmt: skip
def test_a_broken_description_leaves_a_call_that_is_ended(body: str) -> None:
    scene = Scene()
    assert words(scene.get(scene.answer("200 OK", CONTACT, body=body))) == ["ACK"]
    assert scene.call.media is None
    assert scene.call.media_fault
    scene.call.hang_up(2.0)
    assert words(scene.at(2.0)) == ["BYE"]


@pytest.mark.parametrize("contact", ["tel:112", "<sip:a\x0bb@h>", "<>", "sip:%%%@@"])
def test_a_broken_contact_is_acknowledged_and_ended_all_the_same(contact: str) -> None:
    scene = Scene()
    assert words(scene.get(scene.answer("200 OK", f"Contact: {contact}", body=SDP))) == ["ACK"]
    scene.call.hang_up(2.0)
    (bye,) = scene.at(2.0)
    assert isinstance(bye, SipRequest)
    assert bye.uri == "sip:echo@192.0.2.1"


def test_hop_that_is_a_name_is_the_one_first_asked() -> None:
    scene = Scene()
    scene.get(scene.answer("200 OK", "Contact: <sip:a@pbx.example>", body=SDP))
    assert scene.raw[-1].hop is None


CHALLENGES = [
    ("401 Unauthorized", "WWW-Authenticate", "Authorization"),
    ("407 Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"),
]


@pytest.mark.parametrize(("status", "asks", "answers"), CHALLENGES)
def test_a_challenge_is_answered_by_an_invite_of_its_own(
    status: str, asks: str, answers: str
) -> None:
    """Sections 8.1.3.5 and 22.2: new branch, next CSeq, the same Call-ID, From and To."""
    scene = Scene()
    challenge = scene.answer(status, f'{asks}: Digest realm="lab", nonce="1"')
    (ack,) = scene.get(challenge)
    first = parse_message(scene.invite)
    assert isinstance(first, SipRequest)
    assert (words([ack]), ack.top_via) == (["ACK"], first.top_via)
    waiting = scene.call.challenge
    assert waiting is not None
    assert (waiting.method, waiting.uri, waiting.authorized) == ("INVITE", first.uri, False)
    scene.call.answer_challenge((answers, "Digest x"))
    (again,) = scene.at(1.1)
    assert isinstance(again, SipRequest)
    assert (again.method, again.uri, again.body) == ("INVITE", first.uri, first.body)
    assert again.value(answers.lower()) == "Digest x"
    for name in ("call-id", "from", "to"):
        assert again.value(name) == first.value(name)
    assert again.top_via is not None
    assert first.top_via is not None
    assert again.top_via.branch != first.top_via.branch
    assert again.cseq is not None
    assert again.cseq.number == 2
    assert scene.call.credentials_pending
    assert scene.get(challenge, 1.2) == [ack], "our ACK was lost"
    scene.invite = scene.raw[-2].data
    assert parse_message(scene.invite).cseq == again.cseq
    scene.get(scene.answer("180 Ringing"), 1.3)
    assert not scene.call.credentials_pending
    (taken,) = scene.get(scene.answer("200 OK", CONTACT, body=SDP), 1.4)
    assert isinstance(taken, SipRequest)
    assert taken.value(answers.lower()) == "Digest x", "section 13.2.2.4"
    assert taken.cseq is not None
    assert taken.cseq.number == 2
    scene.call.hang_up(2.0)
    (bye,) = scene.at(2.0)
    assert bye.cseq is not None
    assert bye.cseq.number == 3
    assert scene.call.provisional == [180]


def test_credentials_that_are_challenged_again_wait_for_a_word() -> None:
    scene = Scene()
    for expected in (False, True):
        scene.get(scene.answer("401 Unauthorized", 'WWW-Authenticate: Digest realm="a",nonce="b"'))
        waiting = scene.call.challenge
        assert waiting is not None
        assert waiting.authorized is expected
        if not expected:
            scene.call.answer_challenge(("Authorization", "Digest x"))
            scene.at(2.0)
            scene.invite = scene.raw[-1].data
    scene.call.answer_challenge(None)
    assert scene.call.is_over
    assert scene.call.state is CallState.REFUSED


def test_a_cancel_is_of_the_invite_that_stands() -> None:
    scene = Scene()
    scene.get(scene.answer("401 No", 'WWW-Authenticate: Digest realm="a",nonce="b"'))
    scene.call.answer_challenge(("Authorization", "Digest x"))
    scene.at(1.1)
    scene.invite = scene.raw[-1].data
    scene.get(scene.answer("180 Ringing"), 1.2)
    scene.call.hang_up(2.0)
    (cancel,) = scene.at(2.0)
    assert cancel.cseq is not None
    assert (cancel.cseq.number, cancel.cseq.method) == (2, "CANCEL")
    assert cancel.top_via == parse_message(scene.invite).top_via
    assert cancel.value("authorization") is None


def test_prack_and_bye_are_asked_again_with_credentials() -> None:
    """A proxy may challenge any request but ACK and CANCEL (section 22.1)."""
    scene = Scene()
    scene.get(scene.answer("183 Progress", "Require: 100rel", "RSeq: 5", CONTACT))
    more = 'Proxy-Authenticate: Digest realm="a",nonce="b"'
    assert scene.get(response(scene.raw[-1].data, "407 Who", more=more)) == []
    waiting = scene.call.challenge
    assert waiting is not None
    assert (waiting.method, waiting.uri) == ("PRACK", "sip:echo@192.0.2.1:5070")
    scene.call.answer_challenge(("Proxy-Authorization", "Digest p"))
    (again,) = scene.at(1.1)
    assert again.value("rack") == "5 1 INVITE"
    assert again.value("proxy-authorization") == "Digest p"
    assert again.cseq is not None
    assert (again.cseq.number, again.cseq.method) == (3, "PRACK")
    scene.get(response(scene.raw[-1].data), 1.2)
    scene.answered()
    scene.call.hang_up(3.0)
    (bye,) = scene.at(3.0)
    assert bye.value("proxy-authorization") is None
    scene.get(response(scene.raw[-1].data, "407 Who", more=more), 3.1)
    assert not scene.call.is_over
    scene.call.answer_challenge(("Proxy-Authorization", "Digest q"))
    (bye_again,) = scene.at(3.2)
    assert bye_again.value("proxy-authorization") == "Digest q"
    scene.get(response(scene.raw[-1].data), 3.3)
    assert scene.call.is_over
    assert scene.call.bye_status == 200


def test_challenges_without_end_are_bounded() -> None:
    scene = Scene()
    count = 0
    more = 'WWW-Authenticate: Digest realm="a",nonce="b",stale=true'
    scene.get(scene.answer("401 No", more))
    while scene.call.challenge is not None:
        count += 1
        scene.call.answer_challenge(("Authorization", "Digest x"))
        scene.at(2.0)
        scene.invite = scene.raw[-1].data
        scene.get(scene.answer("401 No", more), 2.1)
    assert count == CHALLENGES_MAX
    assert scene.call.is_over


def test_a_caller_with_an_account_is_from_its_domain() -> None:
    call = Call(
        "sip:echo@pbx.example", "udp", LOCAL, PEER, media=LOCAL, rtcp_port=1, codecs=("PCMA",),
        getrandbits=Random(1).getrandbits, username="0100 probe",
    )  # fmt: skip
    invite = parse_message(call.due(0.0)[0].data)
    assert (invite.value("from") or "").startswith("<sip:0100%20probe@pbx.example>;tag=")
    assert "nethealth@192.0.2.7" in (invite.value("contact") or "")


@given(st.lists(st.binary(max_size=120), max_size=6))
def test_any_datagram_is_taken(datagrams: list[bytes]) -> None:
    scene = Scene()
    for data in datagrams:
        scene.call.receive_datagram(data, PEER, 1.0)
    assert scene.call.state is CallState.CALLING


@given(
    st.sampled_from(["100 a", "180 a", "183 a", "200 OK", "302 a", "500 a"]),
    st.sampled_from(["Contact", "Record-Route", "Require", "RSeq", "To", "From", "CSeq", "Via"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=60),
    st.binary(max_size=60),
)
def test_any_header_is_taken(start: str, name: str, value: str, body: bytes) -> None:
    """Whatever a peer writes into a field, the call stays in one of its states and can be ended."""
    scene = Scene()
    octets = scene.answer(start, f"{name}: {value}").replace(b"Content-Length: 0\r\n", b"") + body
    scene.call.receive_datagram(octets, PEER, 1.0)
    scene.call.due(1.0)
    scene.call.hang_up(2.0)
    scene.call.due(2.0)
    scene.call.receive_datagram(scene.request("BYE", 1, f"{name}: {value}"), PEER, 3.0)
    scene.call.due(3.0)
