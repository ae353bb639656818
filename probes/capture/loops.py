"""The compiled loops, kept as machine code between one reading of captures and the next.

numba makes them when they are first asked for, in about ten seconds; from then on they are loaded
without it, in a tenth of the time that it alone would take to import.
"""

from importlib.util import find_spec
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nethealth.passive.compiled import Compiled
    from nethealth.passive.compiled_code import MachineCode


class EngineError(RuntimeError):
    """The compiled loops cannot be used; the message says why, and what to do."""


def compiled_engine() -> "Compiled | None":
    """The compiled loops; None where numba is not installed.

    EngineError where their machine code can be kept nowhere: to make it takes seconds every time.
    """
    if find_spec("numba") is None:
        return None
    from nethealth.passive.compiled import Compiled  # noqa: PLC0415 - 30 ms of its own

    file = kept_file()
    code = _kept(file)
    return Compiled(_made(file) if code is None else code)


def kept_file() -> Path:
    """Where the machine code of these loops for this processor is kept, once it is made."""
    from nethealth.passive import compiled_code  # noqa: PLC0415 - as above

    return _folder() / _name(compiled_code.target_name(), Path(compiled_code.__file__).parent)


def _folder() -> Path:
    """In the XDG cache home; a relative XDG_CACHE_HOME counts as unset (XDG 0.8)."""
    given = Path(environ.get("XDG_CACHE_HOME", ""))
    try:
        home = given if given.is_absolute() else Path.home() / ".cache"
    except RuntimeError as error:
        raise _nowhere(error) from None
    return home / "nethealth"


def _name(target: str, loops: Path) -> str:
    """Another one as soon as anything in the folder of the loops changes, or the processor."""
    import hashlib  # noqa: PLC0415 - whoever reads with numpy alone does not wait for it

    digest = hashlib.sha256(f"{target} {loops}".encode())
    for file in sorted(loops.glob("*.py")):
        state = file.stat()
        digest.update(f" {file.name} {state.st_size} {state.st_mtime_ns}".encode())
    return f"loops-{digest.hexdigest()[:32]}.bin"


def _kept(file: Path) -> "Mapping[str, MachineCode] | None":
    from nethealth.passive.compiled_code import unpacked  # noqa: PLC0415 - as above

    try:
        data = file.read_bytes()
    except OSError:
        return None
    return unpacked(data)


def _made(file: Path) -> "Mapping[str, MachineCode]":
    """Make it, when there is a place for it; whole, or not there for others."""
    import tempfile  # noqa: PLC0415 - as above

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as kept:
            place = Path(kept.name)
            try:
                from nethealth.passive.compiled_code import packed  # noqa: PLC0415 - as above
                from nethealth.passive.compiled_entries import machine_code  # noqa: PLC0415

                code = machine_code()
                kept.write(packed(code))
                kept.flush()
                place.replace(file)
            except BaseException:
                place.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise _nowhere(error) from None
    return code


def _nowhere(error: Exception) -> EngineError:
    return EngineError(
        f"no folder for machine code: {error}; name one that may be written as XDG_CACHE_HOME"
    )
