"""SIP messages: tolerant where RFC 3261 and 4475 allow it, WireError for the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire.errors import WireError
from nethealth.wire.sip import (
    HEADERS_MAX,
    LINE_MAX_OCTETS,
    CSeq,
    SipMessage,
    SipRequest,
    SipResponse,
    encode_request,
    parse_message,
)

ACCESSORS = (
    "top_via", "via", "cseq", "call_id", "from_", "to", "from_tag", "to_tag", "contact", "allow",
    "retry_after_s", "server", "user_agent", "content_length", "max_forwards",
)  # fmt: skip

ANSWER = (
    b"SIP/2.0 200 OK\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK77;received=198.51.100.9;rport=40001\r\n"
    b"From: <sip:a@192.0.2.7>;tag=88\r\n"
    b'To: "Front desk" <sip:192.0.2.1>;tag=99\r\n'
    b"Call-ID: 1234@192.0.2.7\r\n"
    b"CSeq: 7 OPTIONS\r\n"
    b"Allow: INVITE, ACK\r\n"
    b"Allow: BYE\r\n"
    b"Server: Old PBX 3.1\r\n"
    b"Retry-After: 120 (in a meeting);duration=3600\r\n"
    b"Contact: <sip:b@192.0.2.1>;q=0.5, <sip:c@192.0.2.1;transport=tcp>\r\n"
    b"Max-Forwards: 70\r\n"
    b"Content-Length: 4\r\n"
    b"\r\n"
    b"v=0\n"
)


def read_every_field(message: SipMessage) -> dict[str, str]:
    """Each accessor's WireError, by name; anything else it raises ends the test."""
    faults = {}
    for name in ACCESSORS:
        try:
            getattr(message, name)
        except WireError as error:
            faults[name] = str(error)
    return faults


def with_header(line: bytes) -> SipMessage:
    return parse_message(b"SIP/2.0 200 OK\r\n" + line + b"\r\nContent-Length: 0\r\n\r\n")


def test_every_field_of_an_answer() -> None:
    message = parse_message(ANSWER)
    assert isinstance(message, SipResponse)
    assert (message.status_code, message.reason_phrase) == (200, "OK")
    via = message.top_via
    assert via is not None
    assert message.via == (via,)
    assert (via.transport, via.sent_by, via.branch) == ("UDP", "192.0.2.7:5060", "z9hG4bK77")
    assert (via.received, via.rport) == ("198.51.100.9", 40001)
    assert (message.from_tag, message.to_tag) == ("88", "99")
    assert message.to is not None
    assert message.to.display_name == "Front desk"
    assert message.call_id == "1234@192.0.2.7"
    assert message.cseq == CSeq(7, "OPTIONS")
    assert message.allow == ("INVITE", "ACK", "BYE")
    assert message.server == "Old PBX 3.1"
    assert message.retry_after_s == 120
    assert [address.uri for address in message.contact] == [
        "sip:b@192.0.2.1",
        "sip:c@192.0.2.1;transport=tcp",
    ]
    assert message.max_forwards == 70
    assert message.body == b"v=0\n"


def test_a_request() -> None:
    message = parse_message(b"OPTIONS sip:bob@[2001:db8::1]:5062 SIP/2.0\r\nl: 0\r\n\r\n")
    assert isinstance(message, SipRequest)
    assert (message.method, message.uri) == ("OPTIONS", "sip:bob@[2001:db8::1]:5062")


def test_absent_fields_are_none() -> None:
    message = parse_message(b"SIP/2.0 200 OK\r\n\r\n")
    for name in ACCESSORS:
        assert getattr(message, name) in (None, ()), name


@pytest.mark.parametrize(
    ("compact", "name"),
    [(b"v", "via"), (b"f", "from"), (b"t", "to"), (b"i", "call-id"), (b"l", "content-length"),
     (b"m", "contact"), (b"c", "content-type"), (b"k", "supported"), (b"s", "subject"),
     (b"e", "content-encoding")],
)  # fmt: skip
def test_compact_names_of_section_7_3_3(compact: bytes, name: str) -> None:
    message = parse_message(b"SIP/2.0 200 OK\r\n" + compact.upper() + b" : 0\r\n\r\n")
    assert message.value(name) == "0"


