"""Options compared in the form of the Green Book: present values, optimism bias, sensitivity.

All in real terms. Year 0 is the year of the decision and is not discounted; each later year is
discounted to it. Business as usual is what every other option is compared with.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Literal

from nethealth.case.money import range_of
from nethealth.model.case import Benefit, BiasClass, CaseFile, Cost, CostKind, Figure, Option
from nethealth.model.case_result import Flow, OptionWorth, Range, Swing

_FIRST_SPAN_YEARS = 30  # the lower long-term rate begins after them (Green Book, discounting)


@dataclass(frozen=True, slots=True)
class Present:
    """One option's present values in pounds; costs are positive, `net` is benefits less costs."""

    option: str
    capital: float
    revenue: float
    bias: float
    cashable: float
    non_cashable: float

    @property
    def cost(self) -> float:
        return self.capital + self.revenue + self.bias

    @property
    def net(self) -> float:
        return self.cashable + self.non_cashable - self.cost


Values = Mapping[str, float]


def figures(case: CaseFile, disruption_gbp: Range | None = None) -> Iterator[tuple[str, Range]]:
    """Every figure that the appraisal rests on, by the path that names it."""
    yield "discount.rate", range_of(case.discount.rate)
    if case.discount.later_rate is not None:
        yield "discount.later_rate", range_of(case.discount.later_rate)
    if disruption_gbp is not None:
        yield "disruption.gbp_per_year", disruption_gbp
    for kind, bias in case.optimism.items():
        yield f"optimism.{kind}.upper", range_of(bias.upper)
        yield f"optimism.{kind}.lower", range_of(bias.lower)
        if bias.mitigated is not None:
            yield f"optimism.{kind}.mitigated", range_of(bias.mitigated)
    for option in case.option:
        for path, figure in _of_option(option):
            yield path, range_of(figure)


def _of_option(option: Option) -> Iterator[tuple[str, Figure]]:
    for cost in option.cost:
        yield _path(option, cost), cost.amount_gbp
    for benefit in option.benefit:
        yield _path(option, benefit), benefit.amount_gbp
    if option.disruption_avoided is not None:
        yield f"option.{option.id}.disruption_avoided", option.disruption_avoided


def central(case: CaseFile, disruption_gbp: Range | None = None) -> dict[str, float]:
    return {path: value.central for path, value in figures(case, disruption_gbp)}


def factor(values: Values, year: int) -> float:
    """What a pound of that year is worth in year 0."""
    rate = values["discount.rate"]
    later = values.get("discount.later_rate", rate)
    first = min(year, _FIRST_SPAN_YEARS)
    return float((1 + rate) ** -first * (1 + later) ** -(year - first))


def annuity(rate: float, years: int) -> float:
    """The present value of a pound at the end of each of so many years."""
    return float(years) if rate == 0 else (1 - (1 + rate) ** -years) / rate


def present(case: CaseFile, option: Option, values: Values) -> Present:
    """The option's present values with these values of the figures."""
    capital = revenue = bias = cashable = non_cashable = 0.0
    for cost in option.cost:
        worth = values[_path(option, cost)] * _discounted(case, values, cost)
        if cost.kind == "capital":
            capital += worth
        else:
            revenue += worth
        bias += worth * uplift(values, cost.bias)
    for benefit in option.benefit:
        worth = values[_path(option, benefit)] * _discounted(case, values, benefit)
        if benefit.cashable:
            cashable += worth
        else:
            non_cashable += worth
    avoided = values.get(f"option.{option.id}.disruption_avoided", 0.0)
    yearly = values.get("disruption.gbp_per_year", 0.0)
    if avoided and yearly:
        years = range(1, case.case.horizon_years + 1)
        non_cashable += avoided * yearly * sum(factor(values, year) for year in years)
    return Present(option.id, capital, revenue, bias, cashable, non_cashable)


def uplift(values: Values, kind: BiasClass) -> float:
    """The optimism bias of a class, as a share: the upper value less what is mitigated."""
    if kind == "none":
        return 0.0
    upper, lower = values[f"optimism.{kind}.upper"], values[f"optimism.{kind}.lower"]
    mitigated = values.get(f"optimism.{kind}.mitigated", 0.0)
    return upper - (upper - lower) * mitigated


