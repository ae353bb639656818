"""The figures of each probe, in the words of an engineer."""

from collections.abc import Mapping

import pytest

from nethealth.model.check import CheckResult, ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Passport, Scalar
from reports.figures import brief, ending, figures

Given = Mapping[str, tuple[Scalar, str | None, Passport]]

TLS: Given = {
    "tls_version": ("TLSv1.2", None, {}),
    "tls_chain_verified": (False, None, {"error": "self-signed certificate"}),
    "tls_name_matched": (False, None, {}),
    "certificate_days_to_expiry": (-3.4, "d", {}),
}
HTTP: Given = {
    "resolution_time_s": (0.002, "s", {"addresses": ("198.18.4.80", "2001:db8::80")}),
    "tcp_connect_time_s": (0.004, "s", {}),
    "tls_handshake_time_s": (0.012, "s", {}),
    "http_first_byte_time_s": (0.03, "s", {}),
    "http_status_code": (500, None, {}),
    "http_status_expected": (False, None, {}),
    "http_total_time_s": (0.034, "s", {}),
    "http_body_matched": (False, None, {}),
    "http_redirect_count": (1, None, {"locations": ("https://b.example/",)}),
    **TLS,
}
SIP: Given = {
    "sip_response_delay_s": (None, "s", {}),
    "sip_transmission_count": (3, None, {}),
    "sip_status_code": (503, None, {"reason_phrase": "Service Unavailable"}),
    "sip_retry_after_s": (120, "s", {}),
    "sip_server": ("Kamailio", None, {}),
    "sip_received_address": ("198.18.0.9:40000", None, {}),
    "sip_malformed_reply_count": (0, None, {}),
    "sip_foreign_reply_count": (2, None, {}),
}
DNS: Given = {
    "dns_response_time_s": (0.0021, "s", {}),
    "dns_response_code": ("NOERROR", None, {}),
    "dns_answer_count": (1, None, {"answers": ("198.18.4.81",)}),
    "dns_answer_expected": (False, None, {}),
    "dns_truncated": (True, None, {}),
}
PING: Given = {
    "round_trip_delay_median_s": (0.0123, "s", {}),
    "packet_loss_ratio": (0.05, "1", {}),
    "duplicate_count": (1, "packets", {}),
    "late_reply_count": (0, "packets", {}),
    "icmp_error_count": (2, "packets", {"icmp_type": 3, "icmp_code": 1, "source": "198.18.0.1"}),
    "mos_cqe": (None, "1", {"reason": "fewer than 10 replies"}),
}


def check(probe: ProbeKind, outcome: Outcome = Outcome.COMPLETED,
          failure: Failure | None = None, reason: str | None = None) -> CheckResult:  # fmt: skip
    return CheckResult("c", probe, None, None, None, "target", outcome, failure, reason)


def shown(probe: ProbeKind, given: Given) -> dict[str, str]:
    return dict(figures(check(probe), seen(given)))


def seen(given: Given) -> dict[str, list[Observation]]:
    return {
        name: [Observation(f"c/{name}", "c", name, value, unit, samples=20, method=method)]
        for name, (value, unit, method) in given.items()
    }


def test_http() -> None:
    assert shown("http", HTTP) == {
        "resolved": "198.18.4.80, 2001:db8::80 in 2.00 ms",
        "answer": "500 in 34.0 ms (not what was expected)",
        "phases": "connection 4.00 ms, TLS 12.0 ms, first byte 30.0 ms",
        "body": "does not hold the expected text",
        "redirects": "1: https://b.example/",
        "TLS": "TLSv1.2, chain not verified (self-signed certificate), name does not match",
        "certificate": "expired 3 days ago",
    }


def test_sip() -> None:
    assert shown("sip", SIP) == {
        "answer": "503 Service Unavailable after 3 transmissions",
        "server": "Kamailio",
        "retry after": "120 s",
        "saw us as": "198.18.0.9:40000",
        "answers to something else": "2",
    }


def test_a_sip_account_and_a_domain() -> None:
    given: Given = {
        "sip_target_outcome": (
            "failed", None, {"target": "sip2.example:5060;transport=udp", "reason": "no answer"},
        ),
        "sip_authenticated": (True, None, {}),
        "sip_registration_status_code": (200, None, {}),
        "sip_registration_expires_s": (60, "s", {}),
        "sip_registration_removed": (False, None, {}),
        "sip_hop_count": (2, None, {}),
        "tls_versions_accepted": ("TLSv1, TLSv1.3", None, {}),
    }  # fmt: skip
    lines = shown("sip", given)
    assert lines["sip2.example:5060;transport=udp"] == "failed (no answer)"
    assert lines["login"] == "yes"
    assert (lines["registration"], lines["registration removed"]) == ("200", "no")
    assert lines["proxies on the way"] == "2"
    assert lines["TLS versions accepted"] == "TLSv1, TLSv1.3"


