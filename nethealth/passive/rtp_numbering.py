"""Sequence numbers without their wrap, for one stream, packet by packet (RFC 3550 appendix A.1).

The plain case, in which every packet lies near the ones before it, is done for all streams at once
by `rtp_sequence`; a stream that jumps comes here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

MAX_DROPOUT = 3000  # a packet so far ahead of the highest still belongs to it
MAX_MISORDER = 3000  # and one so far behind; the RFC's 100 is too few where a mirror delays copies
OUTAGE_MAX_S = 3600.0
OUTAGE_TOLERANCE_S = 2.0


class Kind(IntEnum):
    """What a packet is in its stream's numbering."""

    PLAIN = 0
    RESTART = 1  # the sender began again: its numbers go on from the highest
    STRAY = 2  # belongs to nothing before or behind it


@dataclass(frozen=True, slots=True)
class Before:
    """Where a stream's numbering stands: the packet before, and the highest number."""

    extended: int
    highest: int
    sequence: int
    timestamp: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class Numbered:
    extended: list[int]
    kinds: list[Kind]


def numbered(
    before: Before,
    sequences: Sequence[int],
    timestamps: Sequence[int],
    times_ns: Sequence[int],
    *,
    clock_hz: int,
    packet_ticks: int,
    final: bool,
) -> Numbered:
    """The packets' extended numbers; a stray one has the number before it.

    A jump counts when the next packet follows it, as in the RFC. If the time stamps say that so
    many packets passed in between, they were lost in an outage; else the sender began again.
    Unless these packets are the `final` ones, a jump of the last is left out, to be judged with
    the next.
    """
    extended, kinds = [], []
    last, highest, sequence = before.extended, before.highest, before.sequence
    timestamp, time_ns = before.timestamp, before.time_ns
    for index, (number, stamp, at_ns) in enumerate(
        zip(sequences, timestamps, times_ns, strict=True)
    ):
        kind = Kind.PLAIN
        candidate = last + ((number - sequence + 0x8000) % 0x10000) - 0x8000
        if not -MAX_MISORDER <= candidate - highest <= MAX_DROPOUT:
            following = sequences[index + 1] if index + 1 < len(sequences) else None
            if following is None and not final:
                break
            if following is None or (following - number) % 0x10000 != 1:
                extended.append(last)
                kinds.append(Kind.STRAY)
                continue
            passed = _passed(stamp - timestamp, at_ns - time_ns, clock_hz, packet_ticks)
            if passed is not None and (passed - (number - sequence)) % 0x10000 == 0:
                candidate = last + passed
            else:
                candidate, kind = highest + 1, Kind.RESTART
        extended.append(candidate)
        kinds.append(kind)
        last, sequence, timestamp, time_ns = candidate, number, stamp, at_ns
        highest = max(highest, last)
    return Numbered(extended, kinds)


def _passed(ticks: int, elapsed_ns: int, clock_hz: int, packet_ticks: int) -> int | None:
    """How many packets the time stamps say lie between, if the clock on the wall agrees."""
    ticks %= 1 << 32
    if not clock_hz or not packet_ticks or ticks % packet_ticks:
        return None
    seconds = ticks / clock_hz
    if seconds > OUTAGE_MAX_S or abs(seconds - elapsed_ns / 1e9) > OUTAGE_TOLERANCE_S:
        return None
    return ticks // packet_ticks