def test_folded_lines() -> None:
    message = parse_message(
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a.example\r\n \t;branch=z9hG4bKx\r\nSubject: I\r\n"
        b"\tknow\r\n you\r\n\r\n"
    )
    assert message.top_via is not None
    assert message.top_via.branch == "z9hG4bKx"
    assert message.value("subject") == "I know you"


def test_lines_that_end_in_lf_alone() -> None:
    assert parse_message(ANSWER.replace(b"\r\n", b"\n")) == parse_message(ANSWER)


def test_empty_lines_before_the_message() -> None:
    assert parse_message(b"\r\n\r\n\n" + ANSWER) == parse_message(ANSWER)


def test_latin_1_and_utf_8_names() -> None:
    for text in ("Zoë".encode(), "Zoë".encode("latin-1")):
        message = with_header(b"From: " + text + b" <sip:z@a.example>;tag=1")
        assert message.from_ is not None
        assert message.from_.display_name == "Zoë"


@pytest.mark.parametrize("line", [b"SIP/2.0 100 \r\n", b"SIP/2.0 100\r\n", b"sip/2.0 100 \t\r\n"])
def test_an_empty_reason_phrase(line: bytes) -> None:
    message = parse_message(line + b"\r\n")
    assert isinstance(message, SipResponse)
    assert (message.status_code, message.reason_phrase) == (100, "")


def test_octets_after_the_body_are_ignored_in_a_datagram() -> None:
    assert parse_message(ANSWER + b"trailing") == parse_message(ANSWER)


def test_without_content_length_the_body_goes_to_the_end() -> None:
    assert parse_message(b"SIP/2.0 200 OK\r\n\r\nall of it").body == b"all of it"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\r\n\r\n",
        b"\x00" * 40,
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"SIP/7.0 200 OK\r\n\r\n",
        b"SIP/2.0 099 Low\r\n\r\n",
        b"SIP/2.0 700 High\r\n\r\n",
        b"SIP/2.0 2000 Long\r\n\r\n",
        b"SIP/2.0 4294967301 better not break the receiver\r\n\r\n",  # RFC 4475 section 3.1.2.19
        b"SIP/2.0 +20 OK\r\n\r\n",
        "SIP/2.0 ２００ OK\r\n\r\n".encode(),  # digits, but not ASCII's
        b"OPTIONS sip:a.example\r\n\r\n",
        b"OPTIONS <sip:a b> SIP/2.0\r\n\r\n",
        b"OPT(IONS sip:a.example SIP/2.0\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia SIP/2.0/UDP a\r\n\r\n",
        b"SIP/2.0 200 OK\r\n: nameless\r\n\r\n",
        b"SIP/2.0 200 OK\r\nBad Name: 1\r\n\r\n",
        b"SIP/2.0 200 OK\r\nServer: cut off",
        b"SIP/2.0 200 OK\r\nContent-Length: 9999\r\n\r\nshort",  # RFC 4475 section 3.1.2.2
        b"SIP/2.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"SIP/2.0 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"SIP/2.0 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"SIP/2.0 200 OK\r\nServer: " + b"x" * LINE_MAX_OCTETS + b"\r\n\r\n",
        b"SIP/2.0 200 " + b"x" * LINE_MAX_OCTETS + b"\r\n\r\n",
        b"SIP/2.0 200 OK\r\n" + b"a: b\r\n" * (HEADERS_MAX + 1) + b"\r\n",
        b"SIP/2.0 200 OK\r\n" + b"Server: xxxx\r\n" * 6000 + b"\r\n",
    ],
)
def test_what_is_no_sip_message(octets: bytes) -> None:
    with pytest.raises(WireError):
        parse_message(octets)


