"""A load beside voice: what is a queue, what is a line without classes, and what is neither."""

import pytest

from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene, healthy
from tests.diagnosis.coexist import Beside, Story, coexistence

# 84 ms above the idle line; the limit is 30 ms.
WAITS = Beside(wait_s=0.084)
SPARED = Beside(wait_s=0.003)


def mill() -> Scene:
    return healthy().ping("mill-r")


def told(*stories: Story, scene: Scene | None = None) -> dict[str, Finding]:
    findings = coexistence(scene or mill(), "mill-r", *stories).findings()
    return {finding.code: finding for finding in findings}


@pytest.mark.parametrize(("phase", "words"), [
    ("upload", "beside an upload of 4.0 Mbit/s (from the site)"),
    ("download", "beside a download of 4.0 Mbit/s (to the site)"),
])  # fmt: skip
def test_a_line_without_classes(phase: str, words: str) -> None:
    found = told(Story(phase, voice=WAITS, rest=WAITS, guards={"gateway": 0.08, "near": 0.0}))
    assert set(found) == {"queueing-delay", "no-wan-qos"}
    queue, qos = found["queueing-delay"], found["no-wan-qos"]
    assert (queue.id, queue.site, queue.asset) == ("queueing-delay:mill", "mill", None)
    assert (queue.severity, queue.verdict) == (Severity.WARNING, Verdict.DEMONSTRATED)
    assert queue.direction is Direction.NOT_TELEPHONY
    assert f"{words} packets waited 84.0 ms longer than on the idle line" in queue.statement
    assert (qos.id, qos.verdict) == ("no-wan-qos:mill", Verdict.SUPPORTED)
    assert qos.severity is Severity.WARNING
    assert qos.direction is Direction.NETWORK_TO_TELEPHONY
    assert "DSCP 46 waited 84.0 ms longer" in qos.statement
    results = {test.test: test.result for test in (*queue.refutations, *qos.refutations)}
    assert results["Is it so without the load?"].startswith("no: before it, 99 of 100")
    assert results["Does the site's gateway answer later too?"] == "yes, by 80.0 ms"
    assert results["Did the mark of voice arrive, so that the line could have favoured it?"] == (
        "yes: DSCP 46 as sent"
    )


def test_a_line_that_favours_voice_has_a_queue_and_no_fault_of_classes() -> None:
    found = told(Story(voice=SPARED, rest=WAITS, guards={"gateway": 0.08}))
    assert set(found) == {"queueing-delay", "no-wan-qos"}
    assert found["queueing-delay"].severity is Severity.WARNING
    qos = found["no-wan-qos"]
    assert (qos.severity, qos.verdict) == (Severity.INFO, Verdict.CONTRADICTED)
    assert "Voice is favoured on the line of Mill House" in qos.statement


def test_voice_that_is_favoured_in_part_is_neither() -> None:
    # 50 ms (45 to 55) of 84: more than half, and less than three quarters.
    assert set(told(Story(voice=Beside(0.05), rest=WAITS))) == {"queueing-delay"}


def test_voice_that_waits_a_little_less_by_chance_is_not_favoured() -> None:
    # 72 ms (64.8 to 79.2) of 84: nine tenths, 75.6, lie within.
    assert "no-wan-qos" in told(Story(voice=Beside(0.072), rest=WAITS))


def test_a_line_that_the_load_does_not_fill_is_nothing() -> None:
    assert told(Story(), Story("download")) == {}


def test_a_wait_that_the_sample_cannot_tell_from_the_limit_is_nothing() -> None:
    # 32 ms with an interval of 28.8 to 35.2.
    assert told(Story(voice=Beside(0.032), rest=Beside(0.032))) == {}


def test_a_short_queue_drops_both_classes() -> None:
    # 20 of 250: Wilson 5.2 to 12.1 %; none of 250 before: 0 to 1.5 %.
    lossy = Beside(0.005, lost=20)
    found = told(Story(voice=lossy, rest=lossy))
    assert set(found) == {"no-wan-qos"}
    assert "8.0 % of them were lost against 8.0 %" in found["no-wan-qos"].statement


def test_a_short_queue_that_drops_only_the_rest_is_nothing() -> None:
    assert told(Story(voice=Beside(0.001), rest=Beside(0.005, lost=20))) == {}


def test_loss_on_the_idle_line_is_no_queue() -> None:
    lossy = Beside(0.001, lost=20)
    found = told(Story(voice=lossy, rest=lossy, idle_voice=lossy, idle_rest=lossy))
    assert "no-wan-qos" not in found
    assert "queueing-delay" not in found
    assert found["packet-loss"].site == "mill"


def test_a_slow_far_host_is_not_the_line() -> None:
    found = told(Story(voice=WAITS, rest=WAITS, guards={"gateway": 0.001}))
    assert set(found) == {"instrument-limited"}
    assert "the gateway of the site answered as ever and mill-r did not" in (
        found["instrument-limited"].statement
    )


def test_a_queue_on_our_own_side_is_not_the_sites() -> None:
    poor = Beside(0.084, discarded=200, r_factor=0.0)
    found = told(Story(voice=poor, rest=WAITS, guards={"gateway": 0.08, "near": 0.08}))
    assert set(found) == {"instrument-limited"}
    assert "so that the queue is on this side" in found["instrument-limited"].statement


def test_a_machine_that_was_late_itself_blames_no_line() -> None:
    found = told(Story(voice=WAITS, rest=WAITS, late_s=0.06))
    assert set(found) == {"instrument-limited"}
    assert "the measuring machine itself was late" in found["instrument-limited"].statement


def test_a_wait_that_stays_after_the_load_is_not_the_loads() -> None:
    found = told(Story(voice=SPARED, rest=WAITS, after_rest=Beside(0.08)))
    assert found["queueing-delay"].verdict is Verdict.INSUFFICIENT_DATA
    assert found["queueing-delay"].severity is Severity.INFO


def test_a_mark_that_is_lost_on_the_way_explains_why_nothing_favours_it() -> None:
    found = told(Story("download", voice=WAITS, rest=WAITS, mark=0))
    assert set(found) == {"queueing-delay", "dscp-bleached"}


def test_without_a_gateway_that_was_pinged_the_finding_says_so() -> None:
    found = told(Story(voice=WAITS, rest=WAITS))
    assert "echo requests to the site's gateway beside the load" in found["queueing-delay"].missing


def test_poor_voice_beside_the_load_is_a_symptom_and_says_what_weighs_most() -> None:
    # All of 250 packets came, 200 of them later than a buffer of 40 ms allows.
    voice = Beside(0.084, discarded=200, r_factor=0.0)
    found = told(Story(voice=voice, rest=WAITS, guards={"gateway": 0.08}))
    assert set(found) == {"queueing-delay", "no-wan-qos", "poor-voice-quality"}
    poor = found["poor-voice-quality"]
    assert poor.statement.startswith(
        "Beside an upload of 4.0 Mbit/s of our own, a call would sound poor"
    )
    assert "What came too late weighs most (200 of 250 packets for a buffer of 40.0 ms)" in (
        poor.statement
    )
    assert ("Is it poor on the idle line too?", "no") in [
        (test.test, test.result) for test in poor.refutations
    ]
    assert poor.id in found["queueing-delay"].symptoms
    assert poor.id in found["no-wan-qos"].symptoms


def test_a_load_that_was_not_made_judges_nothing() -> None:
    assert told(Story(rate_bps=None, ended="not begun: already on the idle line")) == {}
