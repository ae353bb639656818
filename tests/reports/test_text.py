"""The text at the desk: short for one target, never wider than asked, no colour unasked."""

import pytest

import reports
from reports import render_text
from tests.reports import examples


def test_one_target_fits_a_dozen_lines_with_its_facts() -> None:
    text = render_text(reports.compose(examples.one_target()))
    lines = text.splitlines()
    assert len(lines) <= 14
    assert lines[0] == "nethealth check 198.18.2.10, 22 July 2026, 19:03:55 UTC, from hq-laptop"
    assert lines[1] == "NO FAULT FOUND: 1 of 1 check measured"
    assert "min 11.1 ms, median 12.3 ms, p95 16.6 ms, max 19.7 ms (20 replies)" in text
    assert "0 % of 20 packets, 95 % interval 0 % to 16.1 %" in text
    assert lines[-1].startswith("data: sha256 ")


def test_findings_come_before_tables_and_worst_first() -> None:
    text = render_text(reports.compose(examples.degraded()))
    marks = ["CRITICAL: 1 critical, 3 warnings", "CRITICAL  Whole site", "WARNING  Telephone",
             "SITES, WORST FIRST", "\n13 checks", "method:", "data: sha256"]  # fmt: skip
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    wide = render_text(reports.compose(examples.degraded()), 160)
    assert "503 Service Unavailable after 3 transmissions" in wide


@pytest.mark.parametrize("width", [60, 80, 100, 160])
@pytest.mark.parametrize("name", examples.ALL)
def test_no_line_is_wider_than_asked(name: str, width: int) -> None:
    text = render_text(reports.compose(examples.ALL[name]()), width)
    assert max(map(len, text.splitlines())) <= width


def test_colour_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    document = reports.compose(examples.degraded())
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in render_text(document)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;31m" in render_text(document, colour=True)


def test_no_change_is_not_worth_a_line() -> None:
    record = examples.degraded()
    same = render_text(reports.compose(record, previous=record.findings))
    assert same == render_text(reports.compose(record))
    assert "CLEARED" in render_text(reports.compose(examples.all_clear(), previous=record.findings))


def test_a_demonstration_says_so_first() -> None:
    text = render_text(reports.compose(examples.demonstration()))
    assert text.startswith("*** Demonstration on a simulated network")


def test_a_check_that_failed_says_why() -> None:
    text = render_text(reports.compose(examples.not_measured()))
    assert text.splitlines()[1] == "NOT MEASURED: 0 of 9 checks measured"
    assert "no ICMP socket: ping_group_range excludes this user" in " ".join(text.split())
