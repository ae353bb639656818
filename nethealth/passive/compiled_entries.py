"""The loops made into machine code by numba, each behind a C function as `compiled_call` has it.

To import this takes numba, and to make them takes seconds: it is done once.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numba
from numba import types

from nethealth.passive.compiled_call import SIGNATURES, Kind
from nethealth.passive.compiled_code import MachineCode, target
from nethealth.passive.compiled_columns import columns, plain_rows, records
from nethealth.passive.compiled_follow import follow
from nethealth.passive.compiled_known import known
from nethealth.passive.compiled_octets import OPTIONS

_LOOPS = (records, plain_rows, columns, known, follow)
_pointer: Any = types.CPointer
_SIGNATURE = types.void(_pointer(types.voidptr), _pointer(types.int64))


def machine_code() -> dict[str, MachineCode]:
    """Of every loop, for this processor."""
    return {loop.__name__: _made(loop) for loop in _LOOPS}


def _made(loop: Callable[..., object]) -> MachineCode:
    entry = numba.cfunc(_SIGNATURE, error_model="numpy")(_entry(loop, SIGNATURES[loop.__name__]))
    module = llvm.parse_assembly(entry.inspect_llvm())
    outside = [each.name for each in module.functions if each.is_declaration]
    outside += [each.name for each in module.global_variables if each.is_declaration]
    return MachineCode(
        entry.native_name,
        tuple(sorted(name for name in outside if not name.startswith("llvm."))),
        target().emit_object(module),
    )


def _entry(loop: Callable[..., object], kinds: tuple[Kind, ...]) -> Callable[[Any, Any], None]:
    """A function that takes its parameters out of two rows of memory and calls the loop.

    The compiler knows no call with a number of arguments that it is told: they are written out.
    """
    arguments: list[str] = []
    arrays = numbers = 0
    names: dict[str, Any] = {"loop": numba.njit(loop, **OPTIONS), "carray": vars(numba)["carray"]}
    for kind in kinds:
        if kind.dtype is None:
            arguments.append(f"numbers[{numbers}]")
            numbers += 1
            continue
        shape = ", ".join(f"numbers[{numbers + place}]" for place in range(kind.dimensions))
        names[f"t{arrays}"] = kind.dtype.type
        arguments.append(f"carray(arrays[{arrays}], ({shape},), t{arrays})")
        arrays += 1
        numbers += kind.dimensions
    source = f"def entry(arrays, numbers):\n    loop({', '.join(arguments)})"
    exec(source, names)  # noqa: S102 - made of nothing but the signatures of this project
    entry: Callable[[Any, Any], None] = names["entry"]
    return entry
