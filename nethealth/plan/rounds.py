"""The checks of a repeated run: same checks, ids of their own.

The first round's ids carry no suffix, so that history follows a check through single and repeated
runs alike; round `n` carries `#n`.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from nethealth.model.check import Check

_SUFFIX = re.compile(r"#[0-9]+\Z")


def with_round(checks: Sequence[Check], round_number: int) -> tuple[Check, ...]:
    """The checks of round `round_number`, counted from 1; a load is made in the first alone."""
    if round_number < 1:
        raise ValueError(f"rounds are counted from 1, not {round_number}")
    if round_number == 1:
        return tuple(checks)
    return tuple(
        replace(check, id=f"{check.id}#{round_number}")
        for check in checks
        if check.probe != "coexistence"
    )


def base_id(check_id: str) -> str:
    """The id without its round."""
    return _SUFFIX.sub("", check_id)
