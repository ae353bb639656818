"""What is new, worse or cleared, and silence otherwise."""

from dataclasses import replace

from nethealth.model.finding import Severity
from reports import compare, render_changes
from tests.reports import examples

RECORD = examples.degraded()
OUTAGE, OVERLOAD, LOSS, *_ = RECORD.findings


def test_nothing_changed_prints_nothing() -> None:
    changes = compare([OUTAGE, LOSS], [LOSS, OUTAGE])
    assert not changes
    assert render_changes(changes, RECORD) == ""


def test_new_worse_and_cleared() -> None:
    milder = replace(OUTAGE, severity=Severity.WARNING)
    changes = compare([milder, LOSS], [OUTAGE, OVERLOAD])
    assert changes.new == (OVERLOAD,)
    assert changes.worse == ((milder, OUTAGE),)
    assert changes.cleared == (LOSS,)
    lines = render_changes(changes, RECORD).splitlines()
    assert [line.split()[0] for line in lines] == ["NEW", "WORSE", "CLEARED"]
    assert "was warning" in lines[1]
    assert OVERLOAD.action in lines[0]


def test_what_is_alike_at_one_site_takes_one_line_in_the_order_of_its_names() -> None:
    phones = [each for each in examples.many_alike(10).findings if each.code == "host-down"]
    milder = [replace(each, severity=Severity.WARNING) for each in phones]
    names = ", ".join(f"phone-{n}" for n in range(1, 11))
    told = f"critical host-down at South Cambridgeshire Hall: 10: {names}."
    action = "Check the power and the network port of the host, on the spot."
    for before, after, line in (
        ([], phones, f"NEW {told} {action}"),
        (milder, phones, f"WORSE (was warning) {told} {action}"),
        (phones, [], f"CLEARED {told}"),
    ):
        assert render_changes(compare(before, after), RECORD) == f"{line}\n"


def test_a_line_names_twenty_and_counts_the_rest() -> None:
    phones = [each for each in examples.many_alike(300).findings if each.code == "host-down"]
    (line,) = render_changes(compare([], phones), RECORD).splitlines()
    assert ": 300: phone-1, " in line
    assert ", phone-20 and 280 more. Check" in line


def test_a_finding_that_got_milder_is_no_news() -> None:
    assert not compare([OUTAGE], [replace(OUTAGE, severity=Severity.WARNING)])


def test_one_change_is_one_line_whatever_it_says() -> None:
    hostile = replace(LOSS, statement="a\nb\x1b[2J", action="c\r\nd")
    text = render_changes(compare([], [hostile]), RECORD)
    assert text.count("\n") == 1
    assert "\x1b" not in text
