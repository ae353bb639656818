"""Shifts, blocks, lead and lag, many tests, sizes and contrasts, against other implementations."""

from datetime import date

import numpy as np
import pytest

from nethealth.diagnosis.attribution.aligned import Windows
from nethealth.diagnosis.attribution.blocks import block_permuted, optimal_block_length
from nethealth.diagnosis.attribution.contrast import difference_in_differences
from nethealth.diagnosis.attribution.days import Days, Floats
from nethealth.diagnosis.attribution.leadlag import lead_lag
from nethealth.diagnosis.attribution.many import benjamini_hochberg, holm
from nethealth.diagnosis.attribution.shifts import free_shifts, whole_day_shifts
from nethealth.diagnosis.attribution.sizes import cliffs_delta, risk_ratio
from tests.diagnosis.attribution.simulate import WIDTH, autoregressive, draw


def made(count: int, rho: float) -> Floats:
    """A series that any implementation can be given: numbers of a congruential generator."""
    state, value, values = 1, 0.0, []
    for _ in range(count):
        state = (1103515245 * state + 12345) % 2**31
        value = rho * value + state / 2**31 - 0.5
        values.append(value)
    return np.array(values)


@pytest.mark.parametrize(
    ("count", "rho", "by_arch"),
    [(500, 0.0, 2.2177), (500, 0.5, 9.7966), (2000, 0.8, 32.0398), (1000, 0.95, 59.2409)],
)
def test_block_lengths_agree_with_arch(count: int, rho: float, by_arch: float) -> None:
    """arch 8.0.0, `optimal_block_length`, circular.

    It divides each autocovariance by the norms of the two parts that it came from, we by the
    variance as the definition has it: 3 % apart where a lag lies at the bound.
    """
    assert optimal_block_length(made(count, rho)) == pytest.approx(by_arch, rel=0.03)


def test_a_series_all_alike_has_no_block_length() -> None:
    with pytest.raises(ValueError, match="all alike"):
        optimal_block_length(np.ones(100))


def test_whole_day_shifts_allow_no_p_below_one_in_their_number() -> None:
    drawn = draw(np.random.default_rng(1), calendar_days=28, effect=5.0)
    found = whole_day_shifts(drawn.days, drawn.events, Windows(WIDTH))
    assert found.least_p == 1 / 20
    assert found.p == 1 / 20


def test_a_great_effect_stands_out_among_all_shifts() -> None:
    drawn = draw(np.random.default_rng(2), calendar_days=28, effect=5.0)
    found = free_shifts(drawn.days, drawn.events, Windows(WIDTH))
    assert found.p is not None
    assert found.p < 0.01


def test_an_exposure_that_goes_with_the_outcome_is_associated_and_another_is_not() -> None:
    random = np.random.default_rng(3)
    exposure = autoregressive(2000, random)
    outcome = exposure + 2 * autoregressive(2000, random)
    with_it = block_permuted(exposure, outcome, 50, random, permutations=199)
    assert with_it.p is not None
    assert with_it.p <= 0.01
    apart = [
        block_permuted(autoregressive(600, random), autoregressive(600, random), 40, random,
                       permutations=99).p
        for _ in range(60)
    ]  # fmt: skip
    assert sum(p is not None and p <= 0.05 for p in apart) / 60 <= 0.14


def test_ranks_make_the_correlation_spearmans() -> None:
    # 1 - 6 * sum(d^2) / (n * (n^2 - 1)) with d = 0, 1, 1, 0, 0
    exposure, outcome = np.array([1.0, 2, 3, 4, 50]), np.array([1.0, 3, 2, 4, 5])
    found = block_permuted(exposure, outcome, 1, np.random.default_rng(1), permutations=9)
    assert found.correlation == pytest.approx(1 - 6 * 2 / (5 * 24))


