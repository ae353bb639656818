"""Requests as they are made, and what is told of one that was changed in a known way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.model.endpoint import Endpoint
from nethealth.protocol.sip_rewriting import CHANGES_MAX, LINE_MAX, changes, labels, request
from nethealth.wire.sdp import parse_sdp
from nethealth.wire.sip import SipRequest, parse_message

TOKEN = "0123456789abcdef" * 2
LOCAL = Endpoint("198.18.2.20", 40_000)
OUTER = b"198.18.102.2"


def made(method: str = "INVITE", local: Endpoint = LOCAL) -> bytes:
    return request(method, "udp", local, "198.18.0.2", TOKEN, 7)


def parts(received: bytes, sent: bytes | None = None) -> list[str]:
    return [one.part for one in changes(made() if sent is None else sent, received)]


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
@pytest.mark.parametrize("local", [LOCAL, Endpoint("2001:db8:2::20", 40_000)])
def test_a_request_is_a_whole_one_and_names_us_everywhere(method: str, local: Endpoint) -> None:
    octets = made(method, local)
    message = parse_message(octets)
    assert isinstance(message, SipRequest)
    # RFC 3261 section 8.1.1: what every request has to have
    for name in ("via", "max-forwards", "from", "to", "call-id", "cseq", "contact"):
        assert message.value(name), name
    assert message.content_length == len(message.body)
    via = message.top_via
    assert via is not None
    assert (via.host.strip("[]"), via.port) == (local.address, local.port)
    assert octets.count(local.address.encode()) == (4 if method == "OPTIONS" else 6)
    assert labels(TOKEN, octets) == {7}
    if method == "INVITE":
        offer = parse_sdp(message.body)
        assert offer.address == local.address
        assert offer.audio is not None
        assert offer.audio.port % 2 == 0


@pytest.mark.parametrize("octets", [1200, 1300, 1400, 1472, 1600, 2800])
def test_a_padded_request_has_exactly_its_size(octets: int) -> None:
    padded = request("OPTIONS", "udp", LOCAL, "198.18.0.2", TOKEN, 7, octets=octets)
    assert len(padded) == octets
    message = parse_message(padded)
    assert message.content_length == len(message.body)


def test_the_same_octets_are_no_change() -> None:
    assert changes(made(), made()) == ()


def test_what_the_kernels_helper_does_is_told_part_by_part() -> None:
    # nf_nat_sip maps Via, Contact, o= and c=, and then corrects Content-Length
    sent = made()
    length = int(sent.partition(b"Content-Length: ")[2].partition(b"\r")[0])
    received = (
        sent.replace(b"UDP 198.18.2.20:40000", b"UDP " + OUTER + b":40000")
        .replace(b"nethealth@198.18.2.20:40000", b"nethealth@" + OUTER + b":40000")
        .replace(b"IN IP4 198.18.2.20", b"IN IP4 " + OUTER)
        .replace(b"Content-Length: %d" % length, b"Content-Length: %d" % (length + 2))
    )
    assert parts(received) == ["Via sent-by", "Contact host", "Content-Length", "SDP o=", "SDP c="]
    via, *_ = changes(sent, received)
    assert via.sent.startswith("Via: SIP/2.0/UDP 198.18.2.20:40000;branch=z9hG4bK")
    assert via.received.startswith("Via: SIP/2.0/UDP 198.18.102.2:40000;branch=z9hG4bK")


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        (b";rport\r\n", b";rport;received=192.0.2.1\r\n", "Via parameters"),
        (b"Max-Forwards: 70", b"Max-Forwards: 69", "Max-Forwards"),
        (b"From: <sip:nethealth@198.18.2.20>", b"From: <sip:nethealth@192.0.2.1>", "From host"),
        (b"x7@198.18.2.20", b"x7@192.0.2.1", "Call-ID host"),
        (b"To: <sip:", b"To: <sip:other", "To"),
        (b"Max-Forwards: 70\r\n", b"", "Max-Forwards removed"),
        (b"Max-Forwards: 70\r\n", b"Max-Forwards: 70\r\nX-Box: 1\r\n", "x-box added"),
        (b"Via: ", b"v:", "whitespace"),
        (b"Max-Forwards: 70", b"Max-Forwards:  70", "whitespace"),
        (b"m=audio 40002", b"m=audio 16384", "SDP m="),
        (b"x7@198.18.0.2 SIP/2.0", b"x7@10.0.0.1 SIP/2.0", "request line"),
        (b"a=sendrecv\r\n", b"", "SDP a="),
        (b"a=ptime:20", b"a=nortpproxy:yes\r\na=ptime:20", "SDP a="),
    ],
)
def test_one_change_is_told_as_that_part(old: bytes, new: bytes, part: str) -> None:
    assert old in made()
    assert part in parts(made().replace(old, new, 1))


def test_order_line_ends_and_padding_are_told() -> None:
    sent = made()
    moved = sent.replace(b"Max-Forwards: 70\r\n", b"").replace(
        b"CSeq: 1 INVITE\r\n", b"CSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
    )
    assert parts(moved) == ["order"]
    assert parts(sent.replace(b"\r\n", b"\n")) == ["whitespace"]
    padded = request("OPTIONS", "udp", LOCAL, "198.18.0.2", TOKEN, 7, octets=1200)
    assert parts(padded[:-300], padded) == ["body"]


def test_a_request_with_new_names_everywhere_is_known_by_whom_it_asks_for() -> None:
    # as a back-to-back user agent makes it: branch, tag and Call-ID are its own
    sent, name = made(), f"{TOKEN}x7".encode()
    received = sent
    for before in (b"branch=z9hG4bK", b"tag=", b"Call-ID: "):
        received = received.replace(before + name, before + b"4711")
    assert labels(TOKEN, received) == {7}
    assert parts(received) == ["Via parameters", "From", "Call-ID"]


def test_a_name_of_another_session_or_none_is_no_label() -> None:
    assert labels("f" * 32, made()) == set()
    assert labels(TOKEN, b"nothing") == set()
    assert labels(TOKEN, made() + f"{TOKEN}x8".encode()) == {7, 8}


@given(st.binary(max_size=400))
def test_whatever_arrives_is_told_and_bounded(received: bytes) -> None:
    sent = made()
    found = changes(sent, received)
    assert found
    assert len(found) <= CHANGES_MAX
    assert all(len(one.sent) <= LINE_MAX and len(one.received) <= LINE_MAX for one in found)


@given(st.integers(0, 600), st.binary(min_size=1, max_size=3))
def test_no_change_of_an_octet_goes_unseen(at: int, new: bytes) -> None:
    sent = made()
    received = sent[:at] + new + sent[at + len(new) :]
    assert bool(changes(sent, received)) is (sent != received)
