"""SIP, names, services, certificates, owners and the instrument."""

import pytest

from nethealth.diagnosis import CODES
from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Severity, Verdict
from nethealth.model.measured import vantage_cut_off
from nethealth.model.record import Instrument
from tests.diagnosis.build import Scene, healthy


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (200, None), (202, None), (302, None), (400, None), (403, None), (404, None),
        (405, None), (480, None), (486, None), (501, None), (603, None),
        (401, "sip-auth"), (407, "sip-auth"),
        (408, "sip-down"), (502, "sip-down"), (504, "sip-down"), (505, "sip-down"),
        (500, "sip-overload"), (503, "sip-overload"),
    ],
)  # fmt: skip
def test_what_each_sip_answer_means(status: int, code: str | None) -> None:
    scene = healthy().ping("mill-pbx").sip("mill-pbx", status, "Words")
    if code is None:
        assert scene.findings() == ()
        return
    finding = scene.only(f"{code}:mill-pbx")
    assert f"{status} Words" in finding.statement
    assert "mill-pbx:sip/3" in finding.evidence
    assert finding.verdict is Verdict.DEMONSTRATED


@pytest.mark.parametrize(
    "failure",
    [Failure.TIMEOUT, Failure.REFUSED, Failure.UNREACHABLE, Failure.RESET, Failure.TLS],
)
def test_sip_without_an_answer_is_down(failure: Failure) -> None:
    finding = (
        healthy().ping("mill-pbx").failing("mill-pbx", "sip", failure).only("sip-down:mill-pbx")
    )
    assert finding.severity is Severity.CRITICAL
    assert any("yes: 20 of 20" in test.result for test in finding.refutations)


@pytest.mark.parametrize(
    ("failure", "facts", "told"),
    [
        (Failure.PROTOCOL, {"sip_malformed_reply_count": 2}, "2 replies that no parser"),
        (Failure.PROTOCOL, {"sip_foreign_reply_count": 1}, "another question"),
        (Failure.TIMEOUT, {"sip_malformed_reply_count": 1}, "1 reply that no parser"),
        (Failure.WRONG_SOURCE, {"sip_wrong_source_count": 1}, "from another address"),
        (Failure.PROTOCOL, {}, "no answer in its protocol"),
    ],
)
def test_answers_that_are_none_are_never_up(
    failure: Failure, facts: dict[str, int], told: str
) -> None:
    scene = healthy().ping("mill-pbx").failing("mill-pbx", "sip", failure, **facts)
    assert told in scene.only("sip-malformed:mill-pbx").statement


def test_one_bad_answer_beside_a_good_one_is_no_finding() -> None:
    scene = healthy().ping("mill-pbx").sip("mill-pbx", 200, sip_malformed_reply_count=1)
    assert scene.findings() == ()


def test_retry_after_is_told() -> None:
    scene = healthy().ping("mill-pbx").sip("mill-pbx", 503, sip_retry_after_s=120)
    assert "left alone for 120 s" in scene.only("sip-overload:mill-pbx").statement


def test_answer_after_retransmission_is_overload() -> None:
    finding = (
        healthy().ping("mill-pbx").sip("mill-pbx", 200, copies=3).only("sip-overload:mill-pbx")
    )
    assert (finding.severity, finding.verdict) == (Severity.WARNING, Verdict.DEMONSTRATED)
    assert "3 times" in finding.statement
    assert finding.evidence[0] == "mill-pbx:sip/2"  # the number of copies decides, not the 200


def test_answer_after_retransmission_over_a_lossy_path_accuses_nobody() -> None:
    unsure = healthy().ping("mill-pbx", lost=1, sent=200).sip("mill-pbx", 200, copies=2)
    finding = unsure.only("sip-overload:mill-pbx")
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.INSUFFICIENT_DATA)
    lossy = healthy().ping("mill-pbx", lost=4).sip("mill-pbx", 200, copies=2)
    assert lossy.only("packet-loss:mill").symptoms == ("sip-overload:mill-pbx",)


