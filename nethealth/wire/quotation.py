"""ICMP errors read for the packet that they quote: its marks, its addresses, its transport header.

ICMPv4: RFC 792. A router quotes the IP header and at least eight octets behind it, by RFC 1812
section 4.3.2.3 as much as fits into 576 octets. ICMPv6: RFC 4443. What follows the quoted packet
(extensions, RFC 4884) is not told apart from its payload, and not needed.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv6Address

from nethealth.wire.errors import WireError
from nethealth.wire.icmp import ERRORS, IpVersion, checksum, parse_ipv4

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
_FRAGMENT = 44  # next header, RFC 8200 section 4.5
_TOO_BIG = {4: (3, 4), 6: (2, 0)}
_UDP_HEADER = 8


@dataclass(frozen=True, slots=True)
class Quotation:
    """The quoted packet as it looked where the error arose.

    `tos`: the whole octet, DSCP in the upper six bits and ECN in the lower two. `transport`: the
    octets behind the IP header, as many as were quoted.
    """

    source: str
    destination: str
    tos: int
    protocol: int
    transport: bytes


@dataclass(frozen=True, slots=True)
class QuotingError:
    """One error message; `mtu` is the next hop's where the packet was too big for it, else None.

    Routers older than RFC 1191 leave the MTU at 0, which is no size, and None here.
    """

    icmp_type: int
    icmp_code: int
    mtu: int | None
    quoted: Quotation


@dataclass(frozen=True, slots=True)
class FlowNumbers:
    """What tells a packet and its flow: ports, or the ICMP identifier in place of the first.

    `number`: the octets that a UDP datagram carried, the sequence number of an echo request; for
    TCP None, where one connection is one probe.
    """

    source_port: int
    destination_port: int
    number: int | None


def parse_error(message: bytes, version: IpVersion) -> QuotingError:
    """An ICMP message from its type octet on; WireError for any that is no error, or cut short.

    The checksum of version 4 is verified, that of version 6 is the kernel's.
    """
    if len(message) < 8:
        raise WireError(f"ICMP message of {len(message)} octets; it has at least 8")
    icmp_type, icmp_code = message[0], message[1]
    if icmp_type not in ERRORS[version]:
        raise WireError(f"ICMPv{version} type {icmp_type} is no error")
    if version == 4 and checksum(message) != 0:
        raise WireError("ICMP checksum does not match")
    mtu = None
    if (icmp_type, icmp_code) == _TOO_BIG[version]:
        form, start = ("!H", 6) if version == 4 else ("!I", 4)  # RFC 1191, RFC 4443 section 3.2
        (found,) = struct.unpack_from(form, message, start)
        mtu = found or None
    quoted = _quoted_ipv4(message[8:]) if version == 4 else _quoted_ipv6(message[8:])
    return QuotingError(icmp_type, icmp_code, mtu, quoted)


def flow_numbers(quoted: Quotation) -> FlowNumbers | None:
    """Ports and number of a quoted probe; None where it is none of ICMP, UDP and TCP, or cut."""
    octets = quoted.transport
    if len(octets) < 8:
        return None
    first, second, third, fourth = struct.unpack_from("!HHHH", octets)
    if quoted.protocol in (ICMP, ICMPV6):
        return FlowNumbers(third, 0, fourth)
    if quoted.protocol == UDP:
        return FlowNumbers(first, second, third - _UDP_HEADER)
    return FlowNumbers(first, second, None) if quoted.protocol == TCP else None


def _quoted_ipv4(octets: bytes) -> Quotation:
    packet = parse_ipv4(octets)
    if packet.fragment_offset:
        raise WireError("the quoted packet is a later fragment, without a transport header")
    return Quotation(packet.source, packet.destination, packet.tos, packet.protocol, packet.payload)


def _quoted_ipv6(octets: bytes) -> Quotation:
    if len(octets) < 40:
        raise WireError(f"quoted IPv6 header of {len(octets)} octets; it has 40")
    if octets[0] >> 4 != 6:
        raise WireError(f"IP version {octets[0] >> 4} where 6 was expected")
    next_header, payload = octets[6], octets[40:]
    if next_header == _FRAGMENT and len(payload) >= 8:
        if payload[2] | payload[3] & 0xF8:
            raise WireError("the quoted packet is a later fragment, without a transport header")
        next_header, payload = payload[0], payload[8:]
    return Quotation(
        source=str(IPv6Address(octets[8:24])),
        destination=str(IPv6Address(octets[24:40])),
        tos=(octets[0] & 0x0F) << 4 | octets[1] >> 4,
        protocol=next_header,
        transport=payload,
    )
