"""Six weeks of sweeps by hand: across the end of summer time, with a fault, a gap and a change.

Every four hours from Monday, 28 September 2026, in London: three sites of two councils. At Hall the
loss is one packet in twenty before 12 October and none from then on; the depot is silent on 20
October; no run is made on 1 November; a printer's pages are known at Hall.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from nethealth.cli.period import record_of
from nethealth.cli.period_records import OfRecords
from nethealth.model.check import CheckResult
from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Finding, Severity, Verdict
from nethealth.model.inventory import Asset, Blackout, Council, Inventory, Site, Vantage
from nethealth.model.observation import Event, Observation
from nethealth.model.period_report import Asked
from nethealth.model.record import Record, Run, Tool

ZONE = ZoneInfo("Europe/London")
FIRST, DAYS = date(2026, 9, 28), 42
CHANGE = date(2026, 10, 12)
SILENT, NO_RUN = date(2026, 10, 20), date(2026, 11, 1)
INVENTORY = Inventory(
    vantage=Vantage(id="hq", site="pathfinder", timezone="Europe/London"),
    council=(
        Council(id="scdc", name="South Cambridgeshire District Council"),
        Council(id="hdc", name="Huntingdonshire District Council"),
    ),
    site=(
        Site(id="hall", council="scdc", name="South Cambridgeshire Hall", staff=320),
        Site(id="depot", council="scdc", name="Waterbeach Depot", staff=140),
        Site(id="pathfinder", council="hdc", name="Pathfinder House", staff=410),
    ),
    blackout=(Blackout(site="hall", days="sat", from_="07:00", to="10:00"),),
    asset=(
        Asset(id="hall-pbx", site="hall", kind="pbx", address="198.18.2.10", owner="ICT"),
        Asset(id="hall-switch", site="hall", kind="switch", address="198.18.2.2", owner="ICT"),
        Asset(id="depot-ata", site="depot", kind="ata", address="198.18.3.20", owner="ICT"),
        Asset(id="pathfinder-sbc", site="pathfinder", kind="sbc", address="198.18.4.10",
              owner="ICT"),
    ),
)  # fmt: skip
_COUNCIL = {site.id: site.council for site in INVENTORY.site}


def moments() -> Iterator[datetime]:
    """The starts of the runs: 0, 4, 8, 12, 16 and 20 o'clock by the clock on the wall."""
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        if day == NO_RUN:
            continue
        for hour in range(0, 24, 4):
            yield datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)


def records(inventory: Inventory = INVENTORY, version: str = "0.1.0") -> list[Record]:
    return [record(when, inventory, version) for when in moments()]


def record(when: datetime, inventory: Inventory = INVENTORY, version: str = "0.1.0") -> Record:
    day = when.astimezone(ZONE).date()
    started = when.astimezone(UTC)
    run = Run(f"r{started:%Y%m%dT%H%MZ}", "sweep", "hq", started, started + timedelta(seconds=40))
    checks: list[CheckResult] = []
    observations: list[Observation] = []
    for asset in inventory.asset:
        check = f"{asset.id}:ping"
        silent = asset.site == "depot" and day == SILENT
        closed = asset.site == "hall" and day.weekday() == 5 and when.hour == 8
        lost = 20 if silent else 1 if asset.site == "hall" and day < CHANGE else 0
        # The delay goes up and down with the hour, a little from day to day.
        delay_s = 0.010 + 0.001 * (when.hour / 4) + 0.0001 * (day.toordinal() % 5)
        checks.append(CheckResult(
            check, "ping", _COUNCIL[asset.site], asset.site, asset.id, asset.address or "",
            Outcome.NOT_RUN if closed else Outcome.COMPLETED, None,
            "blackout at hall, sat 07:00 to 10:00" if closed else None,
            None if closed else 1.0, None if closed else 5.0,
        ))  # fmt: skip
        if closed:
            continue
        values = (
            ("packet_loss_ratio", lost / 20, "1"),
            ("round_trip_delay_median_s", None if silent else delay_s, "s"),
            ("r_factor", None if silent else 92.0 - 10 * (lost > 0), "1"),
        )
        observations += [
            Observation(f"{check}/{n}", check, name, value, unit, 5.0, 20, None,
                        Failure.TIMEOUT if value is None else None)
            for n, (name, value, unit) in enumerate(values, 1)
        ]  # fmt: skip
    return Record(
        tool=Tool(version), run=run, inventory=inventory, checks=tuple(checks),
        observations=tuple(observations), events=tuple(_events(started, day, when.hour)),
        findings=tuple(_findings(started, day)),
    )  # fmt: skip


def _events(started: datetime, day: date, hour: int) -> Iterator[Event]:
    if hour == 8 and day.weekday() < 5:
        for minute in range(3):
            when = started + timedelta(minutes=minute)
            yield Event(f"call:{day}-{minute}", when, "call", "hall", "hall-pbx", "calls")
    if hour == 12 and day in (date(2026, 10, 2), date(2026, 10, 9)):
        yield Event(f"pbx-restart:{day}", started, "pbx-restart", "hall", "hall-pbx", "syslog")
    if hour == 12 and day == CHANGE:
        yield Event("change:1", started, "change", "hall", None, "syslog")


def _findings(started: datetime, day: date) -> Iterator[Finding]:
    def found(code: str, site: str, asset: str, severity: Severity, statement: str) -> Finding:
        return Finding(
            f"{code}:{asset}", code, _COUNCIL[site], site, asset, started,  # type: ignore[arg-type]
            started + timedelta(seconds=40), severity, Verdict.DEMONSTRATED, None, statement,
            "Read the counters of each interface on the path.", evidence=(f"{asset}:ping/1",),
        )  # fmt: skip

    if day < CHANGE:
        yield found("packet-loss", "hall", "hall-pbx", Severity.WARNING,
                    "hall-pbx lost 1 of 20 packets.")  # fmt: skip
    if day == SILENT:
        yield found("host-down", "depot", "depot-ata", Severity.CRITICAL,
                    "depot-ata is down: none of 20 packets returned.")  # fmt: skip


def period_record(*changes: str, site: str | None = None) -> Record:
    """The record of a report over all of it, as the command makes it."""
    since = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=ZONE)
    asked = Asked(
        since.astimezone(UTC), datetime(2026, 11, 9, tzinfo=UTC), "Europe/London", None, site,
        changes,
    )  # fmt: skip
    return record_of(OfRecords(records()), asked, datetime(2026, 11, 9, 10, 30, tzinfo=UTC))
