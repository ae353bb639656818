"""Telephones that register all at once, and servers that are slow for reasons of their own."""

from typing import Any

import pytest

from nethealth.model.failure import Failure
from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import capture, event, known
from tests.diagnosis.heard import registrations
from tests.diagnosis.routers import line

# 100 telephones with an expiry of an hour: 2 REGISTERs an hour each are 0.056 a second.
QUIET = [1, 0, 0, 0, 1, 0]  # ten seconds each
WAVE = [100, 40, 30, 10]


def hall() -> Scene:
    scene = Scene(kind="period")
    return known(scene, "hall-pbx", "pbx", "198.51.100.10")


def of_surge(
    scene: Scene, counts: list[int], refused: list[int] | None = None, **how: Any
) -> Scene:
    return capture(scene, None, *registrations(counts, refused, **how), lasts_s=10.0 * len(counts))


def avalanche(scene: Scene) -> Finding | None:
    return next((one for one in scene.findings() if one.code == "registration-avalanche"), None)


def options(scene: Scene, at_s: float, *, slow: bool) -> Scene:
    """One round of our own question: 503 where the server is in trouble."""
    scene.check(
        "hall-pbx", "sip",
        {"sip_response_delay_s": 0.02, "sip_transmission_count": 1,
         "sip_status_code": (503 if slow else 200, {})},
        start_s=at_s,
    )  # fmt: skip
    return scene


REFUSED = [0] * 6 + [60, 20, 10, 0] + [0] * 12


def test_surge_under_which_the_server_refuses_for_want_of_room() -> None:
    scene = event(hall(), "pbx-restart", 55.0, "hall", "hall-pbx")
    finding = avalanche(of_surge(scene, QUIET + WAVE + QUIET * 2, REFUSED))
    assert finding is not None
    assert (finding.id, finding.verdict) == ("registration-avalanche:hall", Verdict.SUPPORTED)
    assert finding.severity is Severity.WARNING
    assert "180 REGISTERs in 40 s, 10.0 a second at the most" in finding.statement
    assert "where their expiry gives 0.06" in finding.statement
    assert "after pbx-restart of hall-pbx at 19:00:55 UTC" in finding.statement
    assert "refused 90 for want of room" in finding.statement


def test_nobody_is_accused_of_filling_a_line_that_was_not_read() -> None:
    finding = avalanche(of_surge(hall(), QUIET + WAVE + QUIET * 2, REFUSED))
    assert finding is not None
    assert finding.direction is Direction.UNDETERMINED


def test_server_that_drops_what_it_cannot_serve() -> None:
    """No refusal at all: REGISTERs go again by timer E, and registering takes seconds."""
    finding = avalanche(of_surge(hall(), QUIET + WAVE + QUIET * 2, again=150, slow_s=7.5))
    assert finding is not None
    assert finding.verdict is Verdict.SUPPORTED
    assert "150 were sent again" in finding.statement


def test_surge_that_the_server_bears_is_no_trouble() -> None:
    finding = avalanche(of_surge(hall(), QUIET + WAVE + QUIET * 2))
    assert finding is not None
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.NO_EVIDENCE)


def test_server_that_refused_before_they_came_is_slow_of_itself() -> None:
    before = [0, 5, 5, 5, 5, 0]
    finding = avalanche(
        of_surge(hall(), [1, 6, 6, 6, 6, 0] + WAVE + QUIET * 2, before + REFUSED[6:])
    )
    assert finding is not None
    assert finding.verdict is Verdict.CONTRADICTED
    assert any("it refused 20 of" in test.result for test in finding.refutations)


def test_capture_that_ends_in_the_surge_does_not_show_its_end() -> None:
    finding = avalanche(of_surge(hall(), QUIET + WAVE, REFUSED[:10]))
    assert finding is not None
    assert finding.verdict is Verdict.SUGGESTIVE
    assert any("until it is quiet" in one for one in finding.missing)


