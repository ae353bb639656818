"""What a stretch of history says of findings that several of its runs made."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from nethealth.cli.period_records import OfRecords
from nethealth.model.finding import Direction, Severity, Verdict
from nethealth.model.record import Record
from nethealth.store import open_store
from tests.store.records import WHEN, begun, finding, finished

ALL = WHEN - timedelta(days=1), WHEN + timedelta(days=1)


def runs(*verdicts: Verdict) -> list[Record]:
    """Sweeps an hour apart that judged one mechanism so."""
    judged = [
        replace(finding(Severity.INFO), verdict=verdict, direction=Direction.UNDETERMINED)
        for verdict in verdicts
    ]
    return [
        finished(begun(f"r{number}", after=timedelta(hours=number)), findings=(one,))
        for number, one in enumerate(judged)
    ]


@pytest.mark.parametrize("acquitted", [Verdict.NO_EVIDENCE, Verdict.CONTRADICTED])
def test_a_later_run_that_found_nothing_clears_no_earlier_suspicion(
    acquitted: Verdict, tmp_path: Path
) -> None:
    records = runs(Verdict.SUGGESTIVE, acquitted)
    with closing(open_store(f"sqlite:///{tmp_path / 'history.db'}")) as store:
        for record in records:
            store.begin(replace(record, findings=()))
            store.finish(record)
        spans = store.span(*ALL), OfRecords(records).span(*ALL)
    for span in spans:
        (found,) = span.found
        assert (found.finding.verdict, found.run, found.runs) == (Verdict.SUGGESTIVE, "r0", 2)


def test_of_two_that_are_as_grave_the_later_one_stands() -> None:
    (found,) = OfRecords(runs(Verdict.SUPPORTED, Verdict.SUPPORTED)).span(*ALL).found
    assert found.run == "r1"
