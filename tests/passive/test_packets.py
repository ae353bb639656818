"""Columns of frames whose fields are written by hand."""

import struct
from dataclasses import fields
from random import Random

import numpy as np

from nethealth.passive.layers import locate, locate_slowly
from nethealth.passive.packets import Packet
from tests.passive.packet_frames import ethernet, ipv4, ipv6, packets, tcp, udp


def test_a_datagram_in_ethernet_and_ipv4() -> None:
    frame = ethernet(ipv4(udp(b"hello", 5060, 5062), tos=0xB8, ttl=61), tags=[(0x8100, 100)])
    run = packets([frame + bytes(11)])  # padded by the card
    assert run.ethernet_destination.tolist() == [0x02000000000B]
    assert run.ethernet_source.tolist() == [0x02000000000A]
    assert (run.vlan[0], run.vlan_inner[0], run.ethertype[0]) == (100, -1, 0x0800)
    assert run.source.tolist() == [0xC6120001]
    assert (run.dscp[0], run.protocol[0], run.fragment[0]) == (46, 17, 0)
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
    assert (run.tcp_sequence[0], run.tcp_flags[0]) == (7, 0x18)
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


def link_frames() -> list[tuple[int, bytes]]:
    """A datagram behind every kind of link and tunnel: link type and frame."""
    inner = ipv4(udp(b"inner", 5060, 5062))
    inner6 = ipv6(udp(b"inner", 5060, 5062))
    inside = ethernet(inner, source="02:00:00:00:00:01", tags=[(0x8100, 7)])

    def gre(kind: int, payload: bytes, flags: int = 0) -> bytes:
        optional = bytes(4) if flags & 0x1000 else b""
        return ethernet(ipv4(struct.pack("!HH", flags, kind) + optional + payload, 47))

    vxlan = struct.pack("!II", 0x08000000, 42 << 8)
    pppoe = struct.pack("!BBHHH", 0x11, 0, 9, len(inner) + 2, 0x21)
    return [
        (1, ethernet(inner)),
        (1, ethernet(inner, tags=[(0x8100, 7)])),
        (1, ethernet(inner6, 0x86DD, tags=[(0x88A8, 1), (0x8100, 7)])),
        (1, ethernet(b"\xaa\xaa\x03\0\0\0\x08\0" + inner, len(inner) + 8)),
        (113, struct.pack("!HHH8sH", 0, 1, 6, bytes(8), 0x0800) + inner),
        (276, struct.pack("!HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, bytes(8)) + inner),
        (101, inner), (12, inner6), (14, inner), (228, inner), (229, inner6),
        (0, struct.pack("<I", 2) + inner), (0, struct.pack(">I", 30) + inner6),
        (108, struct.pack(">I", 2) + inner),
        (9, b"\xff\x03\x00\x21" + inner), (9, b"\x21" + inner), (50, b"\xff\x03\x00\x57" + inner6),
        (50, b"\x0f\x00\x08\x00" + inner), (104, b"\x8f\x00\x86\xdd" + inner6),
        (204, b"\x01\x00\x21" + inner), (51, pppoe + inner),
        (1, ethernet(pppoe + inner, 0x8864)),
        (1, ethernet(struct.pack("!II", 5 << 12, 6 << 12 | 0x100) + inner, 0x8847)),
        (1, ethernet(ipv4(inner, 4))), (1, ethernet(ipv4(inner6, 41))),
        (1, ethernet(ipv6(inner, 4), 0x86DD)),
        (1, gre(0x0800, inner)), (1, gre(0x86DD, inner6, 0x1000)), (1, gre(0x6558, inside)),
        (1, gre(0x88BE, inside)),  # ERSPAN type I
        (1, gre(0x88BE, struct.pack("!II", 0x10000000, 0) + inside, 0x1000)),  # type II
        (1, gre(0x22EB, struct.pack("!III", 0x20000000, 0, 0) + inside, 0x1000)),  # type III
        (1, gre(0x22EB, struct.pack("!IIIII", 0x20000000, 0, 1, 0, 0) + inside, 0x1000)),
        (1, ethernet(ipv4(udp(vxlan + inside, 9999, 4789)))),
    ]  # fmt: skip


def test_every_link_and_tunnel_leads_to_the_datagram() -> None:
    for link_type, frame in link_frames():
        run = packets([frame], link_type=link_type)
        got = run.packet(0)
        assert (got.payload, got.source_port, got.destination_port) == (b"inner", 5060, 5062), frame
        assert got.source in ("198.18.0.1", "2001:db8::1")
        assert not run.malformed[0]


def test_the_way_for_plain_frames_finds_what_the_worklist_finds() -> None:
    generator = Random(5)
    frames = [frame for link_type, frame in link_frames() if link_type == 1]
    cut, wire = [], []
    for _ in range(4000):
        frame = bytearray(generator.choice(frames))
        for _ in range(generator.choice((0, 0, 1, 3))):
            frame[generator.randrange(len(frame))] = generator.randrange(256)
        wire.append(len(frame))
        cut.append(bytes(frame[: generator.choice((len(frame), generator.randrange(70)))]))
    run = packets(cut, wire=wire)
    given = (run.octets, run.frame_at, run.captured, run.wire, run.link_type)
    quick, slow = locate(*given), locate_slowly(*given)
    for each in fields(quick):
        column = getattr(quick, each.name)
        assert column.tolist() == getattr(slow, each.name).tolist(), each.name
