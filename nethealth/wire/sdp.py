"""Session descriptions (RFC 8866), read for the one audio stream of a call and no further."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from nethealth.wire.errors import WireError
from nethealth.wire.sip_grammar import excerpt, uint

SDP_MAX_OCTETS = 65_535
LINES_MAX = 1000
_LINE = re.compile(r"([a-z])=(.*)")
# m=<media> <port>["/"<number of ports>] <proto> <fmt> ...
_MEDIA = re.compile(r"(\S+)[ \t]+([0-9]+)(?:/[0-9]+)?[ \t]+(\S+)((?:[ \t]+\S+)*)[ \t]*")
_RTPMAP = re.compile(r"([0-9]{1,3})[ \t]+([^/\s]+)/([0-9]{1,7})(?:/.*)?")
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")

Attribute = tuple[str, str | None]  # name in lower case; None: no ":"


@dataclass(frozen=True, slots=True)
class Media:
    """One m= section; `address` is its own c= line, or None where the session's holds."""

    kind: str
    port: int  # 0: refused, or switched off
    protocol: str  # "RTP/AVP"
    formats: tuple[str, ...]
    address: str | None = None
    attributes: tuple[Attribute, ...] = ()

    def value(self, name: str) -> str | None:
        """The value of the first attribute `name`; None if it is absent or has none."""
        return next((value for key, value in self.attributes if key == name), None)

    @property
    def codecs(self) -> tuple[tuple[int, str, int], ...]:
        """(payload type, encoding name in upper case, clock rate) of each a=rtpmap."""
        found = []
        for key, value in self.attributes:
            match = _RTPMAP.fullmatch(value or "") if key == "rtpmap" else None
            if match is not None:
                found.append((int(match[1]), match[2].upper(), int(match[3])))
        return tuple(found)

    @property
    def ptime_ms(self) -> int | None:
        """The packet time that is asked for, in whole milliseconds."""
        value = self.value("ptime")
        return None if value is None else uint(value.strip(), "ptime", 1000)

    @property
    def rtcp_port(self) -> int:
        """Where RTCP goes: a=rtcp (RFC 3605), the media's own port (RFC 5761), else the next."""
        if any(key == "rtcp-mux" for key, _ in self.attributes):
            return self.port
        value = self.value("rtcp")
        if value is None:
            return min(self.port + 1, 65_535)
        return uint(value.split(" ")[0], "rtcp port", 65_535)


@dataclass(frozen=True, slots=True)
class Session:
    """A whole description; `direction` is that of the session, for media that state none."""

    origin: str  # the o= line
    address: str | None
    media: tuple[Media, ...]
    direction: str = "sendrecv"

    @property
    def audio(self) -> Media | None:
        """The first audio that is not refused."""
        return next((one for one in self.media if one.kind == "audio" and one.port), None)

    def address_of(self, media: Media) -> str:
        """The numeric address that media goes to; a name or nothing at all is a WireError."""
        address = media.address or self.address
        if address is None:
            raise WireError("SDP: no c= line")
        try:
            return str(ip_address(address))
        except ValueError:
            raise WireError(f"SDP: c= holds no numeric address: {excerpt(address)}") from None

    def direction_of(self, media: Media) -> str:
        """sendrecv, sendonly, recvonly or inactive, as its author sees it."""
        own = [key for key, _ in media.attributes if key in _DIRECTIONS]
        return own[-1] if own else self.direction


def parse_sdp(body: bytes) -> Session:
    """Read a description: lines that end in CR LF or LF, in any order, unknown ones passed over.

    A line of another form, a broken m= or c=, or a version other than 0 is a WireError.
    """
    if len(body) > SDP_MAX_OCTETS:
        raise WireError(f"SDP of {len(body)} octets; at most {SDP_MAX_OCTETS}")
    lines = body.decode(errors="replace").replace("\r\n", "\n").strip("\n").split("\n")
    if len(lines) > LINES_MAX:
        raise WireError(f"SDP of {len(lines)} lines; at most {LINES_MAX}")
    if not lines[0].startswith("v=0"):
        raise WireError(f"SDP: {excerpt(lines[0])} is not v=0")
    origin, address, direction = "", None, "sendrecv"
    media: list[_Section] = []
    for line in lines:
        match = _LINE.fullmatch(line.rstrip("\r"))
        if match is None:
            raise WireError(f"SDP: not a line: {excerpt(line)}")
        kind, value = match.groups()
        if kind == "m":
            media.append(_Section(value))
        elif kind == "c" and media:
            media[-1].address = _connection(value)
        elif kind == "c":
            address = _connection(value)
        elif kind == "a":
            name, colon, rest = value.partition(":")
            if media:
                media[-1].attributes.append((name.lower(), rest if colon else None))
            elif name in _DIRECTIONS:
                direction = name
        elif kind == "o":
            origin = value
    return Session(origin, address, tuple(section.media() for section in media), direction)


def encode_sdp(session: Session) -> bytes:
    """The octets of a description; a line break in any part is a ValueError."""
    lines = ["v=0", f"o={session.origin}", "s=-"]
    if session.address is not None:
        lines.append(f"c={_connection_line(session.address)}")
    lines.append("t=0 0")
    for media in session.media:
        lines.append(" ".join((f"m={media.kind}", str(media.port), media.protocol, *media.formats)))
        if media.address is not None:
            lines.append(f"c={_connection_line(media.address)}")
        for name, value in media.attributes:
            lines.append(f"a={name}" + (f":{value}" if value is not None else ""))
    for line in lines:
        if "\r" in line or "\n" in line:
            raise ValueError(f"line break in {line!a}")
    return "\r\n".join([*lines, ""]).encode()


class _Section:
    """One m= section as it is being read."""

    def __init__(self, value: str) -> None:
        match = _MEDIA.fullmatch(value)
        if match is None:
            raise WireError(f"SDP: not an m= line: {excerpt(value)}")
        self.kind, self.protocol = match[1].lower(), match[3].upper()
        self.port = uint(match[2], "media port", 65_535)
        self.formats = tuple(match[4].split())
        self.address: str | None = None
        self.attributes: list[Attribute] = []

    def media(self) -> Media:
        return Media(
            self.kind, self.port, self.protocol, self.formats, self.address, tuple(self.attributes)
        )


def _connection(value: str) -> str:
    """The address of `IN IP4 198.18.2.10`; a time to live or count after "/" is left aside."""
    parts = value.split()
    if len(parts) != 3 or parts[0].upper() != "IN" or parts[1].upper() not in ("IP4", "IP6"):
        raise WireError(f"SDP: not a c= line: {excerpt(value)}")
    return parts[2].partition("/")[0]


def _connection_line(address: str) -> str:
    return f"IN IP{6 if ':' in address else 4} {address}"
