"""ICMP as an echo measurement meets it: replies, and errors that quote what we sent.

ICMPv4: RFC 792, with the rules for a receiver of RFC 1122 section 3.2.2. ICMPv6: RFC 4443.
Whatever is neither an echo reply nor an error, or is cut short, raises WireError.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Literal

from nethealth.wire.errors import WireError

IpVersion = Literal[4, 6]

ECHO_REPLY: dict[IpVersion, int] = {4: 0, 6: 129}
ECHO_REQUEST: dict[IpVersion, int] = {4: 8, 6: 128}
# Destination unreachable, source quench (obsolete, RFC 6633), redirect, time exceeded, parameter
# problem; for version 6 unreachable, packet too big, time exceeded, parameter problem.
ERRORS: dict[IpVersion, frozenset[int]] = {
    4: frozenset({3, 4, 5, 11, 12}),
    6: frozenset({1, 2, 3, 4}),
}

_ICMP = {4: 1, 6: 58}  # protocol number, next header
_IPV6_FRAGMENT = 44
_HEADER = struct.Struct("!BBHHH")


@dataclass(frozen=True, slots=True)
class Ipv4Packet:
    """An IPv4 packet (RFC 791 section 3.1), options stripped; `payload` as long as received."""

    source: str
    destination: str
    tos: int
    ttl: int
    protocol: int
    fragment_offset: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class EchoReply:
    """The far end's answer, with what it was asked to send back."""

    identifier: int
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Quoted:
    """The packet that an error speaks of, as it looked where the error arose.

    `identifier` and `sequence` are None where it was no echo request. `tos` is the whole octet:
    DSCP in the upper six bits, ECN in the lower two; for version 6 the traffic class. Where the
    kernel's error queue hands over less than the packet, `source` is empty and `tos` None.
    """

    source: str
    destination: str
    tos: int | None
    identifier: int | None
    sequence: int | None


@dataclass(frozen=True, slots=True)
class IcmpError:
    """An error message and the packet it quotes."""

    icmp_type: int
    icmp_code: int
    quoted: Quoted


def checksum(octets: bytes) -> int:
    """The Internet checksum (RFC 1071); 0 over a message that carries its right one."""
    if len(octets) % 2:
        octets += b"\0"
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def parse_ipv4(packet: bytes) -> Ipv4Packet:
    """An IPv4 packet as a raw socket hands it over, or as an error quotes it."""
    if len(packet) < 20:
        raise WireError(f"IPv4 header of {len(packet)} octets; it has at least 20")
    header_length = (packet[0] & 0x0F) * 4
    if packet[0] >> 4 != 4:
        raise WireError(f"IP version {packet[0] >> 4} where 4 was expected")
    if not 20 <= header_length <= len(packet):
        raise WireError(f"IPv4 header length {header_length} in {len(packet)} octets")
    return Ipv4Packet(
        source=_dotted(packet[12:16]),
        destination=_dotted(packet[16:20]),
        tos=packet[1],
        ttl=packet[8],
        protocol=packet[9],
        fragment_offset=((packet[6] & 0x1F) << 8) | packet[7],
        payload=packet[header_length:],
    )


def parse_icmpv4(message: bytes) -> EchoReply | IcmpError:
    """An ICMPv4 message, from its type octet to the end; its checksum is verified."""
    return _parse(message, 4)


def parse_icmpv6(message: bytes) -> EchoReply | IcmpError:
    """An ICMPv6 message; its checksum, over the addresses too, is the kernel's to verify."""
    return _parse(message, 6)


def echo_request(version: IpVersion, identifier: int, sequence: int, payload: bytes) -> bytes:
    """An echo request. The checksum of version 6 is left to the kernel (RFC 3542 section 3.1)."""
    header = _HEADER.pack(ECHO_REQUEST[version], 0, 0, identifier, sequence)
    if version == 6:
        return header + payload
    right = checksum(header + payload)
    return _HEADER.pack(ECHO_REQUEST[version], 0, right, identifier, sequence) + payload


def _parse(message: bytes, version: IpVersion) -> EchoReply | IcmpError:
    if len(message) < 8:
        raise WireError(f"ICMP message of {len(message)} octets; it has at least 8")
    icmp_type, icmp_code, _, identifier, sequence = _HEADER.unpack_from(message)
    if version == 4 and checksum(message) != 0:
        raise WireError("ICMP checksum does not match")
    if icmp_type == ECHO_REPLY[version]:
        return EchoReply(identifier, sequence, message[8:])
    if icmp_type in ERRORS[version]:
        quoted = _quoted_ipv4(message[8:]) if version == 4 else _quoted_ipv6(message[8:])
        return IcmpError(icmp_type, icmp_code, quoted)
    raise WireError(f"ICMPv{version} type {icmp_type} is neither an echo reply nor an error")


def _quoted_ipv4(octets: bytes) -> Quoted:
    packet = parse_ipv4(octets)
    ours = packet.protocol == _ICMP[4] and packet.fragment_offset == 0
    identifier, sequence = _echo_numbers(packet.payload, 4) if ours else (None, None)
    return Quoted(packet.source, packet.destination, packet.tos, identifier, sequence)


def _quoted_ipv6(octets: bytes) -> Quoted:
    if len(octets) < 40:
        raise WireError(f"quoted IPv6 header of {len(octets)} octets; it has 40")
    if octets[0] >> 4 != 6:
        raise WireError(f"IP version {octets[0] >> 4} where 6 was expected")
    next_header, payload = octets[6], octets[40:]
    if next_header == _IPV6_FRAGMENT and len(payload) >= 8 and not payload[2] | payload[3] & 0xF8:
        next_header, payload = payload[0], payload[8:]  # the first fragment (RFC 8200 section 4.5)
    identifier, sequence = _echo_numbers(payload, 6) if next_header == _ICMP[6] else (None, None)
    return Quoted(
        source=str(IPv6Address(octets[8:24])),
        destination=str(IPv6Address(octets[24:40])),
        tos=(octets[0] & 0x0F) << 4 | octets[1] >> 4,
        identifier=identifier,
        sequence=sequence,
    )


def _echo_numbers(message: bytes, version: IpVersion) -> tuple[int | None, int | None]:
    # Only the first eight octets are sure to be quoted, so no checksum can be verified here.
    if len(message) < 8 or message[0] != ECHO_REQUEST[version]:
        return None, None
    _, _, _, identifier, sequence = _HEADER.unpack_from(message)
    return identifier, sequence


def _dotted(octets: bytes) -> str:
    return f"{octets[0]}.{octets[1]}.{octets[2]}.{octets[3]}"
