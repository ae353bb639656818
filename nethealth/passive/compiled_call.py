"""How Python calls machine code: arrays by where they begin and how long they are.

Every loop is one C function of two parameters: the beginnings of its arrays, and its numbers, the
lengths of arrays among them. What it is given is checked here, since nothing is there.
"""

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Kind:
    """Of one parameter: an array of so many dimensions, or a number where `dtype` is None."""

    dtype: np.dtype[Any] | None
    dimensions: int = 0
    written: bool = False


def _kinds(text: str) -> tuple[Kind, ...]:
    """`i8:2`: a dtype and dimensions; `=` behind them: written to; `i`: a number."""
    return tuple(
        Kind(None) if part == "i" else Kind(np.dtype(part[:2]), int(part[3]), part.endswith("="))
        for part in text.split()
    )


# By loop, its parameters in their order.
SIGNATURES: Mapping[str, tuple[Kind, ...]] = {
    name: _kinds(text)
    for name, text in {
        "records": "u1:1 i i i i i i i8:1= i8:1= i8:1= i8:1= i8:1=",
        "plain_rows": "u1:1 i8:1 i8:1 i8:1 i8:1 b1:1= i8:2=",
        "columns": "u1:1 i8:1 i8:1 i8:1 i8:1 i8:1 i8:1 i8:1 u8:2= b1:2= i8:2=",
        "known": "u1:1 i8:1 i8:1 i8:1 i8:1 i8:1 u8:1 i8:1 i i8:2= i8:1=",
        "follow": (
            "i8:1 i8:1 i8:1 i8:1 b1:1= i8:2= f8:2= i8:2= i8:1 i8:1 i b1:1= i8:2= i8:1= i8:2= "
            "i8:2= f8:1= i8:1= i8:1="
        ),
    }.items()
}


class Call:
    """One loop, to be called as its Python original is. No interpreter lock is held meanwhile."""

    def __init__(self, address: int, kinds: Sequence[Kind]) -> None:
        self._function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(address)
        self._kinds = kinds

    def __call__(self, *given: npt.NDArray[Any] | int) -> None:
        """A TypeError where what is given is not of its kind: the loop would not notice."""
        arrays: list[npt.NDArray[Any]] = []
        numbers: list[int] = []
        for kind, value in zip(self._kinds, given, strict=True):
            if kind.dtype is None:
                numbers.append(int(value))
                continue
            array = np.asarray(value) if kind.written else np.ascontiguousarray(value)
            shaped = array.ndim == kind.dimensions and array.flags.c_contiguous
            if array.dtype != kind.dtype or not shaped:
                raise TypeError(f"found {array.dtype}, {array.strides}; a loop was to get {kind}")
            arrays.append(array)
            numbers += array.shape
        begins = (ctypes.c_void_p * len(arrays))(
            *(array.__array_interface__["data"][0] for array in arrays)
        )
        self._function(begins, (ctypes.c_int64 * len(numbers))(*numbers))