# RFC 3261 section 17.1.2.2 sends again after T1 = 0.5 s, then after 1, 2 and 4 s more: copies go at
# 0, 0.5, 1.5 and 3.5 s. An answer 0.02 s after a copy is one round trip of these scenes late.
@pytest.mark.parametrize("copies", [2, 3, 4])
def test_answer_a_round_trip_after_a_copy_is_what_a_lossy_path_does(copies: int) -> None:
    """5 % are lost, as a stream of 1000 echo requests saw, and the first copies among them."""
    scene = healthy().ping("mill-pbx", lost=50, sent=1000)
    scene.sip("mill-pbx", 200, copies=copies, sip_last_copy_response_delay_s=0.02)
    finding = scene.only("packet-loss:mill")
    assert finding.symptoms == ("sip-overload:mill-pbx",)


@pytest.mark.parametrize("copies", [2, 3, 4])
def test_answer_between_two_copies_is_a_slow_server_over_a_lossy_path_too(copies: int) -> None:
    scene = healthy().ping("mill-pbx", lost=50, sent=1000)
    scene.sip("mill-pbx", 200, copies=copies, sip_last_copy_response_delay_s=0.3)
    slow = {finding.id: finding for finding in scene.findings()}["sip-overload:mill-pbx"]
    assert (slow.severity, slow.verdict) == (Severity.WARNING, Verdict.DEMONSTRATED)
    assert any("300 ms after the last copy" in test.result for test in slow.refutations)


def test_answer_that_was_late_by_the_measuring_machine_itself_is_no_slow_servers() -> None:
    """0.3 s after the copy, on a machine that was 0.25 s late at the worst (RFC 3261 timer E)."""
    scene = healthy().ping("mill-pbx", lost=50, sent=1000)
    scene.busy(Instrument(loop_lag_p99_s=0.01, loop_lag_max_s=0.25))
    scene.sip("mill-pbx", 200, copies=3, sip_last_copy_response_delay_s=0.3)
    found = {finding.id: finding for finding in scene.findings()}
    assert "sip-overload:mill-pbx" not in found
    assert found["packet-loss:mill"].symptoms == ("sip-overload:mill-pbx",)


def test_prompt_answer_to_a_fourth_copy_is_not_excused_by_one_lost_packet() -> None:
    """One of 200 lost is at most 2.8 %: of three copies all, 22 in a million times."""
    scene = healthy().ping("mill-pbx", lost=1, sent=200)
    scene.sip("mill-pbx", 200, copies=4, sip_last_copy_response_delay_s=0.02)
    assert scene.only("sip-overload:mill-pbx").verdict is Verdict.DEMONSTRATED


def test_server_that_is_late_in_every_round_is_not_excused_by_a_path_that_loses_a_few() -> None:
    """5 % of loss make a copy needed in one round of twenty, not in ten of ten."""
    scene = healthy().ping("mill-pbx", lost=50, sent=1000)
    for _ in range(10):
        scene.sip("mill-pbx", 200, copies=2, sip_last_copy_response_delay_s=0.02)
    slow = {finding.id: finding for finding in scene.findings()}["sip-overload:mill-pbx"]
    assert slow.verdict is Verdict.DEMONSTRATED


@pytest.mark.parametrize(("lost", "down"), [(300, False), (50, True)])
def test_silence_of_a_server_is_told_from_a_path_that_loses_all_copies(
    lost: int, down: bool
) -> None:
    """Of four copies a path of 30 % loses all in 8 of 1000 cases, one of 5 % in 6 of a million."""
    scene = healthy().ping("mill-pbx", lost=lost, sent=1000)
    scene.failing("mill-pbx", "sip", Failure.TIMEOUT, sip_transmission_count=4)
    found = {finding.id: finding for finding in scene.findings()}
    assert ("sip-down:mill-pbx" in found) is down
    if not down:
        assert found["packet-loss:mill"].symptoms == ("sip-down:mill-pbx",)


def names(scene: Scene, asked: int, lost: int) -> Scene:
    """Questions for as many names, of which the last ones brought no answer."""
    for index in range(asked):
        detail, target = f"name{index}.example", f"dns:name{index}.example@mill-ns"
        if index < asked - lost:
            scene.check("mill-ns", "dns", {
                "dns_response_code": "NOERROR", "dns_answer_count": 1, "dns_answer_expected": True,
            }, detail=detail, target=target)  # fmt: skip
        else:
            scene.check(
                "mill-ns", "dns", {"dns_response_time_s": None}, outcome=Outcome.FAILED,
                failure=Failure.TIMEOUT, detail=detail, target=target,
            )  # fmt: skip
    return scene


