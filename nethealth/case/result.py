"""The whole case worked out from its file, a record and a day."""

from datetime import timedelta

from nethealth.case.appraisal import appraise
from nethealth.case.disruption import disruption_cost
from nethealth.case.episodes import held, one_line_each
from nethealth.case.lines import line_inventory
from nethealth.case.recharges import recharge_all
from nethealth.case.risks import ownerless, rows
from nethealth.model.case import CaseFile
from nethealth.model.case_result import CaseResult
from nethealth.model.record import Record


def work_out(case: CaseFile, record: Record) -> CaseResult:
    """Everything that the case says, as of the record's end.

    ValueError, in words for a person, if hours or keys add up to nothing.
    """
    until = record.run.finished or record.run.started
    observed_s = record.run.pacing.observed_s
    observed = until - record.run.started if observed_s is None else timedelta(seconds=observed_s)
    findings = record.findings
    if record.period is not None:
        findings, observed = held(record)
    cost = disruption_cost(
        case, findings, record.inventory, observed, record.inventory.vantage.timezone
    )
    if cost is not None and record.period is not None:
        cost = one_line_each(cost)
    yearly = cost.telephony_gbp_per_year if cost is not None else None
    return CaseResult(
        file=case,
        disruption=cost,
        options=appraise(case, yearly),
        risks=tuple(tuple(row.items()) for row in rows(case.risk, case.matrix)),
        ownerless_risks=ownerless(case.risk),
        recharges=recharge_all(case, record.inventory),
        lines=line_inventory(record.inventory, until.date()),
    )
