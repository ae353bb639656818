"""What holds of every judgement, whatever the record."""

from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nethealth.diagnosis import CODES, judge
from nethealth.model import codec
from nethealth.model.check import CheckResult, ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import FindingCode
from nethealth.model.inventory import Line
from nethealth.model.observation import Observation
from nethealth.model.record import Instrument, Record, Run, Tool
from tests.diagnosis.build import STARTED, Scene, healthy
from tests.diagnosis.calls import refused, talked
from tests.diagnosis.captured import troubled_lan
from tests.diagnosis.coexist import Beside, Story, coexistence
from tests.diagnosis.devices import troubled
from tests.diagnosis.heard import troubled_voice
from tests.diagnosis.paths import black_hole, route
from tests.diagnosis.witnessed import REWRITTEN, alg, nat

PAGES = Path(__file__).parents[2] / "docs" / "findings"


def everything() -> Scene:
    """A record that gives each of the codes at once."""
    scene = healthy().silent("gateway:mill", "mill-a").silent("hall-fax")
    scene.ping("quay-a", lost=30, sent=60).ping("quay-b", lost=30, sent=60)
    scene.ping("lock-a", rtt_s=0.5).ping("lock-b", rtt_s=0.5)
    for name, status in (("auth", 401), ("busy", 503), ("gone", 505)):
        scene.ping(f"farm-{name}").sip(f"farm-{name}", status)
    scene.failing("farm-odd", "sip", Failure.PROTOCOL)
    scene.sip("farm-tls", 200, tls_version="TLSv1.3", tls_versions_accepted="TLSv1, TLSv1.3")
    scene.failing("farm-web", "http", Failure.REFUSED)
    scene.check("farm-ns", "dns", {"dns_response_code": "SERVFAIL"})
    scene.check("farm-old", "http", {"certificate_days_to_expiry": 2, "http_status_code": 200})
    scene.asset("farm-lost", owner=None).ping("farm-lost")
    black_hole(route(scene, "farm-lost", (46, 0)), "farm-lost")
    nat(alg(scene, "farm-lost", {"udp": REWRITTEN}), "farm-lost", 30.0, 42.0)
    refused(talked(scene, "farm-echo", back=0), "farm-called", 404, "Not Found")
    waits = Beside(wait_s=0.08)
    coexistence(scene.ping("wharf-r"), "wharf-r", Story(voice=waits, rest=waits))
    for site in ("tarn", "firth"):
        scene.site(site, "Northline").ping(f"{site}-a", lost=100, sent=200)
    troubled_lan(scene)
    troubled_voice(scene)
    scene.lines.append(Line(id="mill-lift", site="mill", kind="analogue", use="lift alarm"))
    return troubled(scene).not_run("farm-x", "ping", "no ICMP socket")


def test_every_code_of_the_catalogue_can_be_judged() -> None:
    of_a_history = {"level-change", "history-incomplete"}  # see test_history.py
    assert {finding.code for finding in everything().findings()} == set(CODES) - of_a_history


def test_findings_are_the_same_in_any_order_and_after_a_journey_through_json() -> None:
    scene = everything()
    findings = scene.findings()
    assert judge(scene.reordered()) == findings
    stored = codec.load(codec.dump(scene.record()))
    assert judge(stored) == findings
    assert len({finding.id for finding in findings}) == len(findings)


def test_worst_comes_first() -> None:
    ranks = [finding.severity.rank for finding in everything().findings()]
    assert ranks == sorted(ranks, reverse=True)


def test_evidence_names_observations_of_the_record() -> None:
    scene = everything()
    known = {seen.id for seen in scene.observations} | {event.id for event in scene.events}
    for finding in scene.findings():
        assert set(finding.evidence) <= known
        needs_none = finding.code in {"unowned-asset", "instrument-limited", "isdn-retirement"}
        assert needs_none or finding.evidence, finding.id
        assert needs_none or finding.refutations, finding.id
        assert finding.from_ <= finding.to


