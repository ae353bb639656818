"""The interarrival jitter of RFC 3550, kept for comparison with other tools, not for sizing."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal


@dataclass(frozen=True, slots=True)
class InterarrivalJitter:
    """The running estimate summed up after each of `samples` packets: all but the first.

    The first packet has nothing to differ from, and other tools leave its 0 out too.
    """

    mean_s: float
    max_s: float
    last_s: float
    samples: int
    clock_rate_hz: int
    variant: Literal["all_packets"] = "all_packets"


def running_jitter(
    timestamps: Sequence[int], arrivals_s: Sequence[float], *, clock_rate_hz: int
) -> tuple[float, ...]:
    """The jitter after each packet, in clock units, over all packets in the order of arrival.

    `timestamps` are the RTP timestamps (32 bits, wrapping); `clock_rate_hz` is the codec's RTP
    clock, which for G.722 is 8000. RFC 3550, section 6.4.1: J += (|D| − J) / 16, from 0.
    """
    if clock_rate_hz <= 0:
        raise ValueError(f"clock rate is {clock_rate_hz} Hz")
    jitter = 0.0
    running = [jitter] if timestamps else []
    packets = zip(timestamps, arrivals_s, strict=True)
    for (sent, arrived_s), (next_sent, next_arrived_s) in pairwise(packets):
        # The signed difference modulo 2^32 goes through a wrap in either direction.
        sending = ((next_sent - sent + 2**31) % 2**32) - 2**31
        difference = (next_arrived_s - arrived_s) * clock_rate_hz - sending
        jitter += (abs(difference) - jitter) / 16
        running.append(jitter)
    return tuple(running)


def interarrival_jitter(
    timestamps: Sequence[int], arrivals_s: Sequence[float], *, clock_rate_hz: int
) -> InterarrivalJitter | None:
    """Mean, maximum and last value of `running_jitter` in seconds; None below two packets."""
    running = running_jitter(timestamps, arrivals_s, clock_rate_hz=clock_rate_hz)[1:]
    if not running:
        return None
    return InterarrivalJitter(
        mean_s=sum(running) / len(running) / clock_rate_hz,
        max_s=max(running) / clock_rate_hz,
        last_s=running[-1] / clock_rate_hz,
        samples=len(running),
        clock_rate_hz=clock_rate_hz,
    )
