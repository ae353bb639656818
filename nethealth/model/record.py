"""The record: everything that one run planned, did, saw and concluded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from nethealth.model.check import CheckResult
from nethealth.model.finding import Finding
from nethealth.model.inventory import Inventory, SweepSettings, Thresholds
from nethealth.model.observation import Event, Observation, PastValue
from nethealth.model.privacy import Privacy

SCHEMA: Literal["nethealth.record/1"] = "nethealth.record/1"
RunKind = Literal["check", "sweep", "demo", "capture", "diagnose", "report", "import", "period"]


@dataclass(frozen=True, slots=True)
class Tool:
    version: str
    name: str = "nethealth"


@dataclass(frozen=True, slots=True)
class ClockState:
    """The vantage's wall clock at the start of the run."""

    source: str = "system"
    synchronised: bool | None = None  # null: the kernel could not say
    error_s: float | None = None  # the kernel's own estimate of the greatest error
    step_s: float | None = None  # how far the wall clock moved against the monotonic one


@dataclass(frozen=True, slots=True)
class Pacing:
    """What was allowed, and what was done."""

    site_packets_per_s: float | None = None
    site_starts_per_s: float | None = None
    start_offset_s: float | None = None  # the random delay before a run under cron
    rounds: int = 1
    round_interval_s: float | None = None
    observed_s: float | None = None  # how long the run was watching


@dataclass(frozen=True, slots=True)
class Instrument:
    """The measurer measured: null where it was not."""

    loop_lag_p99_s: float | None = None
    loop_lag_max_s: float | None = None
    send_timer_error_p99_s: float | None = None
    socket_overflow_count: int | None = None  # datagrams that the kernel dropped at our sockets
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One run; `finished` is null in a run that was killed."""

    id: str
    kind: RunKind
    vantage: str
    started: datetime
    finished: datetime | None = None
    interrupted: bool = False
    title: str | None = None  # "Demonstration on a simulated network", or null
    clock: ClockState = ClockState()
    pacing: Pacing = Pacing()
    instrument: Instrument = Instrument()
    privacy: Privacy | None = None  # null in records of before it was kept


@dataclass(frozen=True, slots=True)
class Settings:
    """Thresholds and caps as they were in force."""

    thresholds: Thresholds = Thresholds()
    sweep: SweepSettings = SweepSettings()


@dataclass(frozen=True, slots=True)
class Source:
    """A record that this one was made from."""

    run: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Record:
    """The contract's JSON document; `nethealth.model.codec` reads and writes it."""

    tool: Tool
    run: Run
    inventory: Inventory = Inventory()
    settings: Settings = Settings()
    sources: tuple[Source, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    observations: tuple[Observation, ...] = ()
    events: tuple[Event, ...] = ()
    findings: tuple[Finding, ...] = ()
    case: Mapping[str, Any] | None = None  # `nethealth.model.case_codec` reads it
    past: tuple[PastValue, ...] = ()  # of devices read by SNMP, from this vantage's history
    period: Mapping[str, Any] | None = None  # `nethealth.model.period_codec` reads it
    schema_: Annotated[Literal["nethealth.record/1"], Field(alias="schema")] = field(
        default=SCHEMA, kw_only=True
    )

    __pydantic_config__ = {"populate_by_name": True}
