"""OPTIONS as sent: what RFC 3261 section 8.1.1 and RFC 3581 require of it."""

import re
from random import Random

import pytest

from nethealth import __version__
from nethealth.model.check import SipTransport
from nethealth.model.endpoint import Endpoint
from nethealth.protocol.sip_options import Options
from nethealth.protocol.sip_transaction import ClientTransaction, State
from nethealth.wire.sip import CSeq, SipRequest, parse_message
from nethealth.wire.sip_uri import parse_uri

LOCAL = Endpoint("192.0.2.7", 40001)


def ask(
    uri: str = "sip:pbx.example:5062", transport: SipTransport = "udp", local: Endpoint = LOCAL
) -> tuple[SipRequest, ClientTransaction]:
    transaction = Options(uri, transport, local, Random(7).getrandbits).transaction()
    octets = transaction.due(0.0)
    assert octets is not None
    message = parse_message(octets)
    assert isinstance(message, SipRequest)
    return message, transaction


def test_every_header_of_the_question() -> None:
    message, _ = ask()
    assert (message.method, message.uri) == ("OPTIONS", "sip:pbx.example:5062")
    (via,) = message.via
    assert (via.transport, via.sent_by) == ("UDP", "192.0.2.7:40001")
    assert re.fullmatch(r"z9hG4bK[0-9a-f]{32}", via.branch or "")
    assert ("rport", None) in via.parameters
    assert message.max_forwards == 70
    assert message.from_ is not None
    assert message.from_.uri == "sip:nethealth@192.0.2.7"
    assert message.from_tag
    assert message.to is not None
    assert message.to.uri == "sip:pbx.example"
    assert message.to_tag is None
    assert message.call_id
    assert message.cseq == CSeq(1, "OPTIONS")
    assert [address.uri for address in message.contact] == ["sip:nethealth@192.0.2.7:40001"]
    assert message.value("accept") == "application/sdp"
    assert message.user_agent == f"nethealth/{__version__}"
    assert (message.content_length, message.body) == (0, b"")


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_streams_say_so(transport: SipTransport) -> None:
    message, _ = ask(transport=transport)
    assert message.via[0].transport == transport.upper()
    assert parse_uri(message.contact[0].uri).parameter("transport") == transport


def test_ipv6() -> None:
    message, _ = ask("sip:[2001:db8::1]:5060", local=Endpoint("2001:db8::7", 40001))
    assert message.via[0].sent_by == "[2001:db8::7]:40001"
    assert message.from_ is not None
    assert parse_uri(message.from_.uri).host == "2001:db8::7"
    assert message.to is not None
    assert message.to.uri == "sip:[2001:db8::1]"


def test_no_two_questions_are_alike() -> None:
    options = Options("sip:a", "udp", LOCAL, Random(7).getrandbits)
    names = set()
    for _ in range(50):
        octets = options.transaction().due(0.0) or b""
        message = parse_message(octets)
        assert message.top_via is not None
        names |= {message.top_via.branch, message.from_tag, message.call_id}
    assert len(names) == 150


def test_the_uri_is_no_way_in_for_another_header() -> None:
    with pytest.raises(ValueError, match="line break"):
        ask("sip:a\r\nVia: forged")
    with pytest.raises(ValueError, match="NUL"):
        ask("sip:a\0b")


def answered_by_a_server(request: bytes) -> bytes:
    """The copying of section 8.2.6.2, and the marks of RFC 3581 section 4."""
    lines = request.decode().split("\r\n")
    copied = [line for line in lines if line.startswith(("Via", "From", "To", "Call-ID", "CSeq"))]
    marked = [line.replace(";rport", ";rport=51000;received=203.0.113.9") for line in copied]
    return "\r\n".join(["SIP/2.0 200 OK", *marked, "Content-Length: 0", "", ""]).encode()


def test_client_and_server_joined_in_memory() -> None:
    _, transaction = ask(local=Endpoint("2001:db8::7", 40001))
    octets = transaction.due(0.0)
    assert octets is not None
    transaction.transmitted(0.0)
    transaction.receive_datagram(answered_by_a_server(octets), 0.05)
    assert transaction.state is State.COMPLETED
    assert transaction.final is not None
    via = transaction.final.top_via
    assert via is not None
    assert (via.received, via.rport) == ("203.0.113.9", 51000)
