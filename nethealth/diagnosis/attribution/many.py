"""Several tests at once: what is left of each p when all of them are counted."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p of each test, whatever they depend on (Holm 1979); for what was registered."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    most = 0.0
    for rank, index in enumerate(order):
        most = max(most, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = most
    return tuple(adjusted)


def benjamini_hochberg(p_values: Sequence[float], *, dependent: bool = False) -> tuple[float, ...]:
    """The false discovery rate at which each test would be kept; for exploring.

    Benjamini and Hochberg (1995); with `dependent` by Benjamini and Yekutieli (2001), which holds
    for any dependence.
    """
    count = len(p_values)
    harmonic = sum(1 / rank for rank in range(1, count + 1)) if dependent else 1.0
    order = sorted(range(count), key=p_values.__getitem__, reverse=True)
    adjusted = [0.0] * count
    least = 1.0
    for place, index in enumerate(order):
        rank = count - place
        least = min(least, p_values[index] * count * harmonic / rank)
        adjusted[index] = least
    return tuple(adjusted)
