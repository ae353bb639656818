"""What faults cost in people's time: staff affected, times hours, times impairment, times rate.

Only findings that are at least supported are priced; the others are listed without a price. One
hour of one person is counted once, whatever number of findings speaks of it. All of it is
non-cashable: no budget falls because people wait less.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta, tzinfo

from nethealth.case.money import exactly, range_of, total
from nethealth.inventory.hours import weekdays, zone
from nethealth.model.case import CaseFile, Disruption, Figure, StaffTime
from nethealth.model.case_result import DisruptionCost, FaultShare, Priced, Range, Unpriced
from nethealth.model.finding import Direction, Finding, FindingCode, Severity, Verdict
from nethealth.model.inventory import Inventory

YEAR_OBSERVED_LEAST = timedelta(days=14)  # below it nothing is said of a year
_YEAR = timedelta(days=365.25)
_SURE = frozenset({Verdict.DEMONSTRATED, Verdict.SUPPORTED})

# Findings about the telephony itself, which a replacement would end as it ends its disturbances.
_TELEPHONY: frozenset[FindingCode] = frozenset({
    "sip-down", "sip-overload", "sip-malformed", "call-failed", "one-way-audio",
})  # fmt: skip
# What is wrong without anybody's work being hindered while it is.
_UNFELT: frozenset[FindingCode] = frozenset({
    "certificate-expiry", "obsolete-security", "unowned-asset", "isdn-retirement", "sip-auth",
    "instrument-limited", "sensor-silent", "overheating", "dscp-bleached",
})  # fmt: skip


def loaded_rate(staff: StaffTime) -> Range:
    """Pounds an hour: pay, employer's insurance and pension over the hours that are worked.

    The low end has the low costs and the most hours. ValueError if no hours are left.
    """
    cost = [
        range_of(each)
        for each in (staff.salary_gbp, staff.employer_ni_gbp, staff.employer_pension_gbp)
    ]
    away = [
        range_of(each)
        for each in (staff.leave_h, staff.bank_holiday_h, staff.sickness_h, staff.training_h)
    ]
    contracted = range_of(staff.contracted_h)
    most = contracted.high - sum(each.low for each in away)
    middle = contracted.central - sum(each.central for each in away)
    least = contracted.low - sum(each.high for each in away)
    if least <= 0:
        raise ValueError(f"{least:g} productive hours are left of {contracted.low:g} contracted")
    pay = total(cost)
    return Range(pay.low / most, pay.central / middle, pay.high / least)


def disruption_cost(
    case: CaseFile,
    findings: Sequence[Finding],
    inventory: Inventory,
    observed: timedelta,
    timezone: str,
) -> DisruptionCost | None:
    """Price what was found; None if the case gives no cost of time or no impairment."""
    if case.staff_time is None or case.disruption is None:
        return None
    rate = loaded_rate(case.staff_time)
    heads = _heads(case.disruption, inventory)
    by_place: dict[str, list[Finding]] = {}
    unpriced = []
    for finding in findings:
        reason = _why_not(finding, heads)
        if reason is None:
            by_place.setdefault(_place(finding), []).append(finding)
        elif reason:
            unpriced.append(Unpriced(finding.id, reason))
    whole = {
        site: [(one.from_, one.to) for one in here if one.asset is None]
        for site, here in by_place.items()
    }
    priced = []
    for place, here in sorted(by_place.items()):
        site = here[0].site or place
        # What a whole site loses is not lost a second time at its devices.
        taken = whole.get(site, []) if here[0].asset is not None else []
        for finding, hours in _own_hours(case.disruption, here, zone(timezone), taken):
            impairment = range_of(_impairment(case.disruption, finding.code))
            cost = exactly(hours) * heads[place] * impairment * rate
            priced.append(
                Priced(finding.id, finding.code, site, _share(finding), hours, heads[place],
                       impairment, cost)
            )  # fmt: skip
    telephony = total(one.gbp for one in priced if one.share == "telephony")
    return DisruptionCost(
        observed_h=observed / timedelta(hours=1),
        rate_gbp_per_h=rate,
        priced=tuple(priced),
        unpriced=tuple(unpriced),
        total_gbp=total(one.gbp for one in priced),
        telephony_gbp=telephony,
        telephony_gbp_per_year=(
            None if observed < YEAR_OBSERVED_LEAST else telephony * exactly(_YEAR / observed)
        ),
        contacts_gbp=_contacts(case),
        assumed_ratio=_assumed(case, priced, {one.id: _place(one) for one in findings}),
    )


def _why_not(finding: Finding, heads: Mapping[str, Range]) -> str | None:
    """Why a finding has no price; empty for what is none of people's time at all.

    A note is none of it, unless it is of a fault that is suggested and no more: it is listed, so
    that nobody takes its silence for innocence.
    """
    suggested = finding.verdict is Verdict.SUGGESTIVE
    if finding.code in _UNFELT or (finding.severity is Severity.INFO and not suggested):
        return ""
    if finding.verdict not in _SURE:
        return f"its verdict is {finding.verdict.value}: at least supported is needed"
    if finding.site is None:
        return "it belongs to no site"
    if _place(finding) not in heads:
        if finding.asset is not None:
            return "nobody has said whose work hangs on this one device"
        return "nobody has said how many people work there"
    return None


def _place(finding: Finding) -> str:
    """What people's work hangs on: the device, or the whole site."""
    return finding.asset or finding.site or ""


