"""Intervals of shares by day, against published tables and worked by hand."""

from math import inf

import numpy as np
import pytest

from nethealth.diagnosis.over_period.intervals import share_interval, student_t


@pytest.mark.parametrize(
    ("degrees", "point"),
    # Student's t, 97.5 % point, from the usual printed table.
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (6, 2.447), (8, 2.306),
     (10, 2.228), (15, 2.131), (20, 2.086), (29, 2.045), (60, 2.000), (120, 1.980)],
)  # fmt: skip
def test_students_t(degrees: int, point: float) -> None:
    assert student_t(degrees) == pytest.approx(point, abs=2e-3)


def test_days_all_alike_count_every_check_by_itself() -> None:
    """Wilson's interval for 0 of 100, by its formula: 0 to z² / (100 + z²)."""
    low, high = share_interval(np.zeros(10), np.full(10, 10.0)) or (inf, inf)
    assert low == 0
    assert high == pytest.approx(3.841459 / 103.841459, rel=1e-6)


def test_one_bad_day_is_one_observation_and_not_its_checks() -> None:
    """Ten days of 100 checks, one of them all silent: worked by the formulae of the module.

    The share is 0.1; the variance between days 10/9 · (90² + 9 · 10²) / 1000² = 0.01. The effective
    size is 0.1 · 0.9 / 0.01 = 9, times (1.959964 / 2.262157)² for nine degrees of freedom: 6.7561.
    """
    parts = np.zeros(10)
    parts[3] = 100
    low, high = share_interval(parts, np.full(10, 100.0)) or (inf, inf)
    n, z = 6.7561, 1.959964
    centre, half = 0.1 + z * z / (2 * n), z * (0.1 * 0.9 / n + z * z / (4 * n * n)) ** 0.5
    scale = 1 + z * z / n
    assert low == pytest.approx((centre - half) / scale, abs=2e-4)
    assert high == pytest.approx((centre + half) / scale, abs=2e-4)
    # As 1,000 independent checks it would have been 8.3 % to 12.0 %.
    assert low < 0.02
    assert high > 0.35


def test_a_day_without_a_check_is_no_day_and_nothing_at_all_has_no_interval() -> None:
    some = share_interval(np.array([1.0, 0.0, 2.0]), np.array([10.0, 0.0, 10.0]))
    assert some == share_interval(np.array([1.0, 2.0]), np.array([10.0, 10.0]))
    assert share_interval(np.zeros(3), np.zeros(3)) is None


def test_nineteen_in_twenty_intervals_hold_the_truth_where_days_differ() -> None:
    """1,000 histories of 60 days whose own shares vary about 0.05 with a beta distribution.

    The number that hold it is binomial: below 920 of 1,000 has a chance of less than 1 in 10,000 if
    each does with 0.95; the approximation is allowed to cover a little less or more.
    """
    random = np.random.default_rng(20_261_126)
    held = 0
    for _ in range(1000):
        shares = random.beta(1, 19, size=60)
        wholes = np.full(60, 96.0)
        low, high = share_interval(random.binomial(96, shares).astype(float), wholes) or (inf, inf)
        held += low <= 0.05 <= high
    assert 920 <= held <= 990
