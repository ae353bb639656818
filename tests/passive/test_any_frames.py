"""Whatever frames a capture holds, the LAN's and the legacy analyses come to an end with facts."""

from hypothesis import given, settings
from hypothesis import strategies as st

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
)
from nethealth.passive.analysis import Analyser, Fact
from tests.passive.packet_frames import ethernet, ipv4, packets, tcp
from tests.wire import lan_frames as made

UNITS = {
    name
    for module in (lan_arp, lan_dhcp, lan_dscp, lan_frames, lan_icmp, lan_multicast,
                   lan_neighbours, lan_redundancy, lan_repeats, lan_spanning_tree, lan_tcp,
                   lan_tftp, legacy)
    for name in module.UNITS
}  # fmt: skip
WHOLE = [
    made.ethernet(made.LLDP_PHONE, 0x88CC),
    made.llc(made.CDP_SWITCH, "aaaa0300000c2000"),
    made.llc(made.PVST, "aaaa0300000c010b"),
    made.llc(made.TCN, "424203"),
    made.ethernet(made.ARP_CLAIM, 0x0806),
    made.udp(68, 67, made.DHCP_OVERLOADED),
    made.udp(1985, 1985, made.HSRP_2),
    made.udp(3222, 3222, made.GLBP_HELLO),
    made.udp(40000, 69, made.TFTP_READ),
    made.ipv4(112, made.VRRP_2),
    made.ipv4(2, made.IGMP_3_REPORT),
    made.udp(5000, 5000, bytes.fromhex("0000953502011e05120078")),
    made.udp(4569, 4569, bytes.fromhex("80010000000000030000060 10b0200020600".replace(" ", ""))),
    made.udp(32640, 32512, bytes.fromhex("070008000a08001502801303280100")),
    made.udp(2944, 2944, b"MEGACO/1 [198.18.0.1]:2944 Transaction=1{"),
    made.udp(20000, 30000, bytes.fromhex("0001010600010106")),
    ethernet(ipv4(tcp(bytes.fromhex("0300000a01003c4016e6"), 40000, 1720, flags=0x18), 6)),
    ethernet(ipv4(tcp(bytes.fromhex("040000000000000000000000"), 40000, 2000, flags=0x18), 6)),
    made.ipv4(132, bytes.fromhex("0b590b5900000e50b0b01883000300146ca8b1cc0006002a00000003")),
    made.ipv4(1, b"\x03\x03" + bytes(34)),
]


def analysers() -> list[Analyser]:
    return [
        lan_arp.ArpAnalysis(), lan_dhcp.DhcpAnalysis(), lan_dscp.DscpAnalysis(),
        lan_frames.FramesAnalysis(), lan_icmp.IcmpAnalysis(), lan_multicast.MulticastAnalysis(),
        lan_neighbours.NeighboursAnalysis(), lan_redundancy.RedundancyAnalysis(),
        lan_repeats.RepeatsAnalysis(), lan_spanning_tree.SpanningTreeAnalysis(),
        lan_tcp.TcpAnalysis(), lan_tftp.TftpAnalysis(), legacy.LegacyAnalysis(),
    ]  # fmt: skip


def found(frames: list[bytes], times_ns: list[int]) -> list[Fact]:
    run = analysers()
    half = len(frames) // 2
    for part in (slice(0, half), slice(half, None)):
        if frames[part]:
            for analyser in run:
                analyser.feed(packets(frames[part], times_ns=times_ns[part]))
    return [fact for analyser in run for fact in analyser.finish()]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A frame that means something, with a few octets changed, and cut."""
    frame = draw(st.sampled_from(WHOLE))
    at = draw(st.integers(0, len(frame)))
    octets = draw(st.binary(max_size=6))
    whole = frame[:at] + octets + frame[at + len(octets) :]
    return whole[: draw(st.integers(1, len(whole)))] if draw(st.booleans()) else whole


@settings(max_examples=150, deadline=None)
@given(
    st.lists(damaged() | st.binary(min_size=1, max_size=120), min_size=1, max_size=12),
    st.data(),
)
def test_any_frames_at_any_times(frames: list[bytes], data: st.DataObject) -> None:
    times = data.draw(
        st.lists(st.integers(-(2**62), 2**62), min_size=len(frames), max_size=len(frames))
    )
    for fact in found(frames, times):
        assert fact.name in UNITS
        for value in (fact.value, *fact.method.values()):
            # Plain values: the record cannot hold an array's own kinds of number.
            assert value is None or type(value) in (bool, int, float, str, list)


def test_the_frames_mean_something() -> None:
    names = {fact.name for fact in found(WHOLE, [index * 1000 for index in range(len(WHOLE))])}
    assert names >= {
        "neighbour_device", "voice_vlan_announced", "redundancy_change_count", "tftp_request_count",
        "dhcp_message_count", "icmp_error_count", "legacy_signalling_packet_count",
    }  # fmt: skip