def test_dns() -> None:
    assert shown("dns", DNS) == {
        "answer": "NOERROR in 2.10 ms: 198.18.4.81 (not what was expected) (truncated over UDP)"
    }


def test_ping() -> None:
    assert shown("ping", PING) == {
        "round-trip delay": "median 12.3 ms (20 replies)",
        "packet loss": "5.0 % of 20 packets",
        "voice estimate": "not computable: fewer than 10 replies",
        "duplicate replies": "1",
        "ICMP errors": "2 (type 3 code 1) from 198.18.0.1",
    }


def test_tcp() -> None:
    assert shown("tcp", {"tcp_connect_time_s": (0.0, "s", {})}) == {"connected": "in 0.00 ms"}


def test_a_probe_without_words_of_its_own_lists_what_it_saw() -> None:
    assert shown("stamp", {"sensor_age_min_s": (30.0, "s", {})}) == {"sensor age, min": "30.0 s"}


@pytest.mark.parametrize(
    ("probe", "given", "text"),
    [
        ("ping", PING, "median 12.3 ms; loss 5.0 % of 20"),
        ("sip", SIP, "503 Service Unavailable after 3 transmissions"),
        ("http", HTTP, "500 in 34.0 ms (not what was expected); expired 3 days ago"),
        ("tcp", {}, "–"),
    ],
)
def test_in_brief(probe: ProbeKind, given: Given, text: str) -> None:
    assert brief(check(probe), seen(given)) == text


@pytest.mark.parametrize(
    ("failure", "reason", "text"),
    [
        (Failure.TIMEOUT, "no answer in 32 s", "no answer in 32 s"),
        (Failure.TLS, "bad record", "TLS failed: bad record"),
        (Failure.REFUSED, None, "refused"),
        (None, None, "no reason given"),
    ],
)
def test_how_a_check_ended(failure: Failure | None, reason: str | None, text: str) -> None:
    assert ending(check("sip", Outcome.FAILED, failure, reason)) == text


def test_a_load_beside_voice_in_words() -> None:
    load: dict[str, Scalar] = {"phase": "upload", "asked_bps": 4e6, "direction": "return"}
    told: list[tuple[str, Scalar, Passport]] = [
        ("packets_sent_count", 100, {"phase": "before", "dscp": 46}),
        ("packets_sent_count", 100, {"phase": "before", "dscp": 0}),
        ("queueing_delay_median_s", 0.0712, {**load, "dscp": 0}),
        ("queueing_delay_median_s", -0.0002, {**load, "dscp": 46}),
        ("queueing_delay_median_s", 0.5, {**load, "dscp": 46, "direction": "forward"}),
        ("load_rate_bps", 3_960_000, load),
        ("load_ended_by", "its time was over", load),
        ("calls_fit_count", 84, {**load, "codec": "G.711", "basis": "declared rate",
                                 "bound": "at most"}),
        ("calls_fit_count", 41, {**load, "codec": "G.711", "basis": "measured load",
                                 "bound": "at least"}),
        ("load_rate_bps", None, {"phase": "download"}),
        ("load_ended_by", "not begun: the idle line loses packets", {"phase": "download"}),
    ]  # fmt: skip
    seen: dict[str, list[Observation]] = {}
    for index, (name, value, method) in enumerate(told):
        seen.setdefault(name, []).append(Observation(f"c/{index}", "c", name, value, method=method))
    check = CheckResult("c", "coexistence", None, None, None, "t", Outcome.COMPLETED)
    assert figures(check, seen) == [
        ("download", "not begun: the idle line loses packets"),
        ("upload", "4.0 Mbit/s of 4.0 Mbit/s asked; ended by: its time was over"),
        ("wait beside the upload", "DSCP 46 -0.20 ms, DSCP 0 +71.2 ms"),
        ("calls that fit, upload",
         "G.711 at most 84 by declared rate; G.711 at least 41 by measured load"),
    ]  # fmt: skip
    assert brief(check, seen).startswith("not begun: the idle line loses packets; 4.0 Mbit/s")
