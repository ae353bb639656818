"""One line for Nagios and its kin, by the Monitoring Plugins guidelines, and its exit code."""

from collections import Counter

from nethealth.model.finding import Severity
from nethealth.model.measured import not_measured, was_measured
from nethealth.model.record import Record
from reports.document import Document
from reports.escape import clip, visible
from reports.view import View

OK, WARNING, CRITICAL, UNKNOWN = range(4)
LINE_MAX_CHARACTERS = 1024  # of text; what follows the bar is a handful of counts
_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


def exit_code(record: Record) -> int:
    """0 ok, 1 warning, 2 critical; 3 where there is no finding because nothing was measured."""
    severity = max((finding.severity.rank for finding in record.findings), default=0)
    if severity > Severity.INFO.rank:
        return CRITICAL if severity == Severity.CRITICAL.rank else WARNING
    return UNKNOWN if not_measured(record, named=record.run.kind == "check") else OK


def render_nagios(document: Document) -> bytes:
    """`NETHEALTH WARNING - 0 critical, 2 warning: … | critical=0 …`, one line."""
    record = document.record
    view = View(record)
    severities = Counter(finding.severity for finding in record.findings)
    critical, warning = severities[Severity.CRITICAL], severities[Severity.WARNING]
    measured = sum(map(was_measured, record.checks))
    text = f"NETHEALTH {_WORDS[exit_code(record)]} - {critical} critical, {warning} warning"
    worst = [
        finding.statement for finding in view.findings if finding.severity is not Severity.INFO
    ]
    text += f": {' '.join(worst)}" if worst else f": {document.summary.answer}"
    # The bar divides text from performance data, and there is no escape for it.
    line = clip(visible(text).replace("|", "¦"), LINE_MAX_CHARACTERS)
    data = (
        f"critical={critical};;0 warning={warning};0 notes={severities[Severity.INFO]} "
        f"measured={measured};;;0;{len(record.checks)}"
    )
    return f"{line} | {data}\n".encode()