@pytest.mark.parametrize(
    ("line", "accessor"),
    [
        (b"CSeq: OPTIONS", "cseq"),
        (b"CSeq: 1OPTIONS", "cseq"),
        (b"CSeq: 4294967296 OPTIONS", "cseq"),
        (b"CSeq: 1 OPTIONS\r\nCSeq: 2 OPTIONS", "cseq"),
        (b"Via: SIP/2.0/UDP", "via"),
        (b"Via: SIP/3.0/UDP a.example", "via"),
        (b"Via: SIP/2.0/UDP a.example:70000", "via"),
        (b"Via: SIP/2.0/UDP 192.0.2.15;;,;,,", "top_via"),
        (b"Via: SIP/2.0/UDP [::1", "via"),
        (b"Via: SIP/2.0/UDP a, ", "via"),
        (b'To: "no end <sip:a@b>', "to"),
        (b"To: <sip:a@b", "to"),
        (b"To: <sip:a@b> tag=1", "to_tag"),
        (b"To: nobody", "to"),
        (b"To: ", "to"),
        (b'Contact: <sip:a@b>, "no end', "contact"),
        (b"Contact: sip:a@b?Route=c", "contact"),
        (b"Allow: IN(VITE", "allow"),
        (b"Retry-After: soon", "retry_after_s"),
        (b"Retry-After: 949302838503028349304023988", "retry_after_s"),
        (b"Max-Forwards: 256", "max_forwards"),
        (b"Max-Forwards: 1 2", "max_forwards"),
    ],
)
def test_a_broken_field_costs_that_field_alone(line: bytes, accessor: str) -> None:
    message = with_header(line)
    with pytest.raises(WireError):
        getattr(message, accessor)
    assert message.content_length == 0


def test_a_header_that_is_repeated_alike_is_read() -> None:
    assert with_header(b"Call-ID: 1@a\r\nCall-ID: 1@a").call_id == "1@a"


def test_several_via_on_one_line_and_on_several() -> None:
    message = with_header(
        b"Via: SIP/2.0/UDP a.example;branch=z9hG4bK1, SIP / 2.0 / TCP [2001:db8::9]:5061\r\n"
        b"v: SIP/2.0/TLS c.example;received=[2001:db8::1];rport"
    )
    assert [via.sent_by for via in message.via] == ["a.example", "[2001:db8::9]:5061", "c.example"]
    assert message.via[2].received == "2001:db8::1"
    assert message.via[2].rport is None


def test_received_that_is_no_address_is_refused_when_asked_for() -> None:
    via = with_header(b"Via: SIP/2.0/UDP a;received=<b>;rport=99999").top_via
    assert via is not None
    with pytest.raises(WireError):
        _ = via.received
    with pytest.raises(WireError):
        _ = via.rport


def test_encoded_requests_read_back() -> None:
    octets = encode_request(
        "OPTIONS", "sip:a.example", (("Via", "SIP/2.0/UDP b"), ("Content-Length", "2")), b"hi"
    )
    assert octets == (
        b"OPTIONS sip:a.example SIP/2.0\r\nVia: SIP/2.0/UDP b\r\nContent-Length: 2\r\n\r\nhi"
    )
    message = parse_message(octets)
    assert message.body == b"hi"


@pytest.mark.parametrize("evil", ["a\r\nVia: b", "a\nb", "a\rb"])
def test_no_value_can_forge_a_header(evil: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        encode_request("OPTIONS", "sip:a", (("To", evil),))
    with pytest.raises(ValueError, match="line break"):
        encode_request("OPTIONS", evil, ())


@given(st.binary(max_size=2000))
def test_any_octets_parse_or_raise_wire_error(octets: bytes) -> None:
    try:
        message = parse_message(octets)
    except WireError:
        return
    read_every_field(message)


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(ANSWER)),
            st.integers(0, 8),
            st.sampled_from(
                [b"", b"\r\n", b"\n ", b'"', b"<", b">", b";", b",", b"=", b":", b"\x00", b"\xff",
                 b"[", b"]", b"\\", b" ", b"9" * 30, b"?", b"@", b"%"]
            ),
        ),
        min_size=1,
        max_size=4,
    )
)  # fmt: skip
def test_any_damage_to_a_good_answer_is_read_or_refused(
    edits: list[tuple[int, int, bytes]],
) -> None:
    octets = ANSWER
    for start, removed, added in edits:
        octets = octets[:start] + added + octets[start + removed :]
    try:
        message = parse_message(octets)
    except WireError:
        return
    read_every_field(message)


@pytest.mark.parametrize(
    "value",
    [b'"' * 8000, b'"' + b"\\" * 8000, b"<" * 8000, b" " * 8000 + b'"<', b"a" * 8000 + b";" * 50,
     b'"a"' + b" " * 8000 + b"x", b"," * 8000, b"SIP/2.0/UDP " + b" " * 7000 + b";"],
)  # fmt: skip
def test_the_longest_fields_are_read_or_refused(value: bytes) -> None:
    for name in (b"Via", b"To", b"From", b"Contact", b"Allow", b"CSeq", b"Retry-After"):
        read_every_field(with_header(name + b": " + value))
