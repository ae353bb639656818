"""RTCP extended reports: what a receiver says beyond RR (RFC 3611).

VoIP metrics, statistics summary, receiver reference time and its echo are read; traces of single
packets (run lengths, receipt times) and blocks of other standards are passed on unread.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from nethealth.wire.errors import WireError

REFERENCE_TIME, DELAY_SINCE, STATISTICS_SUMMARY, VOIP_METRICS = 4, 5, 6, 7
UNAVAILABLE = 127  # in a R factor, a MOS or a level (section 4.7)
_HEADER = struct.Struct("!BBH")
_NTP = struct.Struct("!Q")
_DELAY = struct.Struct("!III")
_SUMMARY = struct.Struct("!IHH6I4B")
_VOIP = struct.Struct("!I4B4HbbBB4BBBHHH")


@dataclass(frozen=True, slots=True)
class ReferenceTime:
    """Block 4: the receiver's NTP time of sending (section 4.4)."""

    ntp: int


@dataclass(frozen=True, slots=True)
class DelaySince:
    """One part of block 5: echo of a reference time, and how long it was held (section 4.5).

    `last_rr` and `delay_since_last_rr` in 1/65536 s, 0 where no reference time has come.
    """

    ssrc: int
    last_rr: int
    delay_since_last_rr: int


@dataclass(frozen=True, slots=True)
class DelaysSince:
    """Block 5, DLRR."""

    delays: tuple[DelaySince, ...]


@dataclass(frozen=True, slots=True)
class StatisticsSummary:
    """Block 6 (section 4.6): jitter in timestamp units, `flags` as in the block's second octet.

    A value stands for something only where its flag is set: 0x80 loss, 0x40 duplicates,
    0x20 jitter, 0x08 or 0x10 time to live.
    """

    flags: int
    ssrc: int
    begin_sequence: int
    end_sequence: int
    lost: int
    duplicated: int
    jitter_min: int
    jitter_max: int
    jitter_mean: int
    jitter_deviation: int
    ttl: tuple[int, int, int, int]  # min, max, mean, deviation


@dataclass(frozen=True, slots=True)
class VoipMetrics:
    """Block 7 (section 4.7), in the units of the wire.

    Rates and densities in 1/256; durations and delays in ms; levels in dBm (signed) and dB;
    MOS times ten. 127 in `signal_level` and what follows it, Gmin aside, says unavailable.
    """

    ssrc: int
    loss_rate: int
    discard_rate: int
    burst_density: int
    gap_density: int
    burst_duration_ms: int
    gap_duration_ms: int
    round_trip_delay_ms: int
    end_system_delay_ms: int
    signal_level: int
    noise_level: int
    rerl: int
    gmin: int
    r_factor: int
    external_r_factor: int
    mos_lq: int
    mos_cq: int
    rx_config: int
    reserved: int
    jb_nominal_ms: int
    jb_maximum_ms: int
    jb_absolute_maximum_ms: int


@dataclass(frozen=True, slots=True)
class OtherBlock:
    """A block of another type, or one whose length is not that of its type."""

    block_type: int
    type_specific: int
    body: bytes = field(repr=False)


Block = ReferenceTime | DelaysSince | StatisticsSummary | VoipMetrics | OtherBlock


def parse_blocks(body: bytes) -> tuple[Block, ...]:
    """The report blocks after the SSRC of an XR packet; a block cut short is a WireError.

    A block of a fixed length that has another one is to be discarded (sections 4.4, 4.6, 4.7): it
    is passed on unread.
    """
    blocks: list[Block] = []
    position = 0
    while position < len(body):
        if len(body) - position < _HEADER.size:
            raise WireError("XR block header cut short")
        kind, specific, words = _HEADER.unpack_from(body, position)
        position += _HEADER.size
        octets = body[position : position + 4 * words]
        if len(octets) < 4 * words:
            raise WireError(f"XR block of {words} words in {len(octets)} octets")
        blocks.append(_block(kind, specific, octets))
        position += 4 * words
    return tuple(blocks)


def encode_blocks(blocks: Sequence[Block]) -> bytes:
    """The octets of the blocks; a value that does not fit is a struct.error or ValueError."""
    return b"".join(_encode(block) for block in blocks)


def _block(kind: int, specific: int, octets: bytes) -> Block:
    if kind == REFERENCE_TIME and len(octets) == _NTP.size:
        return ReferenceTime(*_NTP.unpack(octets))
    if kind == DELAY_SINCE and len(octets) % _DELAY.size == 0:
        return DelaysSince(tuple(DelaySince(*part) for part in _DELAY.iter_unpack(octets)))
    if kind == STATISTICS_SUMMARY and len(octets) == _SUMMARY.size:
        ssrc, begin, end, lost, duplicated, *rest = _SUMMARY.unpack(octets)
        jitter_min, jitter_max, jitter_mean, jitter_deviation, *ttl = rest
        return StatisticsSummary(
            specific, ssrc, begin, end, lost, duplicated,
            jitter_min, jitter_max, jitter_mean, jitter_deviation,
            (ttl[0], ttl[1], ttl[2], ttl[3]),
        )  # fmt: skip
    if kind == VOIP_METRICS and len(octets) == _VOIP.size:
        return VoipMetrics(*_VOIP.unpack(octets))
    return OtherBlock(kind, specific, octets)


def _encode(block: Block) -> bytes:
    match block:
        case ReferenceTime():
            return _framed(REFERENCE_TIME, 0, _NTP.pack(block.ntp))
        case DelaysSince():
            parts = [
                _DELAY.pack(each.ssrc, each.last_rr, each.delay_since_last_rr)
                for each in block.delays
            ]
            return _framed(DELAY_SINCE, 0, b"".join(parts))
        case StatisticsSummary():
            body = _SUMMARY.pack(
                block.ssrc, block.begin_sequence, block.end_sequence, block.lost, block.duplicated,
                block.jitter_min, block.jitter_max, block.jitter_mean, block.jitter_deviation,
                *block.ttl,
            )  # fmt: skip
            return _framed(STATISTICS_SUMMARY, block.flags, body)
        case VoipMetrics():
            body = _VOIP.pack(
                block.ssrc, block.loss_rate, block.discard_rate, block.burst_density,
                block.gap_density, block.burst_duration_ms, block.gap_duration_ms,
                block.round_trip_delay_ms, block.end_system_delay_ms, block.signal_level,
                block.noise_level, block.rerl, block.gmin, block.r_factor,
                block.external_r_factor, block.mos_lq, block.mos_cq, block.rx_config,
                block.reserved, block.jb_nominal_ms, block.jb_maximum_ms,
                block.jb_absolute_maximum_ms,
            )  # fmt: skip
            return _framed(VOIP_METRICS, 0, body)
        case OtherBlock():
            return _framed(block.block_type, block.type_specific, block.body)


def _framed(kind: int, specific: int, body: bytes) -> bytes:
    if len(body) % 4:
        raise ValueError(f"an XR block is of whole words, not of {len(body)} octets")
    return _HEADER.pack(kind, specific, len(body) // 4) + body
