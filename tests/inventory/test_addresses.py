"""Hosts, ports and URIs as written, by the rules of RFC 3261 and RFC 3986."""

import pytest

from nethealth.inventory.addresses import (
    HttpUrl,
    SipDestination,
    bracketed,
    parse_http_url,
    parse_sip_uri,
    split_host_port,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("198.18.2.10", ("198.18.2.10", None)),
        ("pbx.example:5060", ("pbx.example", 5060)),
        ("2001:db8::1", ("2001:db8::1", None)),
        ("2001:db8::1:443", ("2001:db8::1:443", None)),
        ("[2001:db8::1]", ("2001:db8::1", None)),
        ("[2001:db8::1]:443", ("2001:db8::1", 443)),
        ("x:65535", ("x", 65535)),
    ],
)
def test_host_and_port(text: str, expected: tuple[str, int | None]) -> None:
    assert split_host_port(text) == expected


@pytest.mark.parametrize(
    "text",
    ["x:0", "x:65536", "x:", ":1", "x:+1", "x:٣", "[::1", "[::1]x", "[198.18.2.1]:80", "[x]:80",
     "a:b:c", "[::1]:", "", "x:1:2"],
)  # fmt: skip
def test_no_host_and_port(text: str) -> None:
    with pytest.raises(ValueError, match="no "):
        split_host_port(text)


@pytest.mark.parametrize(
    ("uri", "transport", "expected"),
    [
        # The examples of RFC 3261 section 19.1.3, the ports of section 19.1.2.
        ("sip:alice@atlanta.com", None, SipDestination("atlanta.com", 5060, "udp", "naptr")),
        ("sip:a@b.com;transport=tcp", None, SipDestination("b.com", 5060, "tcp", "srv")),
        ("sips:1212@gateway.com", None, SipDestination("gateway.com", 5061, "tls", "naptr")),
        ("sip:+1-212-555-1212:1234@gateway.com;user=phone", None, None),
        ("sip:a;day=tue@atlanta.com", None, SipDestination("atlanta.com", 5060, "udp", "naptr")),
        ("sips:alice@atlanta.com?subject=project%20x", None,
         SipDestination("atlanta.com", 5061, "tls", "naptr")),
        ("sip:x.example:5060", None, SipDestination("x.example", 5060, "udp")),
        ("sip:x.example", "tcp", SipDestination("x.example", 5060, "tcp", "srv")),
        ("SIP:x.example;TRANSPORT=TLS", None, SipDestination("x.example", 5061, "tls", "srv")),
        ("sips:x.example;transport=tcp", None, SipDestination("x.example", 5061, "tls", "srv")),
        ("sip:[2001:db8::10]:5070", "tcp", SipDestination("2001:db8::10", 5070, "tcp")),
        ("sip:198.18.2.1", "tls", SipDestination("198.18.2.1", 5061, "tls")),
        ("sip:x;transport=tcp", "udp", None),
        ("sips:x", "udp", None),
        ("sips:x;transport=udp", None, None),
        ("sip:x;transport=sctp", None, None),
        ("tel:123", None, None),
        ("sip:", None, None),
        ("sip:a@", None, None),
        ("sip:a b", None, None),
        ("sip:a\r\nVia: x", None, None),
        ("sip:x:99999", None, None),
    ],
)  # fmt: skip
def test_sip_uris(uri: str, transport: None, expected: SipDestination | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match=r"\w"):
            parse_sip_uri(uri, transport)
    else:
        assert parse_sip_uri(uri, transport) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://198.18.2.10/", HttpUrl("198.18.2.10", 443)),
        ("http://x.example", HttpUrl("x.example", 80)),
        ("HTTPS://[2001:db8::1]:8443/a?b@c", HttpUrl("2001:db8::1", 8443)),
        ("https://x:/", HttpUrl("x", 443)),
        ("https:///x", None),
        ("https://a@b/", None),
        ("https://x:0/", None),
        ("https://[x]/", None),
        ("https://x/\n", None),
        ("file:///etc/passwd", None),
        ("//x", None),
    ],
)
def test_http_urls(url: str, expected: HttpUrl | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match=r"\w"):
            parse_http_url(url)
    else:
        assert parse_http_url(url) == expected


def test_only_ipv6_stands_in_brackets() -> None:
    assert bracketed("2001:db8::1") == "[2001:db8::1]"
    assert bracketed("198.18.2.1") == "198.18.2.1"
