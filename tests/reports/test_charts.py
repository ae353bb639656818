"""The drawings: round ticks, real text, positions in proportion."""

import re
from xml.etree import ElementTree

import pytest

import reports
from reports.charts import NARROW, WIDE, svg, ticks
from reports.document import IntervalChart, IntervalRow, SeriesChart, Table
from tests.reports import examples

SPACE = "{http://www.w3.org/2000/svg}"
EMPTY = Table("none", (), ())


def drawn(chart: IntervalChart | SeriesChart, width: int) -> ElementTree.Element:
    text = str(svg(chart, width=width, name="c")).replace(
        "<svg ", f'<svg xmlns="{SPACE[1:-1]}" ', 1
    )
    return ElementTree.fromstring(text)


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        (65.1, [0, 20, 40, 60, 80]),
        (100, [0, 20, 40, 60, 80, 100]),
        (1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (float("nan"), [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    ],
)
def test_ticks_are_round_and_reach_the_highest(highest: float, expected: list[float]) -> None:
    assert ticks(highest) == pytest.approx(expected)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_intervals_lie_in_proportion_and_inside(width: int) -> None:
    rows = (IntervalRow("a", 10, 20, 40), IntervalRow("b", 0, 0, 80))
    root = drawn(IntervalChart("x", "Title", "Words", "ms", rows, EMPTY), width)
    spans = [each for each in root.iter(f"{SPACE}line") if each.get("class") == "span"]
    (a_low, a_high), (b_low, b_high) = [
        (float(each.get("x1", "")), float(each.get("x2", ""))) for each in spans
    ]
    assert (a_high - a_low) / (b_high - b_low) == pytest.approx(30 / 80, abs=0.01)
    assert 0 <= b_low < b_high <= width


def test_a_drawing_names_and_describes_itself() -> None:
    rows = (IntervalRow("<b>", 1, 2, 3),)
    root = drawn(IntervalChart("x", "A & B", "In words", "%", rows, EMPTY), WIDE)
    assert root.get("role") == "img"
    title, description = root.find(f"{SPACE}title"), root.find(f"{SPACE}desc")
    assert title is not None and description is not None
    assert (title.text, description.text) == ("A & B", "In words")
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert "<b>" in [each.text for each in root.iter(f"{SPACE}text")]


def test_a_gap_breaks_the_line() -> None:
    points = ((0.0, 1.0), (60.0, 2.0), (120.0, None), (180.0, 3.0), (240.0, 4.0))
    root = drawn(SeriesChart("x", "T", "D", "ms", points, EMPTY), WIDE)
    lines = list(root.iter(f"{SPACE}polyline"))
    assert [len((each.get("points") or "").split()) for each in lines] == [2, 2]


def test_nothing_leaves_the_drawing_whatever_the_values() -> None:
    rows = (IntervalRow("a", 1e-9, 5.0, 1e12), IntervalRow("b", -3, 0, float("inf")))
    text = svg(IntervalChart("x", "T", "D", "ms", rows, EMPTY, limit=300), width=WIDE, name="c")
    numbers = [float(each) for each in re.findall(r'(?:x1|x2|cx)="([^"]+)"', text)]
    assert all(0 <= each <= WIDE for each in numbers)


def test_every_chart_of_the_examples_is_well_formed() -> None:
    count = 0
    for make in examples.ALL.values():
        for section in reports.compose(make()).sections:
            for block in section.blocks:
                if isinstance(block, IntervalChart | SeriesChart):
                    count += 1
                    drawn(block, WIDE)
                    drawn(block, NARROW)
    assert count >= 10
