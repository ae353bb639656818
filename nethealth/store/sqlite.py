"""History in one SQLite file, which several processes may write at once."""

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

from nethealth.model.check import CheckResult
from nethealth.model.finding import Finding
from nethealth.model.inventory import Inventory
from nethealth.model.observation import Event, Observation
from nethealth.model.period import PERIOD_NAMES, CheckPeriod
from nethealth.model.record import Record, Run, RunKind
from nethealth.store import ledger, spans
from nethealth.store.base import Point, RunMark, RunSummary, StoreError
from nethealth.store.ledger import Registration
from nethealth.store.schema import prepare
from nethealth.store.tables import Tables

BUSY_S = 10.0  # how long to wait for another process's transaction
_READ_AHEAD = 4
LINGER_S = 0.1  # how long a finished check waits for others to share its commit

T = TypeVar("T")


class SqliteStore:
    """The store behind `sqlite:///PATH`; `base.Store` says what each method promises.

    One thread owns the connection. A commit takes little, but a checkpoint waits for the disk
    and a second writer for the first: neither may hold up the event loop that is measuring.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()  # guards the three below
        self._handed: list[tuple[str, CheckResult, tuple[Observation, ...]]] = []
        self._flush_is_due = False
        self._fault: StoreError | None = None
        self._thread = ThreadPoolExecutor(1, "store")
        try:
            self._connection = self._thread.submit(self._open).result()
        except StoreError:
            self._thread.shutdown()
            raise
        self._tables = Tables(self._connection)

    def begin(self, record: Record) -> None:
        self._write(lambda: self._tables.add_run(record))

    def append(self, run_id: str, result: CheckResult, observations: Sequence[Observation]) -> None:
        with self._lock:
            if self._fault is not None:
                raise self._fault
            self._handed.append((run_id, result, tuple(observations)))
            if not self._flush_is_due:
                self._flush_is_due = True
                self._thread.submit(self._flush)

    def finish(self, record: Record) -> None:
        self._write(lambda: self._tables.finish_run(record))
        with self._lock:
            self._fault = None  # what could not be stored before is stored now
        # A finished run shall survive a power cut too. If a reader is in the way this stops
        # short, and the next checkpoint does it.
        self._do(lambda: self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall())

    def load(self, run_id: str) -> Record:
        return self._do(lambda: self._tables.load(run_id))

    def runs(
        self, limit: int = 20, *, kind: RunKind | None = None, vantage: str | None = None
    ) -> tuple[RunSummary, ...]:
        return self._do(lambda: self._tables.runs(limit, kind, vantage))

    def previous_findings(self, run: Run, checks: Collection[str]) -> tuple[Finding, ...] | None:
        return self._do(lambda: self._tables.previous_findings(run, checks))

    def runs_between(self, since: datetime, until: datetime) -> tuple[RunMark, ...]:
        return self._do(lambda: self._tables.runs_between(since, until))

    def captures(self) -> tuple[RunMark, ...]:
        return self._do(lambda: self._tables.runs_of("capture"))

    def inventories_between(self, since: datetime, until: datetime) -> tuple[Inventory, ...]:
        return self._do(lambda: self._tables.inventories_between(since, until))

    def event_kinds(self, since: datetime, until: datetime) -> Mapping[str, int]:
        return self._do(lambda: ledger.event_kinds(self._connection, since, until))

    def checks_between(self, since: datetime, until: datetime, most: int) -> int:
        return self._do(
            lambda: max(
                self._tables.checks_between(since, until, most),
                self._tables.packed.count(since, until, most),
            )
        )

    def series(
        self,
        names: Collection[str],
        *,
        asset: str | None = None,
        site: str | None = None,
        since: datetime | None = None,
    ) -> tuple[Point, ...]:
        if (asset is None) == (site is None):
            raise StoreError("a series is that of one asset or of one site")

        def read() -> tuple[Point, ...]:
            points = self._tables.series(names, asset, site, since)
            return tuple(sorted(points, key=lambda point: point.time))

        return self._do(read)

    def period(
        self,
        since: datetime,
        until: datetime,
        *,
        vantage: str | None = None,
        council: str | None = None,
        site: str | None = None,
        asset: str | None = None,
        names: Collection[str] = PERIOD_NAMES,
    ) -> Iterator[CheckPeriod]:
        packed = self._tables.packed
        while self._do(packed.behind):
            self._write(packed.fill)
        ahead: deque[Future[CheckPeriod | None]] = deque()
        # Read a few ahead in the store's thread while the caller works on the last one.
        for key, facts in self._do(lambda: packed.chosen(vantage, council, site, asset)):
            ahead.append(self._later(partial(packed.read, key, facts, since, until, names)))
            if len(ahead) > _READ_AHEAD and (found := ahead.popleft().result()) is not None:
                yield found
        while ahead:
            if (found := ahead.popleft().result()) is not None:
                yield found

    def raw_period(
        self, since: datetime, until: datetime, names: Collection[str] = PERIOD_NAMES
    ) -> Iterator[CheckPeriod]:
        reading = spans.raw_period(self._connection, since, until, names)
        while (found := self._do(lambda: next(reading, None))) is not None:
            yield found

    def span(self, since: datetime, until: datetime) -> spans.Span:
        return self._do(lambda: spans.span(self._connection, since, until))

    def evidence(
        self, run_id: str, ids: Collection[str]
    ) -> tuple[tuple[CheckResult, ...], tuple[Observation, ...]]:
        return self._do(lambda: spans.evidence(self._connection, run_id, ids))

    def events(
        self,
        kinds: Collection[str] | None,
        *,
        site: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[Event, ...]:
        return self._do(lambda: ledger.events(self._connection, kinds, site, since, until))

    def register(self, registration: Registration) -> bool:
        added: list[bool] = []
        self._write(lambda: added.append(ledger.register(self._connection, registration)))
        return added[-1]

    def registrations(self) -> tuple[Registration, ...]:
        return self._do(lambda: ledger.registrations(self._connection))

    def close(self) -> None:
        self._do(self._connection.close)
        self._thread.shutdown()
        if self._fault is not None:
            raise self._fault

    def _open(self) -> sqlite3.Connection:
        with _told(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
            try:
                prepare(connection, self._path)
            except (sqlite3.Error, StoreError):
                connection.close()
                raise
            return connection

    def _do(self, job: Callable[[], T]) -> T:
        """Do it in the store's thread, after everything handed over so far."""
        return self._later(job).result()

    def _later(self, job: Callable[[], T]) -> "Future[T]":
        """The same, without waiting for it."""

        def settled() -> T:
            self._settle()
            with _told(self._path):
                return job()

        return self._thread.submit(settled)

    def _write(self, job: Callable[[], None]) -> None:
        self._do(lambda: self._in_transaction(job))

    def _flush(self) -> None:
        time.sleep(LINGER_S)
        self._settle()

    def _settle(self) -> None:
        """Store what was handed over, all of it or none; a fault is for the next `append`."""
        with self._lock:
            handed, self._handed = self._handed, []
            self._flush_is_due = False
        if not handed:
            return

        def write() -> None:
            for run_id, result, observations in handed:
                self._tables.add_check(self._tables.run_key(run_id), result, observations)

        try:
            with _told(self._path):
                self._in_transaction(write)
        except StoreError as fault:
            with self._lock:
                self._fault = fault

    def _in_transaction(self, job: Callable[[], None]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            job()
            self._connection.execute("COMMIT")
        except BaseException:
            self._tables.forget()
            if self._connection.in_transaction:  # SQLite itself ends it after some errors
                self._connection.execute("ROLLBACK")
            raise


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn whatever the file or a value in it can raise into a StoreError in words."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot make the folder of {path}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise StoreError(_in_words(path, error)) from error
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise StoreError(
            f"{path} holds, or was given, what is no part of a run: {error}"
        ) from error


def _in_words(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    match code:
        case sqlite3.SQLITE_NOTADB:
            return f"{path} is not a nethealth store; name another with --store"
        case sqlite3.SQLITE_CORRUPT:
            return (
                f"{path} is damaged ({error}): move it aside with its -wal and -shm files, "
                "and the next run begins a new one"
            )
        case sqlite3.SQLITE_FULL:
            return f"no space left to write {path}"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"{path} stayed locked by another program for {BUSY_S:g} s"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return f"cannot write {path} ({error}); name another with --store"
        case sqlite3.SQLITE_IOERR:
            return f"cannot read or write {path} ({error}): is the disk full or failing?"
        case _:
            return f"{path}: {error}"
