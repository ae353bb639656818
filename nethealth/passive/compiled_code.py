"""Machine code as octets that may be kept, and loaded without numba: llvmlite alone is quick."""

import ctypes
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import llvmlite
import llvmlite.binding as llvm

_DIGEST_OCTETS = 32


@dataclass(frozen=True, slots=True)
class MachineCode:
    """One loop's. `symbol`: of its function. `outside`: what it names and does not hold.

    Nothing of that is ever called: it belongs to errors that no loop raises, and to memory that no
    loop asks for.
    """

    symbol: str
    outside: tuple[str, ...]
    octets: bytes


def target() -> Any:
    """This processor, with all that it can do."""
    _begin()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
        jit=True,
    )


def target_name() -> str:
    """What code is made for and with: it runs where this is the same."""
    _begin()
    features = llvm.get_host_cpu_features().flatten()
    return f"llvmlite {llvmlite.__version__} {llvm.get_host_cpu_name()} {features}"


def loaded(code: Mapping[str, MachineCode]) -> tuple[dict[str, int], Any]:
    """Where each loop begins in memory, and what keeps it there."""
    known = {name for each in code.values() for name in each.outside}
    stop = ctypes.cast(ctypes.CDLL(None).abort, ctypes.c_void_p).value
    for name in known:
        if llvm.address_of_symbol(name) is None:
            llvm.add_symbol(name, stop)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target())
    for each in code.values():
        engine.add_object_file(llvm.ObjectFileRef.from_data(each.octets))
    engine.finalize_object()
    return {name: engine.get_function_address(each.symbol) for name, each in code.items()}, engine


def packed(code: Mapping[str, MachineCode]) -> bytes:
    """Octets to keep, with a digest that tells whether they are whole."""
    lines = [
        " ".join((name, each.symbol, str(len(each.octets)), *each.outside))
        for name, each in code.items()
    ]
    data = "\n".join(lines).encode() + b"\n\n" + b"".join(each.octets for each in code.values())
    return hashlib.sha256(data).digest() + data


def unpacked(data: bytes) -> dict[str, MachineCode] | None:
    """What `packed` packed; None where it is not whole."""
    digest, data = data[:_DIGEST_OCTETS], data[_DIGEST_OCTETS:]
    if hashlib.sha256(data).digest() != digest:
        return None
    head, _, octets = data.partition(b"\n\n")
    code, at = {}, 0
    for line in head.decode().splitlines():
        name, symbol, length, *outside = line.split(" ")
        code[name] = MachineCode(symbol, tuple(outside), octets[at : at + int(length)])
        at += int(length)
    return code


def _begin() -> None:
    """LLVM is told once which processors it is for; once more does no harm."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
