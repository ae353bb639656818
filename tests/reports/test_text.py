"""The text at the desk: short for one target, never wider than asked, no colour unasked."""

from dataclasses import replace

import pytest

import reports
from reports import render_text
from reports.text import column_widths
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


def test_only_checks_with_a_finding_or_a_failure_are_listed() -> None:
    text = render_text(reports.compose(examples.degraded()), 160)
    table = text.partition("\n13 checks\n")[2].partition("\nmethod:")[0]
    assert [line.split()[0] for line in table.splitlines()[2:7]] == [
        "198.18.5.2",
        "198.18.6.1",
        "sip:198.18.2.10",
        "https://198.18.4.80/",
        "198.18.3.20",
    ]
    assert table.splitlines()[7:] == [
        "8 further checks without a finding; all of them in html, csv and json",
    ]


def test_no_check_is_listed_where_all_is_well() -> None:
    text = render_text(reports.compose(examples.all_clear()))
    assert "\n10 checks without a finding; all of them in html, csv and json\n" in text
    assert "198.18." not in text


@pytest.mark.parametrize(
    ("cells", "room", "widths"),
    [
        ([["ab"], ["abc def"]], 20, [2, 7]),  # room enough: as wide as the cells
        ([["ab"], ["abc def"]], 6, [2, 4]),  # the second wraps between its words
        ([["ab"], ["abcdefgh"]], 6, [2, 4]),  # no way but to break a word, the longest
        ([["a b c d"], ["a b c d e f"]], 9, [3, 6]),  # the room goes where most is lacking
        ([["名前"], ["x"]], 9, [4, 1]),  # two columns a character
    ],
)
def test_columns_of_a_table_share_the_room(
    cells: list[list[str]], room: int, widths: list[int]
) -> None:
    assert column_widths(cells, room) == widths


def test_no_word_of_a_table_is_lost_in_a_terminal_of_the_usual_width() -> None:
    lines = render_text(reports.compose(examples.degraded())).splitlines()
    for word in ("Unavailable", "transmissions", "eastfield-switch", "198.18.5.2"):
        assert any(word in line.split() for line in lines)


def test_like_findings_are_told_once() -> None:
    text = render_text(reports.compose(examples.many_alike(21)), 160)
    assert text.count("Device not answering: 21 at South Cambridgeshire Hall\n") == 1
    assert text.count("is down: none of 20 packets returned.") == 20
    assert text.count("- and 1 more in the record") == 1
    assert text.count("Check the power and the network port of the host, on the spot.") == 1


def test_one_sample_is_not_many() -> None:
    record = examples.degraded()
    single = tuple(replace(each, samples=1) for each in record.observations)
    finding = replace(record.findings[1], evidence=("hall-pbx:sip/2",))
    text = render_text(reports.compose(replace(record, observations=single, findings=(finding,))))
    assert "SIP transmissions 3, 1 sample [hall-pbx:sip/2]" in text


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
