"""The CSV reads back, row for row, and runs nothing in a spreadsheet."""

import csv
from dataclasses import replace
from io import StringIO

import pytest

import reports
from nethealth.model.observation import Scalar
from nethealth.model.record import Record
from reports.rows import COLUMNS, cell
from tests.reports import examples


def read(record: Record) -> list[dict[str, str]]:
    text = reports.RENDERERS["csv"].render(reports.compose(record)).decode()
    assert text.count("\r\n") == text.count("\n")
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def test_one_row_for_each_observation_and_each_check_without_one() -> None:
    record = examples.degraded()
    rows = read(record)
    assert len(rows) == len(record.observations) + 1  # the blackout left one check unasked
    assert tuple(rows[0]) == COLUMNS
    loss = next(row for row in rows if row["observation"] == "leisure-gateway:ping/1")
    assert (loss["name"], loss["value"], loss["unit"]) == ("packet_loss_ratio", "0.15", "1")
    assert (loss["samples"], loss["interval_low"], loss["interval_high"]) == (
        "20",
        "0.0524",
        "0.3604",
    )
    assert (loss["council"], loss["site"], loss["outcome"]) == ("hdc", "leisure", "completed")
    assert loss["run_started"] == "2026-07-22T19:03:55Z"
    silent = next(row for row in rows if row["observation"] == "eastfield-switch:ping/3")
    assert (silent["value"], silent["failure"]) == ("", "timeout")
    unasked = next(row for row in rows if row["outcome"] == "not_run")
    assert "blackout" in unasked["reason"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'␉=1"),
        ("\r=1", "'␍=1"),
        (-1.5, "-1.5"),
        (-3, "-3"),
        (0.1, "0.1"),
        (True, "true"),
        (None, ""),
        ("plain", "plain"),
    ],
)
def test_formulas_are_defused_and_numbers_stay_numbers(value: Scalar, text: str) -> None:
    assert cell(value) == text


def test_quotes_commas_and_breaks_survive() -> None:
    record = examples.one_target()
    nasty = 'a "quoted", line\nbreak'
    check = replace(record.checks[0], target=nasty)
    assert read(replace(record, checks=(check,)))[0]["target"] == 'a "quoted", line␊break'
