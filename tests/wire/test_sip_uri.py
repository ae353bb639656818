"""SIP URIs: the examples of RFC 3261 section 19.1.3, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire.errors import WireError
from nethealth.wire.sip_uri import SipUri, parse_uri


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:alice@atlanta.com", SipUri("sip", "atlanta.com", "alice")),
        (
            "sip:alice:secretword@atlanta.com;transport=tcp",
            SipUri("sip", "atlanta.com", "alice:secretword", None, (("transport", "tcp"),)),
        ),
        (
            "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
            SipUri("sips", "atlanta.com", "alice", headers="subject=project%20x&priority=urgent"),
        ),
        (
            "sip:+1-212-555-1212:1234@gateway.com;user=phone",
            SipUri("sip", "gateway.com", "+1-212-555-1212:1234", None, (("user", "phone"),)),
        ),
        ("sips:1212@gateway.com", SipUri("sips", "gateway.com", "1212")),
        ("sip:alice@192.0.2.4", SipUri("sip", "192.0.2.4", "alice")),
        (
            "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
            SipUri(
                "sip",
                "atlanta.com",
                parameters=(("method", "REGISTER"),),
                headers="to=alice%40atlanta.com",
            ),
        ),
        ("sip:alice;day=tuesday@atlanta.com", SipUri("sip", "atlanta.com", "alice;day=tuesday")),
        ("sip:[2001:db8::1]:5070;lr", SipUri("sip", "2001:db8::1", None, 5070, (("lr", None),))),
        ("SIP:echo@198.18.2.10:5070", SipUri("sip", "198.18.2.10", "echo", 5070)),
    ],
)
def test_uris(text: str, uri: SipUri) -> None:
    assert parse_uri(text) == uri
    assert parse_uri(str(uri)) == uri


@pytest.mark.parametrize(
    "text",
    ["", "sip:", "sip:@", "tel:+1-212-555-0100", "soap.beep://192.0.2.103:3002", "sip:a@b@c",
     "sip:a:99999", "sip:a:", "sip:[::1", "sip:::1", "sip:a b", "sip:a;", "sip:<a>", "alice"],
)  # fmt: skip
def test_what_is_no_sip_uri(text: str) -> None:
    with pytest.raises(WireError):
        parse_uri(text)


def test_a_parameter_by_name() -> None:
    uri = parse_uri("sip:a;Transport=tls;lr")
    assert uri.parameter("transport") == "tls"
    assert uri.parameter("lr") is None
    assert uri.parameter("maddr") is None


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for candidate in (text, "sip:" + text):
        try:
            parse_uri(candidate)
        except WireError:
            continue
