"""SIP out of packets: any port, TCP in any order, fragments, and what is broken or cut."""

import random
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.passive.packets import Packet, Packets
from nethealth.passive.sip_packets import SipPackets
from nethealth.passive.sip_read import SeenMessage, looks_like_sip, read_datagram
from nethealth.passive.tcp_order import HOLE_MAX_NS, TcpOrder
from nethealth.wire.sip import SipRequest
from nethealth.wire.sip_resync import SipResyncParser
from tests.passive.packet_frames import ethernet, ipv4, packets, tcp, udp


def message(start: str = "OPTIONS sip:x@198.18.0.2 SIP/2.0", body: bytes = b"") -> bytes:
    lines = [start, "Call-ID: c", "CSeq: 1 OPTIONS", f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


REQUEST, ANSWER = message(), message("SIP/2.0 200 OK", b"v=0\r\n")


def labels(seen: Iterable[SeenMessage]) -> list[str]:
    return [
        one.message.method if isinstance(one.message, SipRequest) else str(one.message.status_code)
        for one in seen
    ]


def read(runs: Sequence[Packets]) -> tuple[SipPackets, list[str]]:
    reader = SipPackets()
    found = [one for run in runs for one in reader.feed(run)]
    return reader, labels([*found, *reader.finish()])


def datagram(payload: bytes, source: int = 5060, destination: int = 5060) -> bytes:
    return ethernet(ipv4(udp(payload, source, destination)))


def segment(payload: bytes, sequence: int, flags: int = 0x18, port: int = 5060) -> bytes:
    return ethernet(ipv4(tcp(payload, 40000, port, sequence=sequence, flags=flags), 6))


def test_datagrams_on_any_port() -> None:
    reader, found = read(
        [
            packets(
                [
                    datagram(REQUEST, 5060, 5060),
                    datagram(ANSWER, 33000, 47000),
                    datagram(b"\r\n\r\n" + message("WEIRD-METHOD tel:+44 SIP/2.0"), 1, 2),
                    datagram(b"M-SEARCH * HTTP/1.1\r\n\r\n", 1900, 1900),
                    datagram(b"\x80\x08" + bytes(160), 40000, 40002),
                    datagram(b"\r\n\r\n"),
                    datagram(b""),
                ]
            )
        ]
    )
    assert found == ["OPTIONS", "200", "WEIRD-METHOD"]
    assert reader.keepalive_count == 1
    assert not reader.faults


def test_the_second_copy_of_a_mirror_port() -> None:
    """Within a tenth of T1 the same octets are the same frame; half a second later they are not."""
    frame = datagram(REQUEST)
    reader = SipPackets()
    run = packets([frame] * 3, times_ns=[0, 400_000, 500_400_000])
    assert [one.mirrored for one in reader.feed(run)] == [False, True, False]
    assert reader.mirrored_count == 1


def test_a_datagram_in_fragments_comes_once() -> None:
    first = ethernet(ipv4(udp(REQUEST)[:40], flags_offset=0x2000))
    joined = Packet(2, 5, "198.18.0.1", 5060, "198.18.0.2", 5060, 17, ANSWER, len(ANSWER))
    run = packets([first, datagram(REQUEST)])
    with_joined = Packets(
        run.octets, run.frame_at, run.captured, run.wire, run.time_ns, run.number, run.interface,
        run.link_type, (joined,),
    )  # fmt: skip
    assert sorted(read([with_joined])[1]) == ["200", "OPTIONS"]


@pytest.mark.parametrize("seed", range(6))
def test_tcp_in_any_order(seed: int) -> None:
    """Three messages in segments of odd sizes, some twice, some overlapping, shuffled a little."""
    rng = random.Random(seed)
    stream = REQUEST + b"\r\n\r\n" + ANSWER + message("INVITE sip:y@x SIP/2.0", b"v=0\r\n" * 200)
    start = rng.choice([1000, 2**32 - 100])
    cuts: list[tuple[int, bytes]] = []
    position = 0
    while position < len(stream):
        size = rng.randint(1, 300)
        back = rng.randint(0, min(position, 20))
        cuts.append((position - back, stream[position - back : position + size]))
        position += size
    cuts += rng.sample(cuts, len(cuts) // 3)
    order = sorted(range(len(cuts)), key=lambda index: index + rng.uniform(0, 3))
    frames = [segment(b"", start - 1, 0x02)] + [
        segment(cuts[index][1], (start + cuts[index][0]) % 2**32) for index in order
    ]
    # Whatever is cut into runs is read alike.
    size = rng.choice([1, 2, 5, 1000])
    runs = [packets(frames[at : at + size]) for at in range(0, len(frames), size)]
    reader, found = read(runs)
    assert found == ["OPTIONS", "200", "INVITE"]
    assert (reader.missing_count, dict(reader.faults)) == (0, {})


def test_tcp_on_another_port_from_the_middle_on() -> None:
    """It is followed from the first segment that begins like SIP; HTTP beside it is not."""
    frames = [
        segment(b"tail of something\r\n", 500, port=7000),
        segment(REQUEST, 600, port=7000),
        segment(b"OPTIONS * HTTP/1.1\r\n\r\n", 600, port=8080),
    ]
    assert read([packets(frames)])[1] == ["OPTIONS"]


def test_a_missing_segment_costs_one_message() -> None:
    parts = [REQUEST[:50], REQUEST[50:], REQUEST, ANSWER]
    starts = [0, 50, len(REQUEST), 2 * len(REQUEST)]
    frames = [segment(parts[index], starts[index]) for index in (0, 2, 3)]
    later = packets([segment(REQUEST, 2 * len(REQUEST) + len(ANSWER))], times_ns=[3 * HOLE_MAX_NS])
    reader, found = read([packets(frames), later])
    assert found == ["OPTIONS", "200", "OPTIONS"]
    assert (reader.missing_count, dict(reader.faults)) == (1, {"headers without an end": 1})


def test_a_hole_is_not_waited_for_without_end() -> None:
    order = TcpOrder()
    order.segment(0, b"ab", 0)
    pieces = []
    for index in range(200):
        pieces += order.segment(10 + 1000 * index, b"x" * 1000, index)
    assert order.missing_count == 1
    assert order.pending_octets <= 65_536 + 1000
    assert sum(len(piece.data or b"") for piece in pieces) + order.pending_octets == 200_000


def test_a_connection_that_ends_gives_what_it_holds() -> None:
    frames = [segment(REQUEST, 0), segment(ANSWER, 1000), segment(b"", 2000, 0x11)]
    reader, found = read([packets(frames)])
    assert found == ["OPTIONS", "200"]
    assert reader.missing_count == 1


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        (REQUEST[:-2], "headers without an end"),
        (ANSWER[:-1], "body shorter than Content-Length"),
        (REQUEST.replace(b"Call-ID", b"Call ID"), "header line"),
        (REQUEST.replace(b"Length: 0", b"Length: -1"), "Content-Length"),
    ],
)
def test_broken_messages_count_and_are_named(payload: bytes, fault: str) -> None:
    reader, found = read([packets([datagram(payload)])])
    assert found in (["OPTIONS"], ["200"])
    assert dict(reader.faults) == {fault: 1}


def test_another_version_is_no_message() -> None:
    reader, found = read([packets([datagram(message("OPTIONS sip:x SIP/7.0"))])])
    assert (found, dict(reader.faults)) == ([], {"start line": 1})


def test_what_the_capture_has_cut_is_no_fault() -> None:
    frame = datagram(ANSWER)
    run = packets([frame[:90]], wire=[len(frame)])
    reader, found = read([run])
    assert (found, reader.cut_count, dict(reader.faults)) == (["200"], 1, {})


@given(st.binary(max_size=300))
def test_any_payload(payload: bytes) -> None:
    """Nothing is raised, as a datagram or in pieces of a stream."""
    for octets in (payload, REQUEST[:40] + payload, ANSWER + payload):
        if looks_like_sip(octets):
            read_datagram(octets)
            read_datagram(octets, whole=False)
        parser = SipResyncParser()
        for at in range(0, len(octets), 7):
            parser.feed(octets[at : at + 7])
        parser.gap()
        parser.feed(REQUEST)
