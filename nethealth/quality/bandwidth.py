"""What a call takes of a line: its packets as they stand on the wire, and how many of them fit.

Every packet of a call carries 40 octets of IPv4, UDP and RTP, or 60 with IPv6, and each link adds
its own. On Ethernet that is 18 for header and check sum, 8 of preamble and a gap of 12.
"""

from dataclasses import dataclass

IPV4_OCTETS, IPV6_OCTETS = 20, 40
UDP_RTP_OCTETS = 8 + 12
TCP_OCTETS = 20 + 12  # with the time stamp option, which every system uses
ETHERNET_OCTETS = 18
TAG_OCTETS = 4  # IEEE 802.1Q
PREAMBLE_OCTETS = 8
GAP_OCTETS = 12
WIRE_OCTETS = ETHERNET_OCTETS + PREAMBLE_OCTETS + GAP_OCTETS
MTU = 1500
PTIME_S = 0.020
FORMULA = "floor(rate / ((speech + 20 or 40 IP + 20 UDP and RTP + 38 Ethernet) octets * 8 / 20 ms))"


@dataclass(frozen=True, slots=True)
class CallCodec:
    """A codec by the octets of speech in a packet of 20 ms."""

    name: str
    speech_octets: int


CALL_CODECS = (CallCodec("G.711", 160), CallCodec("G.729", 20))


def call_rate_bps(
    speech_octets: int, *, link_octets: int = WIRE_OCTETS, six: bool = False
) -> float:
    """Bits a second of one direction of a call, with what the link adds to each packet."""
    ip = IPV6_OCTETS if six else IPV4_OCTETS
    return (speech_octets + UDP_RTP_OCTETS + ip + link_octets) * 8 / PTIME_S


def calls_fit(rate_bps: float, speech_octets: int, *, six: bool = False) -> int:
    """How many calls at once fit into one direction of a line, with nothing else on it."""
    return int(max(0.0, rate_bps) // call_rate_bps(speech_octets, six=six))


def tcp_share(*, six: bool = False) -> float:
    """What share of the wire's bits TCP's own octets are, in packets of 1500."""
    ip = IPV6_OCTETS if six else IPV4_OCTETS
    return (MTU - ip - TCP_OCTETS) / (MTU + WIRE_OCTETS)