@pytest.mark.parametrize("lost", [2, 3, 4])
def test_questions_that_a_lossy_path_lost_are_no_fault_of_the_name_server(lost: int) -> None:
    """A question goes out once; of 40, 5 % are two."""
    scene = names(healthy().ping("mill-ns", lost=50, sent=1000), 40, lost)
    assert scene.only("packet-loss:mill").symptoms == ("dns-failure:mill-ns",)


@pytest.mark.parametrize("lost", [2, 3, 4])
def test_name_server_that_is_silent_to_half_of_all_questions_is_at_fault(lost: int) -> None:
    scene = names(healthy().ping("mill-ns", lost=10, sent=1000), 2 * lost, lost)
    found = {finding.id: finding for finding in scene.findings()}
    assert found["dns-failure:mill-ns"].verdict is Verdict.DEMONSTRATED


def test_repeated_check_fails_by_two_rounds_in_a_row() -> None:
    once = healthy().ping("mill-pbx").sip("mill-pbx", 200)
    once.failing("mill-pbx", "sip", Failure.TIMEOUT).sip("mill-pbx", 200)
    assert once.findings() == ()
    twice = healthy().ping("mill-pbx").sip("mill-pbx", 200)
    twice.failing("mill-pbx", "sip", Failure.TIMEOUT).failing("mill-pbx", "sip", Failure.TIMEOUT)
    assert "2 of 3 rounds" in twice.only("sip-down:mill-pbx").statement


def dns(host: str, code: str, count: int = 1, expected: bool | None = None) -> Scene:
    return healthy().ping(host).check(
        host, "dns",
        {"dns_response_code": code, "dns_answer_count": count,
         "dns_answer_expected": (expected, {"answers": ["198.18.9.9"]})},
        detail="pay.example", target=f"dns:pay.example@{host}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scene", "told"),
    [
        (dns("mill-ns", "NXDOMAIN", 0), "NXDOMAIN"),
        (dns("mill-ns", "SERVFAIL", 0), "SERVFAIL"),
        (dns("mill-ns", "REFUSED", 0), "REFUSED"),
        (dns("mill-ns", "NOTIMP", 0), "NOTIMP"),
        (dns("mill-ns", "NOERROR", 1, expected=False), "wrong answer: 198.18.9.9"),
        (dns("mill-ns", "NOERROR", 0), "no record of the type"),
        (healthy().ping("mill-ns").failing("mill-ns", "dns", Failure.TIMEOUT), "in time"),
    ],
)
def test_failures_of_a_name_server_are_told_apart(scene: Scene, told: str) -> None:
    finding = scene.only("dns-failure:mill-ns")
    assert told in finding.statement
    assert finding.severity is Severity.WARNING


def test_right_answer_of_a_name_server_is_none() -> None:
    assert dns("mill-ns", "NOERROR", 2).findings() == ()
    assert dns("mill-ns", "NOERROR", 2, expected=True).findings() == ()


def test_name_of_an_asset_without_address_is_told_and_a_mistyped_target_only_mentioned() -> None:
    listed = healthy().failing("mill-web", "http", Failure.RESOLVE)
    assert listed.only("dns-failure:mill-web").verdict is Verdict.DEMONSTRATED
    typed = Scene(kind="check").failing("lone:nosuch.example", "tcp", Failure.RESOLVE)
    assert typed.only("dns-failure:nosuch.example").severity is Severity.INFO


def test_no_name_resolved_anywhere_is_one_fault_at_the_vantage() -> None:
    scene = Scene()
    for host in ("hall-a", "hall-b", "depot-a"):
        scene.check(host, "ping", {"resolution_time_s": None}, outcome=Outcome.FAILED,
                    failure=Failure.RESOLVE)  # fmt: skip
    assert "3 hosts" in scene.only("dns-failure:desk").statement


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"http_status_code": 500, "http_status_expected": None}, "status 500"),
        ({"http_status_code": 404, "http_status_expected": False}, "not what the inventory"),
        ({"http_status_code": 200, "http_body_matched": False}, "without the text"),
    ],
)
def test_page_that_does_not_serve(facts: dict[str, int | bool | None], told: str) -> None:
    scene = (
        healthy().ping("mill-web").check("mill-web", "http", {"tcp_connect_time_s": 0.1, **facts})
    )
    finding = scene.only("service-down:mill-web")
    assert told in finding.statement
    assert finding.severity is Severity.CRITICAL


