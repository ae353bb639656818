"""The calls of a capture in a report: what the tables say, and the ladder in both its drawings."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

import reports
from nethealth.model.observation import Observation, Passport
from reports.call_ladder import ladder
from reports.charts import NARROW, WIDE, svg
from reports.compose import compose
from reports.document import Block, Column, KeyValues, Ladder, LadderStep, SeriesChart, Table
from reports.ladder import PLACES_MAX, terminal_lines
from reports.text import render_text
from tests.reports import examples
from tests.reports.test_hostile import NASTY

EMPTY = Table("t", (Column("a"),), ())
PLACES = ("198.18.2.31:5060", "198.18.2.10:5060")


def call_blocks() -> tuple[Block, ...]:
    (section,) = (each for each in compose(examples.captured()).sections if each.key == "calls")
    return section.blocks


def table(caption: str) -> Table:
    return next(
        each for each in call_blocks() if isinstance(each, Table) and caption in each.caption
    )


def made(*steps: LadderStep, places: tuple[str, ...] = PLACES) -> Ladder:
    return Ladder("l", "Title", "Words", places, steps, EMPTY)


def test_the_table_of_calls() -> None:
    titles = [column.title for column in table("Calls").columns]
    first, second = (dict(zip(titles, map(str, row), strict=True)) for row in table("Calls").rows)
    assert first["Outcome"] == "answered"
    assert (first["To ringing"], first["To answer"], first["Talk"]) == ("600 ms", "2.0 s", "58.0 s")
    assert first["Caller"] == "sip:number-na3ztq7twj66@hall.example"
    assert (first["Codec"], first["Audio seen"]) == ("PCMA", "both ways")
    assert (second["Outcome"], second["Sent again"]) == ("rejected (503)", "1")
    assert (second["To answer"], second["Audio seen"]) == ("–", "–")


def test_registrations_measures_and_far_ends() -> None:
    (account,) = table("Registrations").rows
    assert account[1:] == ("6", "3", "4", "2 × 403, 1 × no answer", "3,600 s", "600 s")
    delay, established = (tuple(map(str, row)) for row in table("RFC 6076").rows)
    assert delay == ("Registration request delay, median", "4.1", "no data", "–", "–")
    assert established == (
        "Session establishment ratio", "4.6", "50.0 %", "9.4 % to 90.5 %", "2",
    )  # fmt: skip
    (claim,) = table("far ends").rows
    assert claim == (
        "198.18.2.31:40001", "0x0000abcd", "6.0 %", "31 of 500", "–", "31.2 ms", "3.9", "–",
    )  # fmt: skip


def test_loss_over_time_stands_beside_its_call() -> None:
    blocks = call_blocks()
    (chart,) = (
        each for each in blocks if isinstance(each, SeriesChart) and each.id.startswith("loss")
    )
    assert [value for _, value in chart.points] == [0, 0, 0, 50, 10, 0, 0, 0, 0, 2]
    assert chart.limit == 1
    assert [row[2] for row in chart.table.rows] == ["25", "5", "1"]
    ladders = [index for index, each in enumerate(blocks) if isinstance(each, Ladder)]
    assert ladders[0] < blocks.index(chart) < ladders[1]


def test_the_ladder_in_characters() -> None:
    """Written out by hand: 44 columns between the lifelines, the time in the first ten."""
    drawn = made(
        LadderStep("0.000", 0, 1, "INVITE", media=True),
        LadderStep("0.500", 0, 1, "INVITE", media=True, again=True),
        LadderStep("2.000", 1, 0, "200 OK"),
    )
    assert terminal_lines(drawn, 100) == [
        "            A                                           B",
        "    0.000   │────────────── INVITE, SDP ───────────────▶│",
        "    0.500   │╌╌╌╌╌╌╌╌╌╌ INVITE, SDP (again) ╌╌╌╌╌╌╌╌╌╌╌▶│",
        "    2.000   │◀───────────────── 200 OK ─────────────────│",
    ]


@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("count", [1, 2, 3, 6, 9])
def test_no_line_is_wider_than_the_terminal(width: int, count: int) -> None:
    places = tuple(f"198.18.0.{index}:5060" for index in range(count))
    steps = tuple(
        LadderStep("12345.678", source, destination, text)
        for source in range(count)
        for destination in range(count)
        for text in ("INVITE", "x" * 100, NASTY[4])
    )
    for line in terminal_lines(made(*steps, places=places), width):
        assert len(line) <= width
        assert line.isprintable()


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("count", [1, 2, 3, 6, 9])
def test_the_drawing_stays_within_its_bounds(width: int, count: int) -> None:
    places = tuple(f"[2001:db8::{index}]:5060" for index in range(count))
    steps = tuple(
        LadderStep("1.5", source, destination, text, again=source == 0)
        for source in range(count)
        for destination in range(count)
        for text in ("ACK", "183 Session Progress", "x" * 200)
    )
    root = ElementTree.fromstring(svg(made(*steps, places=places), width=width, name="c"))
    drawn = sum(max(step.source, step.destination) < PLACES_MAX for step in steps)
    heads = [each for each in root.iter("path") if each.get("class") == "head"]
    assert len(heads) == drawn
    for each in root.iter("text"):
        text, at, side = each.text or "", float(each.get("x", "0")), each.get("class", "")
        long = len(text) * 7.0
        low = at - long if "end" in side else at - long / 2 if "middle" in side else at
        if "place" not in side:
            assert low >= -1, text
            assert low + long <= width + 22, text  # a loop at the last lifeline


@pytest.mark.parametrize("text", NASTY)
def test_hostile_text_stays_text(text: str) -> None:
    drawn = made(LadderStep("0.0", 0, 1, text), places=(text, text))
    for width in (WIDE, NARROW):
        root = ElementTree.fromstring(svg(drawn, width=width, name="c"))
        assert {each.tag for each in root.iter()} <= {
            "svg",
            "title",
            "desc",
            "line",
            "path",
            "text",
        }


GOOD: Passport = {
    "places": ["a", "b"], "times_s": [0.0, 1.0], "from": [0, 1], "to": [1, 0],
    "labels": ["BYE", "200 OK"], "of": ["", "BYE"], "media": [False, False],
    "again": [False, False], "left_out": 0,
}  # fmt: skip


def observation(method: Passport) -> Observation:
    return Observation("x/1", "x", "call_message_count", 2, method=method)


def test_an_answer_names_what_it_answers() -> None:
    drawn = ladder(observation(GOOD), "1")
    assert drawn is not None
    assert [step.label for step in drawn.steps] == ["BYE", "200 OK (BYE)"]


@pytest.mark.parametrize(
    "change",
    [{"places": []}, {"from": [0]}, {"to": [1, 7]}, {"to": [1, -1]}, {"to": [1, True]},
     {"times_s": ["a", "b"]}, {"labels": "BYE"}, {"again": None}],
)  # fmt: skip
def test_lists_that_do_not_fit_give_no_ladder(change: Passport) -> None:
    assert ladder(observation({**GOOD, **change}), "1") is None


def test_every_format_shows_the_calls() -> None:
    document = compose(examples.captured())
    text = " ".join(render_text(document).split())
    assert re.search(r"◀─+ 180 Ringing ─+│", text)
    assert "3 later messages are counted and not shown" in text
    for name in ("html", "pdf", "docx", "xlsx", "json", "csv"):
        assert reports.RENDERERS[name].render(document)
    page = reports.RENDERERS["html"].render(document).decode()
    assert page.count('class="chart wide"') == page.count('class="chart narrow"') == 4


def test_what_a_capture_holds_is_counted_by_kind() -> None:
    (section,) = (each for each in compose(examples.captured()).sections if each.key == "measured")
    (pairs,) = (each.pairs for each in section.blocks if isinstance(each, KeyValues))
    assert dict(pairs) == {
        "packet": "12,345",
        "capture duration": "96.5 s",
        "call": "2",
        "SIP request": "4 × INVITE",
        "SIP response": "2 × 200",
        "call outcome": "1 × answered and 1 × rejected",
        "registration attempt": "3 × succeeded and 3 × failed",
    }


def test_a_capture_without_calls_has_no_such_section() -> None:
    record = examples.captured()
    bare = replace(record, observations=record.observations[:2])
    assert "calls" not in {section.key for section in compose(bare).sections}