def _share(finding: Finding) -> FaultShare:
    disturbs = finding.direction is Direction.TELEPHONY_TO_NETWORK
    return "telephony" if disturbs or finding.code in _TELEPHONY else "other"


def _heads(disruption: Disruption, inventory: Inventory) -> dict[str, Range]:
    heads = {site.id: exactly(site.staff) for site in inventory.site if site.staff is not None}
    return {**heads, **{site: range_of(figure) for site, figure in disruption.staff.items()}}


def _impairment(disruption: Disruption, code: FindingCode) -> Figure:
    return disruption.impairment_of.get(code, disruption.impairment)


def _own_hours(
    disruption: Disruption,
    findings: Sequence[Finding],
    local: tzinfo,
    before: Sequence[tuple[datetime, datetime]],
) -> Iterator[tuple[Finding, float]]:
    """The working hours of each finding in which no finding that impairs more goes on."""
    graver = sorted(findings, key=lambda one: (-_impairment(disruption, one.code).central, one.id))
    taken = list(before)
    for finding in graver:
        own = _less((finding.from_, finding.to), taken)
        hours = sum(_working_hours(disruption, start, end, local) for start, end in own)
        taken.append((finding.from_, finding.to))
        yield finding, hours


def _less(
    span: tuple[datetime, datetime], taken: Iterable[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """What is left of a span of time when others are cut out of it."""
    parts = [span]
    for start, end in taken:
        parts = [
            rest
            for first, last in parts
            for rest in ((first, min(last, start)), (max(first, end), last))
            if rest[0] < rest[1]
        ]
    return parts


def _working_hours(disruption: Disruption, start: datetime, end: datetime, local: tzinfo) -> float:
    days = weekdays(disruption.working_days)
    opens = time.fromisoformat(disruption.working_from)
    closes = time.fromisoformat(disruption.working_to)
    day = start.astimezone(local).date()
    worked = timedelta()
    while day <= end.astimezone(local).date():
        if day.weekday() in days:
            first = max(start, datetime.combine(day, opens, local))
            last = min(end, datetime.combine(day, closes, local))
            worked += max(last - first, timedelta())
        day += timedelta(days=1)
    return worked / timedelta(hours=1)


def _contacts(case: CaseFile) -> Range:
    return total(
        (range_of(one.abandoned_calls) + range_of(one.repeated_calls)) * range_of(one.contact_gbp)
        for one in case.contact_centre
    )


def _assumed(case: CaseFile, priced: Sequence[Priced], places: Mapping[str, str]) -> float | None:
    """The share of the central cost of which any factor is a judgement; `places` by finding."""
    whole = sum(one.gbp.central for one in priced)
    if not whole or case.disruption is None or case.staff_time is None:
        return None
    staff = case.staff_time
    rate_assumed = any(
        each.basis == "assumed"
        for each in (
            staff.salary_gbp, staff.employer_ni_gbp, staff.employer_pension_gbp, staff.contracted_h,
            staff.leave_h, staff.bank_holiday_h, staff.sickness_h, staff.training_h,
        )
    )  # fmt: skip
    resting = sum(
        one.gbp.central
        for one in priced
        if rate_assumed
        or _impairment(case.disruption, one.code).basis == "assumed"
        or ((heads := case.disruption.staff.get(places[one.finding])) is not None
            and heads.basis == "assumed")
    )  # fmt: skip
    return resting / whole
