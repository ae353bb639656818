"""The two file formats, field by field, and the quick walk beside the plain one."""

import struct
from random import Random

import numpy as np
import pytest

from nethealth.passive.capture_file import CaptureError, Records, Walker
from nethealth.passive.columns import SLACK
from nethealth.passive.pcap import HEADER_OCTETS, Pcap
from nethealth.passive.pcapng import Pcapng
from tests.passive.capture_files import interface, packet, pcapng_block, section
from tests.passive.packet_frames import ethernet, ipv4, pcap, udp

START_NS = 1_700_000_000_123_456_789
FRAME = ethernet(ipv4(udp(b"payload")))
COLUMNS = ("frame_at", "captured", "wire", "time_ns", "interface", "link_type")


def walked(walker: Walker, data: bytes, most: int = 10**9) -> Records:
    return walker.walk(np.frombuffer(data + bytes(SLACK), np.uint8), len(data), most)


def of_pcap(data: bytes) -> Records:
    return walked(Pcap(data[:HEADER_OCTETS]), data[HEADER_OCTETS:])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("magic", "time_ns"),
    [
        (0xA1B2C3D4, START_NS // 1000 * 1000),
        (0xA1B23C4D, START_NS),
        (0xA1B2CD34, START_NS // 1000 * 1000),
    ],
)
def test_every_magic_number_in_both_orders(order: str, magic: int, time_ns: int) -> None:
    data = pcap([(START_NS, FRAME), (START_NS + 5000, FRAME)], order=order, magic=magic)
    records = of_pcap(data)
    assert records.time_ns.tolist() == [time_ns, time_ns + 5000]
    assert records.captured.tolist() == [len(FRAME)] * 2
    assert records.used == len(data) - HEADER_OCTETS
    at = int(records.frame_at[1]) + HEADER_OCTETS
    assert data[at : at + len(FRAME)] == FRAME


def test_the_length_of_a_check_sequence_is_no_link_type() -> None:
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 0x54000001)
    assert Pcap(header).interfaces()[0].link_type == 1


def test_another_file_is_refused_with_what_was_found() -> None:
    with pytest.raises(CaptureError, match="1 octets of 24"):
        Pcap(b"\xd4")
    with pytest.raises(CaptureError, match=r"version 7\.4"):
        Pcap(struct.pack("<IHHiIII", 0xA1B2C3D4, 7, 4, 0, 0, 0, 1))


def test_a_record_that_cannot_be_stops_the_walk_there() -> None:
    data = pcap([(START_NS, FRAME)] * 3) + struct.pack("<IIII", 1, 2, 400_000_000, 4)
    records = of_pcap(data)
    assert len(records.frame_at) == 3
    assert records.used == 3 * (16 + len(FRAME))
    assert records.fault == "a record says that it has 400000000 octets"


@pytest.mark.parametrize("order", ["<", ">"])
def test_sections_interfaces_and_their_clocks(order: str) -> None:
    nano = [(9, b"\x09")]
    binary = [(9, b"\x8a"), (14, struct.pack(f"{order}q", 1000))]  # 1024ths, from second 1000 on
    data = b"".join(
        (
            section(order),
            interface(1, given=[(2, b"eth0\0")], order=order),
            interface(101, given=nano, order=order),
            packet(FRAME, 5_000_001, 0, order=order),
            packet(FRAME, 7_000_000_001, 1, order=order),
            section(order),
            interface(113, given=binary, order=order),
            packet(FRAME, 1536, 0, order=order),
        )
    )
    walker = Pcapng()
    records = walked(walker, data)
    assert records.time_ns.tolist() == [5_000_001_000, 7_000_000_001, 1_001_500_000_000]
    assert records.interface.tolist() == [0, 1, 2]
    assert records.link_type.tolist() == [1, 101, 113]
    assert walker.interfaces()[0].name == "eth0"
    assert walker.time_digits() == 3


