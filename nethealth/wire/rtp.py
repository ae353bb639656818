"""RTP data packets (RFC 3550 section 5.1)."""

import struct
from dataclasses import dataclass

from nethealth.wire.errors import WireError

VERSION = 2
HEADER_OCTETS = 12
_HEADER = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet; `payload` stands without padding. `extension`: profile's 16 bits and octets."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrc: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None

    def encode(self) -> bytes:
        """The octets, without padding; a field that does not fit is a ValueError."""
        if not 0 <= self.payload_type <= 127 or len(self.csrc) > 15:
            raise ValueError(f"payload type {self.payload_type}, {len(self.csrc)} CSRC")
        first = VERSION << 6 | (self.extension is not None) << 4 | len(self.csrc)
        try:
            parts = [
                _HEADER.pack(first, self.marker << 7 | self.payload_type, self.sequence,
                             self.timestamp, self.ssrc),
                struct.pack(f"!{len(self.csrc)}I", *self.csrc),
            ]  # fmt: skip
            if self.extension is not None:
                profile, octets = self.extension
                if len(octets) % 4:
                    raise ValueError("an extension is of whole words")
                parts += [_EXTENSION.pack(profile, len(octets) // 4), octets]
        except struct.error as error:
            raise ValueError(str(error)) from None
        return b"".join((*parts, self.payload))


def is_rtcp(data: bytes) -> bool:
    """Whether a packet on a port that RTP and RTCP share is RTCP (RFC 5761 section 4)."""
    return len(data) >= 2 and 192 <= data[1] <= 223


def parse_rtp(data: bytes) -> RtpPacket:
    """Read one packet; what is no RTP of version 2 or is cut short is a WireError."""
    if len(data) < HEADER_OCTETS:
        raise WireError(f"RTP of {len(data)} octets; at least {HEADER_OCTETS}")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != VERSION:
        raise WireError(f"RTP version {first >> 6}")
    count = first & 0x0F
    position = HEADER_OCTETS + 4 * count
    if len(data) < position:
        raise WireError(f"{count} CSRC do not fit into {len(data)} octets")
    csrc = struct.unpack_from(f"!{count}I", data, HEADER_OCTETS)
    extension = None
    if first & 0x10:
        if len(data) < position + _EXTENSION.size:
            raise WireError("header extension cut short")
        profile, words = _EXTENSION.unpack_from(data, position)
        position += _EXTENSION.size
        octets = data[position : position + 4 * words]
        if len(octets) < 4 * words:
            raise WireError(f"header extension of {words} words is cut short")
        extension = (profile, octets)
        position += 4 * words
    end = len(data)
    if first & 0x20:
        padding = data[-1]
        if padding == 0 or padding > end - position:
            raise WireError(f"padding of {padding} octets in {end - position}")
        end -= padding
    return RtpPacket(
        payload_type=second & 0x7F,
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        payload=data[position:end],
        marker=bool(second & 0x80),
        csrc=csrc,
        extension=extension,
    )
