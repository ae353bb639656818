"""RTCP: sender and receiver reports, source description, goodbye, extended reports.

RFC 3550 section 6, RFC 3611.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from nethealth.wire.errors import WireError
from nethealth.wire.rtcp_xr import Block, encode_blocks, parse_blocks

VERSION = 2
SR, RR, SDES, BYE, XR = 200, 201, 202, 203, 207
CNAME = 1
_HEADER = struct.Struct("!BBH")
_SENDER = struct.Struct("!QIII")
_BLOCK = struct.Struct("!IIIIII")
_WORD = struct.Struct("!I")
_COUNT_MAX = 31


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What one receiver says of one source (section 6.4.1).

    `fraction_lost` in 1/256; `cumulative_lost` is signed, since duplicates count as received;
    `jitter` in timestamp units; `last_sr` and `delay_since_last_sr` in 1/65536 s, 0 for none.
    """

    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest_sequence: int  # extended by the count of cycles in its upper 16 bits
    jitter: int
    last_sr: int
    delay_since_last_sr: int


@dataclass(frozen=True, slots=True)
class SenderReport:
    """SR; `ntp` is the 64-bit NTP time of sending, `rtp_timestamp` the same instant in RTP."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packet_count: int
    octet_count: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """RR, from one who sends no media (or for a source more than an SR holds)."""

    ssrc: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """SDES: for each source its items as (type, text in octets)."""

    chunks: tuple[tuple[int, tuple[tuple[int, bytes], ...]], ...]


@dataclass(frozen=True, slots=True)
class Goodbye:
    """BYE: the sources that leave, and perhaps why."""

    sources: tuple[int, ...]
    reason: bytes | None = None


@dataclass(frozen=True, slots=True)
class ExtendedReport:
    """XR: report blocks of one receiver (RFC 3611 section 2)."""

    ssrc: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class OtherRtcp:
    """Any other type, unread (APP, feedback)."""

    packet_type: int
    count: int
    body: bytes = field(repr=False)


RtcpPacket = (
    SenderReport | ReceiverReport | SourceDescription | Goodbye | ExtendedReport | OtherRtcp
)


def parse_rtcp(data: bytes) -> tuple[RtcpPacket, ...]:
    """Read a compound packet; anything that breaks its form is a WireError (section 6.1)."""
    packets: list[RtcpPacket] = []
    position = 0
    while position < len(data):
        if len(data) - position < _HEADER.size:
            raise WireError("RTCP header cut short")
        first, kind, words = _HEADER.unpack_from(data, position)
        end = position + 4 * (words + 1)
        if first >> 6 != VERSION:
            raise WireError(f"RTCP version {first >> 6}")
        if end > len(data):
            raise WireError(f"RTCP of {words + 1} words in {len(data) - position} octets")
        body = data[position + _HEADER.size : end]
        if first & 0x20:
            if end != len(data) or not body or not 0 < body[-1] <= len(body):
                raise WireError("RTCP padding")
            body = body[: -body[-1]]
        packets.append(_packet(kind, first & 0x1F, body))
        position = end
    if not packets:
        raise WireError("no RTCP packet")
    return tuple(packets)


def encode_rtcp(packets: Sequence[RtcpPacket]) -> bytes:
    """The octets of a compound packet; a field that does not fit is a ValueError."""
    try:
        return b"".join(_encode(packet) for packet in packets)
    except (struct.error, OverflowError) as error:
        raise ValueError(str(error)) from None


def _packet(kind: int, count: int, body: bytes) -> RtcpPacket:
    match kind:
        case 200:
            _need(body, _WORD.size + _SENDER.size, "sender report")
            (ssrc,) = _WORD.unpack_from(body)
            ntp, timestamp, packets, octets = _SENDER.unpack_from(body, _WORD.size)
            blocks = _blocks(body[_WORD.size + _SENDER.size :], count)
            return SenderReport(ssrc, ntp, timestamp, packets, octets, blocks)
        case 201:
            _need(body, _WORD.size, "receiver report")
            (ssrc,) = _WORD.unpack_from(body)
            return ReceiverReport(ssrc, _blocks(body[_WORD.size :], count))
        case 202:
            return SourceDescription(_chunks(body, count))
        case 203:
            return _goodbye(body, count)
        case 207:
            _need(body, _WORD.size, "extended report")
            (ssrc,) = _WORD.unpack_from(body)
            return ExtendedReport(ssrc, parse_blocks(body[_WORD.size :]))
        case _:
            return OtherRtcp(kind, count, body)


def _need(body: bytes, octets: int, what: str) -> None:
    if len(body) < octets:
        raise WireError(f"{what} of {len(body)} octets; at least {octets}")


def _blocks(body: bytes, count: int) -> tuple[ReportBlock, ...]:
    _need(body, count * _BLOCK.size, f"{count} report blocks")
    found = []
    for index in range(count):
        ssrc, lost, highest, jitter, last, delay = _BLOCK.unpack_from(body, index * _BLOCK.size)
        cumulative = lost & 0xFFFFFF
        signed = cumulative - (1 << 24) if cumulative & 0x800000 else cumulative
        found.append(ReportBlock(ssrc, lost >> 24, signed, highest, jitter, last, delay))
    return tuple(found)


def _chunks(body: bytes, count: int) -> tuple[tuple[int, tuple[tuple[int, bytes], ...]], ...]:
    chunks = []
    position = 0
    for _ in range(count):
        _need(body, position + _WORD.size, "source description")
        (ssrc,) = _WORD.unpack_from(body, position)
        position += _WORD.size
        items: list[tuple[int, bytes]] = []
        while True:
            _need(body, position + 1, "source description")
            kind = body[position]
            if kind == 0:  # ends the chunk, which is filled up to a whole word
                position = (position // 4 + 1) * 4
                break
            _need(body, position + 2, "source description item")
            length = body[position + 1]
            _need(body, position + 2 + length, "source description item")
            items.append((kind, body[position + 2 : position + 2 + length]))
            position += 2 + length
        chunks.append((ssrc, tuple(items)))
    return tuple(chunks)


def _goodbye(body: bytes, count: int) -> Goodbye:
    _need(body, 4 * count, "goodbye")
    sources = struct.unpack_from(f"!{count}I", body)
    rest = body[4 * count :]
    if not rest:
        return Goodbye(sources)
    _need(rest, 1 + rest[0], "reason of a goodbye")
    return Goodbye(sources, rest[1 : 1 + rest[0]])


def _encode(packet: RtcpPacket) -> bytes:
    match packet:
        case SenderReport():
            body = _WORD.pack(packet.ssrc) + _SENDER.pack(
                packet.ntp, packet.rtp_timestamp, packet.packet_count, packet.octet_count
            )
            return _framed(SR, len(packet.reports), body + _encode_blocks(packet.reports))
        case ReceiverReport():
            body = _WORD.pack(packet.ssrc) + _encode_blocks(packet.reports)
            return _framed(RR, len(packet.reports), body)
        case SourceDescription():
            chunks = [_encode_chunk(ssrc, items) for ssrc, items in packet.chunks]
            return _framed(SDES, len(chunks), b"".join(chunks))
        case Goodbye():
            body = struct.pack(f"!{len(packet.sources)}I", *packet.sources)
            if packet.reason is not None:
                body += _padded(bytes((len(packet.reason),)) + packet.reason)
            return _framed(BYE, len(packet.sources), body)
        case ExtendedReport():
            return _framed(XR, 0, _WORD.pack(packet.ssrc) + encode_blocks(packet.blocks))
        case OtherRtcp():
            return _framed(packet.packet_type, packet.count, packet.body)


def _encode_blocks(blocks: Sequence[ReportBlock]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | block.cumulative_lost & 0xFFFFFF,
            block.highest_sequence,
            block.jitter,
            block.last_sr,
            block.delay_since_last_sr,
        )
        for block in blocks
    )


def _encode_chunk(ssrc: int, items: Sequence[tuple[int, bytes]]) -> bytes:
    octets = b"".join(struct.pack("!BB", kind, len(text)) + text for kind, text in items)
    return _WORD.pack(ssrc) + _padded(octets + b"\0")


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


def _framed(kind: int, count: int, body: bytes) -> bytes:
    if count > _COUNT_MAX or len(body) % 4:
        raise ValueError(f"{count} parts, {len(body)} octets")
    return _HEADER.pack(VERSION << 6 | count, kind, len(body) // 4) + body
