"""Streams of RTP followed packet by packet, all of them at once (RFC 3550).

Rows come sorted by stream, each stream's in the order of arrival. Where a stream's numbers jump it
is numbered by the plain loop of `rtp_numbering`; all else is the same arithmetic on columns.
"""

from dataclasses import dataclass

import numpy as np

from nethealth.passive.columns import Flags, Ints
from nethealth.passive.rtp_holes import Holes, key
from nethealth.passive.rtp_numbering import MAX_DROPOUT, MAX_MISORDER, Before, Kind
from nethealth.passive.rtp_renumbering import Numbering, renumber
from nethealth.passive.rtp_rows import RtpRows
from nethealth.passive.rtp_state import StreamState
from nethealth.passive.rtp_variation import Variation
from nethealth.passive.segments import (
    Column,
    Floats,
    cumulated,
    greatest_before,
    lengths,
    shifted,
    smoothed,
)
from nethealth.quality.emodel import JITTER_BUFFER_S

STEP_PLAUSIBLE = 20  # packets that a stream may be expected to skip at once
BREAK_S = 60  # no network holds a packet so long: a clock was set, or time stamps began anew
TRANSIT_MAX_NS = (1 << 39) - 1
LATE_NS = int(JITTER_BUFFER_S * 1e9)


@dataclass(frozen=True, eq=False, slots=True)
class _Segments:
    """Sorted rows with where each stream's begin."""

    rows: RtpRows
    begins: Ints
    streams: Ints

    @classmethod
    def of(cls, rows: RtpRows) -> "_Segments":
        begins = np.flatnonzero(np.diff(rows.stream, prepend=-1))
        return cls(rows, begins, rows.stream[begins])

    @property
    def ends(self) -> Ints:
        """The last row of each."""
        return np.append(self.begins[1:], len(self.rows)) - 1

    def spread(self, values: Column) -> Column:
        """A value of each segment for each of its rows."""
        return np.repeat(values, lengths(self.begins, len(self.rows)))

    def total(self, values: Ints | Flags) -> Ints:
        return np.add.reduceat(values, self.begins, dtype=np.int64)


def begin(
    state: StreamState,
    variation: Variation,
    rows: RtpRows,
    *,
    clocks_hz: Ints,
    packet_ticks: Ints,
) -> None:
    """The streams of these sorted rows are new; each one's first row stands for its beginning."""
    segments = _Segments.of(rows)
    streams, first = segments.streams, rows.take(segments.begins)
    state.begun[streams] = True
    state.variation[streams] = variation.rows(len(streams))
    state.clock_hz[streams] = clocks_hz
    state.packet_ticks[streams] = packet_ticks
    state.first_ns[streams] = state.last_ns[streams] = first.time_ns
    # As if the number before had just come: the first packet is then like any other.
    state.sequence[streams] = (first.sequence - 1) & 0xFFFF
    state.timestamp[streams] = first.timestamp
    state.extended[streams] = state.highest[streams] = -1
    state.delta_min_ns[streams] = np.iinfo(np.int64).max


def follow(
    state: StreamState, holes: Holes, variation: Variation, rows: RtpRows, *, final: bool
) -> RtpRows:
    """Take these sorted rows of begun streams into the state; what is to come again is returned.

    That is a last packet whose number jumps: the next one will tell what to make of it.
    """
    segments = _Segments.of(rows)
    extended, kinds, again = _number(state, segments, final=final)
    kept = np.flatnonzero((kinds != Kind.STRAY) & ~again)
    if len(kept) < len(rows):
        stray = rows.stream[(kinds == Kind.STRAY) & ~again]
        np.add.at(state.strays, stray, 1)
        held = rows.take(again)
        segments = _Segments.of(rows.take(kept))
        extended, kinds = extended[kept], kinds[kept]
    else:
        held = rows.take(np.zeros(0, np.int64))
    if len(segments.rows):
        ahead, duplicate = _account(state, holes, segments, extended, kinds)
        _time(state, variation, segments, extended, kinds, ahead, duplicate)
    return held


