"""Captures read in a process of their own: one request, its result or its error back.

Reading needs numpy and all analyses; the process that asks meanwhile loads what a record and its
report need. A worker that is killed takes nothing down with it. Nothing is imported here that the
worker could load itself: it is begun before all else.
"""

import os
import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nethealth.model.pseudonym import Names
    from probes.capture.read import EngineName
    from probes.capture.result import CaptureRead

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # <malloc.h>


class WorkerError(RuntimeError):
    """The worker ended without an answer; the message says how."""


class ReadingProcess:
    """Begins at once, and loads what it needs; it reads when it is asked to, once.

    One that is never asked ends with the process that began it. `number`: of the process.
    """

    def __init__(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        asked, self._asking = os.pipe()
        self._answers, answering = os.pipe()
        self.number = os.fork()
        if self.number == 0:
            os.close(self._asking)
            os.close(self._answers)
            _live(asked, answering)
        os.close(asked)
        os.close(answering)

    def begin(
        self, check_id: str, files: "Sequence[str]", people: "Names", engine: "EngineName",
        bin_s: float,
    ) -> None:  # fmt: skip
        """Let it read, as `read_captures` does."""
        import pickle  # noqa: PLC0415
        from contextlib import suppress  # noqa: PLC0415

        # One that has died already is told of where its result is waited for.
        with suppress(BrokenPipeError), os.fdopen(self._asking, "wb") as pipe:
            pipe.write(pickle.dumps((check_id, files, people, engine, bin_s)))

    def result(self) -> "CaptureRead":
        """Wait for what it read; what was raised there is raised here."""
        import pickle  # noqa: PLC0415

        with os.fdopen(self._answers, "rb") as pipe:
            data = pipe.read()
        if not data:
            _, status = os.waitpid(self.number, 0)
            raise WorkerError(f"the reading process ended with {_ending(status)}")
        # What the pipe brings was pickled by our own child a moment ago.
        value, error = pickle.loads(data)  # noqa: S301
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]

    def end(self) -> None:
        """See it off, which has given its memory back by now."""
        os.waitpid(self.number, 0)


def _live(asked: int, answering: int) -> None:
    """The child's whole life: it never returns, and runs no handlers that are the parent's."""
    code = 1
    try:
        import gc  # noqa: PLC0415

        gc.disable()  # what is loaded stays, all of it; `read_captures` enables it again
        _keep_memory()
        import pickle  # noqa: PLC0415

        from probes.capture.read import read_captures  # noqa: PLC0415

        # numba would load scipy, where it is there, for an algebra that nothing here needs.
        cast("dict[str, object]", sys.modules)["scipy"] = None
        with os.fdopen(asked, "rb") as pipe:
            request = pipe.read()
        if request:
            try:
                # Our own parent wrote it.
                answer = pickle.dumps((read_captures(*pickle.loads(request)), None))  # noqa: S301
            except Exception as error:  # noqa: BLE001 - handed to the one who waits
                answer = pickle.dumps((None, error))
            with os.fdopen(answering, "wb") as pipe:
                pipe.write(answer)
        code = 0
    except KeyboardInterrupt:
        pass  # the one who waits has been interrupted too, and says so
    finally:
        os._exit(code)


def _keep_memory() -> None:
    """Let the allocator keep what arrays give back, run after run, in place of faulting it in anew.

    glibc alone has this knob (mallopt(3)); elsewhere nothing is lost but a little time.
    """
    import ctypes  # noqa: PLC0415

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_THRESHOLD, 32 << 20)  # as much as glibc allows
    mallopt(_M_TRIM_THRESHOLD, 256 << 20)


def _ending(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"exit status {code}"
