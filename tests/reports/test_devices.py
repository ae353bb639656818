"""Devices in a report: a few lines of many figures, and how warm a room was."""

from dataclasses import replace
from xml.etree import ElementTree

import reports
from nethealth.diagnosis import judge
from nethealth.model.record import Record
from reports.charts import WIDE, svg
from reports.document import SeriesChart
from reports.figures import figures
from reports.view import View
from tests.diagnosis.build import Scene, healthy
from tests.diagnosis.devices import course, read, troubled, unread, warm


def charts(record: Record) -> list[SeriesChart]:
    return [
        block
        for section in reports.compose(record).sections
        for block in section.blocks
        if isinstance(block, SeriesChart)
    ]


def judged(record: Record) -> Record:
    return replace(record, findings=judge(record))


def hot() -> Scene:
    # 19.0, 22.0, 25.0 at 45, 30 and 15 minutes before the run, and 34.0 in it
    scene = read(healthy(), "hall-room", warm("Rack 1", 34.0), warm("Rack 2", 33.0), kind="sensor")
    return course(scene, "hall-room", "Rack 1", [19, 22, 25])


def test_a_rooms_history_is_a_chart_of_the_runs_before_and_this_one() -> None:
    (chart,) = charts(hot().record())
    assert chart.unit == "°C"
    assert chart.limit == 30
    assert chart.since == "18:15 UTC"
    # 15 minutes apart, and 2 s into the run that began at 19:00
    assert chart.points == ((0.0, 19.0), (900.0, 22.0), (1800.0, 25.0), (2702.0, 34.0))
    assert "lowest 19.0 °C, highest 34.0 °C, at last 34.0 °C" in chart.description
    assert chart.table.rows[0] == ("2026-11-22 18:15:00", "19.0 °C")


def test_the_history_of_a_room_that_cannot_be_read_any_more() -> None:
    scene = course(unread(healthy(), "hall-room"), "hall-room", "Rack 1", [29, 34, 39])
    (chart,) = charts(scene.record())
    assert [value for _, value in chart.points] == [29, 34, 39]


def test_a_day_is_shown_in_hours() -> None:
    scene = course(unread(healthy(), "hall-room"), "hall-room", "Rack 1", [20.0] * 96)
    text = reports.RENDERERS["html"].render(reports.compose(scene.record())).decode()
    assert "23.8 h since 19:00 UTC" in text  # 95 quarters of an hour


def test_the_figures_of_a_switch_are_a_few_lines() -> None:
    record = troubled(healthy()).record()
    view = View(record)
    switch = dict(figures(view.checks["weir-switch:snmp"], view.seen("weir-switch:snmp")))
    assert switch["at Gi0/7"] == "2 late collisions a second"
    assert switch["read by"] == "v3 authPriv"
    assert len(switch) < 12
    room = dict(figures(view.checks["weir-room:snmp"], view.seen("weir-room:snmp")))
    assert room["temperature"] == "Rack 1 41 °C and Rack 2 40 °C"


def test_evidence_names_the_sensor_and_the_port() -> None:
    text = " ".join(reports.render_text(reports.compose(judged(hot().record()))).split())
    assert "temperature, Rack 1 34 °C" in text


def test_the_page_stays_well_formed_with_a_hostile_sensor() -> None:
    scene = read(healthy(), "hall-room", warm("<b>&\x1b[31m", 34.0), kind="sensor")
    course(scene, "hall-room", "<b>&\x1b[31m", [19, 22, 25])
    (chart,) = charts(scene.record())
    drawn = str(svg(chart, width=WIDE, name="c"))
    ElementTree.fromstring(drawn)
    assert "<b>" not in drawn
