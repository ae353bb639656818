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


_PLACE_BITS = 16
_PLACES = np.uint64((1 << _PLACE_BITS) - 1)
_ROW = 48  # octets; numpy copies rows of this and longer by memcpy, shorter ones item by item


def rows_at(octets: Octets, at: Ints, row: int = _ROW) -> Octets:
    """The 48 octets from each offset on, or more, one row each: a header at one go."""
    # A view whose rows begin one octet apart, so that an offset is an index.
    overlapping = np.ndarray(len(octets) - row + 1, f"V{row}", octets, strides=(1,))
    return overlapping[at].view(np.uint8).reshape(-1, row)


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


def stable_order(keys: Keys) -> Ints:
    """As a stable `argsort`, in a third of its time for the rows of a run.

    One sort of keys whose low bits are their places; where two keys are alike but for these bits it
    may fail, which shows.
    """
    if len(keys) > 1 << _PLACE_BITS:
        return np.argsort(keys, kind="stable")
    places = np.arange(len(keys), dtype=np.uint64)
    order: Ints = (np.sort(keys & ~_PLACES | places) & _PLACES).astype(np.int64)
    ordered = keys[order]
    if (ordered[1:] < ordered[:-1]).any():
        return np.argsort(keys, kind="stable")
    return order


def among(values: Ints, wanted: Iterable[int]) -> Flags:
    """Whether each value is one of these few; numpy's `isin` loads its masked arrays too."""
    found = np.zeros(len(values), np.bool_)
    for value in wanted:
        found |= values == value
    return found


def u8(octets: Octets, at: Ints) -> Ints:
    return octets[at].astype(np.int64)


def u16(octets: Octets, at: Ints) -> Ints:
    return _numbers(octets, at, ">u2")


def u24(octets: Octets, at: Ints) -> Ints:
    return u16(octets, at) << 8 | octets[at + 2]


def u32(octets: Octets, at: Ints) -> Ints:
    return _numbers(octets, at, ">u4")


def u48(octets: Octets, at: Ints) -> Keys:
    return (u16(octets, at) << 32 | u32(octets, at + 2)).astype(np.uint64)


def u64(octets: Octets, at: Ints) -> Keys:
    high = u32(octets, at).astype(np.uint64)
    return high << np.uint64(32) | u32(octets, at + 4).astype(np.uint64)


def _numbers(octets: Octets, at: Ints, kind: str) -> Ints:
    """As `rows_at` looks at octets: numbers that begin one octet apart."""
    size = np.dtype(kind).itemsize
    overlapping: npt.NDArray[np.integer] = np.ndarray(
        max(len(octets) - size + 1, 0), kind, octets, strides=(1,)
    )
    return overlapping[at].astype(np.int64)


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
