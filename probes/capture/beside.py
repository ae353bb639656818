"""A second thread for a part of the work on each run of packets.

`concurrent.futures` would do as well, but loads the logging of the whole library to begin with.
"""

from collections.abc import Callable
from threading import Thread


class Beside:
    """Begins at once; `wait` ends with it, and raises what it raised."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="lan", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error
