"""For tests that hold our clock against another's, on a machine that may be busy."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

TRIES = 3
P = ParamSpec("P")


def again(test: Callable[P, None]) -> Callable[P, None]:
    """Make a measurement again that came out wrong, twice at the most.

    Only for what a busy machine spoils by making it later. A fault of ours is there every time.
    """

    @wraps(test)
    def trying(*args: P.args, **kwargs: P.kwargs) -> None:
        for _ in range(TRIES - 1):
            try:
                return test(*args, **kwargs)
            except AssertionError as error:
                print(f"measured again, because of: {error}")
        return test(*args, **kwargs)

    return trying
