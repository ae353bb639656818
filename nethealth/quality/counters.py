"""Two raw readings of a counter to a rate, or to the reason why there is none.

A counter of 32 bits that counts the octets of a link of 1 Gb/s wraps every 34.4 s, and a restart
sets every counter to zero: a difference alone is no rate (RFC 2578 section 7.1.6, RFC 2863
section 3.1.6). What cannot be told from a wrap or a reset is none, rather than a wild number.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Literal

UPTIME_WRAP_S = 2**32 / 100  # sysUpTime counts hundredths in 32 bits: 497 days
MINIMUM_FRAME_BITS = 672  # 64 octets, preamble and gap on the wire of Ethernet
REFRESH_S = 15.0  # a device may renew its counters only so often, all of it at once
_DRIFT = 0.01  # between the device's clock and ours
_DRIFT_S = 3.0  # and how late an answer may be


class NoRate(StrEnum):
    """Why two readings give no rate; the value is for a person to read."""

    NOT_A_COUNTER = "a value that no counter of this width can have"
    NO_INTERVAL = "no time passed between the readings"
    RESTARTED = "the device restarted in between"
    DISCONTINUITY = "the device says that the counter was interrupted in between"
    CLOCKS_DISAGREE = "the device's uptime and our clock disagree about the time in between"
    RESET = "the counter went down, and not by a wrap"
    MAY_WRAP_TWICE = "so long an interval that a counter of 32 bits may have wrapped more than once"
    FASTER_THAN_LINK = "more than the link can carry"


@dataclass(frozen=True, slots=True)
class Reading:
    """A counter as it was read: at `taken_s` of any clock that both readings share.

    `uptime_s` is sysUpTime of the same answer, `discontinuity_s` ifCounterDiscontinuityTime, which
    is a value of sysUpTime too; null where the device did not say.
    """

    value: int
    taken_s: float
    uptime_s: float | None = None
    discontinuity_s: float | None = None
    bits: Literal[32, 64] = 64


@dataclass(frozen=True, slots=True)
class Rate:
    """What was counted in between, and how much of it in a second."""

    per_s: float
    increase: int
    interval_s: float  # by the device's own clock where it told it
    wrapped: bool


def octets_most_per_s(speed_bps: float) -> float:
    """How fast a counter of octets can run on a link of this speed."""
    return speed_bps / 8


def frames_most_per_s(speed_bps: float) -> float:
    """How fast a counter of frames, or of errors of frames, can run on Ethernet of this speed."""
    return speed_bps / MINIMUM_FRAME_BITS


def rate(earlier: Reading, later: Reading, *, most_per_s: float | None) -> Rate | NoRate:
    """The rate between two readings, or why there is none.

    `most_per_s`: how fast this counter can run at all, null where that is not known. A counter of
    32 bits that went down is then never taken for one that wrapped.
    """
    top = 1 << later.bits
    if earlier.bits != later.bits or not all(0 <= each.value < top for each in (earlier, later)):
        return NoRate.NOT_A_COUNTER
    elapsed_s = _elapsed_s(earlier, later)
    if isinstance(elapsed_s, NoRate):
        return elapsed_s
    if earlier.discontinuity_s != later.discontinuity_s:
        return NoRate.DISCONTINUITY
    if later.bits == 32 and most_per_s is not None and most_per_s * elapsed_s >= top:
        return NoRate.MAY_WRAP_TWICE
    increase = later.value - earlier.value
    wrapped = increase < 0
    if wrapped:
        if later.bits == 64 or most_per_s is None:
            return NoRate.RESET
        increase += top
    # In one refresh a device may hand over what it counted before the interval began.
    if most_per_s is not None and increase > most_per_s * (elapsed_s + REFRESH_S):
        return NoRate.RESET if wrapped else NoRate.FASTER_THAN_LINK
    return Rate(increase / elapsed_s, increase, elapsed_s, wrapped)


def restarted(earlier: Reading, later: Reading) -> bool | None:
    """Whether the device began anew between the readings; None where it does not say."""
    if earlier.uptime_s is None or later.uptime_s is None:
        return None
    return _elapsed_s(earlier, later) is NoRate.RESTARTED


def _elapsed_s(earlier: Reading, later: Reading) -> float | NoRate:
    ours_s = later.taken_s - earlier.taken_s
    if not isfinite(ours_s) or ours_s <= 0:
        return NoRate.NO_INTERVAL
    if earlier.uptime_s is None or later.uptime_s is None:
        return ours_s
    theirs_s = later.uptime_s - earlier.uptime_s
    if not isfinite(theirs_s):
        return NoRate.CLOCKS_DISAGREE
    slack_s = _DRIFT_S + _DRIFT * ours_s
    if theirs_s < 0 and abs(theirs_s + UPTIME_WRAP_S - ours_s) <= slack_s:
        theirs_s += UPTIME_WRAP_S
    # Of a restart there are two signs: the uptime went back, or it grew by less than the time
    # that passed, as where a device starts again soon after it was first asked.
    if theirs_s < 0 or ours_s - theirs_s > slack_s:
        return NoRate.RESTARTED
    if theirs_s - ours_s > slack_s:
        return NoRate.CLOCKS_DISAGREE
    return theirs_s if theirs_s > 0 else NoRate.NO_INTERVAL
