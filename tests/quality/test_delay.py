"""Delay statistics against the standard library's quantiles and hand-worked differences."""

import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.quality.delay import ipdv_s, median_interval, pdv_s, percentile, summary

DELAYS = st.lists(st.floats(0, 10), min_size=2, max_size=200)


@given(DELAYS)
def test_percentile_is_the_standard_librarys_inclusive_quantile(delays: list[float]) -> None:
    cuts = statistics.quantiles(delays, n=100, method="inclusive")
    for percent in (5, 50, 95, 99):
        assert percentile(delays, percent / 100) == pytest.approx(cuts[percent - 1], abs=1e-9)


def test_percentile_interpolates_between_the_two_neighbours() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert percentile([1.0, 2.0], 0.95) == pytest.approx(1.95)
    assert percentile([7.0], 0.99) == 7.0


@pytest.mark.parametrize(("values", "q"), [([], 0.5), ([1.0], 95), ([1.0], -0.1)])
def test_percentile_refuses_nothing_and_percent(values: list[float], q: float) -> None:
    with pytest.raises(ValueError, match=r"nothing|share"):
        percentile(values, q)


def test_summary_of_one_and_of_many() -> None:
    one = summary([0.02])
    assert (one.min_s, one.median_s, one.p99_s, one.max_s, one.samples) == (*[0.02] * 4, 1)
    many = summary([i / 100 for i in range(101)])
    assert many.p95_s == pytest.approx(0.95)
    assert many.p99_s == pytest.approx(0.99)


def test_a_loss_breaks_both_pairs_it_stands_in() -> None:
    assert ipdv_s([0.010, 0.012, None, 0.020, 0.019]) == pytest.approx([0.002, -0.001])
    assert ipdv_s([0.01, None, 0.01]) == ()


def test_pdv_is_measured_from_the_quickest_and_skips_losses() -> None:
    assert pdv_s([0.012, None, 0.010, 0.040]) == pytest.approx([0.002, 0.0, 0.030])
    assert pdv_s([None]) == ()


@given(DELAYS)
def test_ipdv_does_not_change_with_a_constant_added(delays: list[float]) -> None:
    shifted = ipdv_s([delay + 1 for delay in delays])
    assert shifted == pytest.approx([b - a for a, b in pairwise(delays)], abs=1e-9)


@pytest.mark.parametrize(
    # Ranks from published tables of the sign test, 95 %, two-sided.
    ("n", "low", "high"), [(6, 1, 6), (8, 1, 8), (9, 2, 8), (10, 2, 9), (20, 6, 15), (50, 18, 33)]
)  # fmt: skip
def test_interval_of_the_median_by_the_tabled_ranks(n: int, low: int, high: int) -> None:
    assert median_interval([float(rank) for rank in range(n, 0, -1)]) == (low, high)


def test_five_values_do_not_bound_a_median() -> None:
    assert median_interval([0.01] * 5) is None
    assert median_interval([]) is None
