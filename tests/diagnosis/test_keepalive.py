"""Telephones that start again: by a hole in the way, by power, by their exchange, of themselves."""

from dataclasses import replace

import pytest

from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture, event, known, series
from tests.diagnosis.heard import beat_gap, registrations

SERVER = "198.51.100.10"


def depot() -> Scene:
    """Telephones at the depot, whose exchange stands at the hall."""
    scene = Scene(kind="period")
    known(scene, "hall-pbx", "pbx", SERVER)
    known(scene, "depot-phone", "phone", "203.0.113.21")
    return known(scene, "depot-switch", "switch", "203.0.113.2")


def uptime(scene: Scene, at_s: float, up_s: float) -> Scene:
    """The depot's switch says how long it has run; a probe dates it a second after its start."""
    return scene.check(
        "depot-switch", "snmp",
        {"snmp_response_delay_median_s": 0.01, "uptime_s": up_s}, start_s=at_s - 1,
    )  # fmt: skip


def silent(from_s: float, lasts_s: float, phones: int = 5) -> list[Fact]:
    """Each telephone's last heartbeat before, and its first after, a little apart."""
    return [
        beat_gap(f"203.0.113.{21 + at}", SERVER, from_s - at, lasts_s + 2 * at)
        for at in range(phones)
    ]


def lost(scene: Scene, at_s: float, count: int = 5) -> Scene:
    for number in range(count):
        event(scene, "registration-lost", at_s + number, "depot")
    return scene


def reset(scene: Scene) -> Finding | None:
    return next((one for one in scene.findings() if one.code == "keepalive-reset"), None)


def test_hole_first_and_resets_when_the_watchdog_has_run_out() -> None:
    """From 300 to 530 s nothing came; at 535 s, 235 s after it began, they start again."""
    scene = uptime(lost(depot(), 535.0), 900.0, 1e6)
    finding = reset(capture(scene, None, *silent(300.0, 230.0), lasts_s=900.0))
    assert finding is not None
    assert (finding.id, finding.verdict) == ("keepalive-reset:depot", Verdict.SUPPORTED)
    assert finding.direction is Direction.NETWORK_TO_TELEPHONY
    assert "For 230 s from 19:05:00 UTC nothing came through at Depot House" in finding.statement
    assert "235 s after it began they started again" in finding.statement
    assert any("depot-switch ran through it" in test.result for test in finding.refutations)


def test_resets_first_and_silence_second_is_contradicted() -> None:
    scene = uptime(lost(depot(), 250.0), 900.0, 1e6)
    finding = reset(capture(scene, None, *silent(300.0, 230.0), lasts_s=900.0))
    assert finding is not None
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.CONTRADICTED)
    assert finding.direction is Direction.UNDETERMINED
    assert "50 s before it" in finding.statement


def test_resets_with_the_beginning_of_a_pause_are_its_cause() -> None:
    """They start again at once and are silent for the minute that it takes them."""
    scene = uptime(lost(depot(), 302.0), 900.0, 1e6)
    finding = reset(capture(scene, None, *silent(300.0, 60.0), lasts_s=900.0))
    assert finding is not None
    assert finding.verdict is Verdict.CONTRADICTED


def test_pause_too_short_for_a_watchdog_and_resets_later_have_nothing_in_common() -> None:
    scene = uptime(lost(depot(), 520.0), 900.0, 1e6)
    assert reset(capture(scene, None, *silent(300.0, 60.0), lasts_s=900.0)) is None


def test_site_without_power_is_no_fault_of_the_way() -> None:
    """At 900 s its switch has run for 370 s, so since 530 s: it came back with the telephones."""
    scene = uptime(lost(depot(), 575.0), 900.0, 370.0)
    finding = reset(capture(scene, None, *silent(300.0, 230.0), lasts_s=900.0))
    assert finding is not None
    assert finding.verdict is Verdict.CONTRADICTED
    assert "depot-switch has run since 19:08:50 UTC only" in finding.statement


def test_log_of_the_switchs_restart_says_the_same() -> None:
    scene = event(lost(depot(), 575.0), "restart", 531.0, "depot", "depot-switch")
    finding = reset(capture(scene, None, *silent(300.0, 230.0), lasts_s=900.0))
    assert finding is not None
    assert finding.verdict is Verdict.CONTRADICTED


