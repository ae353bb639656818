"""For tests that hold our clock against another's, on a machine that may be busy."""

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

TRIES = 3
P = ParamSpec("P")


def again(test: Callable[P, None]) -> Callable[P, None]:
    """Make a measurement again that came out wrong, twice at the most.

    Only for what a busy machine spoils by making it later: a fault of ours is there every time. The
    run's summary of warnings says so (ADR 7).
    """

    @wraps(test)
    def trying(*args: P.args, **kwargs: P.kwargs) -> None:
        for _ in range(TRIES - 1):
            try:
                return test(*args, **kwargs)
            except AssertionError as error:
                warnings.warn(f"measured again: {str(error)[:300]}", stacklevel=2)
        return test(*args, **kwargs)

    return trying
