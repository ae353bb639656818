"""A trend gathers points by period, with codes counted and numbers halved."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from nethealth.model.observation import Scalar
from nethealth.store import Cell, Period, Point, sparkline, trend

NIGHT = datetime(2026, 6, 1, 22, 50, tzinfo=UTC)  # 23:50 in London, where summer time holds


def point(
    minutes: float, value: Scalar, name: str = "packet_loss_ratio", asset: str = "pbx"
) -> Point:
    time = NIGHT + timedelta(minutes=minutes)
    run = f"run at {int(minutes // 30)}"
    return Point(time, run, "hall", asset, f"{asset}:ping", name, value, "1", 20)


@pytest.mark.parametrize(
    ("by", "values", "cells"),
    [
        ("hour", (0.01, 0.02, 0.06), [((1, 23), 0.02, 3), ((2, 0), 0.5, 1)]),
        ("day", (0.01, 0.04, None), [((1, 0), 0.025, 3), ((2, 0), 0.5, 1)]),
    ],
)
def test_points_fall_into_the_hours_and_days_of_the_place(
    by: Period, values: tuple[float | None, ...], cells: list[tuple[tuple[int, int], float, int]]
) -> None:
    points = [*(point(5 - n, value) for n, value in enumerate(values)), point(11, 0.5)]
    (row,) = trend(points, by, timezone=ZoneInfo("Europe/London"))
    assert [((c.start.day, c.start.hour), c.value, c.points) for c in row.cells] == cells
    assert (row.site, row.asset, row.name, row.unit) == ("hall", "pbx", "packet_loss_ratio", "1")
    assert row.spark == "▁█"


def test_by_run_every_point_of_a_run_is_one_cell() -> None:
    (row,) = trend([point(0, 0.1), point(20, 0.3), point(40, 0.2)], "run")
    assert [(c.start, c.value, c.points) for c in row.cells] == [
        (NIGHT, 0.2, 2),
        (NIGHT + timedelta(minutes=40), 0.2, 1),
    ]


def test_a_period_with_attempts_and_no_value_is_a_gap_and_not_a_zero() -> None:
    (row,) = trend([point(0, 0.0), point(40, None), point(80, 0.4)], "run")
    assert [c.value for c in row.cells] == [0.0, None, 0.4]
    assert row.cells[1].points == 1
    assert row.spark == "▁·█"


def test_codes_words_and_truths_give_their_commonest_and_never_a_median() -> None:
    status = [point(n, code, "sip_status_code") for n, code in enumerate((200, 503, 503, 200, 503))]
    code = [point(n, word, "dns_response_code") for n, word in enumerate(("NXDOMAIN", "NOERROR"))]
    truth = [point(n, True, "tls_name_matched") for n in range(2)]
    rows = trend([*status, *code, *truth], "run")
    assert {row.name: row.cells[0].value for row in rows} == {
        "sip_status_code": 503,
        "dns_response_code": "NXDOMAIN",
        "tls_name_matched": True,
    }
    assert [row.spark for row in rows] == ["·", "▁", "·"]


def test_rows_stand_in_order_and_share_their_periods() -> None:
    points = [point(0, 1.0, asset="sbc"), point(40, 2.0, asset="pbx"), point(0, 3.0, "r_factor")]
    rows = trend(points, "run")
    assert [(row.asset, row.name) for row in rows] == [
        ("pbx", "packet_loss_ratio"),
        ("pbx", "r_factor"),
        ("sbc", "packet_loss_ratio"),
    ]
    assert {tuple(c.start for c in row.cells) for row in rows} == {
        (NIGHT, NIGHT + timedelta(minutes=40))
    }
    assert rows[0].cells[0] == Cell(NIGHT, None, 0)


def test_no_points_are_no_rows() -> None:
    assert trend([], "day") == ()


@pytest.mark.parametrize(
    ("values", "spark"),
    [
        ([0.0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([7.0, 0, 7], "█▁█"),
        ([5.0, 5, 5], "▁▁▁"),
        ([None, 1.0, None, 2], "·▁·█"),
        ([None, None], "··"),
        ([], ""),
    ],
)
def test_sparkline_runs_from_the_least_to_the_greatest(
    values: list[float | None], spark: str
) -> None:
    assert sparkline(values) == spark
