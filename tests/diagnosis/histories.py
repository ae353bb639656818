"""Histories made by hand: one check every quarter of an hour, and what came of each."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import nan

from nethealth.diagnosis.history.judging import Columns, judge_history
from nethealth.model.check import CheckResult
from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Finding
from nethealth.model.inventory import Asset, Council, Inventory, Site, Vantage
from nethealth.model.observation import Event, Observation
from nethealth.model.period import CheckPeriod, Column, state_of
from nethealth.model.record import Instrument, Record, Run, Tool

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
STEP_S = 900
DAY = 86_400 // STEP_S  # executions
FINE, SILENT = state_of(Outcome.COMPLETED, None), state_of(Outcome.COMPLETED, Failure.TIMEOUT)
NOT_RUN = state_of(Outcome.NOT_RUN, None)


@dataclass
class Pinged:
    """A host pinged with 20 packets at every step; fill `lost`, `delay_s` and `r` by execution."""

    asset: str
    count: int
    start: int = 0  # of its first execution, in steps
    lost: list[int] = field(default_factory=list)
    delay_s: list[float] = field(default_factory=list)
    r: list[float] = field(default_factory=list)
    left_out: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.lost = self.lost or [0] * self.count
        self.delay_s = self.delay_s or [0.02] * self.count
        self.r = self.r or [90.0] * self.count

    def silent(self, first: int, last: int) -> "Pinged":
        """Nothing comes back from execution `first` on and before `last`."""
        for at in range(first, last):
            self.lost[at], self.delay_s[at], self.r[at] = 20, nan, nan
        return self

    def skipped(self, first: int, last: int) -> "Pinged":
        """No check at all meanwhile."""
        self.left_out |= set(range(first, last))
        return self

    def period(self) -> CheckPeriod:
        site = self.asset.partition("-")[0]
        kept = [at for at in range(self.count) if at not in self.left_out]
        first_s = int(MONDAY.timestamp()) + self.start * STEP_S
        columns = {
            "packets_sent_count": [20.0] * len(kept),
            "packet_loss_ratio": [self.lost[at] / 20 for at in kept],
            "round_trip_delay_median_s": [self.delay_s[at] for at in kept],
            "r_factor": [self.r[at] for at in kept],
        }
        return CheckPeriod(
            "hq", "scdc", site, self.asset, "ping", f"{self.asset}:ping", "198.18.2.10",
            array("I", [first_s + at * STEP_S for at in kept]),
            array("B", [SILENT if self.lost[at] == 20 else FINE for at in kept]),
            tuple(Column(name, None, {}, array("f", values)) for name, values in columns.items()),
        )  # fmt: skip


def judged(
    *hosts: Pinged,
    days: float,
    events: Sequence[Event] = (),
    timezone: str = "UTC",
    notes: tuple[str, ...] = (),
    whole: bool = False,
    capture: tuple[Observation, ...] = (),
) -> tuple[Record, dict[str, Finding]]:
    """The judged record, and its findings by id."""
    sites = sorted({host.asset.partition("-")[0] for host in hosts})
    inventory = Inventory(
        vantage=Vantage(id="hq", timezone=timezone),
        council=(Council(id="scdc", name="South Cambridgeshire"),),
        site=tuple(Site(id=one, council="scdc", name=one.title()) for one in sites),
        asset=tuple(
            Asset(id=one.asset, site=one.asset.partition("-")[0], kind="server", owner="3C")
            for one in hosts
        ),
    )
    record = Record(
        tool=Tool("0.1.0"),
        run=Run(
            "period-1", "period", "hq", MONDAY, MONDAY + timedelta(days=days),
            instrument=Instrument(notes=notes),
        ),
        inventory=inventory,
        events=tuple(events),
        checks=tuple(
            CheckResult(check, "capture", None, None, None, "a.pcap", Outcome.COMPLETED)
            for check in sorted({one.check for one in capture})
        ),
        observations=capture,
    )  # fmt: skip
    periods = sorted((host.period() for host in hosts), key=lambda one: (one.site, one.asset))
    found = judge_history(record, Columns(periods, whole=whole))
    return found, {one.id: one for one in found.findings}
