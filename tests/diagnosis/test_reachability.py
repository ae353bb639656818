"""Silence of hosts, of sites and of the vantage: one cause, one finding."""

from datetime import timedelta

from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Severity, Verdict
from nethealth.model.measured import vantage_cut_off
from tests.diagnosis.build import STARTED, Scene, healthy


def test_all_well_gives_no_finding() -> None:
    assert healthy().findings() == ()


def test_one_silent_host_is_down() -> None:
    finding = healthy().silent("hall-fax").only("host-down:hall-fax")
    assert (finding.severity, finding.verdict) == (Severity.CRITICAL, Verdict.DEMONSTRATED)
    assert (finding.council, finding.site, finding.asset) == ("scdc", "hall", "hall-fax")
    assert "none of 20 packets" in finding.statement
    assert finding.statement.startswith("hall-fax at Hall House is down")
    assert finding.evidence == ("hall-fax:ping/3", "hall-fax:ping/1", "hall-fax:ping/2")
    assert any("site's link is up" in test.result for test in finding.refutations)
    assert finding.direction is None
    assert (finding.from_, finding.to) == (
        STARTED + timedelta(seconds=1), STARTED + timedelta(seconds=3),
    )  # fmt: skip


def test_host_that_ignores_ping_and_serves_is_not_down() -> None:
    assert healthy().silent("hall-sbc").sip("hall-sbc", 200).findings() == ()
    refused = healthy().silent("hall-sbc").failing("hall-sbc", "sip", Failure.REFUSED)
    assert refused.ids() == ["sip-down:hall-sbc"]


def test_dead_host_takes_its_services_with_it() -> None:
    scene = healthy().silent("hall-old")
    scene.failing("hall-old", "sip", Failure.TIMEOUT)
    scene.failing("hall-old", "http", Failure.TIMEOUT)
    finding = scene.only("host-down:hall-old")
    assert finding.symptoms == ("service-down:hall-old", "sip-down:hall-old")
    assert any("http and sip" in test.result for test in finding.refutations)


def test_two_lost_packets_are_too_few_to_call_a_host_down() -> None:
    finding = healthy().silent("hall-fax", sent=2).only("host-down:hall-fax")
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.INSUFFICIENT_DATA)


def test_icmp_error_is_quoted() -> None:
    scene = healthy().ping(
        "hall-fax", lost=20,
        icmp_error_count=(3, {"icmp_type": 3, "icmp_code": 1, "source": "198.18.2.1"}),
    )  # fmt: skip
    assert "ICMP type 3 code 1 from 198.18.2.1" in scene.only("host-down:hall-fax").statement


def test_forty_silent_hosts_are_one_outage() -> None:
    scene = healthy().silent("gateway:mill", *(f"mill-phone{index:02}" for index in range(40)))
    scene.failing("mill-phone00", "sip", Failure.TIMEOUT)
    finding = scene.only("site-outage:mill")
    assert finding.severity is Severity.CRITICAL
    assert "41 hosts" in finding.statement
    assert len(finding.symptoms) == 42
    assert "host-down:mill-phone39" in finding.symptoms
    assert "sip-down:mill-phone00" in finding.symptoms
    assert any("Depot House" in test.result for test in finding.refutations)


def test_gateway_and_one_silent_host_are_an_outage_and_a_lone_host_is_not() -> None:
    assert healthy().silent("gateway:mill", "mill-pbx").ids() == ["site-outage:mill"]
    assert healthy().silent("mill-pbx").ids() == ["host-down:mill-pbx"]


def test_gateway_alone_silent_before_live_hosts_means_nothing() -> None:
    assert healthy().silent("gateway:mill").ping("mill-pbx").findings() == ()


def test_everything_dead_behind_a_live_gateway_is_one_fault_inside() -> None:
    scene = healthy().ping("gateway:mill").silent("mill-a", "mill-b", "mill-c")
    finding = scene.only("site-outage:mill")
    assert "The line is up" in finding.statement
    few = healthy().ping("gateway:mill").silent("mill-a", "mill-b")
    assert few.ids() == ["host-down:mill-a", "host-down:mill-b"]


def test_sites_of_one_provider_point_at_it() -> None:
    scene = healthy().site("mill", "provider-a").site("quay", "provider-a")
    scene.silent("gateway:mill", "mill-a", "gateway:quay", "quay-a")
    first, second = scene.findings()
    assert (first.id, second.id) == ("site-outage:mill", "site-outage:quay")
    assert any("provider-a, which also serves Quay House" in it for it in first.alternatives)


def test_vantage_with_a_silent_gateway_and_no_answer_judges_no_site() -> None:
    scene = Scene(vantage_site="hall").silent("gateway:hall", "hall-pbx", "depot-pbx")
    finding = scene.only("instrument-limited:desk:link")
    assert finding.severity is Severity.INFO
    assert vantage_cut_off([finding])
    assert "No other site is judged" in finding.statement


def test_every_remote_site_silent_is_the_vantages_own_fault() -> None:
    scene = Scene(vantage_site="hall").ping("gateway:hall").silent("hall-fax")
    scene.silent("depot-pbx", "mill-pbx").failing("depot-pbx", "sip", Failure.TIMEOUT)
    # The vantage's own site did answer, and is judged; the others are not.
    assert scene.ids() == ["host-down:hall-fax", "instrument-limited:desk:link"]
    assert vantage_cut_off(scene.findings())


def test_vantage_outside_every_site_is_cut_off_when_all_are_silent() -> None:
    both = Scene().silent("gateway:hall", "hall-a", "gateway:depot", "depot-a")
    assert both.ids() == ["instrument-limited:desk:link"]
    one = Scene().silent("gateway:hall", "hall-a")
    assert one.ids() == ["site-outage:hall"]
    assert not vantage_cut_off(one.findings())


def test_one_answering_remote_site_clears_the_vantage() -> None:
    scene = Scene(vantage_site="hall").silent("gateway:hall")
    scene.silent("gateway:depot", "depot-a").ping("mill-a")
    assert scene.ids() == ["host-down:site.hall:gateway", "site-outage:depot"]


def test_packets_that_could_not_leave_are_the_instruments_limit() -> None:
    scene = healthy().check(
        "hall-v6", "ping", {"packets_sent_count": 0}, outcome=Outcome.FAILED,
        failure=Failure.UNREACHABLE,
    )  # fmt: skip
    finding = scene.only("instrument-limited:desk")
    assert "hall-v6" in finding.statement


def test_interrupted_and_unrun_checks_judge_nobody() -> None:
    scene = healthy().failing("hall-old", "sip", Failure.INTERRUPTED)
    scene.not_run("depot-pbx", "sip", "blackout window of depot: nothing is sent to it now")
    assert scene.findings() == ()


def test_lone_target_that_is_silent_is_down() -> None:
    scene = Scene(kind="check").silent("lone:198.18.0.9")
    finding = scene.only("host-down:198.18.0.9")
    assert (finding.site, finding.asset) == (None, None)
