"""What some analyses wait for: while a run of packets has none of it, they have nothing to see.

Each gate is open for every run in which its analysis would find anything, and for some others. It
loads no decoder: most captures have no need of most of them.
"""

import numpy as np

from nethealth.passive.columns import Flags, u16
from nethealth.passive.packets import Packets

SIP_PORT = 5060
_DHCP_PORTS = (67, 68)  # RFC 2131 section 4.1
_TFTP_PORT = 69  # RFC 1350 section 4
_ICMP_PROTOCOLS = (1, 58)
_LLDP_TYPE = 0x88CC  # IEEE 802.1AB
_RTCP_FIRST, _RTCP_LAST = 200, 207  # RFC 5761 section 4
_TOKEN = np.zeros(256, np.bool_)
_TOKEN[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~")] = True
_BEGINS = _TOKEN.copy()
_BEGINS[[10, 13]] = True  # empty lines may stand before a message (RFC 3261 section 7.5)
_GOES_ON = _BEGINS.copy()
_GOES_ON[[32, 47]] = True  # "ACK ", "SIP/"


def sip(packets: Packets) -> bool:
    """What may begin a message, a connection of the port of SIP, or a datagram in fragments."""
    if packets.reassembled or begins_like_text(packets).any():
        return True
    return _has(packets.is_tcp & _of_port(packets, SIP_PORT))


def rtcp(packets: Packets) -> bool:
    return _has(rtcp_candidates(packets))


def dhcp(packets: Packets) -> bool:
    ports = _of_port(packets, _DHCP_PORTS[0]) | _of_port(packets, _DHCP_PORTS[1])
    return bool(packets.reassembled) or _has(packets.is_udp & ports)


def tftp(packets: Packets) -> bool:
    """A request: what follows it is looked for behind one only."""
    return _has(packets.is_udp & (packets.destination_port == _TFTP_PORT))


def icmp(packets: Packets) -> bool:
    return any(_has(packets.protocol == protocol) for protocol in _ICMP_PROTOCOLS)


def llc(packets: Packets) -> bool:
    """BPDUs stand behind an LLC header (IEEE 802.2)."""
    return _has(packets.ethertype == 0)


def neighbours(packets: Packets) -> bool:
    """LLDP; CDP stands behind an LLC header."""
    return llc(packets) or _has(packets.ethertype == _LLDP_TYPE)


def begins_like_text(packets: Packets) -> Flags:
    """Rows whose payload begins as a start line may; what is cut shorter than that, does not."""
    rows = np.flatnonzero(packets.payload_captured >= 4)
    at, octets = packets.payload_at[rows], packets.octets
    kept = _BEGINS[octets[at]]
    for index in (1, 2, 3):
        rows, at = rows[kept], at[kept]  # few are left after each
        kept = _GOES_ON[octets[at + index]]
    begins: Flags = np.zeros(len(packets), np.bool_)
    begins[rows[kept]] = True
    return begins


def rtcp_candidates(packets: Packets) -> Flags:
    """UDP that begins with a whole RTCP header of version 2 whose length fits (RFC 5761)."""
    captured = packets.payload_captured
    udp = packets.is_udp & (captured >= 8) & (captured == packets.payload_octets)
    rows = np.flatnonzero(udp & (packets.fragment == 0))
    at, octets = packets.payload_at[rows], packets.octets
    kind = octets[at + 1]
    begins = (octets[at] >> 6 == 2) & (kind >= _RTCP_FIRST) & (kind <= _RTCP_LAST)
    rows, at = rows[begins], at[begins]
    found: Flags = np.zeros(len(packets), np.bool_)
    found[rows[(u16(octets, at + 2) + 1) * 4 <= captured[rows]]] = True
    return found


def _of_port(packets: Packets, port: int) -> Flags:
    either: Flags = (packets.source_port == port) | (packets.destination_port == port)
    return either


def _has(flags: Flags) -> bool:
    return bool(flags.any())
