"""SIP messages (RFC 3261 section 7), read as tolerantly as the old PBXs of the world require.

Taken: any case, compact names, folded headers, lines that end in LF alone, empty lines before the
message, text that is not UTF-8. Refused: what cannot be framed, or is not SIP 2.0. Each accessor
of a field reads it when asked, so that a fault in one field costs nothing but that field.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from nethealth.wire.errors import WireError
from nethealth.wire.sip_address import Address, parse_address
from nethealth.wire.sip_grammar import NAME, WSP, excerpt, is_token, split, uint
from nethealth.wire.sip_via import Via, parse_via

MESSAGE_MAX_OCTETS = 65_535  # the most that one datagram holds; streams are held to the same
HEADERS_MAX = 256  # lines; a real message has ten to forty
LINE_MAX_OCTETS = 8192

HEADERS_END = re.compile(rb"\n\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
# Request-Line = Method SP Request-URI SP SIP-Version; trailing blanks: RFC 4475 section 3.1.2.10
_REQUEST_LINE = re.compile(
    rf"(?P<method>{NAME}) (?P<uri>[^\x00-\x20\x7f]+) SIP/2\.0[ \t]*", re.IGNORECASE
)
# Status-Line = SIP-Version SP Status-Code SP Reason-Phrase; the phrase may be missing altogether
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9][0-9])(?: (.*))?", re.IGNORECASE | re.DOTALL)
_HEADER = re.compile(rf"^({NAME})[ \t]*:([^\n]{{0,{LINE_MAX_OCTETS}}})\n", re.MULTILINE)
_CSEQ = re.compile(rf"([0-9]+)[ \t]+({NAME})")
_RETRY_AFTER = re.compile(r"(?P<seconds>[0-9]+)[ \t]*(?:[(;].*)?", re.DOTALL)

# Section 7.3.3, and the registry's later ones that a PBX may send.
_COMPACT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "e": "content-encoding",
    "f": "from", "i": "call-id", "k": "supported", "l": "content-length", "m": "contact",
    "o": "event", "r": "refer-to", "s": "subject", "t": "to", "u": "allow-events", "v": "via",
    "x": "session-expires",
}  # fmt: skip
# As most are written; any other spelling takes the long way.
_NAMES = {
    name: name.lower()
    for name in ("Via", "From", "To", "Call-ID", "CSeq", "Contact", "Allow", "Server", "Supported",
                 "User-Agent", "Content-Length", "Content-Type", "Accept", "Max-Forwards")
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CSeq:
    """The request's number and method, copied into its response (section 20.16)."""

    number: int
    method: str


