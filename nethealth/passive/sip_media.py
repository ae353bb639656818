"""What a SIP message says of media: codecs offered, addresses to send to (RFC 8866, RFC 3264)."""

import re
from dataclasses import dataclass

from nethealth.model.endpoint import Endpoint
from nethealth.wire.errors import WireError
from nethealth.wire.sdp import Media, Session, parse_sdp
from nethealth.wire.sip import SipMessage

# RFC 3551 section 6, table 4: those that may stand without a=rtpmap
STATIC = {
    0: ("PCMU", 8000), 3: ("GSM", 8000), 4: ("G723", 8000), 5: ("DVI4", 8000),
    6: ("DVI4", 16000), 7: ("LPC", 8000),
    8: ("PCMA", 8000), 9: ("G722", 8000), 10: ("L16", 44100), 11: ("L16", 44100),
    12: ("QCELP", 8000), 13: ("CN", 8000), 15: ("G728", 8000),
    16: ("DVI4", 11025), 17: ("DVI4", 22050), 18: ("G729", 8000),
    26: ("JPEG", 90000), 31: ("H261", 90000), 32: ("MPV", 90000), 34: ("H263", 90000),
}  # fmt: skip
NOT_SPEECH = frozenset({"TELEPHONE-EVENT", "CN", "RED", "FRAME"})
MEDIA_MAX = 8
CODECS_MAX = 16
_BOUNDARY = re.compile(r'boundary="?([^";]{1,70})"?', re.IGNORECASE)
_PARTS_MAX = 16


@dataclass(frozen=True, slots=True)
class Announced:
    """One m= section of one side: where it wants media, in what, and which way it goes.

    `encodings`: (payload type, name, clock rate) in the order of preference.
    """

    kind: str
    endpoint: Endpoint | None  # None: no numeric address, or refused (port 0)
    encodings: tuple[tuple[int, str, int], ...]
    direction: str
    packet_s: float | None = None

    @property
    def codecs(self) -> tuple[str, ...]:
        """Each name once, in the order of preference."""
        return tuple(dict.fromkeys(name for _, name, _ in self.encodings))

    @property
    def speech(self) -> str | None:
        """The codec that is preferred for speech; None where there is none."""
        return next((name for name in self.codecs if name not in NOT_SPEECH), None)


def announced(message: SipMessage) -> tuple[Announced, ...] | None:
    """The media that a message describes; None if it describes none, or breaks the grammar."""
    body = _description(message)
    if body is None:
        return None
    try:
        session = parse_sdp(body)
    except WireError:
        return None
    return tuple(_announced(session, media) for media in session.media[:MEDIA_MAX])


def _description(message: SipMessage) -> bytes | None:
    """The session description in a body, alone or as a part of several (RFC 2046)."""
    if not message.body:
        return None
    kind = (message.value("content-type") or "application/sdp").strip()
    if kind.lower().startswith("application/sdp"):
        return message.body
    match = _BOUNDARY.search(kind)
    if match is None or not kind.lower().startswith("multipart/"):
        return None
    for part in message.body.split(b"--" + match[1].encode())[1:_PARTS_MAX]:
        head, _, body = part.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
        if b"application/sdp" in head.lower():
            return body
    return None


def _announced(session: Session, media: Media) -> Announced:
    endpoint = None
    if media.port:
        try:
            endpoint = Endpoint(session.address_of(media), media.port)
        except WireError:
            endpoint = None
    named = {number: (name, clock) for number, name, clock in media.codecs}
    encodings = []
    for text in media.formats[:CODECS_MAX]:
        number = int(text) if text.isdecimal() and text.isascii() and len(text) <= 3 else -1
        name, clock = named.get(number) or STATIC.get(number) or (text.upper()[:20], 0)
        encodings.append((number, name, clock))
    try:
        packet_ms = media.ptime_ms
    except WireError:
        packet_ms = None
    return Announced(
        media.kind, endpoint, tuple(encodings), session.direction_of(media),
        packet_ms / 1000 if packet_ms else None,
    )  # fmt: skip
