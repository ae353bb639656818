"""Present values beside published factors, numpy-financial and hand-worked cases."""

from dataclasses import replace

import numpy_financial
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.case.appraisal import (
    advantage,
    annuity,
    appraise,
    central,
    factor,
    figures,
    sensitivity,
    uplift,
)
from nethealth.model.case import Benefit, Bias, BiasClass, Cost, Option
from nethealth.model.case_result import Range
from tests.case.build import case, figure

# HM Treasury's factors at 3.5 %, years 0 to 10, as printed to four places
FACTORS = (1, 0.9662, 0.9335, 0.9019, 0.8714, 0.8420, 0.8135, 0.7860, 0.7594, 0.7337, 0.7089)
RATE = {"discount.rate": 0.035}

USUAL = Option(
    id="usual", name="As now", kind="business-as-usual",
    cost=(Cost(name="care", kind="revenue", first_year=0, last_year=10,
               amount_gbp=figure(60_000)),),
)  # fmt: skip
HOSTED = Option(
    id="hosted", name="Hosted",
    cost=(
        Cost(name="project", kind="capital", amount_gbp=figure(100_000, 80_000, 150_000)),
        Cost(name="licences", kind="revenue", first_year=1, last_year=10,
             amount_gbp=figure(40_000)),
    ),
    benefit=(Benefit(name="lines", first_year=1, last_year=10, amount_gbp=figure(5_000),
                     cashable=True),),
)  # fmt: skip


def test_factors_are_those_printed() -> None:
    assert [round(factor(RATE, year), 4) for year in range(11)] == list(FACTORS)


def test_the_later_rate_begins_after_thirty_years() -> None:
    values = {**RATE, "discount.later_rate": 0.03}
    assert factor(values, 31) == pytest.approx(1.035**-30 * 1.03**-1)


def test_annuities_are_those_printed() -> None:
    assert annuity(0.035, 5) == pytest.approx(4.5151, abs=5e-5)
    assert annuity(0.035, 10) == pytest.approx(8.3166, abs=5e-5)
    assert annuity(0, 7) == 7


@given(st.floats(0.001, 0.3), st.integers(1, 40))
def test_annuities_agree_with_numpy_financial(rate: float, years: int) -> None:
    assert annuity(rate, years) == pytest.approx(-numpy_financial.pv(rate, years, 1), rel=1e-9)


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=20), st.floats(0.001, 0.2))
def test_present_values_agree_with_numpy_financial(amounts: list[float], rate: float) -> None:
    option = Option(
        id="o", name="o", kind="business-as-usual",
        cost=tuple(
            Cost(name=f"y{year}", kind="revenue", first_year=year, amount_gbp=figure(amount))
            for year, amount in enumerate(amounts)
        ),
    )  # fmt: skip
    [worth] = appraise(case(option, horizon=30, rate=rate))
    assert worth.revenue_gbp == pytest.approx(numpy_financial.npv(rate, amounts), rel=1e-9)
    assert worth.net_gbp == -worth.revenue_gbp


def test_two_options_by_hand() -> None:
    usual, hosted = appraise(case(USUAL, HOSTED))
    # 60,000 x (1 + 8.3166) and 100,000 + 35,000 x 8.3166
    assert usual.net_gbp == pytest.approx(-60_000 * 9.3166, abs=5)
    assert hosted.net_gbp == pytest.approx(-100_000 - 35_000 * 8.3166, abs=5)
    assert hosted.advantage_gbp == pytest.approx(hosted.net_gbp - usual.net_gbp)
    assert usual.advantage_gbp == 0
    assert usual.swings == ()
    assert hosted.cashable_gbp == pytest.approx(5_000 * 8.3166, abs=0.5)
    assert [flow.name for flow in hosted.flows] == ["project", "licences", "lines"]


def test_what_lies_beyond_the_horizon_is_not_counted() -> None:
    [worth] = appraise(case(USUAL, horizon=2))
    assert worth.revenue_gbp == pytest.approx(60_000 * (1 + 0.9662 + 0.9335), abs=10)


