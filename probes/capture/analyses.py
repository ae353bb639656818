"""The analyses that every capture goes through, in the order in which they are fed.

One that announces media (SIP) stands before the one that looks for it (RTP). They are asked for
what they found from the last to the first, so that SIP can say what was seen of its calls' media.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from nethealth.model.pseudonym import Names
from nethealth.passive import (
    gates,
    lan_arp,
    lan_dscp,
    lan_frames,
    lan_multicast,
    lan_redundancy,
    lan_repeats,
    lan_tcp,
    legacy,
    legacy_datagram,
    skinny_media,
    totals,
)
from nethealth.passive.analysis import Analyser, Fact, Units
from nethealth.passive.announced import MediaBook
from nethealth.passive.awaited import Awaited
from nethealth.passive.known_headers import KnownHeaders
from nethealth.passive.layer_network import VXLAN_PORTS
from nethealth.passive.packets import Packets
from nethealth.passive.rtp import Rtp
from nethealth.passive.rtp_facts import UNITS as RTP_UNITS
from nethealth.passive.series import BIN_S
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


Loaded = tuple[Callable[[Shared], Analyser], Units]


@dataclass(frozen=True, slots=True)
class Analysis:
    """How one is loaded: what makes it for a capture, and every observation with its unit.

    `gate`: what it waits for, where to load it takes a while. `absent`: what there is to say where
    nothing of it came.
    """

    load: Callable[[], Loaded]
    gate: Callable[[Packets], bool] | None = None
    absent: tuple[Fact, ...] = ()

    def make(self, shared: Shared) -> Analyser:
        return self.load()[0](shared)

    def begun(self, shared: Shared) -> Analyser:
        """One to be fed, which may still wait for what it is about."""
        if self.gate is None:
            return self.make(shared)
        return Awaited(self.gate, partial(self.make, shared), self.absent)

    def units(self, analyser: Analyser | None = None) -> Units:
        """Of all that it may find, or that this one found."""
        if isinstance(analyser, Awaited) and not analyser.came:
            return ABSENT_UNITS
        return self.load()[1]


# Loaded when they are needed: with what they read come forty modules that most captures need not.


def _rtcp() -> Loaded:
    from nethealth.passive import far_end, rtcp  # noqa: PLC0415

    return lambda shared: rtcp.RtcpAnalysis(shared.book), far_end.UNITS


def _sip() -> Loaded:
    from nethealth.passive import far_end, sip, sip_facts  # noqa: PLC0415

    units = {**sip_facts.UNITS, **far_end.UNITS}  # its quality reports come from the far end too
    return lambda shared: sip.SipAnalysis(shared.people, shared.book), units


def _spanning_tree() -> Loaded:
    from nethealth.passive import lan_spanning_tree as tree  # noqa: PLC0415

    return lambda shared: tree.SpanningTreeAnalysis(bin_s=shared.bin_s), tree.UNITS


def _dhcp() -> Loaded:
    from nethealth.passive import lan_dhcp  # noqa: PLC0415

    return lambda shared: lan_dhcp.DhcpAnalysis(bin_s=shared.bin_s), lan_dhcp.UNITS


def _icmp() -> Loaded:
    from nethealth.passive import lan_icmp  # noqa: PLC0415

    return lambda shared: lan_icmp.IcmpAnalysis(bin_s=shared.bin_s), lan_icmp.UNITS


def _neighbours() -> Loaded:
    from nethealth.passive import lan_neighbours  # noqa: PLC0415

    return lambda _: lan_neighbours.NeighboursAnalysis(), lan_neighbours.UNITS


def _tftp() -> Loaded:
    from nethealth.passive import lan_tftp  # noqa: PLC0415

    return lambda shared: lan_tftp.TftpAnalysis(bin_s=shared.bin_s), lan_tftp.UNITS


def _here(make: Callable[[Shared], Analyser], units: Units) -> Analysis:
    """One that every capture needs, loaded with this module."""
    return Analysis(lambda: (make, units))


_NO_CALL = Fact(
    "call_count", 0, method={"definition": "Call-IDs with an INVITE or an answer to one"}
)
_NO_SIP = tuple(
    Fact(name, 0) for name in ("sip_cut_count", "sip_mirrored_count", "sip_keepalive_count")
)
_NO_GAP = Fact("sip_tcp_gap_count", 0, method={"connections_left_out": 0})
_NO_RTCP = Fact("rtcp_packet_count", 0)
_NO_CHANGE = Fact(
    "stp_topology_change_count",
    0,
    samples=0,
    method={"bridges": [], "bridge_packets": [], "other_bridges_packets": 0},
)
ABSENT_UNITS: Units = {
    **{each.name: None for each in (*_NO_SIP, _NO_GAP, _NO_CALL, _NO_RTCP)},
    _NO_CHANGE.name: "packets",
}

# These share the book of media, in this order.
MEDIA: tuple[Analysis, ...] = (
    _here(lambda _: totals.Totals(), totals.UNITS),
    Analysis(_rtcp, gates.rtcp, (_NO_RTCP,)),
    Analysis(_sip, gates.sip, (*_NO_SIP, _NO_GAP, _NO_CALL)),
    _here(lambda shared: legacy.LegacyAnalysis(shared.book, bin_s=shared.bin_s), legacy.UNITS),
    _here(lambda shared: skinny_media.SkinnyMediaAnalysis(shared.book), skinny_media.UNITS),
    _here(lambda shared: Rtp(shared.book, shared.known), RTP_UNITS),
)
# These share nothing, and are fed beside the others.
LAN: tuple[Analysis, ...] = (
    _here(lambda shared: lan_frames.FramesAnalysis(bin_s=shared.bin_s), lan_frames.UNITS),
    _here(lambda shared: lan_repeats.RepeatsAnalysis(bin_s=shared.bin_s), lan_repeats.UNITS),
    _here(lambda shared: lan_arp.ArpAnalysis(bin_s=shared.bin_s), lan_arp.UNITS),
    Analysis(_spanning_tree, gates.llc, (_NO_CHANGE,)),
    Analysis(_dhcp, gates.dhcp),
    Analysis(_icmp, gates.icmp),
    _here(lambda shared: lan_tcp.TcpAnalysis(bin_s=shared.bin_s), lan_tcp.UNITS),
    _here(lambda shared: lan_multicast.MulticastAnalysis(bin_s=shared.bin_s), lan_multicast.UNITS),
    Analysis(_neighbours, gates.neighbours),
    _here(
        lambda shared: lan_redundancy.RedundancyAnalysis(bin_s=shared.bin_s), lan_redundancy.UNITS
    ),
    Analysis(_tftp, gates.tftp),
    _here(lambda shared: lan_dscp.DscpAnalysis(bin_s=shared.bin_s), lan_dscp.UNITS),
)
ANALYSES = (*MEDIA, *LAN)
# What comes from or to these ports is read for what it says, even if it looks like RTP.
PORTS_READ = frozenset(
    {*legacy_datagram.PORTS, *VXLAN_PORTS, HSRP_PORT, HSRP_IPV6_PORT, GLBP_PORT, gates.SIP_PORT}
)

FILE_UNITS: Units = {
    "capture_file_packet_count": "packets",
    "capture_dropped_packet_count": "packets",
}


def all_units() -> dict[str, str | None]:
    """Every observation that a capture may give, with its unit."""
    found = dict(FILE_UNITS)
    for each in ANALYSES:
        found |= each.units()
    return found
