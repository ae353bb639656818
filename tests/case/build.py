"""Cases and findings made by hand, as small as a test needs them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from nethealth.model.case import (
    Basis,
    CaseFile,
    Discount,
    Disruption,
    Figure,
    Head,
    Option,
    StaffTime,
)
from nethealth.model.finding import Direction, Finding, FindingCode, Severity, Verdict
from nethealth.model.inventory import Council, Inventory, Site

DAY = date(2026, 11, 25)
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # winter: London's time is UTC
INVENTORY = Inventory(
    council=(Council(id="scdc", name="South"), Council(id="hdc", name="Hunts")),
    site=(
        Site(id="hall", council="scdc", name="Hall", staff=100, extensions=80, devices=200),
        Site(id="house", council="hdc", name="House", staff=50, extensions=20),
        Site(id="barn", council="hdc", name="Barn"),
    ),
)


def figure(
    central: float, low: float | None = None, high: float | None = None, basis: Basis = "quoted"
) -> Figure:
    return Figure(
        central=central, low=low, high=high, source="a test", date=DAY, owner="Head", basis=basis
    )


def staff_time() -> StaffTime:
    """20,000 and 2,000 and 3,000 pounds over 2,000 less 750 hours: 20 pounds an hour."""
    return StaffTime(
        salary_gbp=figure(20_000), employer_ni_gbp=figure(2_000),
        employer_pension_gbp=figure(3_000), contracted_h=figure(2_000), leave_h=figure(500),
        bank_holiday_h=figure(100), sickness_h=figure(100), training_h=figure(50),
    )  # fmt: skip


def case(*options: Option, horizon: int = 10, rate: float = 0.035) -> CaseFile:
    return CaseFile(
        case=Head(
            title="A case", council="scdc", owner="Head", date=DAY, price_year=2026,
            horizon_years=horizon,
        ),
        discount=Discount(rate=figure(rate)),
        option=options,
    )  # fmt: skip


def priced_case(impairment: Figure | None = None) -> CaseFile:
    return replace(
        case(),
        staff_time=staff_time(),
        disruption=Disruption(
            impairment=impairment or figure(0.25, 0.1, 0.5, "assumed"),
            impairment_of={"site-outage": figure(0.8)},
        ),
    )


def finding(
    code: FindingCode = "packet-loss",
    site: str | None = "hall",
    *,
    start_h: float = 0.0,
    hours: float = 2.0,
    verdict: Verdict = Verdict.DEMONSTRATED,
    severity: Severity = Severity.WARNING,
    direction: Direction | None = None,
    asset: str | None = None,
) -> Finding:
    """One that begins so many hours after nine on a Monday."""
    start = MONDAY + timedelta(hours=start_h)
    return Finding(
        id=f"{code}:{asset or site}:{start_h:g}", code=code, council=None, site=site, asset=asset,
        from_=start, to=start + timedelta(hours=hours), severity=severity, verdict=verdict,
        direction=direction, statement="", action="",
    )  # fmt: skip
