"""What `diagnose` works on when asked for a stretch of time: runs of the store, or records."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from nethealth.cli.exits import InputError, usage
from nethealth.cli.given import load_records
from nethealth.model.codec import dump
from nethealth.model.merge import Part, Stretch, cut, merge, renames
from nethealth.model.period_columns import columns_of
from nethealth.store import StoreError

if TYPE_CHECKING:
    from nethealth.model.finding import Finding
    from nethealth.model.observation import Event
    from nethealth.model.period import CheckPeriod
    from nethealth.model.record import Record
    from nethealth.store import RunMark, Store

CHECKS_MOST = 20_000  # of which every raw row is read; above, the packed columns and a few runs
EVENTS_MOST = 20_000  # of one kind
NEAR_MOST = 6  # runs that are read in full near what was found
_PLAIN = frozenset({"history-incomplete", "instrument-limited"})
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def of_records(paths: tuple[Path, ...], stretch: Stretch) -> "Record":
    """The records of files and folders judged as one; InputError where they hold none of it."""
    records = load_records(paths)
    _known(records, stretch)
    parts = _parts(records, stretch)
    if not parts:
        starts = [record.run.started for record in records]
        raise InputError(
            f"{_words(stretch)}: nothing in these records, which begin "
            f"{min(starts):%Y-%m-%d %H:%M} to {max(starts):%Y-%m-%d %H:%M} UTC"
        )
    return of_merged(merge(parts, since=stretch.since, until=stretch.until))


def of_merged(record: "Record") -> "Record":
    """A record of several runs, judged from its own raw rows."""
    from nethealth.diagnosis.history import judge_history  # noqa: PLC0415
    from nethealth.diagnosis.history.judging import Columns  # noqa: PLC0415

    try:
        return judge_history(record, Columns(columns_of(record)))
    except ValueError as error:
        raise InputError(f"this cannot be judged as one period: {error}") from None


def of_store(store: "Store", stretch: Stretch) -> "Record":
    """The runs of a stretch judged as one: of very many the columns, and a few runs in full."""
    until = stretch.until or datetime.now(UTC)
    since = stretch.since or _BEGINNING
    try:
        marks = store.runs_between(since, until)
        long = store.checks_between(since, until, CHECKS_MOST + 1) > CHECKS_MOST
        measured = [one for one in marks if one.kind in {"check", "sweep"}]
        others = [one for one in marks if one.kind == "capture"]
        chosen = [*others, *measured[-1:]] if long else [one for one in marks if one.kind != "demo"]
        chosen += _captures(store, marks)
        parts = _read(store, chosen, stretch)
        first = min((one.started for one in marks), default=None)
        ends = until if stretch.since else None
        record = merge(parts, since=stretch.since or first, until=ends)
        events, left_out = _events(store, stretch, since, until)
        record = replace(record, events=events)
        if not long:
            return of_merged(record)

        def nearer(found: "Sequence[Finding]") -> "Record":
            near = _parts((store.load(one.id) for one in _near(found, measured)), stretch)
            fuller = merge([*parts, *near], since=stretch.since or first, until=ends)
            return replace(fuller, events=events)

        return _long(store, record, stretch, measured, left_out, nearer)
    except StoreError as error:
        raise InputError(str(error)) from None


def _long(
    store: "Store",
    record: "Record",
    stretch: Stretch,
    measured: "Sequence[RunMark]",
    notes: tuple[str, ...],
    nearer: "Callable[[Sequence[Finding]], Record]",
) -> "Record":
    from nethealth.diagnosis.history import judge_history  # noqa: PLC0415
    from nethealth.diagnosis.history.judging import Columns  # noqa: PLC0415

    since, until = record.run.started, record.run.finished or record.run.started
    older = store.inventories_between(since, until)
    checks: Iterator[CheckPeriod] = store.period(
        since, until, council=stretch.council, site=stretch.site
    )
    note = (
        f"Of {len(measured)} runs the numbers that are followed over time were judged; read in "
        f"full were the last, and at the most {NEAR_MOST} where what was found begins and ends."
    )
    columns = Columns(
        checks, whole=False, renamed=renames(older, record.inventory), nearer=nearer,
        notes=(note, *notes),
    )  # fmt: skip
    try:
        return judge_history(record, columns)
    except ValueError as error:
        raise InputError(f"{_words(stretch)} cannot be judged: {error}") from None


def _near(found: "Sequence[Finding]", measured: "Sequence[RunMark]") -> "list[RunMark]":
    """The runs in which what was found began and ended, the worst first; not the very last."""
    starts = [one.started for one in measured]
    near: dict[str, RunMark] = {}
    told = [one for one in found if one.code not in _PLAIN]
    for finding in sorted(told, key=lambda one: (-one.severity.rank, one.id)):
        for when in (finding.from_, finding.to):
            place = bisect_right(starts, when) - 1
            if 0 <= place < len(measured) - 1:
                near.setdefault(measured[place].id, measured[place])
            if len(near) == NEAR_MOST:
                return [*near.values()]
    return [*near.values()]


def _read(store: "Store", chosen: "Sequence[RunMark]", stretch: Stretch) -> list[Part]:
    """What these runs hold of the stretch; InputError where that is nothing."""
    records = [store.load(one.id) for one in chosen]
    _known(records or _last(store), stretch)
    parts = _parts(records, stretch)
    if not parts:
        raise InputError(f"{_words(stretch)}: nothing in the history{_held(store)}")
    return parts


def _captures(store: "Store", read: "Sequence[RunMark]") -> "list[RunMark]":
    """Captures that were read at another time than they may have been taken."""
    known = {one.id for one in read}
    return [one for one in store.captures() if one.id not in known]


def _events(
    store: "Store", stretch: Stretch, since: datetime, until: datetime
) -> "tuple[tuple[Event, ...], tuple[str, ...]]":
    """What happened meanwhile; kinds of which there are very many are left out, and it is said."""
    kinds = store.event_kinds(since, until)
    many = sorted(kind for kind, count in kinds.items() if count > EVENTS_MOST)
    few = [kind for kind in kinds if kind not in many]
    found = store.events(few, site=stretch.site, since=since, until=until)
    if not many:
        return found, ()
    return found, (f"Events of kind {', '.join(many)} are too many to be read one by one.",)


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
    found = store.runs_between(_BEGINNING, datetime(9000, 1, 1, tzinfo=UTC))
    if not found:
        return ", which is empty: run `nethealth sweep` first"
    first, last = found[0].started, found[-1].started
    return f", whose runs are of {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def _words(stretch: Stretch) -> str:
    since = f" from {stretch.since:%Y-%m-%d %H:%M}" if stretch.since else ""
    until = f" until {stretch.until:%Y-%m-%d %H:%M}" if stretch.until else ""
    where = stretch.site or stretch.council
    return f"the period{since}{until}{f' at {where}' if where else ''}"
