"""The compiled loops for tests: there must be some."""

from nethealth.passive.compiled import Compiled
from nethealth.passive.compiled_code import MachineCode, unpacked
from probes.capture.loops import compiled_engine, kept_file


def _engine() -> Compiled:
    engine = compiled_engine()
    if engine is None:
        raise RuntimeError("numba is not installed, which is tested here")
    return engine


def _code() -> dict[str, MachineCode]:
    code = unpacked(kept_file().read_bytes())
    if code is None:
        raise RuntimeError(f"{kept_file()} is not whole")
    return code


ENGINE = _engine()
CODE = _code()
