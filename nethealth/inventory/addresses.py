"""Hosts, host:port pairs and the URLs of HTTP and SIP, as people write them in a file.

Each function raises ValueError with plain words; no name is ever looked up.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

from nethealth.model.check import SipTransport
from nethealth.wire.numbers import refusal

HOST_WORDS = "a numeric address such as 198.18.2.10 or 2001:db8::10, or a host name"
HTTP_WORDS = "a URL such as https://198.18.2.10/, without a user name or password"
SIP_WORDS = "a SIP URI such as sip:198.18.2.10:5060, without a password"
CALL_WORDS = "the SIP URI of a test number such as sip:echo@198.18.2.10, and no emergency number"
NAME_WORDS = "a domain name such as portal.example or _sip._udp.example"

_ZONE = re.compile(r"%.*[^\w.-]")  # ipaddress takes any text for the zone
_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_SIP_DEFAULT_PORT = {"udp": 5060, "tcp": 5060, "tls": 5061}  # RFC 3261 section 19.1.2


def is_numeric(host: str) -> bool:
    """Whether the host is an IPv4 or IPv6 address (a zone such as %eth0 included)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return _ZONE.search(host) is None


def check_host(host: str) -> str:
    """The host, if it is a numeric address or could be a host name."""
    if is_numeric(host):
        return host
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("no host name")
    # No top-level domain is a number, so this is an address with a slip in it.
    if labels[-1].isdigit():
        raise ValueError("no valid numeric address")
    return host


def check_domain_name(name: str) -> str:
    """The name, if a name server can be asked for it; the root `.` included."""
    labels = name.removesuffix(".").split(".")
    if name != "." and (
        len(name) > 253
        or not all(0 < len(label) <= 63 for label in labels)
        or any(character.isspace() or not character.isprintable() for character in name)
    ):
        raise ValueError("no domain name")
    return name


def check_port(text: str) -> int:
    """The port, 1 to 65535."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise ValueError("no port from 1 to 65535")
    return int(text)


def bracketed(host: str) -> str:
    """The host as it stands in a URL and before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def split_host_port(text: str) -> tuple[str, int | None]:
    """`host`, `host:port`, a bare IPv6 address, `[v6]` or `[v6]:port`; port null if not given."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or not is_numeric(host) or ":" not in host or (rest and rest[0] != ":"):
            raise ValueError("no IPv6 address in brackets")
        return host, check_port(rest[1:]) if rest else None
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return check_host(host), check_port(port)
    return check_host(text), None


@dataclass(frozen=True, slots=True)
class HttpUrl:
    """Where an http or https URL leads; the port is the scheme's own where none is given."""

    host: str
    port: int


def parse_http_url(url: str) -> HttpUrl:
    """Check the URL; a password in it is refused, because it would stand in every report."""
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("a space or control character in the URL")
    parts = urlsplit(url)  # raises ValueError for brackets that hold no IPv6 address
    if parts.scheme not in ("http", "https"):
        raise ValueError("neither http nor https")
    if "@" in parts.netloc:
        raise ValueError("a user name or password in the URL")
    host, port = split_host_port(parts.netloc.removesuffix(":"))
    return HttpUrl(host, port or (443 if parts.scheme == "https" else 80))


@dataclass(frozen=True, slots=True)
class SipDestination:
    """Where and how a SIP URI is reached, by the URI itself.

    `locate` is what the name servers may know better, in a domain without a port: NAPTR first,
    or SRV alone where the transport is settled (RFC 3263 sections 4.1 and 4.2).
    """

    host: str
    port: int
    transport: SipTransport
    locate: Literal["naptr", "srv"] | None = None


def parse_sip_uri(uri: str, transport: SipTransport | None = None) -> SipDestination:
    """Host, port and transport of a SIP or SIPS URI (RFC 3261 section 19.1.1).

    `transport` is the one set beside the URI; it must agree with what the URI says itself.
    """
    if any(character.isspace() or not character.isprintable() for character in uri):
        raise ValueError("a space or control character in the URI")
    scheme, _, rest = uri.partition(":")
    if scheme.lower() not in ("sip", "sips"):
        raise ValueError("neither sip nor sips")
    user, _, after = rest.rpartition("@")  # the user part may hold ; and ? but no bare @
    if ":" in user:
        raise ValueError("a password in the URI")
    host_port, *parameters = after.partition("?")[0].split(";")
    host, port = split_host_port(host_port)
    named = {
        key.lower(): value.lower() for key, _, value in (item.partition("=") for item in parameters)
    }.get("transport")
    chosen = _sip_transport(scheme.lower() == "sips", named, transport)
    locate: Literal["naptr", "srv"] | None = None
    if port is None and not is_numeric(host):
        locate = "srv" if named or transport else "naptr"
    return SipDestination(host, port or _SIP_DEFAULT_PORT[chosen], chosen, locate)


def check_call_number(uri: str) -> SipDestination:
    """Where a test call goes; an emergency or service number is refused in any spelling."""
    reason = refusal(uri)
    if reason is not None:
        raise ValueError(f"never called: {reason}")
    return parse_sip_uri(uri)


def _sip_transport(secure: bool, named: str | None, transport: SipTransport | None) -> SipTransport:
    own: SipTransport | None = "tls" if secure else None
    # In a SIPS URI "tcp" names what TLS runs upon (RFC 3261 section 26.2.2).
    if named is not None and not (secure and named in ("tcp", "tls")):
        match named:
            case "udp" | "tcp" | "tls" if not secure:
                own = named
            case _:
                raise ValueError(f"transport is none of {', '.join(get_args(SipTransport))}")
    if own and transport and own != transport:
        raise ValueError(f"the URI says {own}, the key transport says {transport}")
    return own or transport or "udp"
