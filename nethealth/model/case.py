"""What a business case assumes: the shapes of `case.toml`, every figure with who stands for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from nethealth.model.finding import FindingCode
from nethealth.model.inventory import ClockTime, Identifier, Text

_FORBID = {"extra": "forbid"}
_MOST = 1e10  # pounds, hours or heads: beyond it a figure is absurd

Number = Annotated[float, Field(ge=0, le=_MOST)]
Year = Annotated[int, Field(ge=0, le=60)]  # 0 is the year of the decision
Words = Annotated[str, Field(min_length=1, max_length=4000)]
OptionKind = Literal["business-as-usual", "do-minimum", "option"]
CostKind = Literal["capital", "revenue"]
BiasClass = Literal[
    "equipment", "outsourcing", "standard-buildings", "non-standard-buildings", "none"
]
RechargeKey = Literal["devices", "staff", "extensions", "use"]
Basis = Literal["measured", "quoted", "assumed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure with its range and its origin; low and high are the central one if not given.

    `basis`: a `quoted` figure stands in an offer or an account, an `assumed` one is a judgement.
    """

    central: Number
    low: Number | None = None
    high: Number | None = None
    source: Text
    date: date
    owner: Text
    basis: Basis = "assumed"
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the paper is; all money is in prices of `price_year`, without VAT that is recovered."""

    title: Text
    council: Identifier
    owner: Text
    date: date
    price_year: Annotated[int, Field(ge=2000, le=2100)]
    horizon_years: Annotated[int, Field(ge=1, le=60)]
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """Real rates a year, as shares: for years 0 to 30, and 31 on."""

    rate: Figure
    later_rate: Figure | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffTime:
    """What an hour of work costs: pay and on-costs over the hours that are worked (per year)."""

    salary_gbp: Figure
    employer_ni_gbp: Figure
    employer_pension_gbp: Figure
    contracted_h: Figure
    leave_h: Figure
    bank_holiday_h: Figure
    sickness_h: Figure
    training_h: Figure
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Disruption:
    """How much of people's work a fault takes, as shares of an hour, by code of the finding.

    `staff` whose work hangs on a site, in place of the inventory's number of heads, or on an
    asset. A fault costs work only in the working hours of local time.
    """

    impairment: Figure
    working_days: Text = "mon-fri"
    working_from: ClockTime = "08:30"
    working_to: ClockTime = "17:30"
    impairment_of: Mapping[FindingCode, Figure] = field(default_factory=dict)
    staff: Mapping[str, Figure] = field(default_factory=dict)
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCentre:
    """Calls that faults cost a contact centre within the period, by its own statistics."""

    site: Identifier
    abandoned_calls: Figure
    repeated_calls: Figure
    contact_gbp: Figure
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A cost a year, from `first_year` to `last_year`; `bias` says which optimism is to be met."""

    name: Text
    kind: CostKind
    first_year: Year = 0
    last_year: Year | None = None  # null: as the first
    amount_gbp: Figure
    bias: BiasClass = "none"
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """A benefit a year; `cashable` only where a budget falls by it."""

    name: Text
    first_year: Year = 1
    last_year: Year | None = None
    amount_gbp: Figure
    cashable: bool = False
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to go on; `disruption_avoided`: the share of the measured disruption that it ends."""

    id: Identifier
    name: Text
    kind: OptionKind = "option"
    description: Words | None = None
    rejected_because: Words | None = None
    cost: tuple[Cost, ...] = ()
    benefit: tuple[Benefit, ...] = ()
    disruption_avoided: Figure | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """Optimism bias of one class: upper and lower value, and how much of the way is mitigated."""

    upper: Figure
    lower: Figure
    mitigated: Figure | None = None  # a share: 0 is the upper value, 1 the lower
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A place in the matrix, each from 1 up."""

    likelihood: Annotated[int, Field(ge=1, le=10)]
    impact: Annotated[int, Field(ge=1, le=10)]
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """The scale of the council's risk register; `bands` are the highest scores of each band."""

    size: Annotated[int, Field(ge=3, le=10)] = 5
    bands: tuple[Annotated[int, Field(ge=1, le=100)], ...] = (4, 9, 15, 25)
    names: tuple[Text, ...] = ("low", "medium", "high", "very high")
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """One line of the register; without an owner it is flagged."""

    id: Identifier
    cause: Words
    event: Words
    consequence: Words
    inherent: Level
    residual: Level | None = None
    target: Level | None = None
    controls: Words | None = None
    owner: Text | None = None
    action: Words | None = None
    due: date | None = None
    review: date | None = None
    evidence: tuple[Text, ...] = ()  # codes or ids of findings
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCost:
    """A cost that one council bears alone, outside the common pot."""

    council: Identifier
    name: Text
    amount_gbp: Figure
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Recharge:
    """How a common cost is shared out; the key is frozen on a date.

    `use`: each council's share of the use where the key is `use`; other keys are counted in the
    inventory.
    """

    name: Text
    total_gbp: Figure
    key: RechargeKey
    frozen: date
    use: Mapping[str, Number] = field(default_factory=dict)
    own: tuple[OwnCost, ...] = ()
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """The five cases, in the author's words; what is left out is shown as still to be written."""

    strategic: Words | None = None
    economic: Words | None = None
    commercial: Words | None = None
    financial: Words | None = None
    management: Words | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """The whole file."""

    case: Head
    discount: Discount
    staff_time: StaffTime | None = None
    disruption: Disruption | None = None
    contact_centre: tuple[ContactCentre, ...] = ()
    option: tuple[Option, ...] = ()
    optimism: Mapping[BiasClass, Bias] = field(default_factory=dict)
    matrix: Matrix = Matrix()
    risk: tuple[Risk, ...] = ()
    recharge: tuple[Recharge, ...] = ()
    sections: Sections = Sections()
    __pydantic_config__ = _FORBID
