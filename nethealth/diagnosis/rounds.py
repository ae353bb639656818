"""When a repeated check counts as failing."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

from nethealth.diagnosis.evidence import Round

T = TypeVar("T")


def persistent(
    rounds: Sequence[Round], classify: Callable[[Round], T | None]
) -> tuple[tuple[Round, T], ...]:
    """The rounds that `classify` finds at fault, if the fault is more than a passing one.

    A check that ran once is judged by that once. Of a repeated one, two consecutive rounds must
    be at fault: a single lost question among many is no outage.
    """
    judged = [(one, classify(one)) for one in rounds]
    faults = tuple((one, fault) for one, fault in judged if fault is not None)
    lasting = any(a[1] is not None and b[1] is not None for a, b in pairwise(judged))
    return faults if lasting or len(judged) == 1 else ()
