"""The E-model against published points and values worked out apart from this code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.quality.codecs import CODECS
from nethealth.quality.g107 import (
    Inputs,
    absolute_delay_impairment,
    compute,
    effective_equipment_impairment,
    linear_r,
    mos_from_r,
    r_from_mos,
)


def with_delay(ta_ms: float, codec: str = "G.711+PLC", ppl: float = 0) -> float:
    row = CODECS[codec]
    assert row.bpl is not None
    return compute(
        Inputs(ta_ms=ta_ms, t_ms=ta_ms, tr_ms=2 * ta_ms, ie=row.ie, bpl=row.bpl, ppl=ppl)
    ).r


def test_defaults_and_their_intermediate_values() -> None:
    steps = compute(Inputs())
    assert steps.r == pytest.approx(93.2062077233, abs=1e-9)
    assert mos_from_r(steps.r) == pytest.approx(4.4094, abs=5e-5)
    expected = {
        "no": -61.1792, "ro": 94.7688, "iolr": 0.4402, "ist": -0.0007, "iq": 0.9741,
        "is_": 1.4136, "idle": 0.1490, "idd": 0, "idte": 0, "ie_eff": 0,
    }  # fmt: skip
    assert {name: getattr(steps, name) for name in expected} == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("ta_ms", "idd", "echo_free", "default_echo", "linear"),
    [
        (0, 0, (93.206, 4.409), (93.206, 4.409), (93.200, 4.409)),
        (50, 0, (93.206, 4.409), (91.756, 4.380), (92.000, 4.385)),
        (100, 0, (93.206, 4.409), (90.664, 4.355), (90.800, 4.358)),
        (150, 0.164, (93.043, 4.406), (89.539, 4.328), (89.600, 4.329)),
        (200, 3.044, (90.162, 4.343), (85.805, 4.223), (85.903, 4.226)),
        (250, 8.917, (84.289, 4.175), (79.177, 3.993), (79.203, 3.994)),
        (300, 14.761, (78.446, 3.964), (72.666, 3.719), (72.503, 3.712)),
        (400, 24.070, (69.136, 3.556), (62.247, 3.216), (59.103, 3.053)),
        (500, 30.636, (62.570, 3.232), (54.803, 2.828), (45.703, 2.351)),
    ],
)
def test_three_delay_variants(
    ta_ms: float,
    idd: float,
    echo_free: tuple[float, float],
    default_echo: tuple[float, float],
    linear: tuple[float, float],
) -> None:
    assert absolute_delay_impairment(ta_ms) == pytest.approx(idd, abs=5.1e-4)
    for r, (rating, mos) in (
        (compute(Inputs(ta_ms=ta_ms)).r, echo_free),
        (with_delay(ta_ms), default_echo),
        (linear_r(ta_ms), linear),
    ):
        assert r == pytest.approx(rating, abs=5.1e-4)
        assert mos_from_r(r) == pytest.approx(mos, abs=5.1e-4)


def test_linear_form_and_the_model_at_its_knee() -> None:
    assert linear_r(177.3) == pytest.approx(88.945, abs=5.1e-4)
    assert with_delay(177.3) == pytest.approx(88.052, abs=5.1e-4)


@pytest.mark.parametrize(
    ("codec", "points"),
    [
        ("G.711", [(83.30, 4.143), (75.28, 3.834), (63.04, 3.256), (54.16, 2.794), (42.12, 2.169),
                   (26.77, 1.481)]),
        ("G.711+PLC", [(91.34, 4.371), (89.56, 4.328), (86.19, 4.235), (83.06, 4.134),
                       (77.42, 3.923), (66.13, 3.411)]),
        ("G.729A", [(80.05, 4.026), (78.00, 3.946), (74.20, 3.787), (70.75, 3.632),
                    (64.70, 3.340), (53.23, 2.745)]),
        ("G.723.1-6.3", [(75.79, 3.855), (73.52, 3.758), (69.36, 3.567), (65.63, 3.386),
                         (59.24, 3.061), (47.55, 2.447)]),
        ("GSM-EFR", [(83.91, 4.163), (80.02, 4.025), (73.20, 3.743), (67.43, 3.474),
                     (58.20, 3.006), (43.20, 2.223)]),
    ],
)  # fmt: skip
def test_loss_reference_points(codec: str, points: list[tuple[float, float]]) -> None:
    row = CODECS[codec]
    assert row.bpl is not None
    for ppl, (rating, mos) in zip((0.5, 1, 2, 3, 5, 10), points, strict=True):
        r = 93.2 - effective_equipment_impairment(row.ie, row.bpl, ppl)
        assert r == pytest.approx(rating, abs=0.0051)
        assert mos_from_r(r) == pytest.approx(mos, abs=5.1e-4)


@pytest.mark.parametrize(
    ("codec", "ta_ms", "ppl", "rating"),
    [
        ("G.711+PLC", 150, 1, 85.899), ("G.711+PLC", 200, 1, 82.165), ("G.729A", 150, 1, 74.339),
        ("G.729A", 200, 2, 66.805), ("G.711+PLC", 300, 3, 62.524),
    ],
)  # fmt: skip
def test_delay_and_loss_together(codec: str, ta_ms: float, ppl: float, rating: float) -> None:
    assert with_delay(ta_ms, codec, ppl) == pytest.approx(rating, abs=5.1e-4)


def test_bursty_loss_costs_more_and_is_held_at_the_bottom() -> None:
    assert effective_equipment_impairment(0, 25.1, 5, 2) == pytest.approx(17.210, abs=5.1e-4)
    assert effective_equipment_impairment(11, 19.0, 5, 2) == pytest.approx(30.535, abs=5.1e-4)
    assert effective_equipment_impairment(0, 4.3, 10, 2) == pytest.approx(102.2, abs=0.05)
    assert compute(Inputs(ppl=10, burst_r=2)).r == 0


@pytest.mark.parametrize(
    ("codec", "percent"), [("G.711", 1.39), ("G.711+PLC", 8.11), ("G.729A", 3.23)]
)
def test_loss_that_alone_brings_the_rating_to_70(codec: str, percent: float) -> None:
    row = CODECS[codec]
    assert row.bpl is not None
    r = [
        93.2 - effective_equipment_impairment(row.ie, row.bpl, percent + shift)
        for shift in (-0.01, 0.01)
    ]
    assert r[0] > 70 > r[1]


@pytest.mark.parametrize(
    ("delay_ms", "ie"),
    [
        (400, -0.1), (294, 9.9), (251, 15.0), (219, 18.9), (322, 6.9), (375, 2.0), (210, 19.9),
        (342, 4.9), (177, 22.8),
    ],
)  # fmt: skip
def test_published_delays_at_which_codecs_fall_to_70(delay_ms: float, ie: float) -> None:
    # Printed with perfect echo control and a base of 94.
    assert 24 - absolute_delay_impairment(delay_ms) == pytest.approx(ie, abs=0.051)


def test_planning_table_charges_about_four_points_a_percent() -> None:
    assert effective_equipment_impairment(0, 25.1, 1) == pytest.approx(3.64, abs=0.005)
    assert effective_equipment_impairment(0, 25.1, 2) == pytest.approx(7.01, abs=0.005)
    assert effective_equipment_impairment(0, 4.3, 1) == pytest.approx(17.9, abs=0.05)


@pytest.mark.parametrize(
    ("r", "mos"), [(90, 4.339), (80, 4.024), (70, 3.597), (60, 3.100), (50, 2.575)]
)
def test_mos_at_the_edges_of_the_bands(r: float, mos: float) -> None:
    assert mos_from_r(r) == pytest.approx(mos, abs=5.1e-4)


def test_mos_stays_on_its_scale() -> None:
    assert [mos_from_r(r) for r in (-5, 0, 3, 6, 100, 130)] == [1, 1, 1, 1, 4.5, 4.5]


@pytest.mark.parametrize("r", [6.53, 10, 50, 70, 93.2, 100])
def test_inverse_gives_the_rating_back(r: float) -> None:
    # At 100 the curve is flat to within rounding, so the tolerance is that of its square root.
    assert r_from_mos(mos_from_r(r)) == pytest.approx(r, abs=1e-4)


@given(st.floats(1, 4.5))
def test_inverse_undoes_the_mapping_over_the_whole_scale(mos: float) -> None:
    assert mos_from_r(r_from_mos(mos)) == pytest.approx(mos, abs=1e-6)


@pytest.mark.parametrize("mos", [0.99, 4.51, float("nan")])
def test_inverse_refuses_what_is_off_the_scale(mos: float) -> None:
    with pytest.raises(ValueError, match="outside the scale"):
        r_from_mos(mos)


@pytest.mark.parametrize(
    ("ie", "bpl", "ppl", "burst_r"),
    [(95, 4.3, 1, 1), (0, -1, 1, 1), (0, 4.3, -4.3, 1), (0, 4.3, 101, 1), (0, 4.3, 1, 0),
     (0, 4.3, float("nan"), 1)],
)  # fmt: skip
def test_values_that_turn_the_formula_over_are_refused(
    ie: float, bpl: float, ppl: float, burst_r: float
) -> None:
    with pytest.raises(ValueError, match="Ie"):
        effective_equipment_impairment(ie, bpl, ppl, burst_r)


def test_weak_and_strong_sidetone_take_their_own_branches() -> None:
    # Ist joins the echo path's impairment on both sides of the usual range of STMR.
    strong, usual, weak = (compute(Inputs(stmr=stmr, t_ms=100)) for stmr in (5, 15, 25))
    assert strong.ist > usual.ist
    assert weak.idte**2 == pytest.approx(usual.idte**2 + weak.ist**2)