def test_scan_of_accounts_that_do_not_exist_is_no_avalanche_of_telephones() -> None:
    """They are refused by 404 and 403, which is no want of room; hardly any is let in."""
    finding = avalanche(of_surge(hall(), QUIET + WAVE + QUIET * 2, REFUSED, let_in=4, code=404))
    assert finding is not None
    assert finding.verdict is Verdict.NO_EVIDENCE


def test_few_telephones_that_ask_again_and_again_are_none() -> None:
    assert avalanche(of_surge(hall(), QUIET + WAVE + QUIET * 2, REFUSED, accounts=3)) is None


def test_telephones_that_come_as_their_expiry_says_are_none() -> None:
    """A thousand telephones with an hour are 0.56 a second: five and six in ten seconds."""
    assert avalanche(of_surge(hall(), [5, 6, 5, 7, 6, 5, 6, 5], accounts=1000)) is None


def test_our_own_questions_bear_it_out_and_their_finding_is_a_symptom() -> None:
    scene = event(hall(), "pbx-restart", 55.0, "hall", "hall-pbx")
    for at_s, slow in ((0.0, False), (62.0, True), (90.0, True), (200.0, False), (230.0, False)):
        options(scene, at_s, slow=slow)
    findings = of_surge(scene, QUIET + WAVE + QUIET * 2, REFUSED).findings()
    (finding,) = findings
    assert finding.code == "registration-avalanche"
    assert finding.symptoms == ("sip-overload:hall-pbx",)
    assert "our own questions to it were answered late or refused in 2 of 2 rounds" in (
        finding.statement
    )


@pytest.mark.parametrize(
    ("delay_s", "verdict"), [(0.4, Verdict.SUPPORTED), (0.1, Verdict.NO_EVIDENCE)]
)
def test_answers_that_come_five_times_as_late_as_usual_are_slow(
    delay_s: float, verdict: Verdict
) -> None:
    """0.02 s at other times: 0.1 s is five times as much, and no trouble for anybody yet."""
    scene = event(hall(), "pbx-restart", 55.0, "hall", "hall-pbx")
    for at_s, late_s in ((0.0, 0.02), (62.0, delay_s), (90.0, delay_s), (200.0, 0.02)):
        scene.check(
            "hall-pbx", "sip",
            {"sip_response_delay_s": late_s, "sip_transmission_count": 1,
             "sip_status_code": (200, {})},
            start_s=at_s,
        )  # fmt: skip
    finding = avalanche(of_surge(scene, QUIET + WAVE + QUIET * 2))
    assert finding is not None
    assert finding.verdict is verdict


def test_slow_server_without_any_surge_is_contradicted_and_stays_a_finding() -> None:
    scene = event(hall(), "restart", 55.0, "hall")
    for at_s, slow in ((0.0, False), (62.0, True), (90.0, True), (2000.0, False)):
        options(scene, at_s, slow=slow)
    found = {one.code: one for one in of_surge(scene, QUIET * 3).findings()}
    assert found["registration-avalanche"].verdict is Verdict.CONTRADICTED
    assert found["registration-avalanche"].severity is Severity.INFO
    assert found["sip-overload"].verdict is Verdict.DEMONSTRATED


def test_slow_only_after_a_restart_and_no_capture_is_suggested_with_what_is_missing() -> None:
    scene = event(hall(), "pbx-restart", 55.0, "hall")
    for at_s, slow in ((0.0, False), (62.0, True), (90.0, True), (2000.0, False)):
        options(scene, at_s, slow=slow)
    finding = avalanche(scene)
    assert finding is not None
    assert finding.verdict is Verdict.SUGGESTIVE
    assert finding.direction is Direction.UNDETERMINED
    assert finding.missing == ("a capture at the server, of registrations over time",)


def test_server_that_was_refusing_all_day_is_not_suggested_after_a_restart() -> None:
    scene = event(hall(), "pbx-restart", 1000.0, "hall")
    for at_s in range(0, 3000, 300):
        options(scene, float(at_s), slow=True)
    finding = avalanche(scene)
    assert finding is not None
    assert finding.verdict is Verdict.CONTRADICTED


