"""The faults of a period for the cost of disruption: each finding for the time that it held.

A finding of a period stands from the first run that made it to the last, and may have been gone for
weeks in between. What is priced are its episodes; their prices are then one line again.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

from nethealth.case.money import total
from nethealth.model.case_result import DisruptionCost, Priced
from nethealth.model.finding import Finding
from nethealth.model.period_codec import typed
from nethealth.model.record import Record


def held(record: Record) -> tuple[tuple[Finding, ...], timedelta]:
    """One finding for each episode, and how long the period is; ValueError for a damaged one."""
    period = typed(record.period or {})
    episodes = {one.id: one.episodes for one in period.seen}
    findings = tuple(
        replace(finding, from_=start, to=end)
        for finding in record.findings
        for start, end in episodes.get(finding.id, ())
    )
    return findings, period.asked.until - period.asked.since


def one_line_each(cost: DisruptionCost) -> DisruptionCost:
    """The episodes of a finding added up."""
    unpriced = tuple(dict.fromkeys(cost.unpriced))
    by_finding = sorted(cost.priced, key=lambda one: (one.site, one.finding))
    priced = tuple(
        _added(list(group)) for _, group in groupby(by_finding, key=lambda one: one.finding)
    )
    return replace(cost, priced=priced, unpriced=unpriced)


def _added(parts: Sequence[Priced]) -> Priced:
    hours = sum(one.working_h for one in parts)
    return replace(parts[0], working_h=hours, gbp=total(one.gbp for one in parts))
