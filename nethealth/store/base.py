"""What a store of runs can do: the narrow interface that every database behind it shares."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from nethealth.model.check import CheckResult
from nethealth.model.finding import Finding, Severity
from nethealth.model.inventory import Inventory
from nethealth.model.observation import Event, Observation, Passport, Scalar
from nethealth.model.period import PERIOD_NAMES, CheckPeriod
from nethealth.model.record import Record, Run, RunKind
from nethealth.store.ledger import Registration
from nethealth.store.spans import Span


class StoreError(Exception):
    """The store cannot do it; the message says why and, where there is one, the cure."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list of runs; `finished` is null in a run that was killed."""

    id: str
    kind: RunKind
    vantage: str
    started: datetime
    finished: datetime | None
    interrupted: bool
    checks: int
    findings: Mapping[Severity, int]  # only severities that occur


@dataclass(frozen=True, slots=True)
class RunMark:
    """A run by its id, and when it began."""

    id: str
    kind: RunKind
    vantage: str
    started: datetime


@dataclass(frozen=True, slots=True)
class Point:
    """One stored value and when it was seen (the run's start where the observation has no time)."""

    time: datetime
    run: str
    site: str | None
    asset: str | None
    check: str
    name: str
    value: Scalar
    unit: str | None
    samples: int | None
    method: Passport = field(default_factory=dict)


class Store(Protocol):
    """History. Every method raises StoreError, and nothing else, for what the database does.

    A check is stored whole or not at all, whatever happens to the process in between.
    """

    def begin(self, record: Record) -> None:
        """Store the run's head: run, inventory, settings, sources. Its id must be new."""
        ...

    def append(self, run_id: str, result: CheckResult, observations: Sequence[Observation]) -> None:
        """Hand over one finished check; returns at once, and it is stored shortly after.

        Raises the error of an earlier check that could not be stored.
        """
        ...

    def finish(self, record: Record) -> None:
        """Store the run's end, events, findings and case, and every check not stored so far."""
        ...

    def load(self, run_id: str) -> Record:
        """The record as stored; checks in the record's order, observations grouped by check."""
        ...

    def runs(
        self, limit: int = 20, *, kind: RunKind | None = None, vantage: str | None = None
    ) -> tuple[RunSummary, ...]:
        """The latest runs, newest first."""
        ...

    def previous_findings(self, run: Run, checks: Collection[str]) -> tuple[Finding, ...] | None:
        """Those of the latest whole run of the same kind and vantage that started before `run`.

        Among recent ones, the latest with just these `checks` (ids of the first round), else the
        latest that shares any of them; None where there is neither.
        """
        ...

    def runs_between(self, since: datetime, until: datetime) -> tuple[RunMark, ...]:
        """The runs that began from `since` on and before `until`, oldest first.

        A capture counts by when it was read; `load` tells when it was taken.
        """
        ...

    def captures(self) -> tuple[RunMark, ...]:
        """Every run that read captures, oldest first."""
        ...

    def inventories_between(self, since: datetime, until: datetime) -> tuple[Inventory, ...]:
        """The inventories that those runs had, each once, by its last use."""
        ...

    def event_kinds(self, since: datetime, until: datetime) -> Mapping[str, int]:
        """How many events of each kind there are from `since` on and before `until`."""
        ...

    def checks_between(self, since: datetime, until: datetime, most: int) -> int:
        """How many checks the runs of `runs_between` hold, or the columns if more; up to `most`."""
        ...

    def series(
        self,
        names: Collection[str],
        *,
        asset: str | None = None,
        site: str | None = None,
        since: datetime | None = None,
    ) -> tuple[Point, ...]:
        """Every stored value of those names at the one asset or site given, oldest first."""
        ...

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
        """Every check that was due from `since` on and before `until`, in columns.

        By council, site, asset and check; all checks of a site stand together. Read one by one
        as they are asked for, so that the memory it takes is that of what the caller keeps: a
        year of one check every 15 minutes is 35,040 times and as many values a column. `names`
        (of PERIOD_NAMES) are the columns that are wanted; none are read for an empty one, and
        times and states alone say when a check ran and how it ended. Only whole checks are seen
        that were stored when it was called.
        """
        ...

    def raw_period(
        self, since: datetime, until: datetime, names: Collection[str] = PERIOD_NAMES
    ) -> Iterator[CheckPeriod]:
        """The same columns worked out anew from every raw row: slow, to verify what is packed."""
        ...

    def span(self, since: datetime, until: datetime) -> Span:
        """The runs that started from `since` on and before `until`, and what else is of them."""
        ...

    def evidence(
        self, run_id: str, ids: Collection[str]
    ) -> tuple[tuple[CheckResult, ...], tuple[Observation, ...]]:
        """Those observations of one run, and the checks that they are of."""
        ...

    def events(
        self,
        kinds: Collection[str] | None,
        *,
        site: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[Event, ...]:
        """What happened, of those kinds or of any, oldest first; brought in twice, it stands once.

        From `since` on and before `until`.
        """
        ...

    def register(self, registration: Registration) -> bool:
        """Keep a text for good, before the data that it is about; False if it was there."""
        ...

    def registrations(self) -> tuple[Registration, ...]:
        """Every text that was registered, the earliest first."""
        ...

    def close(self) -> None:
        """Store what is still on its way, then let go of the database.

        Raises the error of a check that could not be stored, unless `finish` stored it since.
        """
        ...
