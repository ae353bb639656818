"""Threads that wake on time, as far as the system lets them."""

import contextlib
import ctypes
import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_PR_SET_TIMERSLACK = 29  # <linux/prctl.h>; prctl(2)
_SLACK_NS = 1  # the usual 50 us are lateness
# A packet waits for the interpreter twice: when it is due, and when it has left.
_SWITCH_S = 0.00002


@contextmanager
def punctual(helper: int) -> Iterator[None]:
    """This thread wakes on time within the block; `helper` is the thread that works beside it.

    The helper (a native thread id) is the one that holds the interpreter when this one wakes: it
    must neither keep it nor be put aside while it does. So both go before the machine's ordinary
    processes where that is allowed (root, CAP_SYS_NICE, or RLIMIT_RTPRIO), this one first.
    """
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, ctypes.c_ulong(_SLACK_NS), 0, 0, 0)
    # By default the other thread may keep the interpreter for 5 ms, all of it lateness.
    # A full collection of what thousands of packets leave behind held all threads for 27 ms.
    usual_s, collecting = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(_SWITCH_S)
    gc.disable()
    try:
        with _before_others(helper, 2), _before_others(threading.get_native_id(), 3):
            yield
    finally:
        sys.setswitchinterval(usual_s)
        if collecting:
            gc.enable()


@contextmanager
def _before_others(thread: int, priority: int) -> Iterator[None]:
    """The thread has this real-time priority, or, where it may not have one, its usual one."""
    policy, usual = os.sched_getscheduler(thread), os.sched_getparam(thread)
    if policy & ~os.SCHED_RESET_ON_FORK != os.SCHED_OTHER:
        yield  # somebody has chosen for us
        return
    try:
        # what the thread starts meanwhile, a process or a thread, starts as usual
        os.sched_setscheduler(
            thread, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority)
        )
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):  # the thread has ended
            os.sched_setscheduler(thread, policy | os.SCHED_RESET_ON_FORK, usual)
