"""What the first packets of a stream tell: its clock and the usual step of its time stamps."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from nethealth.passive.rtp_payload import CLOCKS_HZ

PROBATION_PACKETS = 16
PROBATION_MOST = 256  # for one whose clock is not plain: video sends many packets at one time stamp
_CLOCK_TOLERANCE = 0.12
_SPAN_MIN_S = 0.02


def packet_ticks(sequences: Sequence[int], timestamps: Sequence[int]) -> int:
    """The commonest step from one packet to the next in number; 0 if there is none."""
    steps = Counter(
        (stamp - before) % (1 << 32)
        for (number, before), (following, stamp) in pairwise(
            zip(sequences, timestamps, strict=True)
        )
        if (following - number) % 0x10000 == 1
    )
    usual = [(count, -step) for step, count in steps.items() if 0 < step < 1 << 31]
    return -max(usual)[1] if usual else 0


def clock_hz(timestamps: Sequence[int], times_ns: Sequence[int]) -> int:
    """The usual clock that fits these time stamps and arrivals; 0 if none does.

    The median of the rates between packets half the span apart, so that one gap does not decide.
    """
    half = len(timestamps) // 2
    rates = []
    for index in range(len(timestamps) - half):
        ticks = ((timestamps[index + half] - timestamps[index] + (1 << 31)) % (1 << 32)) - (1 << 31)
        span_ns = times_ns[index + half] - times_ns[index]
        if ticks > 0 and span_ns > _SPAN_MIN_S * 1e9:
            rates.append(ticks / span_ns * 1e9)
    if not rates:
        return 0
    rate = sorted(rates)[len(rates) // 2]
    nearest = min(CLOCKS_HZ, key=lambda clock: abs(rate / clock - 1))
    return nearest if abs(rate / nearest - 1) <= _CLOCK_TOLERANCE else 0
