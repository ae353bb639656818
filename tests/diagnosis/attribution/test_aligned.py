"""The event-aligned test: by hand, its least p, its size and power, and what it will not answer."""

from datetime import date
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.diagnosis.attribution.aligned import (
    Windows,
    aligned_test,
    differences_everywhere,
    least_attainable_p,
)
from nethealth.diagnosis.attribution.days import Days
from nethealth.diagnosis.attribution.location import hodges_lehmann
from tests.diagnosis.attribution.simulate import EFFECT, WIDTH, draw


def days_of(values: "np.typing.NDArray[np.float64]") -> Days:
    return Days(date(2026, 1, 5), 86_400 // values.shape[1], values, np.ones(len(values), bool))


def test_the_location_by_hand() -> None:
    # averages of two of 1, 2, 10: 1, 1.5, 2, 5.5, 6, 10
    assert hodges_lehmann(np.array([1.0, 2.0, 10.0]))[0] == 3.75
    assert hodges_lehmann(np.array([1.0, np.nan, 2.0, 10.0]))[0] == 3.75
    assert np.isnan(hodges_lehmann(np.array([np.nan]))[0])


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=12), st.floats(-1e3, 1e3))
def test_the_location_moves_with_its_values(values: list[float], by: float) -> None:
    [here], [there] = hodges_lehmann(np.array(values)), hodges_lehmann(np.array(values) + by)
    assert there == pytest.approx(here + by, abs=1e-6)
    assert min(values) - 1e-9 <= here <= max(values) + 1e-9


def test_a_difference_is_the_median_after_less_the_median_before() -> None:
    flat = np.array([1.0, 3.0, 2.0, 50.0, 9.0, 7.0, 8.0])
    # three bins before, one left out, three after: an event in bin 4
    assert differences_everywhere(flat, Windows(3, 1))[4] == 8.0 - 2.0
    assert np.isnan(differences_everywhere(flat, Windows(3, 1))[[0, 1, 2, 3, 5, 6]]).all()


def test_a_window_that_is_mostly_missing_gives_no_difference() -> None:
    flat = np.array([1.0, np.nan, np.nan, 1.0, 5.0, 5.0, 5.0, 5.0])
    assert np.isnan(differences_everywhere(flat, Windows(3))[3])
    assert differences_everywhere(flat, Windows(4))[4] == 4.0


def test_the_least_p_counts_the_arrangements() -> None:
    days = days_of(np.zeros((10, 24)))
    three = np.array([9, 33, 57])  # at nine on three of ten days
    assert least_attainable_p(days, three) == pytest.approx(1 / comb(10, 3))


def test_an_exposure_alike_on_all_days_cannot_be_judged() -> None:
    random = np.random.default_rng(5)
    days = days_of(random.normal(size=(20, 24)))
    every_morning = np.arange(20) * 24 + 9
    days.flat[every_morning] += 50
    found = aligned_test(days, every_morning, Windows(1), random, permutations=199)
    assert found.least_p == 1
    assert found.p == 1
    assert not found.identifiable()


def test_fewer_than_five_events_are_shown_without_a_p() -> None:
    random = np.random.default_rng(6)
    days = days_of(random.normal(size=(20, 24)))
    found = aligned_test(days, np.array([9, 33, 57, 81]), Windows(2), random)
    assert found.p is None
    assert found.interval is None
    assert found.mde is None
    assert len(found.differences) == 4


def test_p_is_never_zero_and_the_interval_holds_the_effect() -> None:
    drawn = draw(np.random.default_rng(7), calendar_days=56, effect=3.0)
    found = aligned_test(
        drawn.days, drawn.events, Windows(WIDTH), np.random.default_rng(8), permutations=399
    )
    assert found.p == 1 / 400
    assert found.interval is not None
    low, high = found.interval
    assert low < 3.0 < high
    assert found.estimate is not None
    assert low < found.estimate < high


def test_holes_are_not_filled() -> None:
    random = np.random.default_rng(9)
    drawn = draw(random, calendar_days=28, effect=0.0)
    gone = drawn.events[:3]
    for event in gone:
        drawn.days.flat[event : event + WIDTH] = np.nan
    found = aligned_test(drawn.days, drawn.events, Windows(WIDTH), random, permutations=99)
    assert np.isnan(found.differences[:3]).all()
    assert found.events <= len(drawn.events) - 3


def rejected(effect: float, runs: int, seed: int) -> float:
    random = np.random.default_rng(seed)
    count = 0
    for _ in range(runs):
        drawn = draw(random, calendar_days=56, effect=effect)
        found = aligned_test(
            drawn.days, drawn.events, Windows(WIDTH), random, permutations=199, interval=False
        )
        count += found.p is not None and found.p <= 0.05
    return count / runs


def test_size_and_power_are_near_what_was_published() -> None:
    """The bench does it with 2,000 histories; here the bounds are those of so few."""
    assert rejected(0.0, 100, seed=10) <= 0.12  # 5 % and three standard errors
    assert rejected(EFFECT, 40, seed=11) >= 0.85


def test_the_effect_called_detectable_is_found_eight_times_in_ten() -> None:
    random = np.random.default_rng(12)
    found = 0
    for _ in range(60):
        drawn = draw(random, calendar_days=56)
        null = aligned_test(
            drawn.days, drawn.events, Windows(WIDTH), random, permutations=199, interval=False
        )
        again = draw(random, calendar_days=56, effect=null.mde or 0.0)
        tested = aligned_test(
            again.days, again.events, Windows(WIDTH), random, permutations=199, interval=False
        )
        found += tested.p is not None and tested.p <= 0.05
    assert 0.64 <= found / 60 <= 0.96  # 80 % and three standard errors
