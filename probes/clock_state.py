"""The kernel's own word on its clock."""

import ctypes

from nethealth.model.record import ClockState

_STA_UNSYNC = 0x0040  # <sys/timex.h>


class _Timex(ctypes.Structure):
    """`struct timex` as far as the status; the rest is room for what the kernel writes."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    ]


def clock_state() -> ClockState:
    """Whether the kernel holds its clock synchronised, and its own bound on the error (seconds)."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        state = _Timex()
        if libc.adjtimex(ctypes.byref(state)) < 0:
            return ClockState()
    except (OSError, AttributeError):
        return ClockState()
    if state.status & _STA_UNSYNC:
        return ClockState(synchronised=False)
    return ClockState(synchronised=True, error_s=state.maxerror / 1e6)