def test_what_comes_first_is_found_and_chance_is_not() -> None:
    random = np.random.default_rng(4)
    exposure = autoregressive(3000, random)
    later = np.roll(exposure, 3) + autoregressive(3000, random)
    assert lead_lag(exposure, later, 12, random).leads() == "exposure"
    assert lead_lag(exposure, later, 12, random).peak_lag == 3
    earlier = np.roll(exposure, -3) + autoregressive(3000, random)
    assert lead_lag(exposure, earlier, 12, random).leads() == "outcome"
    at_once = exposure + autoregressive(3000, random)
    assert lead_lag(exposure, at_once, 12, random).leads() == "undetermined"
    assert lead_lag(exposure, later, 12, random).leads(clock_error_bins=4) == "undetermined"
    chance = [
        lead_lag(autoregressive(500, random), autoregressive(500, random), 6, random).leads()
        for _ in range(60)
    ]
    assert sum(one != "neither" for one in chance) / 60 <= 0.14


def test_missing_bins_break_the_filter_and_are_not_bridged() -> None:
    random = np.random.default_rng(5)
    exposure, outcome = autoregressive(1000, random), autoregressive(1000, random)
    whole = lead_lag(exposure, outcome, 4, random)
    exposure[::10] = np.nan
    assert lead_lag(exposure, outcome, 4, random).samples < whole.samples * 0.9
    assert lead_lag(np.full(100, 1.0), outcome[:100], 12, random).leads() == "neither"


# Benjamini and Hochberg (1995), section 3.2: fifteen p values of a trial
TRIAL = (0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
         0.5719, 0.6528, 0.7590, 1.0000)  # fmt: skip


def test_the_published_trial_keeps_four_by_the_rate_and_three_by_holm() -> None:
    """The paper rejects four with its procedure at 0.05, and three by Bonferroni."""
    assert sum(p <= 0.05 for p in benjamini_hochberg(TRIAL)) == 4
    assert sum(p <= 0.05 for p in holm(TRIAL)) == 3


def test_adjusted_values_by_hand() -> None:
    assert holm((0.01, 0.04, 0.03, 0.02)) == pytest.approx((0.04, 0.06, 0.06, 0.06))
    assert benjamini_hochberg((0.01, 0.04, 0.03, 0.02)) == pytest.approx((0.04,) * 4)
    by = benjamini_hochberg((0.01, 0.04, 0.03, 0.02), dependent=True)
    assert by == pytest.approx((0.04 * (1 + 1 / 2 + 1 / 3 + 1 / 4),) * 4)
    assert holm(()) == ()


def test_sizes_by_hand() -> None:
    # of the nine pairs of 1, 2, 5 with 0, 2, 4 five are above, three below, one ties
    assert cliffs_delta(np.array([1.0, 2, 5]), np.array([0.0, 2, 4])) == pytest.approx(2 / 9)
    assert cliffs_delta(np.array([np.nan]), np.array([1.0])) is None
    found = risk_ratio(15, 100, 5, 100)
    assert found is not None
    ratio, (low, high) = found
    assert ratio == pytest.approx(3.0)
    # ln 3 -/+ 1.96 * sqrt(1/15 - 1/100 + 1/5 - 1/100) = 1.0986 -/+ 0.9733
    assert low == pytest.approx(1.134, abs=0.002)
    assert high == pytest.approx(7.94, abs=0.01)
    assert risk_ratio(0, 100, 5, 100) is None


def test_a_step_at_one_site_is_the_contrast_and_three_sites_prove_nothing() -> None:
    random = np.random.default_rng(6)
    together = random.normal(size=120).cumsum() / 10  # what all sites share
    treated = together + random.normal(scale=0.1, size=120)
    treated[60:] += 2.0
    controls = [together + level + random.normal(scale=0.1, size=120) for level in (5.0, -3.0)]
    controls[0][::7] = np.nan
    found = difference_in_differences(treated, controls, 60, days_each_side=20)
    assert found is not None
    assert found.effect == pytest.approx(2.0, abs=0.15)
    assert found.rank == 1
    assert found.space_least_p == pytest.approx(1 / 3)
    assert found.pre_trend_per_day is not None
    assert abs(found.pre_trend_per_day) < 0.01
    assert difference_in_differences(treated, controls, 10, days_each_side=20) is None
    assert difference_in_differences(treated, [], 60, days_each_side=20) is None


def test_no_days_of_a_kind_is_no_error() -> None:
    days = Days(date(2026, 1, 5), 3600, np.zeros((5, 24)), np.ones(5, bool))
    assert whole_day_shifts(days, np.array([33]), Windows(2)).least_p == 1 / 5
