"""What is new, worse or cleared, and silence otherwise."""

from dataclasses import replace

from nethealth.model.finding import Severity
from reports import compare, render_changes
from tests.reports import examples

OUTAGE, OVERLOAD, LOSS, *_ = examples.degraded().findings


def test_nothing_changed_prints_nothing() -> None:
    changes = compare([OUTAGE, LOSS], [LOSS, OUTAGE])
    assert not changes
    assert render_changes(changes) == ""


def test_new_worse_and_cleared() -> None:
    milder = replace(OUTAGE, severity=Severity.WARNING)
    changes = compare([milder, LOSS], [OUTAGE, OVERLOAD])
    assert changes.new == (OVERLOAD,)
    assert changes.worse == ((milder, OUTAGE),)
    assert changes.cleared == (LOSS,)
    lines = render_changes(changes).splitlines()
    assert [line.split()[0] for line in lines] == ["NEW", "WORSE", "CLEARED"]
    assert "was warning" in lines[1]
    assert OVERLOAD.action in lines[0]


def test_a_finding_that_got_milder_is_no_news() -> None:
    assert not compare([OUTAGE], [replace(OUTAGE, severity=Severity.WARNING)])


def test_one_change_is_one_line_whatever_it_says() -> None:
    hostile = replace(LOSS, statement="a\nb\x1b[2J", action="c\r\nd")
    text = render_changes(compare([], [hostile]))
    assert text.count("\n") == 1
    assert "\x1b" not in text
