"""What is compared goes before whatever else the machine does, so that a busy one disturbs less."""

import contextlib
import os


def go_first() -> None:
    """Give this process and those that it starts a real-time priority, where that is allowed.

    Both sides of a comparison have it alike, and the servers that they talk to.
    """
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