def biased(mitigated: float | None) -> Bias:
    return Bias(
        upper=figure(2.0), lower=figure(0.1),
        mitigated=None if mitigated is None else figure(mitigated),
    )  # fmt: skip


@pytest.mark.parametrize(("mitigated", "share"), [(None, 2.0), (0.0, 2.0), (0.5, 1.05), (1.0, 0.1)])
def test_optimism_bias_goes_from_the_upper_value_to_the_lower(
    mitigated: float | None, share: float
) -> None:
    cost = Cost(name="kit", kind="capital", amount_gbp=figure(1000), bias="equipment")
    option = Option(id="o", name="o", kind="business-as-usual", cost=(cost,))
    made = replace(case(option), optimism={"equipment": biased(mitigated)})
    [worth] = appraise(made)
    assert worth.bias_gbp == pytest.approx(1000 * share)
    assert uplift(central(made), "equipment") == pytest.approx(share)
    assert uplift(central(made), "none") == 0


def test_mixed_works_are_weighted_by_their_capital() -> None:
    # Mott MacDonald: 70 % standard buildings at 24 % and 30 % non-standard at 51 % are 32.1 %
    costs = (
        Cost(name="a", kind="capital", amount_gbp=figure(70), bias="standard-buildings"),
        Cost(name="b", kind="capital", amount_gbp=figure(30), bias="non-standard-buildings"),
    )
    option = Option(id="o", name="o", kind="business-as-usual", cost=costs)
    upper: dict[BiasClass, Bias] = {
        "standard-buildings": Bias(upper=figure(0.24), lower=figure(0.02)),
        "non-standard-buildings": Bias(upper=figure(0.51), lower=figure(0.04)),
    }
    [worth] = appraise(replace(case(option), optimism=upper))
    assert worth.bias_gbp / worth.capital_gbp == pytest.approx(0.321)


def test_the_switching_value_makes_both_options_worth_the_same() -> None:
    made = case(USUAL, HOSTED)
    [swing] = sensitivity(made, HOSTED)
    assert swing.figure == "option.hosted.cost.project"
    middle = central(made)
    assert swing.at_low_gbp == pytest.approx(advantage(made, HOSTED, middle) + 20_000)
    assert swing.at_high_gbp == pytest.approx(advantage(made, HOSTED, middle) - 50_000)
    assert swing.switching is not None
    at_switch = {**middle, swing.figure: swing.switching}
    assert advantage(made, HOSTED, at_switch) == pytest.approx(0, abs=1e-6)


def test_the_rate_at_which_an_investment_breaks_even_is_its_internal_rate() -> None:
    # 1,000 now for 150 less a year: numpy-financial's internal rate of return
    usual = Option(id="u", name="u", kind="business-as-usual")
    invest = Option(
        id="i", name="i",
        cost=(Cost(name="kit", kind="capital", amount_gbp=figure(1000)),),
        benefit=(Benefit(name="less", first_year=1, last_year=10, amount_gbp=figure(150)),),
    )  # fmt: skip
    made = case(usual, invest)
    ranged = replace(made, discount=replace(made.discount, rate=figure(0.035, 0.03, 0.05)))
    [swing] = sensitivity(ranged, invest)
    rate = numpy_financial.irr([-1000] + [150] * 10)
    assert swing.switching == pytest.approx(rate, abs=1e-9)


def test_disruption_that_ends_is_a_benefit_that_no_budget_sees() -> None:
    avoiding = replace(HOSTED, disruption_avoided=figure(0.8))
    made = case(USUAL, avoiding)
    (without,) = (one for one in appraise(made) if one.id == "hosted")
    (with_it,) = (one for one in appraise(made, Range(500, 1000, 2000)) if one.id == "hosted")
    assert without.non_cashable_gbp == 0
    assert with_it.non_cashable_gbp == pytest.approx(0.8 * 1000 * 8.3166, abs=0.1)
    paths = [path for path, _ in figures(made, Range(500, 1000, 2000))]
    assert "disruption.gbp_per_year" in paths
    assert "disruption.gbp_per_year" in [swing.figure for swing in with_it.swings]
