"""One line and the right exit code."""

import re
from dataclasses import replace

import pytest

import reports
from nethealth.model.failure import Outcome
from nethealth.model.record import Record
from reports.nagios import LINE_MAX_CHARACTERS, exit_code
from tests.reports import examples

# Monitoring Plugins guidelines: 'label'=value[UOM];[warn];[crit];[min];[max]
PERFORMANCE = re.compile(r"([a-z]+=\d+(;\d*){0,4} )*[a-z]+=\d+(;\d*){0,4}")


def line(record: Record) -> str:
    return reports.RENDERERS["nagios"].render(reports.compose(record)).decode()


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [
        ("degraded", 2, "CRITICAL"),
        ("acquitted", 1, "WARNING"),
        ("all-clear", 0, "OK"),
        ("cut-off", 3, "UNKNOWN"),
        ("not-measured", 3, "UNKNOWN"),
        ("one-target", 0, "OK"),
    ],
)
def test_code_and_word_agree(name: str, code: int, word: str) -> None:
    record = examples.ALL[name]()
    assert exit_code(record) == code
    text = line(record)
    assert text.startswith(f"NETHEALTH {word} - ")
    assert text.count("\n") == 1
    _, bar, performance = text.rstrip("\n").partition(" | ")
    assert bar
    assert PERFORMANCE.fullmatch(performance)


def test_performance_data_alerts_above_none() -> None:
    """A range of `0` alerts outside 0 to 0 (Monitoring Plugins guidelines, threshold format)."""
    assert "| critical=1;;0 warning=3;0 notes=2 measured=12;;;0;13" in line(examples.degraded())


def test_a_named_check_that_could_not_run_is_unknown() -> None:
    record = examples.one_target()
    unasked = replace(record.checks[0], id="other", outcome=Outcome.NOT_RUN)
    assert exit_code(replace(record, checks=(*record.checks, unasked))) == 3


def test_line_is_bounded_and_its_bar_and_breaks_are_its_own() -> None:
    record = examples.degraded()
    findings = tuple(
        replace(finding, statement="a | b\nc " + "long " * 400) for finding in record.findings
    )
    text = line(replace(record, findings=findings))
    assert text.count("|") == 1
    assert text.count("\n") == 1
    assert len(text.partition(" | ")[0]) <= LINE_MAX_CHARACTERS