def test_exchange_that_was_away_itself_is_no_fault_of_the_way() -> None:
    scene = uptime(lost(depot(), 535.0), 900.0, 1e6)
    event(scene, "pbx-restart", 525.0, "depot")
    finding = reset(capture(scene, None, *silent(300.0, 230.0), lasts_s=900.0))
    assert finding is not None
    assert finding.verdict is Verdict.CONTRADICTED
    assert "the exchange started again at 19:08:45 UTC" in finding.statement


def test_where_nothing_tells_of_power_it_is_only_suggested() -> None:
    finding = reset(capture(lost(depot(), 535.0), None, *silent(300.0, 230.0), lasts_s=900.0))
    assert finding is not None
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.SUGGESTIVE)
    assert finding.direction is Direction.UNDETERMINED
    assert any("uptime of the switch" in one for one in finding.missing)


@pytest.mark.parametrize("at_s", [1e300, float("nan"), None])
def test_uptime_that_bears_no_time_tells_nothing_of_power(at_s: float | None) -> None:
    scene = uptime(lost(depot(), 535.0), 900.0, 1e6)
    scene.observations = [
        replace(seen, t_s=at_s) if seen.name == "uptime_s" else seen for seen in scene.observations
    ]
    finding = reset(capture(scene, None, *silent(300.0, 230.0), lasts_s=900.0))
    assert finding is not None
    assert finding.verdict is Verdict.SUGGESTIVE


def test_telephones_that_ask_for_leases_again_are_resets_too() -> None:
    """Bins of ten seconds: five telephones and their four messages each from 540 s on."""
    scene = uptime(depot(), 900.0, 1e6)
    facts = [
        *silent(300.0, 230.0),
        series("dhcp_message_per_bin_max", [0] * 54 + [12, 8]),
        ("dhcp_phone_client_count", 5, {"vlan": 20}),
    ]
    finding = reset(capture(scene, None, *facts, lasts_s=900.0))
    assert finding is not None
    assert finding.verdict is Verdict.SUPPORTED
    assert "5 telephones started again at 19:09:00 (DHCP)" in finding.statement


def test_computers_that_ask_for_leases_are_no_telephones() -> None:
    facts = [*silent(300.0, 230.0), series("dhcp_message_per_bin_max", [0] * 54 + [12, 8])]
    assert reset(capture(depot(), None, *facts, lasts_s=900.0)) is None


def test_silence_of_one_telephone_is_its_own() -> None:
    scene = lost(depot(), 535.0)
    assert reset(capture(scene, None, *silent(300.0, 230.0, phones=1), lasts_s=900.0)) is None


def test_rounds_without_an_answer_are_a_silence_too() -> None:
    """Every minute; those at 300 to 480 s are unanswered, from 300 to 482 s for certain."""
    scene = depot()
    for at_s in range(0, 900, 60):
        away = 300 <= at_s <= 480
        scene.check(
            "depot-switch", "ping",
            {"packets_sent_count": 20, "packets_received_count": 0 if away else 20},
            start_s=float(at_s),
        )  # fmt: skip
    finding = reset(uptime(lost(scene, 520.0), 900.0, 1e6))
    assert finding is not None
    assert finding.verdict is Verdict.SUPPORTED
    assert "4 rounds of echo requests without an answer" in finding.statement


def test_silence_without_resets_is_none() -> None:
    assert reset(capture(depot(), None, *silent(300.0, 230.0), lasts_s=900.0)) is None


def test_telephones_that_all_register_again_are_a_symptom_of_the_hole() -> None:
    """100 of them from 540 s on, under which the server refuses: the hole came first."""
    scene = uptime(lost(depot(), 535.0), 900.0, 1e6)
    counts = [0] * 54 + [100, 40, 30, 10] + [0] * 20
    refused = [0] * 54 + [60, 20, 10, 0] + [0] * 20
    facts = [*silent(300.0, 230.0), *registrations(counts, refused, registrar="203.0.113.2")]
    found = {one.code: one for one in capture(scene, None, *facts, lasts_s=900.0).findings()}
    assert found["registration-avalanche"].verdict is Verdict.SUPPORTED
    assert found["keepalive-reset"].verdict is Verdict.SUPPORTED
    assert found["keepalive-reset"].symptoms == ("registration-avalanche:depot",)
