"""One overheard SIP message out of its octets, broken or cut as it may be.

A capture's counts are of what is in the file: a message that its receiver would refuse counts too,
with what can be read of it, beside the name of its fault.
"""

import re
from dataclasses import dataclass
from typing import Literal

from nethealth.model.endpoint import Endpoint
from nethealth.wire.errors import WireError
from nethealth.wire.sip import (
    HEADERS_END,
    MESSAGE_MAX_OCTETS,
    SipRequest,
    SipResponse,
    parse_head,
    parse_message,
    with_body,
)

SeenTransport = Literal["udp", "tcp"]
# A start line of any version, or the beginning of one that the capture has cut off.
_LIKELY = re.compile(
    rb"[\r\n]{0,8}(?:SIP/[0-9]"
    rb"|(?:INVITE|ACK|BYE|CANCEL|REGISTER|OPTIONS|SUBSCRIBE|NOTIFY|PUBLISH|MESSAGE|INFO|PRACK|UPDATE"
    rb"|REFER) (?:sips?|tel):"
    rb"|[A-Za-z0-9\-.!%*_+`'~]+ [^\r\n]* SIP/[0-9]+\.[0-9]+[ \t]*\r?\n)",
    re.IGNORECASE,
)
# The first words of each WireError of `parse_message`, and what the fault is called in a record.
_FAULTS = (
    ("no empty line", "headers without an end"),
    ("headers cut off", "headers without an end"),
    ("body", "body shorter than Content-Length"),
    ("not a header", "header line"),
    ("more than", "too many headers"),
    ("headers of more than", "too many headers"),
    ("not a SIP 2.0 start line", "start line"),
    ("start line", "start line"),
    ("Content-Length", "Content-Length"),
    ("content-length", "Content-Length"),
    ("no Content-Length", "Content-Length"),
    ("CSeq", "CSeq"),
    ("cseq", "CSeq"),
    ("not a Via", "Via"),
    ("Via", "Via"),
    ("no closing quote", "quotes"),
    ("call-id", "Call-ID"),
    ("no Call-ID", "Call-ID"),
)


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """One message on its way; `time_ns` since 1970, of the packet that completed it.

    `mirrored`: the same frame once more, as a mirror port shows it; no retransmission.
    """

    time_ns: int
    source: Endpoint
    destination: Endpoint
    transport: SeenTransport
    message: SipRequest | SipResponse
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a datagram gave: a message as far as it could be read, a fault, or both."""

    message: SipRequest | SipResponse | None
    fault: str | None = None


def looks_like_sip(payload: bytes) -> bool:
    """Whether the payload begins with a SIP start line, of whatever version."""
    return _LIKELY.match(payload) is not None


def read_datagram(payload: bytes, *, whole: bool = True) -> Reading:
    """Read one datagram; `whole` is false where the capture has cut it, which is no fault of it."""
    try:
        return Reading(parse_message(payload))
    except WireError as error:
        fault = fault_name(error) if whole else None
    data = payload[:MESSAGE_MAX_OCTETS].lstrip(b"\r\n")
    end = HEADERS_END.search(data)
    head = data[: end.start()] if end is not None else data
    if not whole and end is None:
        head = head[: head.rfind(b"\n")] if b"\n" in head else head
    message = _salvaged(head.rstrip(b"\r\n"))
    if message is not None and end is not None:
        message = with_body(message, data[end.end() :])
    return Reading(message, fault)


def fault_name(error: WireError) -> str:
    """What is wrong, as one of a closed list: a hostile sender cannot make the list longer."""
    text = str(error)
    return next((name for start, name in _FAULTS if text.startswith(start)), "other")


def _salvaged(head: bytes) -> SipRequest | SipResponse | None:
    """The start line with the headers that can be read; None if the start line cannot."""
    try:
        return parse_head(head)[0]
    except WireError:
        pass
    start, *lines = head.split(b"\n")[:256]
    readable = [start]
    for line in lines:
        try:
            parse_head(start + b"\n" + line)
        except WireError:
            continue
        readable.append(line)
    try:
        return parse_head(b"\n".join(readable))[0]
    except WireError:  # two lines that can be read alone may not be together
        return None
