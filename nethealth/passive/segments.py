"""Running values within segments: rows sorted by stream, each stream's in the order of arrival.

`begins` holds the first row of each segment; there is no empty one.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from nethealth.passive.columns import Ints

Floats = npt.NDArray[np.float64]
Column = TypeVar("Column", Ints, Floats)
_BLOCK = 32
_KEPT = 15 / 16
_BLOCKS_FELT = 18  # (15/16)^(32·18) is 7e-17: less than the last bit


def lengths(begins: Ints, count: int) -> Ints:
    """How many rows each segment has, of `count` in all."""
    return np.diff(begins, append=count)


def shifted(values: Column, begins: Ints, before: Column) -> Column:
    """The value of the row before in the same segment; `before` that of each segment's first."""
    moved = np.empty_like(values)
    moved[1:] = values[:-1]
    moved[begins] = before
    return moved


def cumulated(steps: Ints, begins: Ints, start: Ints) -> Ints:
    """Sums of `steps` from each segment's `start`, which the first row's step is added to."""
    total = np.cumsum(steps)
    base = start - (total[begins] - steps[begins])
    sums: Ints = total + np.repeat(base, lengths(begins, len(steps)))
    return sums


def greatest_before(values: Ints, begins: Ints, before: Ints) -> Ints:
    """The greatest value of all rows before in the segment, and of `before`.

    Values lie between −2^39 and 2^39.
    """
    rank = np.repeat(np.arange(len(begins)) << 41, lengths(begins, len(values)))
    keyed = rank + values
    reached = shifted(keyed, begins, (np.arange(len(begins)) << 41) + before)
    running: Ints = np.maximum.accumulate(reached) - rank
    return running


def smoothed(values: Floats, begins: Ints, start: Floats) -> Floats:
    """The filter of RFC 3550 section 6.4.1 in each segment: J += (value − J) / 16 from `start`.

    All blocks of 32 rows go step by step side by side as if each began at 0; then each block gets
    what the ones before it leave behind, which 15/16 to the power of 32 a block makes vanish.
    """
    sizes = lengths(begins, len(values))
    blocks = -(-sizes // _BLOCK)
    first = np.cumsum(blocks) - blocks
    place = np.arange(len(values)) + np.repeat(first * _BLOCK - begins, sizes)
    laid = np.zeros(int(blocks.sum()) * _BLOCK)
    laid[place] = values
    steps = np.ascontiguousarray(laid.reshape(-1, _BLOCK).T)
    steps *= 1 / 16
    for step in range(1, _BLOCK):
        steps[step] += steps[step - 1] * _KEPT
    into = shifted(steps[-1], first, start)
    carried = into
    for _ in range(_BLOCKS_FELT):
        into = shifted(into, first, np.zeros(len(first)))
        into *= _KEPT**_BLOCK
        carried = carried + into
    steps += _KEPT ** np.arange(1, _BLOCK + 1)[:, np.newaxis] * carried
    result: Floats = np.ascontiguousarray(steps.T).reshape(-1)[place]
    return result
