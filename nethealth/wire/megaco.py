"""Megaco / H.248: whether octets begin a message, in text or in BER. RFC 3525, H.248.1."""

import re
from dataclasses import dataclass
from typing import Literal

from nethealth.wire.errors import WireError
from nethealth.wire.octets import printable

TEXT_PORT = 2944
BINARY_PORT = 2945
# MegacopToken SLASH Version SEP mId (RFC 3525 annex B.2). An authentication header, which nobody
# uses (its own section 10 says why), may stand before it.
_ADDRESS = rb"\[[0-9A-Fa-f.:]{2,45}\](?::\d{1,5})?"
_DOMAIN = rb"<[^>\r\n]{1,64}>(?::\d{1,5})?"
_OTHER = rb"MTP\{[^}]{1,32}\}|[A-Za-z0-9@._/$\-]{1,64}"
_TEXT = re.compile(
    rb"(?:MEGACO|!)/(\d{1,2})[ \t\r\n]+(" + _ADDRESS + rb"|" + _DOMAIN + rb"|" + _OTHER
    + rb")[ \t\r\n.]",
    re.IGNORECASE,
)  # fmt: skip
_SEQUENCE, _AUTHENTICATION, _MESSAGE, _VERSION, _SENDER = 0x30, 0xA0, 0xA1, 0x80, 0xA1


@dataclass(frozen=True, slots=True)
class MegacoStart:
    """The version of the protocol that a message is of, and how it is written."""

    encoding: Literal["text", "binary"]
    version: int
    sender: str | None = None


def parse(octets: bytes) -> MegacoStart:
    """What a datagram (or a TPKT packet, or an SCTP message) begins with."""
    if text := _TEXT.match(octets[:256].lstrip(b" \t\r\n")):
        return MegacoStart("text", int(text[1]), printable(text[2]))
    if octets[:1] == bytes((_SEQUENCE,)):
        return _binary(octets)
    raise WireError(f"no Megaco begins {printable(octets[:16], 20)!r}")


def _binary(octets: bytes) -> MegacoStart:
    """MegacoMessage ::= SEQUENCE { authHeader [0] OPTIONAL, mess [1] { version [0], mId [1] } }."""
    at, end = _value(octets, 0, _SEQUENCE)
    if end != len(octets) and end != at:  # indefinite length: it ends where it ends
        raise WireError(f"a BER sequence of {end} octets in {len(octets)}")
    if octets[at : at + 1] == bytes((_AUTHENTICATION,)):
        _, at = _value(octets, at, _AUTHENTICATION)
    at, _ = _value(octets, at, _MESSAGE)
    at, end = _value(octets, at, _VERSION)
    if end - at != 1 or not 1 <= octets[at] <= 9:
        raise WireError("no version of Megaco")
    version = octets[at]
    _value(octets, end, _SENDER)
    return MegacoStart("binary", version)


def _value(octets: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the value of this tag begins and ends (X.690 section 8.1)."""
    if at + 2 > len(octets) or octets[at] != tag:
        raise WireError(f"BER without tag {tag:#04x} at octet {at}")
    first = octets[at + 1]
    if first == 0x80:
        return at + 2, at + 2
    size = first & 0x7F if first & 0x80 else 0
    begin = at + 2 + size
    length = int.from_bytes(octets[at + 2 : begin], "big") if size else first
    if size > 4 or begin + length > len(octets):
        raise WireError(f"BER of {length} octets goes beyond the message")
    return begin, begin + length
