"""The text file is read by Prometheus's own parser."""

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

import reports
from nethealth.model.record import Record
from tests.reports import examples

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(record: Record) -> Samples:
    text = reports.RENDERERS["prometheus"].render(reports.compose(record)).decode()
    families = list(text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    assert all(family.type == "gauge" and family.documentation for family in families)
    samples = [sample for family in families for sample in family.samples]
    found = {(one.name, frozenset(one.labels.items())): one.value for one in samples}
    assert len(found) == len(samples)  # no series twice
    return found


def one(samples: Samples, name: str, **labels: str) -> float:
    wanted = set(labels.items())
    (value,) = [
        v for (n, have), v in samples.items() if n == f"nethealth_{name}" and wanted <= have
    ]
    return value


def test_what_was_measured_and_found() -> None:
    samples = read(examples.degraded())
    # 22 July 2026 19:04:36 UTC, by `date -u -d ... +%s`
    assert one(samples, "last_success_timestamp_seconds", vantage="hq-laptop") == 1784747076
    assert one(samples, "findings", severity="critical") == 1
    assert one(samples, "findings", severity="warning") == 3
    assert one(samples, "findings_by_code", code="sip-overload", site="hall") == 1
    assert one(samples, "check_outcome", check="hall-pbx:sip", outcome="completed") == 1
    assert one(samples, "check_outcome", check="waterbeach-ata:ping", outcome="not_run") == 1
    assert one(samples, "packet_loss_ratio", asset="leisure-gateway") == 0.15
    assert one(samples, "round_trip_delay_median_seconds", asset="hall-pbx") == 0.0482
    assert one(samples, "sip_status_code", target="sip:198.18.2.10", probe="sip") == 503
    assert one(samples, "certificate_expiry_days", asset="pathfinder-web") == 12.4
    assert one(samples, "info", version="0.1.0") == 1


def test_what_was_not_measured_has_no_line() -> None:
    samples = read(examples.degraded())
    silent = ("nethealth_round_trip_delay_median_seconds", ("asset", "eastfield-switch"))
    assert not [key for key in samples if key[0] == silent[0] and silent[1] in key[1]]
    names = {name for name, _ in read(examples.not_measured())}
    assert "nethealth_last_success_timestamp_seconds" not in names


def test_rounds_are_one_series() -> None:
    samples = read(examples.rounds())
    assert one(samples, "packet_loss_ratio", check="leisure-gateway:ping") == 0.05


def test_labels_hold_any_text() -> None:
    record = examples.one_target()
    check = replace(record.checks[0], target='quote " back\\slash\nbreak')
    samples = read(replace(record, checks=(check,)))
    targets = {dict(labels).get("target") for _, labels in samples}
    assert 'quote " back\\slash␊break' in targets
