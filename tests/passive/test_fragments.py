"""Datagrams cut into fragments by hand, and joined again: in any order, doubled, cut or lost."""

import random
import struct
from collections.abc import Sequence

import pytest

from nethealth.passive import fragments
from nethealth.passive.fragments import LIFETIME_NS, Fragments
from nethealth.passive.packets import Packet
from tests.passive.packet_frames import ethernet, ipv4, ipv6, packets, udp

PAYLOAD = bytes(range(256)) * 12


def cut4(payload: bytes, size: int = 512, number: int = 7) -> list[bytes]:
    """One UDP datagram as IPv4 packets of at most `size` octets each of it."""
    whole = udp(payload)
    return [
        ethernet(
            ipv4(
                whole[at : at + size], identification=number,
                flags_offset=(0x2000 if at + size < len(whole) else 0) | at // 8,
            )
        )
        for at in range(0, len(whole), size)
    ]  # fmt: skip


def cut6(payload: bytes, size: int = 512, number: int = 7, before: bytes = b"") -> list[bytes]:
    """The same by IPv6; `before`: a Destination Options header that stands before Fragment."""
    whole = udp(payload)
    frames = []
    for at in range(0, len(whole), size):
        more = int(at + size < len(whole))
        header = struct.pack("!BBHI", 17, 0, at | more, number)
        body = before + header + whole[at : at + size]
        frames.append(ethernet(ipv6(body, 60 if before else 44), 0x86DD))
    return frames


def joined(
    frames: Sequence[bytes],
    times_ns: Sequence[int] | None = None,
    wire: Sequence[int] | None = None,
) -> list[Packet]:
    run = packets(frames, times_ns=times_ns, wire=wire)
    return list(Fragments().joined(run).reassembled)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("version", [4, 6])
def test_in_any_order_and_doubled(seed: int, version: int) -> None:
    frames = cut4(PAYLOAD) if version == 4 else cut6(PAYLOAD)
    mixed = frames + frames[:2]
    random.Random(seed).shuffle(mixed)
    (packet,) = joined(mixed)
    assert (packet.payload, packet.payload_octets) == (PAYLOAD, len(PAYLOAD))
    assert (packet.source_port, packet.destination_port, packet.protocol) == (5060, 5062, 17)
    assert packet.source == ("198.18.0.1" if version == 4 else "2001:db8::1")
    assert packet.row is None


def test_behind_another_extension_header() -> None:
    (packet,) = joined(cut6(PAYLOAD, before=struct.pack("!BB6x", 44, 0)))
    assert packet.payload == PAYLOAD


def test_the_fragment_that_completes_it_gives_number_and_time() -> None:
    frames = cut4(PAYLOAD)
    (packet,) = joined(frames, times_ns=[10 * n for n in range(len(frames))])
    assert (packet.number, packet.time_ns) == (len(frames), 10 * (len(frames) - 1))


def test_over_several_runs_and_two_at_once() -> None:
    one, two = cut4(PAYLOAD, number=1), cut4(PAYLOAD[::-1], number=2)
    reader = Fragments()
    found = [
        packet.payload
        for pair in zip(one, two, strict=True)
        for packet in reader.joined(packets(pair)).reassembled
    ]
    assert found == [PAYLOAD, PAYLOAD[::-1]]


def test_a_lost_fragment_leaves_nothing() -> None:
    frames = cut4(PAYLOAD)
    for missing in range(len(frames)):
        assert joined(frames[:missing] + frames[missing + 1 :]) == []


def test_an_overlap_cannot_rewrite_what_stands_before_it() -> None:
    """The attack of RFC 1858 section 4 would; here the lower offset stays: 24 octets and 16."""
    whole = udp(b"a" * 40)
    first = ethernet(ipv4(whole[:32], flags_offset=0x2000))
    over = ethernet(ipv4(b"b" * 32, flags_offset=0x2000 | 2))
    last = ethernet(ipv4(whole[32:], flags_offset=4))
    (packet,) = joined([first, over, last])
    assert packet.payload == b"a" * 24 + b"b" * 16


def test_what_the_capture_cut_is_told_by_its_length() -> None:
    frames = cut4(PAYLOAD)
    shorter = [frame[:200] for frame in frames]
    (packet,) = joined(shorter, wire=[len(frame) for frame in frames])
    assert packet.payload_octets == len(PAYLOAD)
    assert packet.payload == PAYLOAD[: 200 - 14 - 20 - 8]


def test_a_datagram_longer_than_there_can_be() -> None:
    """The last fragment reaches beyond 65,535 octets."""
    frames = [
        ethernet(ipv4(udp(PAYLOAD)[:1024], flags_offset=0x2000)),
        ethernet(ipv4(b"x" * 1000, flags_offset=0x1FFF)),
    ]
    assert joined(frames) == []


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "PENDING_MAX", 10)
    reader = Fragments()
    frames = [cut4(PAYLOAD, number=number)[0] for number in range(100)]
    reader.joined(packets(frames))
    assert len(reader._pending) <= 11
    late = packets(cut4(PAYLOAD, number=500)[:1], times_ns=[2 * LIFETIME_NS])
    reader.joined(late)
    assert len(reader._pending) == 1