@dataclass(frozen=True, slots=True)
class SipMessage:
    """What requests and responses share.

    `headers` hold (name, value) in the order received: names long and in lower case, values
    unfolded and stripped. An accessor gives None (or nothing) for an absent field, and raises
    WireError for one that breaks its grammar.
    """

    headers: tuple[tuple[str, str], ...] = field(kw_only=True)
    body: bytes = field(default=b"", kw_only=True)

    def values(self, name: str) -> list[str]:
        """Every value of the header `name` (long, lower case), one for each line."""
        return [value for key, value in self.headers if key == name]

    def value(self, name: str) -> str | None:
        """The first value of the header `name`; None if it is absent."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def only(self, name: str) -> str | None:
        """The value of a header that may stand once; different values are a WireError (7.3.1)."""
        found: str | None = None
        for key, value in self.headers:
            if key == name:
                if found is not None and value != found:
                    raise WireError(f"{name}: different values")
                found = value
        return found

    @property
    def top_via(self) -> Via | None:
        """The first hop, the one that a response is matched by (section 17.1.3)."""
        value = self.value("via")
        return None if value is None else parse_via(split(value, ",")[0])

    @property
    def via(self) -> tuple[Via, ...]:
        """Every hop, top first (section 20.42)."""
        return tuple([parse_via(part) for line in self.values("via") for part in split(line, ",")])

    @property
    def cseq(self) -> CSeq | None:
        """CSeq = 1*DIGIT LWS Method (section 20.16)."""
        value = self.only("cseq")
        if value is None:
            return None
        match = _CSEQ.fullmatch(value)
        if match is None:
            raise WireError(f"CSeq: {excerpt(value)}")
        number, method = match.groups()
        return CSeq(uint(number, "CSeq"), method)

    @property
    def call_id(self) -> str | None:
        """The Call-ID, compared octet by octet (section 20.8)."""
        return self.only("call-id")

    @property
    def from_(self) -> Address | None:
        """Who asks (section 20.20)."""
        value = self.only("from")
        return None if value is None else parse_address(value)

    @property
    def to(self) -> Address | None:
        """Who is asked (section 20.39)."""
        value = self.only("to")
        return None if value is None else parse_address(value)

    @property
    def from_tag(self) -> str | None:
        """The tag of From (section 19.3)."""
        address = self.from_
        return None if address is None else address.tag

    @property
    def to_tag(self) -> str | None:
        """The tag of To (section 19.3)."""
        address = self.to
        return None if address is None else address.tag

    @property
    def contact(self) -> tuple[Address, ...]:
        """Every Contact (section 20.10); the one "*" of a REGISTER has it as its URI."""
        lines = self.values("contact")
        return tuple(parse_address(part) for line in lines for part in split(line, ","))

    @property
    def allow(self) -> tuple[str, ...] | None:
        """The methods supported (section 20.5); an empty Allow is not an absent one."""
        lines = self.values("allow")
        if not lines:
            return None
        methods = [part for line in lines for part in split(line, ",") if part]
        for method in methods:
            if not is_token(method):
                raise WireError(f"Allow: {excerpt(method)}")
        return tuple(methods)

    @property
    def retry_after_s(self) -> int | None:
        """Whole seconds to stay away (section 20.33); comment and duration are left aside."""
        value = self.only("retry-after")
        if value is None:
            return None
        match = _RETRY_AFTER.fullmatch(value)
        if match is None:
            raise WireError(f"Retry-After: {excerpt(value)}")
        return uint(match["seconds"], "Retry-After")

    @property
    def server(self) -> str | None:
        """The answering software (section 20.35), as text."""
        return self.value("server")

    @property
    def user_agent(self) -> str | None:
        """The asking software (section 20.41), as text; many answer with it too."""
        return self.value("user-agent")

    @property
    def content_length(self) -> int | None:
        """The length of the body in octets (section 20.14)."""
        value = self.only("content-length")
        return None if value is None else uint(value, "Content-Length")

    @property
    def max_forwards(self) -> int | None:
        """How many more hops it may take, 0 to 255 (section 20.22)."""
        value = self.only("max-forwards")
        return None if value is None else uint(value, "Max-Forwards", 255)


@dataclass(frozen=True, slots=True)
class SipRequest(SipMessage):
    """A request (section 7.1); `uri` as text, since any scheme may stand there."""

    method: str
    uri: str


@dataclass(frozen=True, slots=True)
class SipResponse(SipMessage):
    """A response (section 7.2)."""

    status_code: int
    reason_phrase: str


def parse_message(datagram: bytes) -> SipRequest | SipResponse:
    """Read the one message of a datagram; octets after its body are ignored (section 18.3).

    Without Content-Length the body goes to the end; a body shorter than it says is a WireError.
    """
    if len(datagram) > MESSAGE_MAX_OCTETS:
        raise WireError(f"{len(datagram)} octets; at most {MESSAGE_MAX_OCTETS}")
    datagram = datagram.lstrip(b"\r\n")  # section 7.5
    end = HEADERS_END.search(datagram)
    if end is None:
        raise WireError("no empty line ends the headers")
    message, length = parse_head(datagram[: end.start()])
    body = datagram[end.end() :]
    if length is not None and len(body) < length:
        raise WireError(f"body of {len(body)} octets where Content-Length says {length}")
    return with_body(message, body[:length])


def parse_head(head: bytes) -> tuple[SipRequest | SipResponse, int | None]:
    """Read the start line and the headers, without the empty line; also the length of the body."""
    line_count = head.count(b"\n")
    if line_count > HEADERS_MAX:
        raise WireError(f"more than {HEADERS_MAX} header lines")
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    start, found = _split_head(text)
    if len(found) != line_count:  # a line that is no header is the rest of a folded one, or bad
        text = _FOLD.sub(" ", text)
        start, found = _split_head(text)
        _refuse_other_lines(text, found)
    headers = [(_NAMES.get(name) or long_name(name), value.strip(" \t\r")) for name, value in found]
    message = _start(start.removesuffix("\r"), tuple(headers))
    length = message.content_length
    if length is not None and length > MESSAGE_MAX_OCTETS:
        raise WireError(f"Content-Length is {length}; at most {MESSAGE_MAX_OCTETS}")
    return message, length


def encode_request(
    method: str, uri: str, headers: Sequence[tuple[str, str]], body: bytes = b""
) -> bytes:
    """The octets of a request (section 7.1), headers as given; Content-Length is the caller's.

    A line break in any part is a ValueError: it would let a value forge a header.
    """
    return _encode(f"{method} {uri} SIP/2.0", headers, body)


def encode_response(
    status_code: int, reason_phrase: str, headers: Sequence[tuple[str, str]], body: bytes = b""
) -> bytes:
    """The octets of a response (section 7.2), by the rules of `encode_request`."""
    return _encode(f"SIP/2.0 {status_code} {reason_phrase}", headers, body)


def _encode(start: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    lines = [start, *(f"{name}: {value}" for name, value in headers)]
    for line in lines:
        if "\r" in line or "\n" in line:
            raise ValueError(f"line break in {line!a}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def _split_head(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The start line, and name and value of every header as they stand."""
    start, _, lines = text.partition("\n")
    return start, _HEADER.findall(lines + "\n")  # one expression over all, for its speed


def _refuse_other_lines(text: str, found: list[tuple[str, str]]) -> None:
    """Raise WireError if not all the lines of `text` but its first are among those found."""
    lines = text.split("\n")[1:]
    if len(found) != len(lines):
        bad = next(line for line in lines if _HEADER.fullmatch(line + "\n") is None)
        raise WireError(f"not a header of at most {LINE_MAX_OCTETS} octets: {excerpt(bad)}")


def long_name(name: str) -> str:
    """A header's name in its long form and lower case (section 7.3.3)."""
    name = name.lower()
    return _COMPACT.get(name, name)


def _start(line: str, headers: tuple[tuple[str, str], ...]) -> SipRequest | SipResponse:
    if len(line) > LINE_MAX_OCTETS:
        raise WireError(f"start line of {len(line)} octets; at most {LINE_MAX_OCTETS}")
    match = _STATUS_LINE.fullmatch(line)
    if match is not None:
        code, reason = match.groups("")
        return SipResponse(int(code), reason.strip(WSP), headers=headers)
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise WireError(f"not a SIP 2.0 start line: {excerpt(line)}")
    return SipRequest(match["method"], match["uri"], headers=headers)


def with_body(message: SipRequest | SipResponse, body: bytes) -> SipRequest | SipResponse:
    if not body:
        return message
    if isinstance(message, SipRequest):
        return SipRequest(message.method, message.uri, headers=message.headers, body=body)
    return SipResponse(
        message.status_code, message.reason_phrase, headers=message.headers, body=body
    )