@pytest.mark.parametrize("code", CODES)
def test_page_of_a_code_says_what_the_catalogue_says(code: FindingCode) -> None:
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n")
    facts = dict(line.split(": ", 1) for line in head.splitlines())
    rule = CODES[code]
    assert facts == {"code": code, "severity": rule.severity, "action": rule.action}
    assert f"\n## Action\n\n{rule.action}\n" in body
    for heading in ("What is needed", "Signs", "What refutes it", "Look-alikes"):
        assert f"\n## {heading}\n\n- " in body, heading


def test_severity_of_each_code_is_the_contracts() -> None:
    critical = {"host-down", "site-outage", "sip-down", "service-down", "overheating"}
    info = {"sip-auth", "unowned-asset", "instrument-limited", "isdn-retirement",
            "level-change", "history-incomplete"}  # fmt: skip
    for code, rule in CODES.items():
        expected = "critical" if code in critical else "info" if code in info else "warning"
        assert rule.severity == expected, code


def test_each_page_has_a_code() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == set(CODES)
    assert set(CODES) <= set(get_args(FindingCode))


NAMES = (
    "packets_sent_count", "packets_received_count", "packet_loss_burst_ratio",
    "round_trip_delay_median_s", "round_trip_delay_min_s", "r_factor", "sip_status_code",
    "sip_transmission_count", "sip_retry_after_s", "sip_authenticated", "sip_target_outcome",
    "sip_registration_status_code", "tls_version", "tls_versions_accepted",
    "dns_response_code", "dns_answer_count",
    "dns_answer_expected", "http_status_code", "http_body_matched", "certificate_days_to_expiry",
    "icmp_error_count", "late_reply_count", "packet_loss_run_max_packets", "resolution_time_s",
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**12), st.floats(), st.text(max_size=5)
)
PASSPORTS = st.dictionaries(
    st.sampled_from(["codec", "delay_variant", "loss_ratio", "burst_r", "answers", "icmp_type",
                     "packetisation_s", "reason_phrase", "subject", "target", "reason"]),
    st.one_of(VALUES, st.lists(st.text(max_size=3), max_size=2)), max_size=4,
)  # fmt: skip
CHECKS = st.builds(
    CheckResult,
    id=st.sampled_from([f"h{n}:ping{suffix}" for n in range(3) for suffix in ("", "#2", "#x")]),
    probe=st.sampled_from(get_args(ProbeKind)),
    council=st.none(),
    site=st.sampled_from([None, "a", "b"]),
    asset=st.sampled_from([None, "h0", "h1"]),
    target=st.text(max_size=5),
    outcome=st.sampled_from(Outcome),
    failure=st.one_of(st.none(), st.sampled_from(Failure)),
    reason=st.one_of(st.none(), st.text(max_size=10)),
    started_s=st.one_of(st.none(), st.floats()),
)
OBSERVATIONS = st.builds(
    Observation,
    id=st.text(max_size=3),
    check=st.sampled_from(["h0:ping", "h1:ping", "h2:ping", "h0:ping#2"]),
    name=st.sampled_from(NAMES),
    value=VALUES,
    t_s=st.one_of(st.none(), st.floats()),
    interval=st.one_of(st.none(), st.tuples(st.floats(), st.floats())),
    method=PASSPORTS,
)
INSTRUMENTS = st.builds(
    Instrument,
    loop_lag_p99_s=st.one_of(st.none(), st.floats()),
    loop_lag_max_s=st.one_of(st.none(), st.floats()),
    socket_overflow_count=st.one_of(st.none(), st.integers(-3, 100)),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(CHECKS, max_size=8), st.lists(OBSERVATIONS, max_size=25), INSTRUMENTS, st.randoms())
def test_any_record_is_judged_without_an_error_and_in_any_order(
    checks: list[CheckResult], observations: list[Observation], instrument: Instrument, random: Any
) -> None:
    run = Run("r", "sweep", "desk", STARTED, instrument=instrument)
    findings = judge(Record(Tool("0"), run, checks=tuple(checks), observations=tuple(observations)))
    random.shuffle(checks)
    random.shuffle(observations)
    again = judge(Record(Tool("0"), run, checks=tuple(checks), observations=tuple(observations)))
    assert repr(again) == repr(findings)
