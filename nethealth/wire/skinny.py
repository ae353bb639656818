"""Skinny (SCCP), Cisco's own protocol between telephones and CallManager, TCP port 2000.

Cisco publishes no specification; the header and the message numbers are those that Wireshark
(packet-skinny) and chan-sccp agree on. All numbers are little-endian.
"""

import struct
from dataclasses import dataclass

from nethealth.wire.errors import WireError
from nethealth.wire.octets import need

PORT = 2000
_HEADER = struct.Struct("<III")
_LENGTH_MAX = 4096  # octets behind the length and version; the longest known have about 2,500
# 0: basic; the others come with CallManager 4, and 7 to 9 with their own structures.
_VERSIONS = frozenset({0x00, 0x0A, 0x0B, *range(0x11, 0x17)})
_MESSAGE_MAX, _SPECIAL = 0x0171, 0x8000

NAMES: dict[int, str] = {
    0x0000: "KeepAlive", 0x0001: "Register", 0x0002: "IpPort", 0x0003: "KeypadButton",
    0x0005: "Stimulus", 0x0006: "OffHook", 0x0007: "OnHook", 0x0020: "Alarm",
    0x0022: "OpenReceiveChannelAck", 0x0023: "ConnectionStatisticsRes", 0x0027: "Unregister",
    0x0081: "RegisterAck", 0x0082: "StartTone", 0x0085: "SetRinger", 0x0086: "SetLamp",
    0x008A: "StartMediaTransmission", 0x008B: "StopMediaTransmission", 0x008F: "CallInfo",
    0x009D: "RegisterReject", 0x009F: "Reset", 0x0100: "KeepAliveAck",
    0x0105: "OpenReceiveChannel", 0x0106: "CloseReceiveChannel", 0x0111: "CallState",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SkinnyHeader:
    """`length`: octets of the whole message. `name` is None for a number without one here."""

    length: int
    version: int
    message: int
    name: str | None


def parse_header(octets: bytes) -> SkinnyHeader:
    """The twelve octets that a message begins with."""
    need(octets, _HEADER.size, "Skinny header")
    length, version, message = _HEADER.unpack_from(octets)
    if not 4 <= length <= _LENGTH_MAX:
        raise WireError(f"Skinny length {length}; it lies between 4 and {_LENGTH_MAX}")
    if version not in _VERSIONS:
        raise WireError(f"Skinny header version {version:#x}")
    if not (message <= _MESSAGE_MAX or _SPECIAL <= message <= _SPECIAL + _MESSAGE_MAX):
        raise WireError(f"Skinny message {message:#x}")
    return SkinnyHeader(length + 8, version, message, NAMES.get(message))
