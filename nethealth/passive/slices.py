"""What a recording keeps of each packet, as capture filters with lengths: never what was said.

Signalling and the LAN's own talk are kept whole. Of everything else only headers are: up to and
with the 12 octets of an RTP header (RFC 3550 section 5.1), so that neither speech nor the digits
of RFC 4733 are ever written. A filter sees one packet at a time. So where the start of the media
cannot be told (later fragments, IAX2, an ICMP error's quotation) less is kept, and what is RTP by
its first octet is never taken for signalling, whatever its port.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Link = Literal["ethernet", "raw"]

WHOLE = 65_535
_LINK_OCTETS: dict[Link, int] = {"ethernet": 14, "raw": 0}
_TAG_OCTETS = 4
_IPV4, _IPV6, _UDP, _RTP = 20, 40, 8, 12
_TCP_PORTS = (5060, 1720, 2000, 2428, 2944, 6800, 6801, 6802)
# SIP, MGCP, Megaco, RAS, UNIStim, NOE, DHCP, TFTP's requests, HSRP
_UDP_PORTS = (5060, 2427, 2727, 2944, 1719, 5000, 32512, 32640, 67, 68, 69, 546, 547, 1985)
_SCTP_PORTS = (2904, 2905, 2944, 2945, 14001)
_IAX2 = "udp port 4569"
# Version 2 in the first two bits is RTP or RTCP; the packet types of RTCP are 200 to 207, which a
# marked RTP packet may not take for its payload type (RFC 5761 section 4).
# The lengths come first: a filter that reads beyond a packet's end passes nothing at all.
_MEDIA4 = "udp[4:2] > 9 and udp[8] & 0xc0 = 0x80"
_MEDIA6 = "ip6[44:2] > 9 and ip6[48] & 0xc0 = 0x80"
_RTCP4 = f"({_MEDIA4} and udp[9] >= 200 and udp[9] <= 207)"
_RTCP6 = f"(ip6[6] = 17 and {_MEDIA6} and ip6[49] >= 200 and ip6[49] <= 207)"
_FIRST = "ip[6:2] & 0x1fff = 0"


@dataclass(frozen=True, slots=True)
class Slice:
    """Of packets that pass `filter` (pcap-filter(7)), the first `octets` are kept."""

    filter: str
    octets: int


@dataclass(frozen=True, slots=True)
class Slices:
    """Each packet passes at most one of all these."""

    signalling: tuple[Slice, ...]
    headers: tuple[Slice, ...]


def slices(link: Link, more_ports: Sequence[int] = ()) -> Slices:
    """The slices of one interface; `more_ports` also carry signalling there, by UDP or TCP."""
    signalling = _signalling(link, more_ports)
    tags = (0, 1) if link == "ethernet" else (0,)
    return Slices(
        tuple(Slice(_tagged(signalling, link, tag), WHOLE) for tag in tags),
        tuple(
            Slice(_tagged(f"({part}) and not ({signalling})", link, tag), octets)
            for tag in tags
            for part, octets in _headers(_LINK_OCTETS[link] + tag * _TAG_OCTETS)
        ),
    )


def _tagged(text: str, link: Link, tags: int) -> str:
    """`text` for packets with a VLAN tag, or with none.

    `vlan` moves all that stands behind it, so that `not vlan` must come last. It has to be there:
    where the kernel takes tags off, `ip` alone would also pass what was tagged.
    """
    if link == "raw":
        return text
    return f"vlan and ({text})" if tags else f"({text}) and not vlan"


def _signalling(link: Link, more_ports: Sequence[int]) -> str:
    tcp = _any("tcp port", (*_TCP_PORTS, *more_ports))
    udp = _any("udp port", (*_UDP_PORTS, *more_ports))
    parts = [
        f"ip and ({tcp})",
        f"ip6 and ({tcp})",
        f"ip and {_FIRST} and ({udp}) and not ({_MEDIA4})",
        f"ip6 and ip6[6] = 17 and ({udp}) and not ({_MEDIA6})",
        f"ip and udp and {_FIRST} and not {_IAX2} and {_RTCP4}",
        f"ip6 and {_RTCP6} and not {_IAX2}",
        f"sctp and ({_any('port', _SCTP_PORTS)})",
        "igmp",
        "ip proto 112",  # VRRP
        "ip6 proto 112",
    ]
    if link == "ethernet":
        # ARP, LLDP, and all frames with a length in place of a type: STP, CDP
        parts += ["arp", "ether proto 0x88cc", "ether[12:2] <= 1500"]
    return " or ".join(f"({part})" for part in parts)


def _any(what: str, numbers: Sequence[int]) -> str:
    return " or ".join(f"{what} {number}" for number in sorted(set(numbers)))


def _headers(link_octets: int) -> tuple[tuple[str, int], ...]:
    """Disjoint parts of all packets, each with the octets that are sure to be header."""
    quoted = f"icmp and {_FIRST}"
    iax2 = f"ip and {_FIRST} and {_IAX2}"
    plain4 = f"ip and {_FIRST} and not icmp and not {_IAX2}"
    plain6 = f"ip6 and not {_IAX2} and not ip6[6] = 44"
    return (
        (quoted, link_octets + _IPV4 + 8 + _IPV4 + _UDP + _RTP),
        (iax2, link_octets + _IPV4 + _UDP + 4),  # the header of a mini frame, RFC 5456 8.1.2
        (plain4, link_octets + _IPV4 + _UDP + _RTP),
        (plain6, link_octets + _IPV6 + _UDP + _RTP),
        (
            f"not ({quoted}) and not ({iax2}) and not ({plain4}) and not ({plain6})",
            link_octets + _IPV4,
        ),
    )
