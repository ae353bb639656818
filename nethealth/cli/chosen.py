"""The record that `report` and `diagnose` work on: from files, or a run of the store."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nethealth.cli.exits import InputError
from nethealth.cli.given import load_records, opened_store
from nethealth.cli.run import previous_findings
from nethealth.model.finding import Finding
from nethealth.model.record import Record
from nethealth.store import StoreError, past_of


def chosen(
    paths: tuple[Path, ...], run: str | None, url: str | None
) -> tuple[Record, Sequence[Finding] | None]:
    """The newest record of `paths`, else the stored run, else the last; and what came before it."""
    if paths:
        if run is not None:
            raise InputError("--record and --run exclude each other: a file, or a stored run")
        records = load_records(paths)
        earlier = [
            record
            for record in records[:-1]
            if (record.run.kind, record.run.vantage)
            == (records[-1].run.kind, records[-1].run.vantage)
        ]
        return _with_whole_case(records[-1]), earlier[-1].findings if earlier else None
    with opened_store(url) as store:
        try:
            if run is None:
                runs = store.runs(limit=1)
                if not runs:
                    raise InputError("the history is empty: run `nethealth sweep` first")
                run = runs[0].id
            record = store.load(run)
            past = past_of(store, record.checks, record.run.started)
            record = replace(record, past=past)
        except StoreError as error:
            raise InputError(str(error)) from None
        return record, previous_findings(store, record)


def _with_whole_case(record: Record) -> Record:
    """The record itself, if its case and its period are such; else the error ends the command."""
    if record.case is not None:
        from nethealth.model.case_codec import CaseError, typed  # noqa: PLC0415

        try:
            typed(record.case)
        except CaseError as error:
            raise InputError(str(error)) from None
    if record.period is not None:
        from nethealth.cli.period import report_of  # noqa: PLC0415

        report_of(record)
    return record
