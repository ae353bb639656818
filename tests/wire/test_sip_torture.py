"""The torture messages of RFC 4475, each by what its own section asks, and the fuzz seeds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nethealth.wire.errors import WireError
from nethealth.wire.sip import CSeq, SipMessage, SipRequest, SipResponse, parse_message
from nethealth.wire.sip_uri import parse_uri
from tests import captures

pytestmark = pytest.mark.captures

FIELDS = (
    "via", "cseq", "call_id", "from_", "to", "from_tag", "to_tag", "contact", "allow",
    "retry_after_s", "server", "user_agent", "content_length", "max_forwards",
)  # fmt: skip


def message_of(name: str) -> bytes:
    return (captures.folder() / "sip_messages" / "rfc4475" / f"{name}.dat").read_bytes()


def request_of(name: str) -> SipRequest:
    message = parse_message(message_of(name))
    assert isinstance(message, SipRequest)
    return message


def broken_fields(message: SipMessage) -> set[str]:
    broken = set()
    for name in FIELDS:
        try:
            getattr(message, name)
        except WireError:
            broken.add(name)
    return broken


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        # 3.1.1, valid: every field that we read is readable
        ("wsinv", set()),
        ("esc01", set()),
        ("esc02", set()),
        ("lwsdisp", set()),
        ("dblreq", set()),
        ("transports", set()),
        ("mpart01", set()),
        ("noreason", set()),
        # 3.1.2, invalid, but the message can be framed: the faulty field is the one refused
        ("badinv01", {"via", "contact"}),  # 3.1.2.1: empty parameters between separators
        ("scalarlg", {"cseq", "retry_after_s"}),  # 3.1.2.5: both above 2**32 - 1
        ("quotbal", {"to"}),  # 3.1.2.6: the quote never ends
        ("trws", set()),  # 3.1.2.10: the liberal reading may ignore the blanks
        ("escruri", set()),  # 3.1.2.11: it is the Request-URI that is wrong
        ("regbadct", {"contact"}),  # 3.1.2.13: "?" outside angle brackets
        ("mismatch02", set()),  # 3.1.2.18: seen by comparing, below
        # 3.3, application layer: nothing wrong with the syntax
        ("insuf", set()),
        ("novelsc", set()),
        ("bext01", set()),
        ("invut", set()),
        # 3.3.8: one of each only, and nobody can say which
        ("multi01", {"cseq", "call_id", "from_", "from_tag", "to", "max_forwards"}),
        ("bcast", set()),
        ("zeromf", set()),
        ("cparam02", set()),
        ("sdp01", set()),
        ("inv2543", set()),  # 3.4.1
    ],
)
def test_a_message_that_can_be_framed(name: str, broken: set[str]) -> None:
    tag_fields = {"to_tag"} if "to" in broken else set()
    assert broken_fields(parse_message(message_of(name))) == broken | tag_fields


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ncl", "Content-Length"),  # 3.1.2.3: negative
        ("lwsruri", "start line"),  # 3.1.2.8: blank within the Request-URI
        ("badvers", "start line"),  # 3.1.2.16: SIP/7.0
        ("baddn", "no empty line"),  # 3.1.2.15; as stored it lacks the empty line, see below
    ],
)
def test_a_message_that_is_refused_whole(name: str, why: str) -> None:
    with pytest.raises(WireError, match=why):
        parse_message(message_of(name))


def test_wsinv() -> None:
    message = request_of("wsinv")
    assert message.uri == "sip:vivekg@chair-dnrc.example.com;unknownparam"
    assert [(via.transport, via.sent_by, via.branch) for via in message.via] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    assert (message.from_tag, message.to_tag) == ("98asjd8", "1918181833n")
    assert message.cseq == CSeq(9, "INVITE")
    assert message.max_forwards == 68
    assert message.from_ is not None
    assert message.from_.display_name == 'J Rosenberg \\"'
    assert message.contact[0].display_name == 'Quoted string ""'
    assert message.value("subject") == ""
    assert len(message.body) == 150


def test_esc01() -> None:
    message = request_of("esc01")
    assert parse_uri(message.uri).user == "sips%3Auser%40example.com"
    assert message.contact[0].uri.startswith("sip:cal%6Cer@host5.example.net;%6C%72")


def test_esc02() -> None:
    message = request_of("esc02")
    assert message.method == "RE%47IST%45R", "not REGISTER: a method is never unescaped"
    assert len(message.contact) == 2, "C%6Fntact is some other header"
    assert message.to is not None
    assert message.to.display_name == "%Z%45"


def test_lwsdisp() -> None:
    address = request_of("lwsdisp").from_
    assert address is not None
    assert (address.display_name, address.uri) == ("caller", "sip:caller@example.com")


def test_dblreq() -> None:
    message = request_of("dblreq")
    assert (message.method, message.body) == ("REGISTER", b"")


def test_transports() -> None:
    transports = [via.transport for via in request_of("transports").via]
    assert transports == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def test_mpart01() -> None:
    assert len(request_of("mpart01").body) == 553


def test_noreason() -> None:
    message = parse_message(message_of("noreason"))
    assert isinstance(message, SipResponse)
    assert (message.status_code, message.reason_phrase) == (100, "")


def test_escruri() -> None:
    assert parse_uri(request_of("escruri").uri).headers == "Route=%3Csip:example.com%3E"


def test_baddn_with_its_empty_line() -> None:
    """Section 3.1.2.15 lets the liberal reader infer the missing quotes."""
    message = parse_message(message_of("baddn") + b"\r\n")
    assert message.from_ is not None
    assert message.from_.display_name == "Bell, Alexander"
    assert message.from_tag == "43"


def test_mismatch02() -> None:
    message = request_of("mismatch02")
    assert message.cseq is not None
    assert message.cseq.method != message.method


def test_insuf() -> None:
    message = request_of("insuf")
    assert (message.call_id, message.from_, message.to, message.max_forwards) == (None,) * 4


def test_novelsc() -> None:
    message = request_of("novelsc")
    with pytest.raises(WireError):
        parse_uri(message.uri)


def test_bcast() -> None:
    hosts = [via.host for via in parse_message(message_of("bcast")).via]
    assert hosts == ["192.0.2.198", "255.255.255.255"]


def test_zeromf() -> None:
    assert request_of("zeromf").max_forwards == 0


def test_inv2543() -> None:
    message = request_of("inv2543")
    assert message.top_via is not None
    assert message.top_via.branch is None
    assert (message.from_tag, message.content_length) == (None, None)
    assert message.body.endswith(b"m=audio 49217 RTP/AVP 0\r\n")


def test_every_stored_message_has_been_read() -> None:
    """The tables above name each file; nothing but WireError comes of any, seeds included."""
    folder = captures.folder() / "sip_messages"
    assert len(list((folder / "rfc4475").glob("*.dat"))) == 29
    paths = [path for path in folder.rglob("*") if path.is_file()]
    assert len(paths) > 29
    mutations: tuple[Callable[[bytes], bytes], ...] = (
        lambda octets: octets,
        lambda octets: octets.replace(b"\r\n", b"\n"),
        lambda octets: octets[: len(octets) // 2],
        lambda octets: octets + b"\r\n\r\n",
    )
    for path in paths:
        for mutate in mutations:
            _read(path, mutate)


def _read(path: Path, mutate: Callable[[bytes], bytes]) -> None:
    try:
        message = parse_message(mutate(path.read_bytes()))
    except WireError:
        return
    broken_fields(message)
