"""Changes of level: found where they were put, and only there; nothing is filled in."""

import subprocess
import sys

import numpy as np
import pytest

from nethealth.diagnosis.attribution.change_points import (
    change_points,
    near_dates,
    noise_of,
)
from tests.diagnosis.attribution.simulate import autoregressive

HOURS = 672  # four weeks


def found(values: "np.typing.NDArray[np.float64]", seed: int = 1) -> list[int] | None:
    points = change_points(values, np.random.default_rng(seed), least_bins=24)
    return None if points is None else [point.place for point in points]


def test_a_step_is_found_where_it_was_put_with_the_levels_on_both_sides() -> None:
    random = np.random.default_rng(7)
    values = 20 + random.normal(size=HOURS)
    values[300:] += 5
    points = change_points(values, random, least_bins=4)
    assert points is not None
    (one,) = points
    assert one.place == 300
    assert 299 <= one.low <= 300 <= one.high <= 301
    assert one.before == pytest.approx(20, abs=0.2)
    assert one.after == pytest.approx(25, abs=0.2)


def test_up_and_down_again_are_two_changes() -> None:
    random = np.random.default_rng(8)
    values = random.normal(size=HOURS)
    values[200:400] += 4
    up, down = found(values) or (0, 0)
    assert up == pytest.approx(200, abs=1)
    assert down == pytest.approx(400, abs=1)


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_noise_with_memory_and_wild_values_has_no_change_of_level(rho: float) -> None:
    """Of 60 null histories at the most 6 may have one: the limit of the bench is 6 %."""
    bad = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        values = autoregressive(HOURS, random, rho)
        values[random.integers(0, HOURS, 6)] += 50  # delays are wild now and then
        bad += bool(found(values, seed))
    assert bad <= 6


def test_the_interval_holds_the_place_of_a_small_step() -> None:
    inside, alone = 0, 0
    for seed in range(30):
        random = np.random.default_rng(seed)
        values = autoregressive(HOURS, random, 0.5)
        values[250:] += 2.0
        points = change_points(values, random, least_bins=4) or ()
        if len(points) == 1:
            alone += 1
            inside += points[0].low <= 250 <= points[0].high
    assert alone >= 24
    assert inside >= 0.8 * alone


def test_a_change_in_a_hole_is_somewhere_in_the_hole() -> None:
    random = np.random.default_rng(9)
    values = random.normal(size=HOURS)
    values[320:] += 5
    values[300:350] = np.nan
    points = change_points(values, random, least_bins=4)
    assert points is not None
    (one,) = points
    assert one.place == 350  # the first value of the new level
    assert one.low == 300
    assert one.high >= 350


def test_holes_without_a_change_are_no_change() -> None:
    random = np.random.default_rng(10)
    values = random.normal(size=HOURS)
    values[random.random(HOURS) < 0.4] = np.nan
    assert found(values) == []


def test_where_nothing_can_be_told_there_is_no_answer() -> None:
    random = np.random.default_rng(11)
    assert found(random.normal(size=60)) is None
    assert found(np.full(HOURS, np.nan)) is None
    assert found(autoregressive(HOURS, random, 0.98)) is None
    assert found(np.full(HOURS, 3.0)) == []


def test_the_memory_of_noise_is_told_in_spite_of_steps() -> None:
    random = np.random.default_rng(12)
    values = autoregressive(4000, random, 0.6)
    values[1000:] += 10
    values[2500:] -= 20
    noise = noise_of(values)
    assert noise.memory == pytest.approx(0.6, abs=0.06)
    assert noise.deviation == pytest.approx(1 / (1 - 0.6**2) ** 0.5, rel=0.1)
    # The variance of the mean of n bins is 1 / (n (1 - rho)^2) for innovations of variance 1.
    assert noise.long_run == pytest.approx(1 / 0.4**2, rel=0.35)


def test_changes_at_the_dates_are_nearer_than_at_dates_moved_round() -> None:
    # No two of these days are as far apart as two others, nor as all round the 200 days.
    dates = np.array([3, 17, 58, 111, 178]) * 24
    near = near_dates([date + 3 for date in dates], dates, 200 * 24, 24)
    assert near is not None
    assert near.distances == (3, 3, 3, 3, 3)
    # So no other of the 200 moves brings more than one of the five to a change: 1 in 200.
    assert (near.p, near.least_p) == (1 / 200, 1 / 200)


def test_changes_elsewhere_are_not_and_p_is_never_0() -> None:
    dates = np.array([10, 40, 100, 150, 180]) * 24
    far = near_dates([25 * 24, 125 * 24], dates, 200 * 24, 24)
    assert far is not None
    assert far.p is not None
    assert far.p > 0.5


def test_fewer_than_five_dates_are_shown_and_not_tested() -> None:
    few = near_dates([100, 500], np.array([96, 480]), 200 * 24, 24)
    assert few is not None
    assert (few.distances, few.p) == ((4, 20), None)
    assert near_dates([], np.array([96]), 200 * 24, 24) is None
    assert near_dates([100], np.array([], dtype=np.int64), 200 * 24, 24) is None


def test_the_library_is_loaded_only_where_history_is_judged() -> None:
    code = "import sys, nethealth.diagnosis, nethealth.diagnosis.attribution.change_points;" \
           "sys.exit('ruptures' in sys.modules or 'scipy' in sys.modules)"  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