@pytest.mark.parametrize(
    "facts",
    [
        {"http_status_code": 404, "http_status_expected": None},
        {"http_status_code": 503, "http_status_expected": True},
        {"http_status_code": 200, "tls_chain_verified": False, "tls_name_matched": False},
    ],
)
def test_page_that_serves(facts: dict[str, int | bool | None]) -> None:
    scene = (
        healthy().ping("mill-web").check("mill-web", "http", {"tcp_connect_time_s": 0.1, **facts})
    )
    assert scene.findings() == ()


def test_ports_and_pages_of_one_host_are_one_finding() -> None:
    scene = healthy().ping("mill-web").failing("mill-web", "http", Failure.REFUSED)
    scene.check("mill-web", "tcp", {"tcp_connect_time_s": None}, outcome=Outcome.FAILED,
                failure=Failure.TIMEOUT, detail="8443", target="a.mill-web:8443")  # fmt: skip
    scene.check("mill-web", "tcp", {"tcp_connect_time_s": 0.01}, detail="22")
    finding = scene.only("service-down:mill-web")
    assert "refused the connection" in finding.statement
    assert "a.mill-web:8443 did not answer in time" in finding.statement
    assert any("1 of 3 services" in test.result for test in finding.refutations)


@pytest.mark.parametrize(
    ("days", "told"),
    [(29.9, "runs out in 29 days"), (1.2, "in 1 day"), (-3.5, "ran out 3 days ago"), (30, None)],
)
def test_certificate_dates(days: float, told: str | None) -> None:
    scene = healthy().ping("mill-web").check("mill-web", "http", {
        "http_status_code": 200,
        "certificate_days_to_expiry": (days, {"subject": "CN=mill.example"}),
    })  # fmt: skip
    if told is None:
        assert scene.findings() == ()
        return
    finding = scene.only("certificate-expiry:mill-web")
    assert told in finding.statement
    assert "CN=mill.example" in finding.statement


def test_assets_without_owner_are_one_line_a_site() -> None:
    scene = healthy()
    for index in range(3):
        scene.asset(f"mill-{index}", owner=None).ping(f"mill-{index}")
    finding = scene.only("unowned-asset:mill")
    assert finding.severity is Severity.INFO
    assert "3 assets of Mill House have no owner: mill-0, mill-1 and mill-2" in finding.statement


def test_check_of_one_target_speaks_of_that_alone() -> None:
    scene = (
        Scene(kind="check").asset("mill-a", owner=None).asset("mill-b", owner=None).ping("mill-a")
    )
    assert (
        "1 asset of Mill House has no owner: mill-a." in scene.only("unowned-asset:mill").statement
    )


def test_what_could_not_run_is_the_instruments_limit() -> None:
    scene = (
        healthy()
        .not_run("mill-a", "ping", "no ICMP socket")
        .not_run("mill-b", "ping", "no ICMP socket")
    )
    scene.check("mill-c", "http", {}, outcome=Outcome.FAILED, reason="internal error: KeyError")
    finding = scene.only("instrument-limited:desk")
    assert "2 ping checks could not run (no ICMP socket)" in finding.statement
    assert "1 http check broke off (internal error: KeyError)" in finding.statement
    assert not vantage_cut_off([finding])


def test_busy_instrument_owns_up() -> None:
    finding = healthy().busy(Instrument(loop_lag_p99_s=0.2)).only("instrument-limited:desk")
    assert "200 ms" in finding.statement
    assert healthy().busy(Instrument(loop_lag_p99_s=0.04, loop_lag_max_s=0.3)).findings() == ()


def test_inventory_may_weigh_otherwise() -> None:
    scene = healthy().silent("mill-a")
    scene.severity = {"host-down": Severity.WARNING}
    assert scene.only("host-down:mill-a").severity is Severity.WARNING


def test_actions_begin_or_end_with_the_codes_own() -> None:
    finding = healthy().silent("mill-a").only("host-down:mill-a")
    assert finding.action == CODES["host-down"].action