def test_copies_over_a_lossy_way_are_no_strain_of_the_server() -> None:
    scene = event(hall(), "pbx-restart", 55.0, "hall").ping("hall-pbx", lost=200, sent=1000)
    for at_s, copies in ((0.0, 1), (62.0, 2), (90.0, 2), (2000.0, 1)):
        scene.check(
            "hall-pbx", "sip",
            {"sip_transmission_count": copies, "sip_status_code": (200, {}),
             "sip_last_copy_response_delay_s": 0.02 if copies > 1 else None},
            start_s=at_s,
        )  # fmt: skip
    assert avalanche(scene) is None


def test_server_that_nobody_reached_in_between_is_an_outage_and_no_avalanche() -> None:
    scene = hall()
    options(scene, 0.0, slow=False)
    for at_s in (60.0, 90.0):
        scene.check("hall-pbx", "sip", {"sip_transmission_count": 4}, failure=Failure.TIMEOUT,
                    start_s=at_s)  # fmt: skip
    options(scene, 2000.0, slow=False)
    assert avalanche(scene) is None


# 9,000 messages of 700 octets in 40 s are 1.26 Mb/s: of a line of 1.5 Mb/s more than half.
CROWD = [1, 0, 0, 0, 1, 0, 4000, 3000, 1500, 500] + QUIET * 2


def shared(carried_mbps: list[tuple[float, float]]) -> Finding | None:
    """The same surge, over a line of 1.5 Mb/s that carried so much in each minute."""
    scene = line(carried_mbps, sold_mbps=1.5, scene=hall())
    refused = [0] * 6 + [3000, 2000, 500, 0] + [0] * 12
    return avalanche(of_surge(scene, CROWD, refused))


def test_line_that_the_surge_alone_fills_is_hurt_by_the_telephones() -> None:
    """The surge is from 60 to 100 s, within the second minute."""
    finding = shared([(0.1, 0.1), (1.4, 1.4), (0.1, 0.1), (0.1, 0.1)])
    assert finding is not None
    assert finding.verdict is Verdict.SUPPORTED
    assert finding.direction is Direction.TELEPHONY_TO_NETWORK


def test_line_that_is_full_at_other_times_too_is_not_hurt_by_the_surge() -> None:
    finding = shared([(1.4, 1.4), (1.4, 1.4), (1.4, 1.4), (1.4, 1.4)])
    assert finding is not None
    assert finding.direction is Direction.UNDETERMINED


def test_line_with_room_is_not_hurt_and_the_server_alone_suffers() -> None:
    finding = shared([(0.1, 0.1), (0.9, 0.9), (0.1, 0.1), (0.1, 0.1)])
    assert finding is not None
    assert (finding.verdict, finding.direction) == (Verdict.SUPPORTED, None)


def test_reading_over_a_much_longer_time_says_nothing_of_a_surge() -> None:
    """The router was read at 0 and at 180 s only, and the surge lasted 40 s."""
    scene = line([(0.1, 0.1)] * 3, sold_mbps=1.5, scene=hall())
    kept = {"hall-edge:snmp", "hall-edge:snmp#4"}
    scene.checks = [one for one in scene.checks if one.probe != "snmp" or one.id in kept]
    finding = avalanche(of_surge(scene, QUIET + WAVE + QUIET * 2, REFUSED))
    assert finding is not None
    assert (finding.verdict, finding.direction) == (Verdict.SUPPORTED, Direction.UNDETERMINED)
    assert any("over too long a time to show it" in test.result for test in finding.refutations)


def test_backup_beside_the_surge_fills_the_line_and_not_the_telephones() -> None:
    """180 REGISTERs of 700 octets in 40 s are 25 kb/s of the 1.4 Mb/s."""
    scene = line([(0.1, 0.1), (1.4, 1.4), (0.1, 0.1)], sold_mbps=1.5, scene=hall())
    finding = avalanche(of_surge(scene, QUIET + WAVE + QUIET * 2, REFUSED))
    assert finding is not None
    assert finding.direction is Direction.UNDETERMINED
    assert any("not shown: the line was full" in test.result for test in finding.refutations)
