"""The records of a buffer found many at once, where a loop would go from each to the next.

All places that look like a record's beginning are found by comparing octets that do not change
from one record to the next. Where each of them leads to the next, the chain is proved; what only
looks like a beginning leads nowhere and is stepped over. The caller takes the record at which the
chain ends by itself, so that the scan may give up wherever it likes.
"""

from collections.abc import Callable, Mapping

import numpy as np

from nethealth.passive.columns import Flags, Ints, Octets

WINDOW_OCTETS = 1 << 20
_BREAKS_MAX = 64  # in a window; with more, somebody wrote what looks like records on purpose

Look = Callable[[Octets], Ints]  # where a record may begin, ascending
Lengths = Callable[[Octets, Ints], Ints]  # of the records at these places, header included


def chain(octets: Octets, end: int, look: Look, lengths: Lengths, room: int, most: int) -> Ints:
    """Offsets of whole records that follow one another from 0 on; there may be more behind.

    `room`: octets that `look` and `lengths` need behind a place. At most `most` records.
    """
    found: list[Ints] = []
    at, count = 0, 0
    while at + room <= end and count < most:
        stop = min(end, at + WINDOW_OCTETS)
        places = look(octets[at:stop]) + at
        places = places[places + room <= end]
        if not len(places) or places[0] != at:
            break
        following = places + lengths(octets, places)
        run, at = _follow(places, following, end)
        found.append(run)
        count += len(run)
        if stop - at >= room or stop == end:
            break  # the chain ended within the window
    return np.concatenate(found)[:most] if found else np.zeros(0, np.int64)


def _follow(places: Ints, following: Ints, end: int) -> tuple[Ints, int]:
    """The places that are reached from the first one, and where the next record would begin."""
    breaks = np.flatnonzero(following[:-1] != places[1:]).tolist()
    breaks.append(len(places) - 1)
    runs: list[Ints] = []
    index = 0
    for number, last in enumerate(breaks):
        if last < index:
            continue  # what looked like a record was stepped over
        runs.append(np.arange(index, last + 1))
        onward = int(following[last])
        index = int(np.searchsorted(places, onward))
        if number >= _BREAKS_MAX or index >= len(places) or places[index] != onward:
            break
    taken = np.concatenate(runs)
    whole = taken[following[taken] <= end]
    if not len(whole):
        return places[:0], int(places[0])
    return places[whole], int(following[whole[-1]])


def same_octets(wanted: Mapping[int, int]) -> Look:
    """Places at which the octets at these offsets have these values; the rarest stand first."""
    behind = max(wanted)
    (first, value), *others = wanted.items()

    def look(octets: Octets) -> Ints:
        count = len(octets) - behind
        if count <= 0:
            return np.zeros(0, np.int64)
        found = _places(octets[first : first + count] == value)
        for offset, same in others:
            found = found[octets[found + offset] == same]
        return found

    return look


def _places(mask: Flags) -> Ints:
    """As `flatnonzero` gives them; eight at a time are looked at first, since few are set."""
    whole = len(mask) // 8 * 8
    words = np.flatnonzero(mask[:whole].view(np.uint64) != 0)
    within = np.flatnonzero(mask[:whole].reshape(-1, 8)[words])
    found = words[within >> 3] * 8 + (within & 7)
    return np.concatenate([found, np.flatnonzero(mask[whole:]) + whole])
