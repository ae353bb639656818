"""Where a Skinny telephone receives media, and where it is told to send it.

Cisco publishes no specification; the fields are those that Wireshark (packet-skinny) and chan-sccp
agree on. From header version 17 on an address has 16 octets, with its family before it.
"""

import struct
from dataclasses import dataclass
from ipaddress import ip_address

from nethealth.wire.errors import WireError
from nethealth.wire.octets import need
from nethealth.wire.skinny import SkinnyHeader, parse_header

OPEN_RECEIVE_CHANNEL_ACK, START_MEDIA_TRANSMISSION = 0x0022, 0x008A
_LONG_ADDRESSES_FROM = 0x11
_HEADER_OCTETS = 12


@dataclass(frozen=True, slots=True)
class SkinnyMedia:
    """One end of RTP; `packet_s`: how much speech a packet holds, where it is said."""

    address: str
    port: int
    packet_s: float | None = None


def parse_media(message: bytes) -> SkinnyMedia | None:
    """The end that a whole message names; None for a message or an answer that names none."""
    header = parse_header(message)
    if header.message == START_MEDIA_TRANSMISSION:
        address, port, at = _end(message, header, _HEADER_OCTETS + 8)
        need(message, at + 4, "Skinny StartMediaTransmission")
        (milliseconds,) = struct.unpack_from("<I", message, at)
        packet_s = milliseconds / 1000 if 0 < milliseconds <= 1000 else None
        return SkinnyMedia(address, port, packet_s) if port else None
    if header.message == OPEN_RECEIVE_CHANNEL_ACK:
        need(message, _HEADER_OCTETS + 4, "Skinny OpenReceiveChannelAck")
        (status,) = struct.unpack_from("<I", message, _HEADER_OCTETS)
        address, port, _ = _end(message, header, _HEADER_OCTETS + 4)
        return SkinnyMedia(address, port) if port and status == 0 else None
    return None


def _end(message: bytes, header: SkinnyHeader, at: int) -> tuple[str, int, int]:
    """Address and port at this place, and the place behind them."""
    octets = 4
    if header.version >= _LONG_ADDRESSES_FROM:
        need(message, at + 24, "Skinny address")
        (family,) = struct.unpack_from("<I", message, at)
        if family not in (0, 1):
            raise WireError(f"Skinny address family {family}")
        octets, at = (16 if family else 4), at + 4
        place = at + 16
    else:
        need(message, at + 8, "Skinny address")
        place = at + 4
    (port,) = struct.unpack_from("<I", message, place)
    if port > 0xFFFF:
        raise WireError(f"Skinny port {port}")
    return str(ip_address(message[at : at + octets])), port, place + 4
