"""What something on the way has made of a SIP request, told from the octets at both ends.

A request is never parsed and written again to be compared: it is compared as the octets that it
is. Only to say *which part* differs are the lines of both set against each other.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from nethealth import __version__
from nethealth.model.check import SipTransport
from nethealth.model.endpoint import Endpoint
from nethealth.protocol.sip_request import BRANCH_COOKIE, MAX_FORWARDS
from nethealth.wire.sdp import Media, Session, encode_sdp
from nethealth.wire.sip import encode_request, long_name

CHANGES_MAX = 24  # told of one request
LINE_MAX = 200  # characters told of one line
PADDED_OCTETS_MIN = 900  # whatever the names in the request

_HEADER = re.compile(r"([^:\s]+)([ \t]*:[ \t]*)(.*)", re.DOTALL)
_SPELT = {
    "via": "Via", "from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq",
    "contact": "Contact", "max-forwards": "Max-Forwards", "user-agent": "User-Agent",
    "content-type": "Content-Type", "content-length": "Content-Length",
}  # fmt: skip
_SENT_BY = re.compile(r"(SIP\s*/\s*2\.0\s*/\s*\S+\s+)([^;,\s]+)(.*)", re.IGNORECASE | re.DOTALL)
_URI_HOST = re.compile(r"(sips?:(?:[^@>;?]*@)?)(\[[^\]]*\](?::\d+)?|[^>;?\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Change:
    """One part as it was sent and as it arrived; empty where it was added or removed."""

    part: str  # "Via sent-by", "Contact host", "SDP c="
    sent: str
    received: str


def label(token: str, number: int) -> str:
    """What names one request of a session, wherever it turns up."""
    return f"{token}x{number}"


def labels(token: str, octets: bytes) -> frozenset[int]:
    """The numbers of this session that stand in what arrived."""
    found = re.findall(re.escape(token).encode() + rb"x(\d{1,5})(?!\d)", octets)
    return frozenset(int(number) for number in found)


def request(
    method: str,
    transport: SipTransport,
    local: Endpoint,
    host: str,
    token: str,
    number: int,
    *,
    octets: int | None = None,
) -> bytes:
    """A request of `local` to nobody at `host`; an INVITE offers audio at our own address.

    The user that is asked for bears the name too: what puts new names everywhere else in the place
    of ours still has to say who is asked for.
    With `octets`, at least PADDED_OCTETS_MIN, a body of that many octets in all.
    """
    own = f"[{local.address}]" if ":" in local.address else local.address
    at = f"[{host}]" if ":" in host else host
    name = label(token, number)
    contact = f"<sip:nethealth@{local}>" if transport == "udp" else (
        f"<sip:nethealth@{local};transport={transport}>"
    )  # fmt: skip
    headers = [
        ("Via", f"SIP/2.0/{transport.upper()} {local};branch={BRANCH_COOKIE}{name};rport"),
        ("Max-Forwards", str(MAX_FORWARDS)),
        ("From", f"<sip:nethealth@{own}>;tag={name}"),
        ("To", f"<sip:{name}@{at}>"),
        ("Call-ID", f"{name}@{own}"),
        ("CSeq", f"1 {method}"),
        ("Contact", contact),
        ("User-Agent", f"nethealth/{__version__}"),
    ]
    if method == "INVITE":
        headers.append(("Content-Type", "application/sdp"))
        body = _offer(local, number)
    elif octets is not None:
        headers.append(("Content-Type", "text/plain"))
        body = _padding(f"{method} sip:{name}@{at} SIP/2.0", headers, octets)
    else:
        headers.append(("Accept", "application/sdp"))
        body = b""
    headers.append(("Content-Length", str(len(body))))
    return encode_request(method, f"sip:{name}@{at}", headers, body)


def _offer(local: Endpoint, number: int) -> bytes:
    version = 6 if ":" in local.address else 4
    audio = Media(
        "audio",
        min(local.port + 2, 65_534) & ~1,  # even: RFC 3550 section 11
        "RTP/AVP",
        ("8", "0"),
        attributes=(
            ("rtpmap", "8 PCMA/8000"), ("rtpmap", "0 PCMU/8000"), ("ptime", "20"),
            ("sendrecv", None),
        ),
    )  # fmt: skip
    origin = f"nethealth {number} 1 IN IP{version} {local.address}"
    return encode_sdp(Session(origin, local.address, (audio,)))


def _padding(start: str, headers: Sequence[tuple[str, str]], octets: int) -> bytes:
    """A body that makes the request `octets` long, its Content-Length of four digits or three."""
    head = encode_request("", "", headers)
    empty = len(head) - len("  SIP/2.0") + len(start) + len("Content-Length: \r\n")
    for digits in (3, 4):
        size = octets - empty - digits
        if len(str(size)) == digits:
            return b"x" * size
    raise ValueError(f"{octets} octets hold no body of three or four digits")


def changes(sent: bytes, received: bytes) -> tuple[Change, ...]:
    """What differs, part by part, at most CHANGES_MAX; nothing only if all octets are the same."""
    if sent == received:
        return ()
    found = [*_heads(sent, received), *_bodies(sent, received)]
    if not found:
        found = [Change("whitespace", "line ends", "other line ends")]
    return tuple(
        Change(one.part, one.sent[:LINE_MAX], one.received[:LINE_MAX])
        for one in found[:CHANGES_MAX]
    )


def _heads(sent: bytes, received: bytes) -> list[Change]:
    (first, *own), (begun, *theirs) = _lines(_parts(sent)[0]), _lines(_parts(received)[0])
    found = [] if first == begun else [Change("request line", first, begun)]
    ours, others = _named(own), _named(theirs)
    for name in dict.fromkeys((*(one for one, _ in ours), *(one for one, _ in others))):
        lines = [line for one, line in ours if one == name]
        came = [line for one, line in others if one == name]
        if lines != came:
            for line, other in zip_longest(lines, came, fillvalue=""):
                found += _header(name, line, other)
    order = [name for name, _ in others if name in dict(ours)]
    if [name for name, _ in ours if name in dict(others)] != order:
        found.append(Change("order", ", ".join(one for one, _ in ours), ", ".join(order)))
    return found


def _header(name: str, sent: str, received: str) -> list[Change]:
    spelt = _SPELT.get(name, name)
    if sent == received:
        return []
    if not received:
        return [Change(f"{spelt} removed", sent, "")]
    if not sent:
        return [Change(f"{spelt} added", "", received)]
    value, other = _value(sent), _value(received)
    if value == other:
        return [Change("whitespace", sent, received)]
    return [Change(f"{spelt}{_which(name, value, other)}", sent, received)]


def _which(name: str, value: str, other: str) -> str:
    """The part of a header's value that alone differs, if it is one with a name."""
    if name == "via":
        ours, theirs = _SENT_BY.fullmatch(value), _SENT_BY.fullmatch(other)
        if ours and theirs and ours[2] != theirs[2]:
            return " sent-by"
        return " parameters"
    if name == "call-id" and value.partition("@")[0] == other.partition("@")[0]:
        return " host"
    if name in ("from", "to", "contact"):
        ours, theirs = _URI_HOST.search(value), _URI_HOST.search(other)
        if ours and theirs and ours[2] != theirs[2]:
            return " host"
    return ""


