"""IAX2: frames of the Inter-Asterisk eXchange. RFC 5456 section 8."""

import struct
from dataclasses import dataclass

from nethealth.wire.errors import WireError
from nethealth.wire.octets import need

PORT = 4569
_FULL = struct.Struct("!HHIBBBB")
_MINI = struct.Struct("!HH")
# Section 8.2: DTMF, voice, video, control, null, IAX control, text, image, HTML, comfort noise.
_TYPES = range(1, 13)
IAX_CONTROL = 6
# Section 8.4, subclasses of IAX control frames; 8.6 for the elements they carry.
_IAX_SUBCLASS_MAX = 0x28


@dataclass(frozen=True, slots=True)
class Iax2Frame:
    """A full frame, or (`frame_type` None) a mini frame, which is media of a call.

    A meta frame (trunk or video, section 8.1.3) has a source call number of 0 and no type.
    """

    source_call: int
    destination_call: int | None
    timestamp_ms: int
    frame_type: int | None
    subclass: int | None


def parse(octets: bytes) -> Iax2Frame:
    """A datagram to or from port 4569. Only a full frame can be told by its looks."""
    need(octets, 4, "IAX2 frame")
    first, second = _MINI.unpack_from(octets)
    if not first & 0x8000:
        return Iax2Frame(first, None, second, None, None)
    need(octets, _FULL.size, "IAX2 full frame")
    source, destination, timestamp, _, _, frame_type, subclass = _FULL.unpack_from(octets)
    if frame_type not in _TYPES:
        raise WireError(f"IAX2 frame type {frame_type}")
    if frame_type == IAX_CONTROL:
        if not 0 < subclass <= _IAX_SUBCLASS_MAX:
            raise WireError(f"IAX2 control subclass {subclass:#x}")
        _walk(octets[_FULL.size :])
    return Iax2Frame(source & 0x7FFF, destination & 0x7FFF, timestamp, frame_type, subclass)


def _walk(octets: bytes) -> None:
    """The information elements of a control frame must add up (section 8.6)."""
    at = 0
    while at < len(octets):
        if at + 2 > len(octets) or at + 2 + octets[at + 1] > len(octets):
            raise WireError(f"IAX2 information element at octet {at} goes beyond the frame")
        at += 2 + octets[at + 1]
