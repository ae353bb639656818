"""UDPTL, the packets of facsimile over UDP. ITU-T T.38 section 9.1, annex A for the ASN.1."""

from dataclasses import dataclass

from nethealth.wire.errors import WireError
from nethealth.wire.octets import need

_ITEMS_MAX = 64


@dataclass(frozen=True, slots=True)
class UdptlPacket:
    """Sequence number, the octets of the primary IFP packet, and how many earlier ones come along.

    `parity`: forward error correction in place of repeated packets.
    """

    sequence: int
    primary: bytes
    repeated: int
    parity: bool


def parse(octets: bytes) -> UdptlPacket:
    """A UDPTL datagram; the lengths within it must add up to its end.

    UDPTLPacket ::= SEQUENCE { seq-number, primary-ifp-packet, error-recovery CHOICE }, aligned.
    """
    need(octets, 5, "UDPTL packet")
    primary, at = _open_type(octets, 2)
    if not primary:
        raise WireError("UDPTL without a primary packet")
    _check_ifp(primary)
    need(octets[at:], 2, "UDPTL error recovery")
    if octets[at] & 0x7F:
        raise WireError(f"UDPTL error recovery {octets[at]:#04x}; its low bits are 0")
    parity = bool(octets[at] & 0x80)
    at += 1
    if parity:  # fec-npackets: an INTEGER with its length
        size = octets[at]
        need(octets[at:], 2 + size, "UDPTL parity")
        at += 1 + size
    count, at = _length(octets, at)
    if count > _ITEMS_MAX:
        raise WireError(f"UDPTL with {count} packets of error recovery")
    for _ in range(count):
        _, at = _open_type(octets, at)
    if at != len(octets):
        raise WireError(f"UDPTL ends at octet {at} of {len(octets)}")
    return UdptlPacket(int.from_bytes(octets[:2], "big"), primary, count, parity)


def begins(octets: bytes) -> bool:
    """Whether a sequence number and a primary packet stand there, whatever follows.

    Enough only where T.38 was announced for the port: some gateways get the rest wrong.
    """
    try:
        primary, _ = _open_type(octets, 2)
        if not primary:
            return False
        _check_ifp(primary)
    except WireError:
        return False
    return True


def _check_ifp(primary: bytes) -> None:
    """IFPPacket ::= SEQUENCE { type-of-msg CHOICE, data-field OPTIONAL } (T.38 section 7).

    The first bits: whether data follow, which of the two, whether it is one of the root's values.
    """
    has_data, is_data = primary[0] >> 7 & 1, primary[0] >> 6 & 1
    if not is_data:
        if has_data or len(primary) > 2:
            raise WireError("a T.30 indicator carries no data")
    elif not has_data and len(primary) > 2:
        raise WireError("T.30 data without a field has one or two octets")


def _open_type(octets: bytes, at: int) -> tuple[bytes, int]:
    length, at = _length(octets, at)
    if at + length > len(octets):
        raise WireError(f"UDPTL field of {length} octets goes beyond the packet")
    return octets[at : at + length], at + length


def _length(octets: bytes, at: int) -> tuple[int, int]:
    """A length of aligned PER (X.691 section 11.9), below 16,384."""
    if at >= len(octets):
        raise WireError("UDPTL is cut short")
    first = octets[at]
    if first < 0x80:
        return first, at + 1
    if first < 0xC0 and at + 1 < len(octets):
        return (first & 0x3F) << 8 | octets[at + 1], at + 2
    raise WireError(f"UDPTL length {first:#04x}")
