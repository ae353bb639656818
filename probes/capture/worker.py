"""Work in a process of its own, while this one goes on: one call, its value or its error back.

Reading a capture needs numpy and all analyses; the process that asked for it meanwhile loads what
a record and its report need. A worker that is killed takes nothing down with it.
"""

import ctypes
import os
import pickle
import sys
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # <malloc.h>


class WorkerError(RuntimeError):
    """The worker ended without an answer; the message says how."""


def begin(work: Callable[[], Value]) -> Callable[[], Value]:
    """Start the work; the function returned waits for its value, and raises what it raised."""
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(work, writing)
    os.close(writing)

    def wait() -> Value:
        with os.fdopen(reading, "rb") as pipe:
            data = pipe.read()
        _, status = os.waitpid(child, 0)
        if not data:
            raise WorkerError(f"the reading process ended with {_ending(status)}")
        # What the pipe brings was pickled by our own child a moment ago.
        value, error = pickle.loads(data)  # noqa: S301
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]

    return wait


def _answer(work: Callable[[], object], writing: int) -> None:
    """The child's whole life: it never returns, and runs no handlers that are the parent's."""
    code = 1
    _keep_memory()
    try:
        try:
            answer = pickle.dumps((work(), None))
        except Exception as error:  # noqa: BLE001 - handed to the one who waits
            answer = pickle.dumps((None, error))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
        code = 0
    finally:
        os._exit(code)


def _keep_memory() -> None:
    """Let the allocator keep what arrays give back, run after run, in place of faulting it in anew.

    glibc alone has this knob (mallopt(3)); elsewhere nothing is lost but a little time.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_THRESHOLD, 32 << 20)  # as much as glibc allows
    mallopt(_M_TRIM_THRESHOLD, 256 << 20)


def _ending(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"exit status {code}"