def _number(state: StreamState, segments: _Segments, *, final: bool) -> tuple[Ints, Ints, Flags]:
    """Extended numbers, kinds, and which rows must wait."""
    rows, begins, streams = segments.rows, segments.begins, segments.streams
    before = shifted(rows.sequence, begins, state.sequence[streams])
    step = ((rows.sequence - before + 0x8000) & 0xFFFF) - 0x8000
    extended = cumulated(step, begins, state.extended[streams])
    kinds = np.zeros(len(rows), np.int64)
    again = np.zeros(len(rows), np.bool_)
    ahead = extended - greatest_before(extended, begins, state.highest[streams])
    jumps = (ahead > MAX_DROPOUT) | (ahead < -MAX_MISORDER)
    if not jumps.any():
        return extended, kinds, again
    sizes = lengths(begins, len(rows))
    for index in np.flatnonzero(segments.total(jumps)).tolist():
        first, last = int(begins[index]), int(begins[index] + sizes[index])
        part = slice(first, last)
        stream = int(streams[index])
        count = renumber(
            Before(
                int(state.extended[stream]), int(state.highest[stream]),
                int(state.sequence[stream]), int(state.timestamp[stream]),
                int(state.last_ns[stream]),
            ),
            Numbering(
                rows.sequence[part], rows.timestamp[part], rows.time_ns[part],
                extended[part], kinds[part],
            ),
            clock_hz=int(state.clock_hz[stream]),
            packet_ticks=int(state.packet_ticks[stream]),
            final=final,
        )  # fmt: skip
        again[first + count : last] = True
    return extended, kinds, again


def _account(
    state: StreamState, holes: Holes, segments: _Segments, extended: Ints, kinds: Ints
) -> tuple[Ints, Flags]:
    """Received, lost, duplicated, reordered.

    By how much each row went ahead of all before, and which came before already.
    """
    rows, streams = segments.rows, segments.streams
    highest = greatest_before(extended, segments.begins, state.highest[streams])
    in_order = extended > highest
    opening = np.flatnonzero(extended - highest > 1)
    stream = rows.stream
    holes.open(key(stream[opening], highest[opening] + 1), key(stream[opening], extended[opening]))
    holes.progress.note(stream[in_order], rows.time_ns[in_order], extended[in_order])
    late = np.flatnonzero(~in_order)
    first_arrival = np.zeros(len(rows), np.bool_)
    if len(late):
        for row in late[extended[late] < state.lowest[stream[late]]].tolist():
            _before_the_first(state, holes, int(stream[row]), int(extended[row]))
        keys = key(stream[late], extended[late])
        came, place = np.unique(keys, return_index=True)
        wanted = holes.missing(came)
        first_arrival[late[place[wanted]]] = True
        holes.close(came[wanted])
    duplicate = ~in_order & ~first_arrival
    state.received[streams] += lengths(segments.begins, len(rows))
    state.duplicated[streams] += segments.total(duplicate)
    state.reordered[streams] += segments.total(first_arrival)
    state.restarts[streams] += segments.total(kinds == Kind.RESTART)
    state.octets[streams] += segments.total(rows.octets)
    reached = np.maximum.reduceat(extended, segments.begins)
    state.highest[streams] = np.maximum(state.highest[streams], reached)
    state.sequence[streams] = rows.sequence[segments.ends]
    return extended - highest, duplicate


def _before_the_first(state: StreamState, holes: Holes, stream: int, extended: int) -> None:
    """A packet from before the first one that came: all from it on were to be expected.

    It and those between are missing for the moment; then it arrives like any late one.
    """
    lowest = int(state.lowest[stream])
    if extended < lowest:
        bounds = np.array([extended, lowest])
        begin_end = key(np.full(2, stream), bounds)
        holes.open(begin_end[:1], begin_end[1:])
        state.lowest[stream] = extended


