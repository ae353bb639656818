"""Whether packets alone prove a stream of RTP, where no signalling announced it.

Other protocols also have two fixed bits and a constant word. What they have not is a number that
counts packets beside a clock that keeps pace with arrivals, packet after packet.
"""

from dataclasses import dataclass

from nethealth.passive.rtp_payload import STATIC

PACKETS_MIN = 25  # half a second of speech
_PLAUSIBLE_MIN = 0.8  # of all steps from one packet to the next
_ONWARD_MIN = 0.5  # of all packets; the others may have been reordered
_RATE_TOLERANCE = 0.5  # of the time stamps against the clock on the wall, silence aside
_RATE_TOLERANCE_SHORT_S = 1.0
_DYNAMIC = range(96, 128)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was counted of a candidate."""

    packets: int  # duplicates not counted
    steps: int  # ahead of all packets before
    plausible: int  # by few numbers, the time stamp in pace with the arrival
    clock_hz: int
    media_s: float | None  # time stamps' span
    span_s: float  # arrivals' span
    payload_type: int
    payload_type_share: float  # of the commonest


def proves(evidence: Evidence) -> bool:
    """Whether this can hardly be anything else."""
    if evidence.packets < PACKETS_MIN or not evidence.clock_hz or evidence.media_s is None:
        return False
    if evidence.payload_type not in STATIC and evidence.payload_type not in _DYNAMIC:
        return False
    if evidence.payload_type_share < _PLAUSIBLE_MIN:
        return False
    if evidence.steps < _ONWARD_MIN * evidence.packets:
        return False
    if evidence.plausible < _PLAUSIBLE_MIN * evidence.steps:
        return False
    apart_s = abs(evidence.media_s - evidence.span_s)
    return evidence.media_s > 0 and apart_s <= max(
        _RATE_TOLERANCE * evidence.span_s, _RATE_TOLERANCE_SHORT_S
    )
