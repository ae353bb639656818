"""RTP as a sender would write it and a network would deliver it, for tests of the analysis."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nethealth.passive.announced import MediaBook
from nethealth.passive.columns import SLACK
from nethealth.passive.packets import Packets
from nethealth.passive.rtp import Rtp
from nethealth.passive.rtp_stream import RtpStream
from tests.passive.packet_frames import ethernet, ipv4, ipv6, udp

START_NS = 1_700_000_000_000_000_000
MS_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Sent:
    """One RTP packet and when it was captured (milliseconds from the start)."""

    at_ms: float
    sequence: int
    timestamp: int
    payload_type: int = 8
    marker: bool = False
    ssrc: int = 0x1234
    payload: bytes = bytes(160)
    source: tuple[str, int] = ("198.18.0.1", 16384)
    destination: tuple[str, int] = ("198.18.0.2", 20000)
    tos: int = 0xB8
    vlan: int | None = None

    def frame(self) -> bytes:
        header = struct.pack(
            "!BBHII", 0x80, self.marker << 7 | self.payload_type, self.sequence & 0xFFFF,
            self.timestamp & 0xFFFFFFFF, self.ssrc,
        )  # fmt: skip
        datagram = udp(header + self.payload, self.source[1], self.destination[1])
        tags = () if self.vlan is None else ((0x8100, self.vlan),)
        here, there = self.source[0], self.destination[0]
        if ":" in here:
            packet = ipv6(datagram, traffic_class=self.tos, source=here, destination=there)
            return ethernet(packet, 0x86DD, tags=tags)
        return ethernet(ipv4(datagram, tos=self.tos, source=here, destination=there), tags=tags)


def speech(count: int, *, first: int = 0, step_ms: float = 20.0, ticks: int = 160) -> list[Sent]:
    """`count` packets of G.711 that nothing happened to; `first` is the first sequence number."""
    return [Sent(n * step_ms, first + n, 7000 + n * ticks) for n in range(count)]


def between(packets: Iterable[Sent], source: tuple[str, int], to: tuple[str, int]) -> list[Sent]:
    return [replace(packet, source=source, destination=to) for packet in packets]


def run_of(packets: Sequence[Sent], number: int = 1) -> Packets:
    frames = [packet.frame() for packet in packets]
    lengths = np.array([len(frame) for frame in frames], np.int64)
    return Packets(
        octets=np.frombuffer(b"".join(frames) + bytes(SLACK), np.uint8),
        frame_at=np.cumsum(lengths) - lengths,
        captured=lengths,
        wire=lengths,
        time_ns=np.array([START_NS + round(each.at_ms * MS_NS) for each in packets], np.int64),
        number=np.arange(number, number + len(frames)),
        interface=np.zeros(len(frames), np.int64),
        link_type=np.ones(len(frames), np.int64),
    )


def analysed(
    packets: Sequence[Sent], *, book: MediaBook | None = None, run: int = 1_000_000
) -> tuple[RtpStream, ...]:
    """The streams found when the packets are handed over `run` at a time."""
    analysis = Rtp(book or MediaBook())
    for begin in range(0, len(packets), run):
        analysis.feed(run_of(packets[begin : begin + run], begin + 1))
    list(analysis.finish())
    return analysis.streams


def stream_of(packets: Sequence[Sent], *, run: int = 1_000_000) -> RtpStream:
    (stream,) = analysed(packets, run=run)
    return stream
