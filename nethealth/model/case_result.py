"""What a business case comes to: the results that reports show, with all that they rest on."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from nethealth.model.case import CaseFile, CostKind, OptionKind, RechargeKey
from nethealth.model.finding import FindingCode
from nethealth.model.inventory import Line

FaultShare = Literal["telephony", "other"]


@dataclass(frozen=True, slots=True)
class Range:
    """A figure's low, central and high value."""

    low: float
    central: float
    high: float

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.central + other.central, self.high + other.high)

    def __mul__(self, other: "Range") -> "Range":
        """The product of figures that are not negative."""
        return Range(self.low * other.low, self.central * other.central, self.high * other.high)


@dataclass(frozen=True, slots=True)
class Priced:
    """One finding's part of the cost, in the hours that no graver finding of its site has taken."""

    finding: str
    code: FindingCode
    site: str
    share: FaultShare
    working_h: float
    staff: Range
    impairment: Range
    gbp: Range


@dataclass(frozen=True, slots=True)
class Unpriced:
    finding: str
    reason: str


@dataclass(frozen=True, slots=True)
class DisruptionCost:
    """What faults cost in people's time, within the time observed.

    `telephony`: of faults of the telephony, and of those by which it disturbs the network. What is
    per year is an extrapolation, None where too little of a year was observed. `assumed_ratio`: the
    part of the central cost that rests on at least one assumption.
    """

    observed_h: float
    rate_gbp_per_h: Range
    priced: tuple[Priced, ...]
    unpriced: tuple[Unpriced, ...]
    total_gbp: Range
    telephony_gbp: Range
    telephony_gbp_per_year: Range | None
    contacts_gbp: Range
    assumed_ratio: float | None


@dataclass(frozen=True, slots=True)
class Flow:
    """One cost or benefit: its range a year, its years, and its present value."""

    name: str
    kind: CostKind | Literal["cashable", "non-cashable"]
    first_year: int
    last_year: int
    gbp_per_year: Range
    present_gbp: float


@dataclass(frozen=True, slots=True)
class Swing:
    """What one figure does to an option's net present value against business as usual.

    `switching`: the figure's value at which the option is worth just as much; None if none is.
    """

    figure: str
    low: float
    high: float
    at_low_gbp: float
    at_high_gbp: float
    switching: float | None


@dataclass(frozen=True, slots=True)
class OptionWorth:
    """One option's present values; costs are positive, `net_gbp` is benefits less costs.

    `advantage_gbp`: the net present value less that of business as usual.
    """

    id: str
    name: str
    kind: OptionKind
    flows: tuple[Flow, ...]
    capital_gbp: float
    revenue_gbp: float
    bias_gbp: float
    cashable_gbp: float
    non_cashable_gbp: float
    net_gbp: float
    advantage_gbp: float
    swings: tuple[Swing, ...]


@dataclass(frozen=True, slots=True)
class RechargeShare:
    """One council's part, in pence; `key` is its count or its share of use."""

    council: str
    key: float
    common_pence: int
    own_pence: int


@dataclass(frozen=True, slots=True)
class Recharged:
    """A common cost shared out; `uncounted`: sites that the key does not count."""

    name: str
    key: RechargeKey
    frozen: date
    total_pence: int
    shares: tuple[RechargeShare, ...]
    uncounted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineInventory:
    """Lines not migrated first; `days_left` is negative once the network is gone."""

    today: date
    retirement: date
    days_left: int
    lines: tuple[Line, ...]
    remaining: int
    migrated: int
    by_use: tuple[tuple[str, int], ...]
    ownerless: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """All of it, with the file that it was worked out from."""

    file: CaseFile
    disruption: DisruptionCost | None
    options: tuple[OptionWorth, ...]
    risks: tuple[tuple[tuple[str, str], ...], ...]  # each row as (column, text)
    ownerless_risks: tuple[str, ...]
    recharges: tuple[Recharged, ...]
    lines: LineInventory
