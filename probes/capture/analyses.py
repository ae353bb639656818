"""The analyses that every capture goes through, in the order in which they are fed.

One that announces media (SIP) stands before the one that looks for it (RTP). They are asked for
what they found from the last to the first, so that SIP can say what was seen of its calls' media.
"""

from collections.abc import Callable
from dataclasses import dataclass

from nethealth.model.pseudonym import Names
from nethealth.passive import (
    lan_arp,
    lan_dhcp,
    lan_dscp,
    lan_frames,
    lan_icmp,
    lan_multicast,
    lan_neighbours,
    lan_redundancy,
    lan_repeats,
    lan_spanning_tree,
    lan_tcp,
    lan_tftp,
    legacy,
    legacy_datagram,
    skinny_media,
    totals,
)
from nethealth.passive.analysis import Analyser, Units
from nethealth.passive.announced import MediaBook
from nethealth.passive.far_end import UNITS as FAR_END_UNITS
from nethealth.passive.known_headers import KnownHeaders
from nethealth.passive.layer_network import VXLAN_PORTS
from nethealth.passive.rtcp import RtcpAnalysis
from nethealth.passive.rtp import Rtp
from nethealth.passive.rtp_facts import UNITS as RTP_UNITS
from nethealth.passive.series import BIN_S
from nethealth.passive.sip import SipAnalysis
from nethealth.passive.sip_facts import UNITS as SIP_UNITS
from nethealth.passive.sip_packets import SIP_PORT
from nethealth.wire.redundancy import GLBP_PORT, HSRP_IPV6_PORT, HSRP_PORT


@dataclass(frozen=True, slots=True)
class Shared:
    """What the analyses of one capture are made with.

    `book`: of media, which some announce and others look for. `people`: how this run names them.
    `bin_s`: how wide the bins of series are. `known`: headers that the reader need not hand on.
    """

    book: MediaBook
    people: Names
    bin_s: float = BIN_S
    known: KnownHeaders | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """How one is made for a capture, and every observation that it may make with its unit."""

    make: Callable[[Shared], Analyser]
    units: Units


# These share the book of media, in this order.
MEDIA: tuple[Analysis, ...] = (
    Analysis(lambda _: totals.Totals(), totals.UNITS),
    Analysis(lambda shared: RtcpAnalysis(shared.book), FAR_END_UNITS),
    Analysis(lambda shared: SipAnalysis(shared.people, shared.book), SIP_UNITS),
    Analysis(lambda shared: legacy.LegacyAnalysis(shared.book, bin_s=shared.bin_s), legacy.UNITS),
    Analysis(lambda shared: skinny_media.SkinnyMediaAnalysis(shared.book), skinny_media.UNITS),
    Analysis(lambda shared: Rtp(shared.book, shared.known), RTP_UNITS),
)
# These share nothing, and are fed beside the others.
LAN: tuple[Analysis, ...] = (
    Analysis(lambda shared: lan_frames.FramesAnalysis(bin_s=shared.bin_s), lan_frames.UNITS),
    Analysis(lambda shared: lan_repeats.RepeatsAnalysis(bin_s=shared.bin_s), lan_repeats.UNITS),
    Analysis(lambda shared: lan_arp.ArpAnalysis(bin_s=shared.bin_s), lan_arp.UNITS),
    Analysis(
        lambda shared: lan_spanning_tree.SpanningTreeAnalysis(bin_s=shared.bin_s),
        lan_spanning_tree.UNITS,
    ),
    Analysis(lambda shared: lan_dhcp.DhcpAnalysis(bin_s=shared.bin_s), lan_dhcp.UNITS),
    Analysis(lambda shared: lan_icmp.IcmpAnalysis(bin_s=shared.bin_s), lan_icmp.UNITS),
    Analysis(lambda shared: lan_tcp.TcpAnalysis(bin_s=shared.bin_s), lan_tcp.UNITS),
    Analysis(
        lambda shared: lan_multicast.MulticastAnalysis(bin_s=shared.bin_s), lan_multicast.UNITS
    ),
    Analysis(lambda _: lan_neighbours.NeighboursAnalysis(), lan_neighbours.UNITS),
    Analysis(
        lambda shared: lan_redundancy.RedundancyAnalysis(bin_s=shared.bin_s), lan_redundancy.UNITS
    ),
    Analysis(lambda shared: lan_tftp.TftpAnalysis(bin_s=shared.bin_s), lan_tftp.UNITS),
    Analysis(lambda shared: lan_dscp.DscpAnalysis(bin_s=shared.bin_s), lan_dscp.UNITS),
)
ANALYSES = (*MEDIA, *LAN)
# What comes from or to these ports is read for what it says, even if it looks like RTP.
PORTS_READ = frozenset(
    {*legacy_datagram.PORTS, *VXLAN_PORTS, HSRP_PORT, HSRP_IPV6_PORT, GLBP_PORT, SIP_PORT}
)

FILE_UNITS: dict[str, str | None] = {
    "capture_file_packet_count": "packets",
    "capture_dropped_packet_count": "packets",
}
UNITS: dict[str, str | None] = {
    name: unit
    for units in (FILE_UNITS, *(each.units for each in ANALYSES))
    for name, unit in units.items()
}
