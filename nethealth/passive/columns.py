"""Numbers out of octets, many packets at once.

Every gather reads beyond the offsets it is given without looking: a buffer of packets therefore
ends in `SLACK` octets that belong to none, and what was read past a packet's end is for the caller
to mask.
"""

import numpy as np
import numpy.typing as npt

Octets = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

SLACK = 128  # octets: more than any fixed header that is read at one go


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


_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))


def mixed(*columns: npt.NDArray[np.integer]) -> Keys:
    """One key for a row of several columns, to group by: equal rows have equal keys.

    Two different rows share a key by chance once in 2^64; whoever needs certainty compares the
    columns of the rows grouped.
    """
    key = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        key ^= column.astype(np.uint64)
        key *= _MIX[0]
        key ^= key >> np.uint64(32)
        key *= _MIX[1]
        key ^= key >> np.uint64(29)
    return key
