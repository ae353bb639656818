"""Ranges of money and other figures, and sums shared out to the penny."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from nethealth.model.case import Figure
from nethealth.model.case_result import Range

NOTHING = Range(0.0, 0.0, 0.0)


def total(ranges: Iterable[Range]) -> Range:
    return sum(ranges, NOTHING)


def exactly(value: float) -> Range:
    return Range(value, value, value)


def range_of(figure: Figure) -> Range:
    """Low and high are the central value where none is given."""
    low = figure.central if figure.low is None else figure.low
    high = figure.central if figure.high is None else figure.high
    return Range(low, figure.central, high)


def share_out(pence: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Whole pence by weight that sum to the total: the largest remainders get what is left over.

    Of equal remainders the first by name goes first. ValueError if no weight is above 0.
    """
    exact = {name: Fraction(weight) for name, weight in weights.items()}
    whole = sum(exact.values())
    if whole <= 0 or any(weight < 0 for weight in exact.values()):
        raise ValueError("shares need weights of which none is below 0 and one is above")
    shares = {name: pence * weight / whole for name, weight in exact.items()}
    given = {name: int(share) for name, share in shares.items()}  # towards 0: pence >= 0
    left = pence - sum(given.values())
    order = sorted(shares, key=lambda name: (given[name] - shares[name], name))
    for name in order[:left]:
        given[name] += 1
    return given