def _time(
    state: StreamState,
    variation: Variation,
    segments: _Segments,
    extended: Ints,
    kinds: Ints,
    ahead: Ints,
    duplicate: Flags,
) -> None:
    """Jitter, deltas, silence, transit, and how plausible the steps are."""
    rows, begins, streams = segments.rows, segments.begins, segments.streams
    clock = segments.spread(state.clock_hz[streams])
    elapsed = rows.time_ns - shifted(rows.time_ns, begins, state.last_ns[streams])
    before = shifted(rows.timestamp, begins, state.timestamp[streams])
    ticks = ((rows.timestamp - before + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
    step = extended - shifted(extended, begins, state.extended[streams])
    fresh = state.received[streams] == lengths(begins, len(rows))  # streams that begin here
    heads = begins[fresh]
    known: Flags = clock > 0
    arrived = elapsed * np.maximum(clock, 1) / 1e9
    broken = (kinds == Kind.RESTART) | ~known
    difference = np.abs(arrived - ticks)
    broken |= difference > BREAK_S * clock
    _jitter(state, segments, difference, broken, fresh)
    ticks = np.where(broken, np.where(known, arrived, ticks).astype(np.int64), ticks)
    media = cumulated(ticks, begins, state.media_ticks[streams])
    _deltas(state, segments, elapsed, heads)
    _silences(state, segments, ticks, (step == 1) & ~broken)
    _transit(state, variation, segments, media, clock, duplicate)
    onward = ahead > 0
    onward[heads] = False
    plausible = onward & (ahead <= STEP_PLAUSIBLE) & (difference <= clock // 2) & ~broken
    state.steps[streams] += segments.total(onward)
    state.plausible[streams] += segments.total(plausible)
    state.broken[streams] += segments.total(broken & known)
    state.last_ns[streams] = rows.time_ns[segments.ends]
    state.timestamp[streams] = rows.timestamp[segments.ends]
    state.extended[streams] = extended[segments.ends]
    state.media_ticks[streams] = media[segments.ends]


def _jitter(
    state: StreamState, segments: _Segments, difference: Floats, broken: Flags, fresh: Flags
) -> None:
    """RFC 3550 section 6.4.1 over all packets in the order of arrival.

    A broken step leaves the estimate as it was; a stream of unknown clock has none.
    """
    streams, begins = segments.streams, segments.begins
    start = state.jitter[streams]
    if not broken.any():
        running = smoothed(difference, begins, start)
    else:
        sound = np.flatnonzero(~broken)
        counts = segments.total(~broken)
        some = np.flatnonzero(counts)
        running = segments.spread(start)
        if len(sound):
            inside = np.cumsum(counts[some]) - counts[some]
            values = smoothed(difference[sound], inside, start[some])
            # The value of the last sound row at or before each row of the segment.
            upto = np.cumsum(~broken)
            own = upto - segments.spread(upto[begins] - ~broken[begins])
            running = np.where(own > 0, values[np.maximum(upto - 1, 0)], running)
    known = state.clock_hz[streams] > 0
    state.jitter[streams] = running[segments.ends]
    state.jitter_sum[streams] += np.add.reduceat(running, begins)
    state.jitter_max[streams] = np.maximum(
        state.jitter_max[streams], np.maximum.reduceat(running, begins)
    )
    # A first packet's 0 does not enter the mean.
    count = lengths(begins, len(segments.rows)) - fresh
    state.jittered[streams] += np.where(known, count, 0)


def _deltas(state: StreamState, segments: _Segments, elapsed: Ints, heads: Ints) -> None:
    least, most = elapsed.copy(), elapsed.copy()
    least[heads] = np.iinfo(np.int64).max  # a first packet has none before it
    most[heads] = 0
    streams, begins = segments.streams, segments.begins
    state.delta_min_ns[streams] = np.minimum(
        state.delta_min_ns[streams], np.minimum.reduceat(least, begins)
    )
    state.delta_max_ns[streams] = np.maximum(
        state.delta_max_ns[streams], np.maximum.reduceat(most, begins)
    )


def _silences(state: StreamState, segments: _Segments, ticks: Ints, following: Flags) -> None:
    """Time stamps that jump where no number is missing: nothing was said, nothing was lost."""
    usual = segments.spread(state.packet_ticks[segments.streams])
    marker = segments.rows.second >= 0x80
    # Without a marker a step of twice the usual may be a longer packet.
    silent = following & (usual > 0) & (ticks > np.where(marker, usual * 3 // 2, usual * 5 // 2))
    if silent.any():
        state.silences[segments.streams] += segments.total(silent)
        state.silence_ticks[segments.streams] += segments.total(np.where(silent, ticks - usual, 0))


def _transit(
    state: StreamState,
    variation: Variation,
    segments: _Segments,
    media: Ints,
    clock: Ints,
    duplicate: Flags,
) -> None:
    """How long each packet took beyond the first: what missed the buffer, and the clocks' drift."""
    streams, begins = segments.streams, segments.begins
    since = segments.rows.time_ns - segments.spread(state.first_ns[streams])
    transit = since - np.rint(media / np.maximum(clock, 1) * 1e9).astype(np.int64)
    transit = np.minimum(np.maximum(transit, -TRANSIT_MAX_NS), TRANSIT_MAX_NS)
    quickest = -greatest_before(-transit, begins, -state.quickest_ns[streams])
    above = transit - np.minimum(quickest, transit)
    late = above > LATE_NS
    counted = ~duplicate & (clock > 0)
    variation.add(state.variation[streams], begins, above, counted)
    state.late[streams] += segments.total(late & ~duplicate)
    state.quickest_ns[streams] = np.minimum(
        state.quickest_ns[streams], np.minimum.reduceat(transit, begins)
    )
    _fit(state, segments, np.flatnonzero(counted & (segments.rows.sequence & 7 == 0)), transit)


def _fit(state: StreamState, segments: _Segments, some: Ints, transit: Ints) -> None:
    """Sums for a straight line through transit over time; one packet in eight is enough."""
    streams = segments.rows.stream[some]
    count = len(state)
    x = (segments.rows.time_ns[some] - state.first_ns[streams]) / 1e9
    y = transit[some] / 1e9
    state.fit_n += np.bincount(streams, minlength=count)
    state.fit_x += np.bincount(streams, x, count)
    state.fit_y += np.bincount(streams, y, count)
    state.fit_xx += np.bincount(streams, x * x, count)
    state.fit_xy += np.bincount(streams, x * y, count)
    state.fit_yy += np.bincount(streams, y * y, count)
