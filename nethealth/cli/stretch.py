"""What `diagnose` works on when asked for a stretch of time: runs of the store, or records."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from nethealth.cli.exits import InputError, usage
from nethealth.cli.given import load_records
from nethealth.model.codec import dump
from nethealth.model.merge import Part, Stretch, cut, merge
from nethealth.store import StoreError

if TYPE_CHECKING:
    from nethealth.model.record import Record
    from nethealth.store import Store

CHECKS_MOST = 20_000  # of which the raw observations are read; above, the packed columns
EVENTS_MOST = 20_000  # of one kind


@dataclass(frozen=True, slots=True)
class Gathered:
    """One record of what was chosen; `long` where its checks are in the packed columns alone."""

    record: "Record"
    long: bool = False


def from_records(paths: tuple[Path, ...], stretch: Stretch) -> Gathered:
    """The records of files and folders as one; InputError where they hold nothing of it."""
    records = load_records(paths)
    _known(records, stretch)
    parts = _parts(records, stretch)
    if not parts:
        starts = [record.run.started for record in records]
        raise InputError(
            f"{_words(stretch)}: nothing in these records, which begin "
            f"{min(starts):%Y-%m-%d %H:%M} to {max(starts):%Y-%m-%d %H:%M} UTC"
        )
    return Gathered(merge(parts, since=stretch.since, until=stretch.until))


def from_store(store: "Store", stretch: Stretch) -> Gathered:
    """The runs of a stretch as one record; of very many, only the latest and the captures."""
    until = stretch.until or datetime.now(UTC)
    since = stretch.since or datetime(1970, 1, 1, tzinfo=UTC)
    try:
        marks = store.runs_between(since, until)
        read = {one.id for one in marks}
        captures = [one for one in store.captures() if one.id not in read]
        long = store.checks_between(since, until, CHECKS_MOST + 1) > CHECKS_MOST
        measured = [one for one in marks if one.kind in {"check", "sweep"}]
        chosen = [*measured[-1:]] if long else list(marks)
        chosen += [one for one in marks if one.kind == "capture" and one not in chosen]
        records = [store.load(one.id) for one in (*chosen, *captures)]
        events = store.events(None, site=stretch.site, since=since, until=until)
    except StoreError as error:
        raise InputError(str(error)) from None
    _known(records or _last(store), stretch)
    parts = _parts(records, stretch)
    if not parts:
        raise InputError(f"{_words(stretch)}: nothing in the history{_held(store)}")
    record = merge(parts, since=stretch.since, until=until if stretch.since else stretch.until)
    return Gathered(replace(record, events=events), long=long)


def _parts(records: "Iterable[Record]", stretch: Stretch) -> list[Part]:
    return [
        Part(kept, sha256(dump(record)).hexdigest())
        for record in records
        if (kept := cut(record, stretch)) is not None
    ]


def _known(records: "Sequence[Record]", stretch: Stretch) -> None:
    """Refuse a council or a site that nothing of these records knows."""
    sites = {one.id for record in records for one in record.inventory.site}
    sites |= {one.site for record in records for one in record.checks if one.site}
    councils = {one.id for record in records for one in record.inventory.council}
    councils |= {one.council for record in records for one in record.checks if one.council}
    for option, wanted, known in (
        ("--site", stretch.site, sites),
        ("--council", stretch.council, councils),
    ):
        if wanted is not None and records and wanted not in known:
            allowed = ", ".join(sorted(known)) or "none was measured"
            usage(f"{option}: found {wanted!r}; allowed: {allowed}")


def _last(store: "Store") -> "list[Record]":
    return [store.load(one.id) for one in store.runs(limit=1)]


def _held(store: "Store") -> str:
    found = store.runs_between(datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
    if not found:
        return ", which is empty: run `nethealth sweep` first"
    first, last = found[0].started, found[-1].started
    return f", whose runs are of {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def _words(stretch: Stretch) -> str:
    since = f" from {stretch.since:%Y-%m-%d %H:%M}" if stretch.since else ""
    until = f" until {stretch.until:%Y-%m-%d %H:%M}" if stretch.until else ""
    where = stretch.site or stretch.council
    return f"the period{since}{until}{f' at {where}' if where else ''}"
