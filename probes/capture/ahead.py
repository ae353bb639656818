"""Reading ahead: a thread reads the next run of packets while this one is analysed.

numpy holds no interpreter lock while it works on columns, so the two share two processors.
"""

import sys
from collections.abc import Iterable, Iterator
from queue import Queue
from threading import Event, Thread

from nethealth.passive.known_headers import KnownHeaders
from nethealth.passive.packets import Packets

WAITING_MOST = 1  # runs; the reader must keep so many, and two more, as they are
_SWITCH_S = 0.0005  # the interpreter's own 5 ms are longer than most steps of either thread


class ReadAhead:
    """Iterate once: the same runs; what the reading raises is raised here. It begins at once."""

    def __init__(self, runs: Iterable[Packets], known: KnownHeaders | None = None) -> None:
        """`known`: packets with such headers are taken out of the rows."""
        self._runs = runs
        self._known = known
        self._waiting: Queue[Packets | BaseException | None] = Queue(maxsize=WAITING_MOST)
        self._stopped = Event()
        self._interval_s = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)
        Thread(target=self._read, name="capture", daemon=True).start()

    def __iter__(self) -> Iterator[Packets]:
        try:
            while (item := self._waiting.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._stopped.set()
            while not self._waiting.empty():
                self._waiting.get_nowait()
            sys.setswitchinterval(self._interval_s)

    def _read(self) -> None:
        try:
            for run in self._runs:
                packets = run if self._known is None else self._known.split(run)
                packets.prepare()
                self._waiting.put(packets)
                if self._stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._waiting.put(error)
        else:
            self._waiting.put(None)
