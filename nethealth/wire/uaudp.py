"""UA over UDP, Alcatel-Lucent's transport of NOE between telephones and OmniPCX.

The maker published no specification; the layout is that of Wireshark's dissectors (packet-uaudp,
packet-noe). Operations from 0x10 on are those of a later version, which Wireshark shows as
unknown; their shape is taken from one capture (a telephone behind an IPv6 gateway), as far as it
shows: they carry two more octets of header.
"""

from dataclasses import dataclass

from nethealth.wire.errors import WireError
from nethealth.wire.octets import need

PORTS = (32000, 32512, 32513, 32640)
_CONNECT, _CONNECT_ACK, _RELEASE, _RELEASE_ACK, _KEEPALIVE, _KEEPALIVE_ACK, _NACK, _DATA = range(8)
_LATER = 0x10
_NAMES = (
    "connect", "connect ack", "release", "release ack", "keepalive", "keepalive ack", "nack",
    "data",
)  # fmt: skip
_SIZES = {_RELEASE: (1, 2), _RELEASE_ACK: (1, 1), _KEEPALIVE: (1, 1), _KEEPALIVE_ACK: (1, 1),
          _NACK: (3, 3)}  # fmt: skip
_MESSAGES_MAX = 256


@dataclass(frozen=True, slots=True)
class UaudpPacket:
    """One datagram. `messages`: how many NOE messages a data packet holds; none acknowledges.

    `exact`: their lengths add up to the packet's end. Some packets have odd octets behind them.
    """

    operation: str
    later_version: bool
    messages: int = 0
    exact: bool = True


def parse(octets: bytes) -> UaudpPacket:
    """A datagram at one of PORTS."""
    need(octets, 1, "UA packet")
    operation, later = octets[0] & 0x0F, octets[0] >= _LATER
    if operation > _DATA or octets[0] >= 2 * _LATER:
        raise WireError(f"UA operation {octets[0]:#04x}")
    messages, exact = 0, True
    if operation == _DATA:
        messages, exact = _messages(octets, 7 if later else 5)
    elif operation in (_CONNECT, _CONNECT_ACK):
        if not later:
            _walk(octets)
    elif not later:
        least, most = _SIZES[operation]
        if not least <= len(octets) <= most:
            raise WireError(f"UA {_NAMES[operation]} of {len(octets)} octets")
    return UaudpPacket(_NAMES[operation], later, messages, exact)


def _messages(octets: bytes, header: int) -> tuple[int, bool]:
    """The messages behind the sequence numbers: each begins with its length, little-endian."""
    need(octets, header, "UA data packet")
    at, count = header, 0
    while at < len(octets) and count < _MESSAGES_MAX:
        length = int.from_bytes(octets[at : at + 2], "little")
        if length < 1 or at + 2 + length > len(octets):
            if not count:
                raise WireError(f"UA message of {length} octets at octet {at}")
            return count, False
        at += 2 + length
        count += 1
    return count, True


def _walk(octets: bytes) -> None:
    """The parameters of a connection: type, length, value."""
    at = 1
    while at < len(octets):
        if at + 2 > len(octets) or at + 2 + octets[at + 1] > len(octets):
            raise WireError(f"UA parameter at octet {at} goes beyond the packet")
        at += 2 + octets[at + 1]