def _bodies(sent: bytes, received: bytes) -> list[Change]:
    own, theirs = _parts(sent)[1], _parts(received)[1]
    if own == theirs:
        return []
    if b"\r\nv=0\r\n" not in b"\r\n" + own[:8]:
        return [Change("body", f"{len(own)} octets", f"{len(theirs)} octets")]
    ours, others = ([(line[:2], line) for line in _lines(body)] for body in (own, theirs))
    found: list[Change] = []
    for kind in dict.fromkeys((*(one for one, _ in ours), *(one for one, _ in others))):
        lines = [line for one, line in ours if one == kind]
        came = [line for one, line in others if one == kind]
        for line, other in zip_longest(lines, came, fillvalue=""):
            if line != other:
                found.append(Change(f"SDP {kind}" if kind[1:] == "=" else "SDP", line, other))
    if not found and ours != others:
        found.append(Change("SDP order", "", ""))
    return found


def _parts(octets: bytes) -> tuple[bytes, bytes]:
    """Head and body; without an empty line all of it is head."""
    match = re.search(rb"\r?\n\r?\n", octets)
    return (octets[: match.start()], octets[match.end() :]) if match else (octets, b"")


def body_of(octets: bytes) -> bytes:
    """What follows the first empty line; nothing where there is none."""
    return _parts(octets)[1]


def _lines(octets: bytes) -> list[str]:
    return octets.decode("latin-1").replace("\r\n", "\n").removesuffix("\n").split("\n")


def _named(lines: Sequence[str]) -> list[tuple[str, str]]:
    named = []
    for line in lines:
        match = _HEADER.fullmatch(line)
        named.append((long_name(match[1]) if match else "", line))
    return named


def _value(line: str) -> str:
    match = _HEADER.fullmatch(line)
    return " ".join((match[3] if match else line).split())
