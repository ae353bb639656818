"""One sweep at a time: a lock that the kernel releases however its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path


class LockError(Exception):
    """The lock cannot be had; the message says why."""


class AlreadyRunning(LockError):
    """Another process holds the lock; the message names it where it could write its name."""


@contextmanager
def held(path: Path, *, now: datetime) -> Iterator[None]:
    """Hold the lock file `path`; `now` is written into it as the start of this run.

    The file stays when the lock is released: to remove it would let two processes each lock a
    file of that name. Raises AlreadyRunning, or LockError where the file cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise LockError(f"cannot open the lock file {path}: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunning(_who(file.read(200))) from None
        except OSError as error:
            raise LockError(f"cannot lock {path}: {error.strerror}") from None
        file.truncate(0)
        file.write(f"{os.getpid()} {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n")
        file.flush()
        yield


def _who(text: str) -> str:
    match text.split():
        case [pid, since] if pid.isdecimal() and since.isprintable():
            return f"a sweep is already running: process {pid}, since {since}"
        case _:
            return "a sweep is already running"
