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
    skinny_media,
    totals,
)
from nethealth.passive.analysis import Analyser, Units
from nethealth.passive.announced import MediaBook
from nethealth.passive.far_end import UNITS as FAR_END_UNITS
from nethealth.passive.rtcp import RtcpAnalysis
from nethealth.passive.rtp import Rtp
from nethealth.passive.rtp_facts import UNITS as RTP_UNITS
from nethealth.passive.sip import SipAnalysis
from nethealth.passive.sip_facts import UNITS as SIP_UNITS


@dataclass(frozen=True, slots=True)
class Analysis:
    """How one is made for a capture, and every observation that it may make with its unit.

    Made with the book of media that all analyses share, and with how this run names people.
    """

    make: Callable[[MediaBook, Names], Analyser]
    units: Units


# These share the book of media, in this order.
MEDIA: tuple[Analysis, ...] = (
    Analysis(lambda _, __: totals.Totals(), totals.UNITS),
    Analysis(lambda book, _: RtcpAnalysis(book), FAR_END_UNITS),
    Analysis(lambda book, people: SipAnalysis(people, book), SIP_UNITS),
    Analysis(lambda book, _: legacy.LegacyAnalysis(book), legacy.UNITS),
    Analysis(lambda book, _: skinny_media.SkinnyMediaAnalysis(book), skinny_media.UNITS),
    Analysis(lambda book, _: Rtp(book), RTP_UNITS),
)
# These share nothing, and are fed beside the others.
LAN: tuple[Analysis, ...] = (
    Analysis(lambda _, __: lan_frames.FramesAnalysis(), lan_frames.UNITS),
    Analysis(lambda _, __: lan_repeats.RepeatsAnalysis(), lan_repeats.UNITS),
    Analysis(lambda _, __: lan_arp.ArpAnalysis(), lan_arp.UNITS),
    Analysis(lambda _, __: lan_spanning_tree.SpanningTreeAnalysis(), lan_spanning_tree.UNITS),
    Analysis(lambda _, __: lan_dhcp.DhcpAnalysis(), lan_dhcp.UNITS),
    Analysis(lambda _, __: lan_icmp.IcmpAnalysis(), lan_icmp.UNITS),
    Analysis(lambda _, __: lan_tcp.TcpAnalysis(), lan_tcp.UNITS),
    Analysis(lambda _, __: lan_multicast.MulticastAnalysis(), lan_multicast.UNITS),
    Analysis(lambda _, __: lan_neighbours.NeighboursAnalysis(), lan_neighbours.UNITS),
    Analysis(lambda _, __: lan_redundancy.RedundancyAnalysis(), lan_redundancy.UNITS),
    Analysis(lambda _, __: lan_tftp.TftpAnalysis(), lan_tftp.UNITS),
    Analysis(lambda _, __: lan_dscp.DscpAnalysis(), lan_dscp.UNITS),
)
ANALYSES = (*MEDIA, *LAN)

FILE_UNITS: dict[str, str | None] = {
    "capture_file_packet_count": "packets",
    "capture_dropped_packet_count": "packets",
}
UNITS: dict[str, str | None] = {
    name: unit
    for units in (FILE_UNITS, *(each.units for each in ANALYSES))
    for name, unit in units.items()
}
