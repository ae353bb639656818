"""The first page of a period: answer, how sure, before and after, what next, what is missing."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from nethealth.model.finding import Finding, Severity
from nethealth.model.period_report import Change
from reports.case import cost_in_brief
from reports.document import Summary
from reports.groups import alike
from reports.period_changes import difference, interval, lowered
from reports.period_view import PeriodView, fine_percent
from reports.short import as_many, by_severity, in_room, short_finding, short_site, short_sites
from reports.steps import next_steps
from reports.view import utc
from reports.words import VERDICT_WORDS, count, listed, percent, short_date

_FOUND_WORDS, _SURE_WORDS, _CHANGE_WORDS = 60, 34, 50
_COST_WORDS, _NEXT_WORDS, _MISSING_WORDS = 20, 40, 24


def summarise_period(of: PeriodView) -> Summary:
    """It repeats what diagnosis found and judges nothing."""
    faults = _faults(of)
    parts = (
        ("What was found", _found(of, faults), _FOUND_WORDS),
        ("Before and after", _changes(of), _CHANGE_WORDS),
        ("How sure", _sure(of, faults), _SURE_WORDS),
        ("What it costs", cost_in_brief(of.view), _COST_WORDS),
        ("What to do next", _next(of, faults), _NEXT_WORDS),
        ("What was not measured", _missing(of), _MISSING_WORDS),
    )
    return Summary(mark=of.mark(), answer=_answer(of), parts=in_room(parts))


def verdict_of(of: PeriodView) -> str:
    """The period in one line, the answer in capitals."""
    measured = sum(one.measured for one in of.sites)
    said = [*by_severity(of.findings()), count(measured, "check")]
    return f"{of.mark().word.upper()}: {', '.join(said)}"


def _faults(of: PeriodView) -> list[Finding]:
    """Critical findings and warnings that no other explains: the oftenest of each kind first."""
    found = [
        one for one in of.findings()
        if one.severity is not Severity.INFO and one.id not in of.view.explained
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-one.severity.rank, -of.share(one)))


def _answer(of: PeriodView) -> str:
    days = count(len(of.period.days), "day")
    if not of.sites or not any(one.measured for one in of.sites):
        return f"Nothing was measured in these {days}, so nothing can be said."
    lasting = [one for one in _faults(of) if of.lasted(one)]
    sites = list(dict.fromkeys(one.site for one in lasting if one.site is not None))
    total = count(len(of.sites), "site")
    if sites:
        where = short_sites(of.view, sites)
        share = f"{len(sites)} of {total}" if len(of.sites) > 1 else "the site"
        passing = {one.site for one in _faults(of) if one.site is not None} - set(sites)
        rest = f"; {len(passing)} more had only passing ones" if passing else ""
        return f"Over {days} {share} had a fault that lasted or kept returning: {where}{rest}."
    if _faults(of):
        return f"Over {days} at {total} there were only passing faults."
    return f"Over {days} none of the checks at {total} showed a fault."


def _found(of: PeriodView, faults: Sequence[Finding]) -> list[str]:
    said, groups = [], alike(faults)
    for group in groups:
        often = percent(max(of.share(one) for one in group))
        text = short_finding(of.view, group).removesuffix(".")
        said.append(f"{text}, in {often} of runs{_cleared(of, group)}.")
    kept = as_many(said, _FOUND_WORDS - 18)
    if left := sum(map(len, groups[len(kept) :])):
        kept.append(f"And {count(left, 'further fault')}, below.")
    return [*kept, *_least(of)]


def _least(of: PeriodView) -> list[str]:
    """The site whose checks were least answered; where all were, that with the highest loss."""
    several = len(of.sites) > 1
    answered = [one for one in of.sites if one.availability.value is not None]
    worst = min(answered, key=lambda one: one.availability.value or 0.0, default=None)
    if worst is None or worst.site is None:
        return []
    if worst.availability.value != 1:
        where = short_site(of.view, worst.site)
        share = fine_percent(worst.availability.value or 0.0)
        return [f"Checks {'least ' if several else ''}answered at {where}: {share}."]
    lossiest = max(answered, key=lambda one: one.loss.value or 0.0)
    loss = fine_percent(lossiest.loss.value or 0.0)
    if not several or lossiest.site is None:
        return [f"Every check was answered; loss {loss}."]
    where = short_site(of.view, lossiest.site)
    return [f"Every check was answered; highest loss at {where}: {loss}."]


def _cleared(of: PeriodView, group: Sequence[Finding]) -> str:
    """When it was last seen, if not at the period's end."""
    last = _has_cleared(of, group)
    if last is None:
        return ""
    local = of.view.local(last)
    return f", last on {short_date((utc(last) if local is None else local[0]).date())}"


def _has_cleared(of: PeriodView, group: Sequence[Finding]) -> datetime | None:
    """When the last of the group was last seen; None if that is within the last two days."""
    last = max((of.seen[one.id].last for one in group if one.id in of.seen), default=None)
    if last is None or of.period.asked.until - last < timedelta(days=2):
        return None
    return last


def _changes(of: PeriodView) -> list[str]:
    return [_change(of, change) for change in of.period.changes]


def _change(of: PeriodView, change: Change) -> str:
    where = short_site(of.view, change.site)
    day = short_date(change.day)
    if change.refused is not None:
        return f"{day} at {where}: not compared, see below."
    told = [one for one in change.comparisons if one.refused is None and one.effect.interval]
    # Those whose interval keeps clear of nought, else how little can be told.
    clear = [
        one for one in told
        if one.effect.interval and (one.effect.interval[0] > 0 or one.effect.interval[1] < 0)
    ]  # fmt: skip
    if not clear:
        return f"After {day} at {where}: no difference that the days' own spread does not explain."
    shown = listed([f"{lowered(one)} {difference(one)} (95 %: {interval(one)})"
                    for one in clear[:2]], 2)  # fmt: skip
    return f"After {day} at {where}: {shown}; measured alike on both sides."


def _sure(of: PeriodView, faults: Sequence[Finding]) -> list[str]:
    if not of.sites or not of.hours():
        return []
    verdicts = Counter(VERDICT_WORDS[one.verdict].partition(":")[0].lower() for one in faults)
    ladder = listed([f"{amount:,} {word}" for word, amount in verdicts.items()], 6)
    seen = sorted(one.hours / of.hours() for one in of.sites)
    least, most = percent(seen[0]), percent(seen[-1])
    span = least if least == most else f"{least} to {most}"
    return [
        *([f"Of {count(len(faults), 'fault')}: {ladder}."] if faults else []),
        f"Each site was looked at in {span} of the hours, from "
        f"{count(len(of.period.vantages), 'vantage')}.",
        "Between checks nobody looked.",
    ]


def _next(of: PeriodView, faults: Sequence[Finding]) -> list[str]:
    standing = [one for one in faults if not _has_cleared(of, [one])]
    if standing:
        return next_steps(of.view, standing)
    if faults:
        return ["Nothing now: no fault was there at the end. Measure on, to see that it stays so."]
    if not of.sites:
        return ["Measure: `nethealth sweep` from cron, for at least two weeks."]
    return ["Nothing is needed now."]


def _missing(of: PeriodView) -> list[str]:
    parts = []
    if not_run := sum(one.checks for one in of.period.not_run):
        parts.append(f"{count(not_run, 'check')} not run")
    if of.period.holes:
        parts.append(count(len(of.period.holes), "gap"))
    if dark := of.never_measured():
        parts.append(count(len(dark), "whole site"))
    return (
        [f"{listed(parts, 3)}; the reasons are below."]
        if parts
        else ["Everything planned was measured."]
    )
