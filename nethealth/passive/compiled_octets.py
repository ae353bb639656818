"""Numbers out of octets at one place, for compiled loops, which call these functions.

Octets are put together one by one in an order in which the compiler makes one load of them; places
are unsigned, so that it need not look for negative ones, which would count from the end.
"""

from typing import Any

import numba
import numpy as np

from nethealth.passive.columns import MIX, Octets

# A division needs no look for 0, where none can be.
OPTIONS: dict[str, Any] = {"error_model": "numpy"}
# For functions that a loop calls: with a call goes every array in nine parts, which takes longer
# than most of them.
WITHIN: dict[str, Any] = {**OPTIONS, "inline": "always"}
_MIX_1, _MIX_2 = MIX
_SHIFT_1, _SHIFT_2 = np.uint64(32), np.uint64(29)
_1, _2, _3, _4, _5, _6, _7 = map(np.uint64, range(1, 8))
_8, _16, _24, _32, _40, _48, _56 = map(np.uint64, range(8, 64, 8))


def _big16(octets: Octets, at: int) -> np.int64:
    place = np.uint64(at)
    return np.int64(np.uint64(octets[place]) << _8 | np.uint64(octets[place + _1]))


def _big32(octets: Octets, at: int) -> np.int64:
    place = np.uint64(at)
    return np.int64(
        np.uint64(octets[place]) << _24 | np.uint64(octets[place + _1]) << _16
        | np.uint64(octets[place + _2]) << _8 | np.uint64(octets[place + _3])
    )  # fmt: skip


def _little32(octets: Octets, at: int) -> np.int64:
    place = np.uint64(at)
    return np.int64(
        np.uint64(octets[place]) | np.uint64(octets[place + _1]) << _8
        | np.uint64(octets[place + _2]) << _16 | np.uint64(octets[place + _3]) << _24
    )  # fmt: skip


def _little64(octets: Octets, at: int) -> np.uint64:
    place = np.uint64(at)
    return np.uint64(
        np.uint64(octets[place]) | np.uint64(octets[place + _1]) << _8
        | np.uint64(octets[place + _2]) << _16 | np.uint64(octets[place + _3]) << _24
        | np.uint64(octets[place + _4]) << _32 | np.uint64(octets[place + _5]) << _40
        | np.uint64(octets[place + _6]) << _48 | np.uint64(octets[place + _7]) << _56
    )  # fmt: skip


def _mixed(key: np.uint64, word: np.uint64) -> np.uint64:
    """As `columns.mixed` takes one column."""
    key = (key ^ word) * _MIX_1
    key = (key ^ key >> _SHIFT_1) * _MIX_2
    return key ^ key >> _SHIFT_2


big16: Any = numba.njit(_big16, **WITHIN)
big32: Any = numba.njit(_big32, **WITHIN)
little32: Any = numba.njit(_little32, **WITHIN)
little64: Any = numba.njit(_little64, **WITHIN)
mixed: Any = numba.njit(_mixed, **WITHIN)
