"""The run as a text file for node_exporter's textfile collector (exposition format 0.0.4)."""

from collections import Counter
from collections.abc import Iterable, Iterator

from nethealth.model.failure import Outcome
from nethealth.model.finding import Severity
from nethealth.model.measured import was_measured
from nethealth.model.record import Record
from reports.document import Document
from reports.escape import visible
from reports.figures import is_number, worst
from reports.view import View, base_id, utc, worst_round

_OBSERVATIONS = {
    "packet_loss_ratio": ("packet_loss_ratio", "Share of echo requests without a reply."),
    "round_trip_delay_median_s": (
        "round_trip_delay_median_seconds",
        "Median round-trip delay of the replies.",
    ),
    "tcp_connect_time_s": ("tcp_connect_time_seconds", "Time to open the connection."),
    "dns_response_time_s": ("dns_response_time_seconds", "Time to the name server's answer."),
    "http_total_time_s": ("http_total_time_seconds", "Time to the whole web answer."),
    "http_status_code": ("http_status_code", "Status of the web answer."),
    "sip_response_delay_s": ("sip_response_delay_seconds", "Time to the final SIP answer."),
    "sip_status_code": ("sip_status_code", "Status of the SIP answer."),
    "certificate_days_to_expiry": ("certificate_expiry_days", "Days until the certificate ends."),
    "mos_cqe": ("mos_cqe", "Estimated voice quality, ITU-T G.107."),
}
Labels = dict[str, str]


def render_prometheus(document: Document) -> bytes:
    """Gauges, grouped by name, each with HELP and TYPE; what is absent has no line."""
    return "".join(_lines(document.record)).encode()


def _lines(record: Record) -> Iterator[str]:
    view = View(record)
    checks = [worst_round(rounds) for rounds in view.series.values()]
    labels = {base_id(check.id): _labels(base_id(check.id), check) for check in checks}
    yield from _metric(
        "info", "The program that measured.", [({"version": record.tool.version}, 1)]
    )
    if record.run.finished is not None and any(map(was_measured, record.checks)):
        yield from _metric(
            "last_success_timestamp_seconds",
            "End of the last run that measured something, in seconds since 1970.",
            [({"vantage": record.run.vantage}, utc(record.run.finished).timestamp())],
        )
    by_severity = Counter(finding.severity for finding in record.findings)
    yield from _metric(
        "findings",
        "Findings by severity.",
        [({"severity": severity.value}, by_severity[severity]) for severity in Severity],
    )
    by_code = Counter(
        (finding.code, finding.severity.value, finding.site or "") for finding in record.findings
    )
    yield from _metric(
        "findings_by_code",
        "Findings by code, severity and site.",
        [
            ({"code": code, "severity": severity, "site": site}, number)
            for (code, severity, site), number in sorted(by_code.items())
        ],
    )
    yield from _metric(
        "check_outcome",
        "1 for the outcome of each check, 0 for the others.",
        [
            ({**labels[base_id(check.id)], "outcome": outcome.value}, check.outcome is outcome)
            for check in checks
            for outcome in Outcome
        ],
    )
    for name, (metric, words) in _OBSERVATIONS.items():
        samples = []
        for check in checks:
            found = worst(view.seen(check.id), name)
            if found is not None and is_number(found.value):
                samples.append((labels[base_id(check.id)], found.value))
        yield from _metric(metric, words, samples)


def _labels(check_id: str, check: object) -> Labels:
    names = ("probe", "council", "site", "asset", "target")
    return {"check": check_id, **{name: getattr(check, name) or "" for name in names}}


def _metric(name: str, words: str, samples: Iterable[tuple[Labels, float]]) -> Iterator[str]:
    samples = list(samples)
    if not samples:
        return
    yield f"# HELP nethealth_{name} {words}\n# TYPE nethealth_{name} gauge\n"
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"nethealth_{name}{{{inside}}} {_number(value)}\n"


def _number(value: float) -> str:
    return repr(value + 0) if isinstance(value, int) else repr(value)


def _escaped(text: str) -> str:
    """A label's value: line breaks are visible already, backslash and quote are escaped."""
    return visible(text).replace("\\", "\\\\").replace('"', '\\"')
