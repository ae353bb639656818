"""Sleeps that end on time: the event loops' own timers round to 1 ms, and uvloop's end early."""

import asyncio
import ctypes
import heapq
import itertools
import os
import time
import weakref

# timerfd_create(2); Python names these calls since 3.13
_CLOCK_MONOTONIC = 1
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC
_ABSOLUTE = 1
_NANOSECONDS = 1_000_000_000


class _TimerSpec(ctypes.Structure):
    """struct itimerspec: interval, then first expiry."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


class DeadlineTimer:
    """All sleepers of one event loop behind one timer of the kernel, set to the earliest."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._file = self._libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        weakref.finalize(self, os.close, self._file)  # the loop holds us until it is closed
        self.loop = loop
        self._order = itertools.count()  # futures do not compare
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        loop.add_reader(self._file, self._wake)

    async def sleep_until(self, monotonic_s: float) -> None:
        """Return at that time of the monotonic clock, never before; at once if it is past."""
        due_ns = int(monotonic_s * _NANOSECONDS) + 1
        sleeper = self.loop.create_future()
        heapq.heappush(self._sleepers, (due_ns, next(self._order), sleeper))
        if self._sleepers[0][2] is sleeper:
            self._set(due_ns)
        await sleeper

    def _wake(self) -> None:
        try:
            os.read(self._file, 8)
        except BlockingIOError:
            return  # set anew since the loop saw it
        now_ns = time.monotonic_ns()
        while self._sleepers and self._sleepers[0][0] <= now_ns:
            sleeper = heapq.heappop(self._sleepers)[2]
            if not sleeper.done():
                sleeper.set_result(None)
        if self._sleepers:
            self._set(self._sleepers[0][0])

    def _set(self, due_ns: int) -> None:
        seconds, nanoseconds = divmod(max(1, due_ns), _NANOSECONDS)  # 0 would switch it off
        spec = _TimerSpec(0, 0, seconds, nanoseconds)
        if self._libc.timerfd_settime(self._file, _ABSOLUTE, ctypes.byref(spec), None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")
