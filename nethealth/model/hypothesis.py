"""What is to be tested, written down before the data: the shapes of `hypotheses.toml`."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from nethealth.model.finding import FindingCode
from nethealth.model.inventory import ClockTime, Identifier, Text

_FORBID = {"extra": "forbid"}
Outcome = Literal[
    "packet_loss_ratio", "round_trip_delay_median_s", "round_trip_delay_p95_s", "pdv_p99_s",
    "r_factor", "sip_response_delay_s",
]  # fmt: skip
LOWER_IS_WORSE: frozenset[Outcome] = frozenset({"r_factor"})
Minutes = Annotated[int, Field(ge=1, le=1440)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """That an outcome at a site is worse just after events of one kind than just before.

    `smallest_effect`: the least effect that would matter, in the outcome's unit. `looks`: the only
    days at whose end it is tested, with data up to that day. `controls`: sites that the events
    cannot reach.
    """

    id: Identifier
    mechanism: FindingCode
    site: Identifier
    outcome: Outcome
    exposure: Text
    exposure_site: Identifier | None = None  # null: the same
    bin_minutes: Minutes = 15
    window_minutes: Minutes = 60
    gap_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    alpha: Annotated[float, Field(gt=0, le=0.2)] = 0.05
    smallest_effect: Annotated[float, Field(gt=0, le=1e6)]
    looks: Annotated[tuple[date, ...], Field(min_length=1, max_length=10)]
    controls: tuple[Identifier, ...] = ()
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Something switched on and off by lot: in each pair of half-days one has it, one has not.

    The half-days are the working hours before and after `noon`.
    """

    id: Identifier
    mechanism: FindingCode
    site: Identifier
    outcome: Outcome
    switch: Text  # what is switched, in words
    first: date
    pairs: Annotated[int, Field(ge=5, le=200)] = 10
    opens: ClockTime = "08:30"
    noon: ClockTime = "13:00"
    closes: ClockTime = "17:30"
    alpha: Annotated[float, Field(gt=0, le=0.2)] = 0.05
    seed: Annotated[int, Field(ge=0, le=2**53)]
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class HypothesisFile:
    """The whole file; at most ten hypotheses, for which all p are corrected together."""

    holidays: tuple[date, ...] = ()
    hypothesis: Annotated[tuple[Hypothesis, ...], Field(max_length=10)] = ()
    trial: Annotated[tuple[Trial, ...], Field(max_length=10)] = ()
    __pydantic_config__ = _FORBID
