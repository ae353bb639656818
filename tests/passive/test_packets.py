"""Columns of frames whose fields are written by hand."""

import struct

import numpy as np

from nethealth.passive.packets import Packet
from tests.passive.packet_frames import ethernet, ipv4, ipv6, packets, tcp, udp


def test_a_datagram_in_ethernet_and_ipv4() -> None:
    frame = ethernet(ipv4(udp(b"hello", 5060, 5062), tos=0xB8, ttl=61), tags=[(0x8100, 100)])
    run = packets([frame + bytes(11)])  # padded by the card
    assert run.ethernet_destination.tolist() == [0x02000000000B]
    assert run.ethernet_source.tolist() == [0x02000000000A]
    assert (run.vlan[0], run.vlan_inner[0], run.ethertype[0]) == (100, -1, 0x0800)
    assert run.source.tolist() == [0xC6120001]
    assert (run.dscp[0], run.hop_limit[0], run.protocol[0], run.fragment[0]) == (46, 61, 17, 0)
    assert (run.source_port[0], run.destination_port[0]) == (5060, 5062)
    assert (run.payload_octets[0], run.payload_captured[0]) == (5, 5)
    assert not run.malformed[0]
    assert run.packet(0) == Packet(
        number=1, time_ns=0, source="198.18.0.1", source_port=5060, destination="198.18.0.2",
        destination_port=5062, protocol=17, payload=b"hello", payload_octets=5, vlan=100, dscp=46,
        row=0,
    )  # fmt: skip


def test_a_segment_with_options_in_ipv6_behind_extension_headers() -> None:
    segment = tcp(b"data", sequence=7, acknowledgement=9, flags=0x18, options=bytes(12))
    hop_by_hop = struct.pack("!BB6x", 60, 0)
    destination_options = struct.pack("!BB14x", 6, 1)
    run = packets(
        [ethernet(ipv6(hop_by_hop + destination_options + segment, 0, traffic_class=0x28), 0x86DD)]
    )
    assert (run.ip_version[0], run.protocol[0], run.dscp[0]) == (6, 6, 10)
    assert (run.tcp_sequence[0], run.tcp_acknowledgement[0], run.tcp_flags[0]) == (7, 9, 0x18)
    assert run.payload(0) == b"data"
    assert (run.source_text(0), run.destination_text(0)) == ("2001:db8::1", "2001:db8::2")


def test_two_tags_and_an_llc_frame() -> None:
    bpdu = bytes.fromhex("424203000000000080")
    run = packets(
        [
            ethernet(ipv4(udp(b"")), tags=[(0x88A8, 200), (0x8100, 5)]),
            ethernet(bpdu, len(bpdu)),
            ethernet(bytes.fromhex("aaaa0300000c2000") + b"cdp", 11),
        ]
    )
    assert run.vlan.tolist() == [200, -1, -1]
    assert run.vlan_inner.tolist() == [5, -1, -1]
    assert run.ethertype.tolist() == [0x0800, 0, 0]
    assert (run.network_at - run.frame_at).tolist() == [22, 14, 14]
    assert run.ip_version.tolist() == [4, 0, 0]
    assert run.octets_of(1, int(run.network_at[1]), 3) == b"\x42\x42\x03"


def test_what_the_capture_cut_off_is_not_malformed() -> None:
    frame = ethernet(ipv4(udp(bytes(100))))
    run = packets([frame[:60], frame[:30], frame[:38], frame[:10]], wire=[142, 142, 142, 142])
    assert not run.malformed.any()
    assert run.is_udp.tolist() == [True, False, False, False]
    assert (run.payload_octets[0], run.payload_captured[0]) == (100, 18)
    assert run.has_ports.tolist() == [True, False, True, False]
    assert run.source_port.tolist() == [5060, -1, 5060, -1]


def test_a_header_that_contradicts_its_frame_is_malformed() -> None:
    run = packets(
        [
            ethernet(ipv4(udp(b"x"), total=200)),
            ethernet(ipv4(udp(b"x"), total=10)),
            ethernet(b"\x41" + ipv4(udp(b"x"))[1:]),
            ethernet(ipv4(udp(b"x"))),
        ]
    )
    assert run.malformed.tolist() == [True, True, True, False]
    assert run.ip_version.tolist() == [4, 0, 0, 4]


def test_fragments_have_no_ports_but_the_first() -> None:
    datagram = udp(bytes(40))
    run = packets(
        [
            ethernet(ipv4(datagram[:24], flags_offset=0x2000)),
            ethernet(ipv4(datagram[24:], flags_offset=3)),
            ethernet(ipv6(struct.pack("!BBHI", 17, 0, 1, 9) + datagram[:24], 44), 0x86DD),
            ethernet(ipv6(struct.pack("!BBHI", 17, 0, 24, 9) + datagram[24:], 44), 0x86DD),
        ]
    )
    assert run.fragment.tolist() == [1, 2, 1, 2]
    assert run.protocol.tolist() == [17] * 4
    assert run.destination_port.tolist() == [5062, -1, 5062, -1]


def test_a_key_groups_addresses_and_flows() -> None:
    one = ethernet(ipv4(udp(b"1")))
    two = ethernet(ipv6(udp(b"2")), 0x86DD)
    back = ethernet(ipv4(udp(b"3", 5062, 5060), source="198.18.0.2", destination="198.18.0.1"))
    run = packets([one, two, one, two, back])
    assert len(np.unique(run.flow)) == 3
    assert run.flow[0] == run.flow[2]
    assert run.flow[1] == run.flow[3]
    assert run.source[4] == run.destination[0]


def test_messages_come_in_the_order_of_the_timeline() -> None:
    run = packets([ethernet(ipv4(udp(b"a"))), ethernet(ipv4(udp(b"b"))), ethernet(ipv4(udp(b"c")))])
    joined = Packet(2, 0, "198.18.0.1", 5060, "198.18.0.2", 5062, 17, b"joined", 6)
    with_joined = packets([ethernet(ipv4(udp(b"a")))])
    assert [each.payload for each in run.messages(run.is_udp, lambda _: True)] == [b"a", b"b", b"c"]
    object.__setattr__(with_joined, "reassembled", (joined,))
    got = with_joined.messages(with_joined.is_udp, lambda packet: packet.source_port == 5060)
    assert [each.payload for each in got] == [b"a", b"joined"]