def business_as_usual(case: CaseFile) -> Option | None:
    return next((one for one in case.option if one.kind == "business-as-usual"), None)


def advantage(case: CaseFile, option: Option, values: Values) -> float:
    """The option's net present value less that of business as usual."""
    usual = business_as_usual(case)
    base = present(case, usual, values).net if usual is not None else 0.0
    return present(case, option, values).net - base


def sensitivity(
    case: CaseFile, option: Option, disruption_gbp: Range | None = None
) -> tuple[Swing, ...]:
    """One figure at a time from low to high, all others central; the widest swing first."""
    middle = central(case, disruption_gbp)
    swings = []
    for path, value in figures(case, disruption_gbp):
        if value.low == value.high:
            continue
        at_low = advantage(case, option, {**middle, path: value.low})
        at_high = advantage(case, option, {**middle, path: value.high})
        switching = _switching(case, option, middle, path)
        if at_low != at_high:
            swings.append(Swing(path, value.low, value.high, at_low, at_high, switching))
    return tuple(
        sorted(swings, key=lambda one: (-abs(one.at_high_gbp - one.at_low_gbp), one.figure))
    )


def appraise(case: CaseFile, disruption_gbp: Range | None = None) -> tuple[OptionWorth, ...]:
    """Every option's worth, in the order of the file."""
    values = central(case, disruption_gbp)
    usual = business_as_usual(case)
    found = []
    for option in case.option:
        worth = present(case, option, values)
        found.append(
            OptionWorth(
                id=option.id,
                name=option.name,
                kind=option.kind,
                flows=tuple(_flows(case, option, values)),
                capital_gbp=worth.capital,
                revenue_gbp=worth.revenue,
                bias_gbp=worth.bias,
                cashable_gbp=worth.cashable,
                non_cashable_gbp=worth.non_cashable,
                net_gbp=worth.net,
                advantage_gbp=advantage(case, option, values),
                swings=() if option is usual else sensitivity(case, option, disruption_gbp),
            )
        )
    return tuple(found)


def _flows(case: CaseFile, option: Option, values: Values) -> Iterator[Flow]:
    flows: tuple[Cost | Benefit, ...] = (*option.cost, *option.benefit)
    for flow in flows:
        if isinstance(flow, Cost):
            kind: CostKind | Literal["cashable", "non-cashable"] = flow.kind
        else:
            kind = "cashable" if flow.cashable else "non-cashable"
        worth = values[_path(option, flow)] * _discounted(case, values, flow)
        last = flow.first_year if flow.last_year is None else flow.last_year
        yield Flow(flow.name, kind, flow.first_year, last, range_of(flow.amount_gbp), worth)


def _switching(
    case: CaseFile, option: Option, middle: Mapping[str, float], path: str
) -> float | None:
    """Where the advantage is 0: money enters in a straight line, a rate has to be sought."""
    if path.startswith("discount."):
        return _root(lambda rate: advantage(case, option, {**middle, path: rate}))
    at_none = advantage(case, option, {**middle, path: 0.0})
    slope = advantage(case, option, {**middle, path: 1.0}) - at_none
    if slope == 0:
        return None
    found = -at_none / slope
    most = 1.0 if path.endswith(("mitigated", "disruption_avoided")) else inf
    return found if 0 <= found <= most else None


def _root(advantage_at: Callable[[float], float]) -> float | None:
    """The least rate from 0 to 100 % a year at which the sign changes."""
    for below, above in pairwise(number / 100 for number in range(101)):
        if advantage_at(below) * advantage_at(above) <= 0 and advantage_at(below) != 0:
            return _between(advantage_at, below, above)
    return None


def _between(advantage_at: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(60):
        middle = (low + high) / 2
        if advantage_at(low) * advantage_at(middle) <= 0:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def _discounted(case: CaseFile, values: Values, flow: Cost | Benefit) -> float:
    """The sum of the factors of the years in which it falls, up to the horizon."""
    last = flow.first_year if flow.last_year is None else flow.last_year
    years = range(flow.first_year, min(last, case.case.horizon_years) + 1)
    return sum(factor(values, year) for year in years)


def _path(option: Option, flow: Cost | Benefit) -> str:
    kind = "cost" if isinstance(flow, Cost) else "benefit"
    return f"option.{option.id}.{kind}.{flow.name}"