def test_simple_and_old_packet_blocks() -> None:
    simple = pcapng_block(3, struct.pack("<I", len(FRAME) + 900) + FRAME)
    old = pcapng_block(2, struct.pack("<HHIIII", 0, 3, 0, 77, len(FRAME), len(FRAME)) + FRAME)
    walker = Pcapng()
    records = walked(walker, section() + interface(1, len(FRAME)) + old + simple)
    assert records.captured.tolist() == [len(FRAME), len(FRAME)]
    assert records.wire.tolist() == [len(FRAME), len(FRAME) + 900]
    assert records.time_ns.tolist() == [77_000, 77_000]  # a simple packet has no time of its own
    assert walker.interfaces()[0].dropped == 3


def test_drops_are_counted_once_from_packets_and_statistics() -> None:
    drop = [(2, bytes(4)), (4, struct.pack("<Q", 5))]
    statistics = struct.pack("<IIIHHQHHI", 0, 0, 0, 5, 8, 40, 0, 0, 0)[:-4]
    walker = Pcapng()
    walked(walker, section() + interface() + packet(FRAME, 1, given=drop) * 2)
    assert walker.interfaces()[0].dropped == 10
    walked(walker, pcapng_block(5, statistics))
    assert walker.interfaces()[0].dropped == 40


def test_what_a_block_says_wrong_stops_the_walk() -> None:
    good = section() + interface() + packet(FRAME, 1)
    for bad, reason in (
        (packet(FRAME, 1, number=9), "which the section has not described"),
        (packet(FRAME, 1)[:-4] + b"\x01\0\0\0", "ends with the length 1"),
        (struct.pack("<III", 6, 8, 8), "says that it has 8 octets"),
    ):
        records = walked(Pcapng(), good + bad)
        assert len(records.frame_at) == 1
        assert records.fault is not None and reason in records.fault
        assert records.used == len(good)


def mixed_frames(generator: Random, count: int, hostile: bool) -> list[tuple[int, bytes]]:
    """Frames of all sizes; hostile ones are full of what looks like the next record."""
    frames = []
    time_ns = START_NS // 1000 * 1000
    for _ in range(count):
        time_ns += generator.randrange(10**8)
        if generator.random() < 0.001:
            time_ns += 70_000 * 10**9  # the upper half of the seconds moves on
        size = generator.choice((0, 60, 60, 214, 1514, generator.randrange(3000)))
        data = generator.randbytes(size)
        if hostile and size > 200:
            fake = struct.pack("<IIII", time_ns // 10**9, 1, generator.choice((20, 44, 60)), 60)
            block = struct.pack("<II", 6, generator.choice((32, 60, 100)))
            data = ((fake + block) * 100)[:size]
        frames.append((time_ns, data))
    return frames


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("form", ["pcap <", "pcap >", "modified", "pcapng"])
@pytest.mark.parametrize("most", [10**9, 100])
def test_the_quick_walk_finds_what_the_plain_one_finds(form: str, hostile: bool, most: int) -> None:
    frames = mixed_frames(Random(7), 3000, hostile)
    walkers: list[Pcap | Pcapng]
    if form == "pcapng":
        data = section() + interface(given=[(9, b"\x09")])
        data += b"".join(
            packet(frame, time_ns, given=[(2, bytes(4))] if n % 7 == 0 else ())
            for n, (time_ns, frame) in enumerate(frames)
        )
        walkers = [Pcapng(), Pcapng()]
    else:
        magic = 0xA1B2CD34 if form == "modified" else 0xA1B2C3D4
        whole = pcap(frames, order=">" if form == "pcap >" else "<", magic=magic)
        walkers = [Pcap(whole[:HEADER_OCTETS]), Pcap(whole[:HEADER_OCTETS])]
        data = whole[HEADER_OCTETS:]
    data = data[:-30]  # the last packet is not whole
    octets = np.frombuffer(data + bytes(SLACK), np.uint8)
    at = 0
    total = 0
    while True:
        quick = walkers[0].walk(octets[at:], len(data) - at, most)
        plain = walkers[1].walk_slowly(octets[at:], len(data) - at, len(quick.frame_at) or 1)
        for name in COLUMNS:
            assert getattr(quick, name).tolist() == getattr(plain, name).tolist()
        assert (quick.used, quick.fault) == (plain.used, plain.fault)
        at += quick.used
        total += len(quick.frame_at)
        if not quick.used:
            break
    assert total in (2998, 2999)
