"""Sequence numbers of a stream that jumps, many packets at once wherever it does not.

The packets at a jump are numbered one by one by `rtp_numbering`; those behind it go on from there
by the same arithmetic as those before it.
"""

from dataclasses import dataclass, replace

import numpy as np

from nethealth.passive.columns import Ints
from nethealth.passive.rtp_numbering import MAX_DROPOUT, MAX_MISORDER, Before, Kind, numbered

_ONE_BY_ONE = 64  # packets from a jump on; twice as many at each further one


@dataclass(frozen=True, eq=False, slots=True)
class Numbering:
    """One stream's packets in the order of arrival; `extended` and `kinds` are to be filled."""

    sequence: Ints
    timestamp: Ints
    time_ns: Ints
    extended: Ints
    kinds: Ints


def renumber(
    before: Before, rows: Numbering, *, clock_hz: int, packet_ticks: int, final: bool
) -> int:
    """Fill in the numbers, as `numbered` gives them for all packets; how many it did.

    `extended` holds what the packets have without any jump, and `kinds` zeros.
    """
    count, at, some = len(rows.sequence), 0, _ONE_BY_ONE
    while at < count:
        ahead = rows.extended[at:] - _highest_before(rows.extended[at:], before.highest)
        jumps = np.flatnonzero((ahead > MAX_DROPOUT) | (ahead < -MAX_MISORDER))
        if not len(jumps):
            return count
        jump = at + int(jumps[0])
        if jump > at:
            before = _behind(before, rows, np.arange(at, jump))
        stop = min(jump + some, count)
        found = numbered(
            before,
            rows.sequence[jump:stop].tolist(),
            rows.timestamp[jump:stop].tolist(),
            rows.time_ns[jump:stop].tolist(),
            clock_hz=clock_hz,
            packet_ticks=packet_ticks,
            final=final and stop == count,
        )
        at = jump + len(found.extended)
        rows.extended[jump:at], rows.kinds[jump:at] = found.extended, found.kinds
        if stop == count:
            return at
        # One that its stream has nothing to do with changes nothing for those behind it.
        told = jump + np.flatnonzero(rows.kinds[jump:at] != Kind.STRAY)
        before = _behind(before, rows, told)
        step = np.diff(rows.sequence[at:], prepend=before.sequence)
        rows.extended[at:] = before.extended + np.cumsum(((step + 0x8000) & 0xFFFF) - 0x8000)
        some *= 2
    return count


def _highest_before(extended: Ints, highest: int) -> Ints:
    reached: Ints = np.maximum.accumulate(np.concatenate([[highest], extended[:-1]]))
    return reached


def _behind(before: Before, rows: Numbering, told: Ints) -> Before:
    """Where the numbering stands behind these packets."""
    if not len(told):
        return before
    last = int(told[-1])
    return replace(
        before,
        extended=int(rows.extended[last]),
        highest=max(before.highest, int(rows.extended[told].max())),
        sequence=int(rows.sequence[last]),
        timestamp=int(rows.timestamp[last]),
        time_ns=int(rows.time_ns[last]),
    )
