"""The loop that follows RTP packet by packet, as `rtp_follow` does it by columns.

Each function is plain Python over arrays and may be run as such. What is rare and needs more than
arithmetic (a stream that begins, a packet from before its first) is left, with all that follows it
in its stream, to the columns.
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from nethealth.passive import rtp_state
from nethealth.passive.columns import Flags, Ints
from nethealth.passive.compiled_octets import OPTIONS, WITHIN
from nethealth.passive.rtp_follow import BREAK_S, LATE_NS, STEP_PLAUSIBLE, TRANSIT_MAX_NS
from nethealth.passive.rtp_holes import BIAS, STREAM_SHIFT
from nethealth.passive.rtp_numbering import (
    MAX_DROPOUT,
    MAX_MISORDER,
    OUTAGE_MAX_S,
    OUTAGE_TOLERANCE_S,
)
from nethealth.passive.rtp_progress import BIN_SHIFT
from nethealth.passive.rtp_variation import BASE, BINS, FRACTION_BITS

_COLUMN = {name: place for place, name in enumerate(rtp_state.COLUMNS)}
CLOCK_HZ, PACKET_TICKS = _COLUMN["clock_hz"], _COLUMN["packet_ticks"]
FIRST_NS, LAST_NS = _COLUMN["first_ns"], _COLUMN["last_ns"]
SEQUENCE, TIMESTAMP = _COLUMN["sequence"], _COLUMN["timestamp"]
EXTENDED, MEDIA_TICKS = _COLUMN["extended"], _COLUMN["media_ticks"]
HIGHEST, LOWEST = _COLUMN["highest"], _COLUMN["lowest"]
RECEIVED, DUPLICATED, REORDERED = _COLUMN["received"], _COLUMN["duplicated"], _COLUMN["reordered"]
JITTER, JITTER_SUM, JITTER_MAX = _COLUMN["jitter"], _COLUMN["jitter_sum"], _COLUMN["jitter_max"]
JITTERED = _COLUMN["jittered"]
DELTA_MIN_NS, DELTA_MAX_NS = _COLUMN["delta_min_ns"], _COLUMN["delta_max_ns"]
SILENCES, SILENCE_TICKS = _COLUMN["silences"], _COLUMN["silence_ticks"]
QUICKEST_NS, LATE, VARIATION = _COLUMN["quickest_ns"], _COLUMN["late"], _COLUMN["variation"]
FIT_N, FIT_X, FIT_Y = _COLUMN["fit_n"], _COLUMN["fit_x"], _COLUMN["fit_y"]
FIT_XX, FIT_XY, FIT_YY = _COLUMN["fit_xx"], _COLUMN["fit_xy"], _COLUMN["fit_yy"]
STEPS, PLAUSIBLE, OCTETS = _COLUMN["steps"], _COLUMN["plausible"], _COLUMN["octets"]
BROKEN, RESTARTS, STRAYS = _COLUMN["broken"], _COLUMN["restarts"], _COLUMN["strays"]
_FARTHEST_NS = np.int64(TRANSIT_MAX_NS)
_LONG_AGO_NS = -(1 << 62)
_LOOKS_MOST = 2_000_000  # at holes of this run; beyond, somebody made so many on purpose


def _is_missing(key: int, hole_begin: Ints, hole_end: Ints, opened: Ints, closed: Ints) -> bool:
    """Whether a late packet fills a hole: one of before, or of this run, and not yet filled."""
    for other in closed:
        if other == key:
            return False
    low, high = 0, len(hole_begin)
    while low < high:
        middle = (low + high) // 2
        if hole_begin[middle] <= key:
            low = middle + 1
        else:
            high = middle
    if low > 0 and key < hole_end[low - 1]:
        return True
    found = False
    for place in range(opened.shape[1]):
        found |= opened[0, place] <= key < opened[1, place]
    return found


def _pace(
    table: Ints, floats: npt.NDArray[np.float64], one: int, step: int, ticks: int, elapsed: int,
    difference: float, marks: int, broken: bool,
) -> None:  # fmt: skip
    """Jitter (RFC 3550 section 6.4.1), deltas, and silence in which no number is missing."""
    if not broken:
        floats[one, JITTER] = floats[one, JITTER] * (15 / 16) + difference * (1 / 16)
    floats[one, JITTER_SUM] += floats[one, JITTER]
    floats[one, JITTER_MAX] = max(floats[one, JITTER_MAX], floats[one, JITTER])
    table[one, JITTERED] += 1
    table[one, BROKEN] += broken
    table[one, DELTA_MIN_NS] = min(elapsed, table[one, DELTA_MIN_NS])
    table[one, DELTA_MAX_NS] = max(elapsed, table[one, DELTA_MAX_NS])
    usual = table[one, PACKET_TICKS]
    if step == 1 and usual > 0 and not broken:
        most = usual * 3 // 2 if marks & 0xFFFF >= 0x80 else usual * 5 // 2
        if ticks > most:
            table[one, SILENCES] += 1
            table[one, SILENCE_TICKS] += ticks - usual


def _transit(
    table: Ints, floats: npt.NDArray[np.float64], one: int, since: int, sampled: bool,
    duplicate: bool, histograms: Ints, real: npt.NDArray[np.float64], bits: Ints,
) -> None:  # fmt: skip
    """How long a packet took beyond the first, `since` which it came."""
    transit = since - np.int64(np.rint(table[one, MEDIA_TICKS] / table[one, CLOCK_HZ] * 1e9))
    transit = min(max(transit, -_FARTHEST_NS), _FARTHEST_NS)
    above = transit - min(table[one, QUICKEST_NS], transit)
    table[one, QUICKEST_NS] = min(table[one, QUICKEST_NS], transit)
    if duplicate:
        return
    if above > LATE_NS:
        table[one, LATE] += 1
    real[0] = max(above, 1)
    exponent = (bits[0] >> FRACTION_BITS) - BASE + 1
    histograms[table[one, VARIATION], min(max(exponent, 0), BINS - 1)] += 1
    if sampled:
        x, y = since / 1e9, transit / 1e9
        floats[one, FIT_N] += 1
        floats[one, FIT_X] += x
        floats[one, FIT_Y] += y
        floats[one, FIT_XX] += x * x
        floats[one, FIT_XY] += x * y
        floats[one, FIT_YY] += y * y


def _account(
    table: Ints, one: int, ahead: int, extended: int, fills: bool, plausible: bool
) -> None:
    """Received, reordered, duplicated; and how plausible the steps are."""
    table[one, RECEIVED] += 1
    if ahead > 0:
        table[one, HIGHEST] = extended
        table[one, STEPS] += 1
        table[one, PLAUSIBLE] += plausible
    elif fills:
        table[one, REORDERED] += 1
    else:
        table[one, DUPLICATED] += 1


def _behind_jump(table: Ints, one: int, number: int, stamp: int, time_ns: int) -> tuple[int, bool]:
    """The extended number of a packet whose jump counts, and whether its sender began again.

    As `rtp_numbering` tells the one from the other.
    """
    ticks = (stamp - table[one, TIMESTAMP]) & 0xFFFFFFFF
    clock, usual = table[one, CLOCK_HZ], table[one, PACKET_TICKS]
    if clock > 0 and usual > 0 and ticks % usual == 0:
        seconds, passed = ticks / clock, ticks // usual
        near = abs(seconds - (time_ns - table[one, LAST_NS]) / 1e9) <= OUTAGE_TOLERANCE_S
        same = (passed - (number - table[one, SEQUENCE])) & 0xFFFF == 0
        if seconds <= OUTAGE_MAX_S and near and same:
            return table[one, EXTENDED] + passed, False
    return table[one, HIGHEST] + 1, True


def _leave(left: Flags, jumped: Ints) -> None:
    """Rows whose jump no row has followed yet."""
    for row in jumped:
        if row >= 0:
            left[row] = True


account: Any = numba.njit(_account, **WITHIN)
behind_jump: Any = numba.njit(_behind_jump, **OPTIONS)
is_missing: Any = numba.njit(_is_missing, **OPTIONS)
leave: Any = numba.njit(_leave, **OPTIONS)
pace: Any = numba.njit(_pace, **WITHIN)
transit: Any = numba.njit(_transit, **WITHIN)


def _arrive(
    table: Ints, floats: npt.NDArray[np.float64], one: int, extended: int, fills: bool,
    restart: bool, time_ns: int, sequence_timestamp: int, marks: int, histograms: Ints,
    real: npt.NDArray[np.float64], bits: Ints,
) -> None:  # fmt: skip
    """One packet into its stream's state. `fills`: it is late, and was missing until now."""
    clock, number = table[one, CLOCK_HZ], sequence_timestamp >> 32
    stamp, elapsed = sequence_timestamp & 0xFFFFFFFF, time_ns - table[one, LAST_NS]
    ticks = ((stamp - table[one, TIMESTAMP] + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
    arrived = elapsed * clock / 1e9
    difference = abs(arrived - ticks)
    broken = restart or difference > BREAK_S * clock
    if broken:
        ticks = np.int64(arrived)
    ahead = extended - table[one, HIGHEST]
    plausible = ahead <= STEP_PLAUSIBLE and difference <= clock // 2 and not broken
    account(table, one, ahead, extended, fills, plausible)
    table[one, RESTARTS] += restart
    table[one, OCTETS] += marks >> 48 & 0xFFFF
    pace(
        table,
        floats,
        one,
        extended - table[one, EXTENDED],
        ticks,
        elapsed,
        difference,
        marks,
        broken,
    )
    table[one, MEDIA_TICKS] += ticks
    since, duplicate = time_ns - table[one, FIRST_NS], ahead <= 0 and not fills
    transit(table, floats, one, since, number & 7 == 0, duplicate, histograms, real, bits)
    table[one, LAST_NS], table[one, SEQUENCE], table[one, TIMESTAMP] = time_ns, number, stamp
    table[one, EXTENDED] = extended


arrive: Any = numba.njit(_arrive, **WITHIN)


def follow(  # noqa: PLR0915 - one loop: what it calls is put into it whole by the compiler
    stream: Ints, time_ns: Ints, sequence_timestamp: Ints, marks: Ints, left_streams: Flags,
    table: Ints, floats: npt.NDArray[np.float64], histograms: Ints, hole_begin: Ints,
    hole_end: Ints, bin_ns: int, left: Flags, opened: Ints, closed: Ints, noted: Ints,
    of_stream: Ints, real: npt.NDArray[np.float64], bits: Ints, counts: Ints,
) -> None:  # fmt: skip
    """Take rows in the order of arrival into `table` (`floats` is the same memory).

    `left_streams`: whose rows are all left; more may join them. Written are `left`: which rows
    were; and as many as `counts` says of the keys of holes that `opened` (from, to), those of late
    packets that `closed` them, and of the progress of streams as it was `noted` (keys and numbers),
    as `Holes` and `Progress` take them. `of_stream`: three rows of room, a place for each stream;
    `real` and `bits`: one place in the same memory.
    """
    count = len(stream)
    # By stream: when the bin began that its progress was noted in last, and where; and the row
    # that jumped, which the next one must follow.
    bin_begin, noted_at, jumped = of_stream[0], of_stream[1], of_stream[2]
    bin_begin[:], jumped[:] = _LONG_AGO_NS, -1
    left[:] = False
    opened_count, closed_count, noted_count, looks, row = 0, 0, 0, 0, 0
    while row < count:
        one = stream[row]
        if left_streams[one]:
            left[row] = True
            row += 1
            continue
        number = sequence_timestamp[row] >> 32
        extended = (
            table[one, EXTENDED] + ((number - table[one, SEQUENCE] + 0x8000) & 0xFFFF) - 0x8000
        )
        ahead, restart, goes_on = extended - table[one, HIGHEST], False, row + 1
        if jumped[one] >= 0:
            # Whether the jump before counts shows in this row, which comes again after it.
            before, goes_on, jumped[one] = jumped[one], row, -1
            told = sequence_timestamp[before] >> 32
            if (number - told) & 0xFFFF != 1:
                table[one, STRAYS] += 1
                continue
            row = before
            stamp = sequence_timestamp[row] & 0xFFFFFFFF
            extended, restart = behind_jump(table, one, told, stamp, time_ns[row])
            ahead = extended - table[one, HIGHEST]
        elif ahead > MAX_DROPOUT or ahead < -MAX_MISORDER:
            jumped[one] = row
            row += 1
            continue
        fills, key = False, (one << STREAM_SHIFT) + extended + BIAS
        if ahead <= 0:
            looks += opened_count + closed_count
            if extended < table[one, LOWEST] or looks > _LOOKS_MOST:
                left_streams[one] = True
                continue
            fills = is_missing(
                key, hole_begin, hole_end, opened[:, :opened_count], closed[:closed_count]
            )
        if ahead > 1:
            opened[0, opened_count], opened[1, opened_count] = key - ahead + 1, key
            opened_count += 1
        if ahead > 0:
            if not 0 <= time_ns[row] - bin_begin[one] < bin_ns:
                bin_begin[one] = time_ns[row] // bin_ns * bin_ns
                noted[0, noted_count] = (one << BIN_SHIFT) + time_ns[row] // bin_ns
                noted_at[one] = noted_count
                noted_count += 1
            noted[1, noted_at[one]] = extended
        elif fills:
            closed[closed_count] = key
            closed_count += 1
        arrive(
            table, floats, one, extended, fills, restart, time_ns[row], sequence_timestamp[row],
            marks[row], histograms, real, bits,
        )  # fmt: skip
        row = goes_on
    leave(left, jumped)
    counts[0], counts[1], counts[2] = opened_count, closed_count, noted_count
