"""Numbers out of octets, many packets at once.

Every gather reads beyond the offsets it is given without looking: a buffer of packets therefore
ends in `SLACK` octets that belong to none, and what was read past a packet's end is for the caller
to mask.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Octets = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

SLACK = 128  # octets: more than any fixed header that is read at one go


_ROW = 48  # octets; numpy copies rows of this and longer by memcpy, shorter ones item by item


def rows_at(octets: Octets, at: Ints) -> Octets:
    """The 48 octets from each offset on, one row each: a header at one go."""
    # A view whose rows begin one octet apart, so that an offset is an index.
    overlapping = np.ndarray(len(octets) - _ROW + 1, f"V{_ROW}", octets, strides=(1,))
    return overlapping[at].view(np.uint8).reshape(-1, _ROW)


def field16(rows: Octets, at: int) -> Ints:
    """The 16 bits at an offset of every row."""
    return rows[:, at : at + 2].view(">u2")[:, 0].astype(np.int64)


def field32(rows: Octets, at: int) -> Ints:
    return rows[:, at : at + 4].view(">u4")[:, 0].astype(np.int64)


def field48(rows: Octets, at: int) -> Keys:
    return (field16(rows, at) << 32 | field32(rows, at + 2)).astype(np.uint64)


def distinct(values: Ints) -> Ints:
    """The values that occur, ascending.

    numpy's own `unique` with no index asked for loads its masked arrays: 30 ms at the start.
    """
    ordered = np.sort(values)
    return ordered[np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))]


def among(values: Ints, wanted: Iterable[int]) -> Flags:
    """Whether each value is one of these few; numpy's `isin` loads its masked arrays too."""
    found = np.zeros(len(values), np.bool_)
    for value in wanted:
        found |= values == value
    return found


def u8(octets: Octets, at: Ints) -> Ints:
    return octets[at].astype(np.int64)


def u16(octets: Octets, at: Ints) -> Ints:
    return u8(octets, at) << 8 | octets[at + 1]


def u24(octets: Octets, at: Ints) -> Ints:
    return u16(octets, at) << 8 | octets[at + 2]


def u32(octets: Octets, at: Ints) -> Ints:
    return u16(octets, at) << 16 | u16(octets, at + 2)


def u48(octets: Octets, at: Ints) -> Keys:
    return (u16(octets, at) << 32 | u32(octets, at + 2)).astype(np.uint64)


def u64(octets: Octets, at: Ints) -> Keys:
    high = u32(octets, at).astype(np.uint64)
    return high << np.uint64(32) | u32(octets, at + 4).astype(np.uint64)


MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))


def mixed(*columns: npt.NDArray[np.integer]) -> Keys:
    """One key for a row of several columns, to group by: equal rows have equal keys.

    Two different rows share a key by chance once in 2^64; whoever needs certainty compares the
    columns of the rows grouped.
    """
    key = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        key ^= column.astype(np.uint64)
        key *= MIX[0]
        key ^= key >> np.uint64(32)
        key *= MIX[1]
        key ^= key >> np.uint64(29)
    return key
