"""Reading ahead: a thread reads the next run of packets while this one is analysed.

numpy holds no interpreter lock while it works on columns, so the two share two processors.
"""

import sys
from collections.abc import Iterable, Iterator
from queue import Queue
from threading import Event, Thread

from nethealth.passive.packets import Packets

_SWITCH_S = 0.0005  # the interpreter's own 5 ms are longer than most steps of either thread


def read_ahead(runs: Iterable[Packets]) -> Iterator[Packets]:
    """The same runs; what the reading raises is raised here."""
    waiting: Queue[Packets | BaseException | None] = Queue(maxsize=1)
    stopped = Event()

    def read() -> None:
        try:
            for packets in runs:
                packets.prepare()
                waiting.put(packets)
                if stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            waiting.put(error)
        else:
            waiting.put(None)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    thread = Thread(target=read, name="capture", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        if not waiting.empty():
            waiting.get_nowait()
        sys.setswitchinterval(interval)
