"""The record goes to JSON and back whole, and what is written is what the schema says."""

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from nethealth.model import codec
from nethealth.model.check import CheckResult
from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Finding, Refutation, Severity, Verdict
from nethealth.model.inventory import Blackout, Inventory
from nethealth.model.observation import Event, Observation
from nethealth.model.record import Record, Run, Tool

WHEN = datetime(2026, 11, 22, 19, 3, 55, tzinfo=UTC)
SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "record.schema.json").read_text(encoding="utf-8")
)


def example() -> Record:
    return Record(
        tool=Tool(version="0.1.0"),
        run=Run(id="r", kind="sweep", vantage="hq", started=WHEN),
        inventory=Inventory(
            blackout=(Blackout(site="hall", days="mon-fri", from_="09:00", to="10:30"),)
        ),
        checks=(
            CheckResult("pbx:ping", "ping", "scdc", "hall", "pbx", "198.18.2.10",
                        Outcome.FAILED, Failure.RESOLVE, "no address"),
        ),
        observations=(
            Observation("pbx:ping/1", "pbx:ping", "packet_loss_ratio", 0.05, "1", 1.5, 20,
                        (0.009, 0.236), None, {"direction": "round-trip", "hops": [1, 2]}),
            Observation("pbx:ping/2", "pbx:ping", "round_trip_delay_median_s", None, "s",
                        failure=Failure.TIMEOUT),
        ),
        events=(Event("e1", WHEN, "interrupted"),),
        findings=(
            Finding("packet-loss:hall", "packet-loss", "scdc", "hall", None, WHEN, WHEN,
                    Severity.WARNING, Verdict.DEMONSTRATED, None, "Loss.", "Look.",
                    evidence=("pbx:ping/1",), refutations=(Refutation("again", "same"),)),
        ),
    )  # fmt: skip


def test_written_record_reads_back_equal_and_fits_the_schema() -> None:
    text = codec.dump(example())
    document = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert codec.load(text) == example()
    assert document["run"]["started"] == "2026-11-22T19:03:55Z"
    assert document["findings"][0]["from"] == "2026-11-22T19:03:55Z"
    assert document["observations"][1]["value"] is None


def test_committed_schema_is_the_models_own() -> None:
    assert codec.json_schema() == SCHEMA


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not JSON"),
        ("[]", "schema is 'list'"),
        ('{"schema": "nethealth.record/9"}', "nethealth.record/9"),
        ('{"schema": "nethealth.record/1"}', "tool: Field required"),
    ],
)
def test_a_text_that_is_no_record_says_why(text: str, told: str) -> None:
    with pytest.raises(codec.RecordError, match=told):
        codec.load(text, name="old.json")
