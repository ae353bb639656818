"""What the streams and calls of a capture say, each beside what looks like it and is not."""

from typing import Any

import pytest

from nethealth.model.finding import Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture, known
from tests.diagnosis.heard import claim, stream, told_call

HALL, DEPOT = "198.51.100.10:4000", "203.0.113.10:4000"


def council() -> Scene:
    """A telephone system at the hall, a telephone at the depot, each in a network of its own."""
    scene = Scene(kind="capture")
    known(scene, "hall-pbx", "pbx", "198.51.100.10")
    return known(scene, "depot-phone", "phone", "203.0.113.10")


def found(*facts: Fact) -> dict[str, Finding]:
    return {one.id: one for one in capture(council(), None, *facts).findings()}


def test_whole_streams_are_none() -> None:
    assert found(*stream(HALL, DEPOT), *stream(DEPOT, HALL, ssrc="0x2")) == {}


def test_loss_of_a_recorded_stream_is_told_of_the_place_that_it_came_from() -> None:
    """40 of 1000 lost: Wilson's 95 % is 2.95 % to 5.40 %, above the limit of 1 %."""
    findings = found(*stream(DEPOT, HALL, lost=40), *stream(HALL, DEPOT, ssrc="0x2"))
    assert set(findings) == {"packet-loss:depot:recorded"}
    finding = findings["packet-loss:depot:recorded"]
    assert (finding.site, finding.verdict) == ("depot", Verdict.DEMONSTRATED)
    assert "40 of 1000 packets are missing: 4.0 % (95 % interval 3.0 % to 5.4 %)" in (
        finding.statement
    )
    assert finding.direction is None
    assert any("0 of 1000 packets of it" in test.result for test in finding.refutations)


def test_loss_that_the_capture_owns_up_to_is_its_own() -> None:
    """It dropped 35 itself: 5 of 1000 are left, which the limit cannot be told from."""
    finding = found(*stream(DEPOT, HALL, lost=40), ("capture_dropped_packet_count", 35, {}))[
        "packet-loss:depot:recorded"
    ]
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.INSUFFICIENT_DATA)


def test_loss_that_the_receiver_did_not_have_was_the_captures() -> None:
    finding = found(*stream(DEPOT, HALL, lost=40), *claim(DEPOT, HALL, loss=0.0))[
        "packet-loss:depot:recorded"
    ]
    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert any(f"{HALL} had what the capture lacks" in test.result for test in finding.refutations)


def test_receiver_that_lost_as_much_bears_the_loss_out() -> None:
    findings = found(*stream(DEPOT, HALL, lost=40), *claim(DEPOT, HALL, loss=0.04))
    assert set(findings) == {"packet-loss:depot:recorded"}, "it is one loss, and told once"
    (test,) = [
        test
        for test in findings["packet-loss:depot:recorded"].refutations
        if test.test == "Do the receivers lack them too?"
    ]
    assert test.result == "yes: 40 of 1000 by the receivers' own count"


def test_loss_behind_the_capture_point_is_known_from_the_receiver_alone() -> None:
    findings = found(*stream(HALL, DEPOT), *claim(HALL, DEPOT, loss=0.05))
    assert set(findings) == {"packet-loss:depot:received"}
    finding = findings["packet-loss:depot:received"]
    assert finding.verdict is Verdict.SUPPORTED
    assert "report 50 of 1000 packets of voice lost" in finding.statement


def test_few_packets_say_nothing_of_a_path() -> None:
    assert found(*stream(DEPOT, HALL, sent=60, lost=6, r_factor=None)) == {}


def test_poor_stream_is_told_with_what_weighs_most_and_named_under_the_loss() -> None:
    """G.711 with concealment, 20 % lost at random: Ie-eff = 95·20/(20+25.1) = 42, R about 51."""
    findings = found(*stream(DEPOT, HALL, lost=200, r_factor=51.0))
    voice = findings["poor-voice-quality:depot:recorded"]
    assert (voice.severity, voice.verdict) == (Severity.WARNING, Verdict.SUPPORTED)
    assert "R 51" in voice.statement
    assert "The loss weighs most" in voice.statement
    assert findings["packet-loss:depot:recorded"].symptoms == (voice.id,)


def test_poor_stream_that_its_receiver_had_well_accuses_nobody() -> None:
    facts = [*stream(DEPOT, HALL, lost=200, r_factor=51.0)]
    facts += claim(DEPOT, HALL, loss=0.0, r_factor=92.0)
    findings = found(*facts)
    voice = findings["poor-voice-quality:depot:recorded"]
    assert (voice.severity, voice.verdict) == (Severity.INFO, Verdict.INSUFFICIENT_DATA)
    assert any("that they had it well" in test.result for test in voice.refutations)


def test_stream_that_is_late_is_poor_without_any_loss() -> None:
    findings = found(*stream(HALL, DEPOT, late=250, r_factor=45.0))
    assert set(findings) == {"poor-voice-quality:hall:recorded"}
    assert (
        "What came too late weighs most" in findings["poor-voice-quality:hall:recorded"].statement
    )


PHONE, PBX = "203.0.113.10:5060", "198.51.100.10:5060"


def calls(count: int, first: int = 1, **how: Any) -> list[Fact]:
    return [
        fact
        for number in range(first, first + count)
        for fact in told_call(number, PHONE, PBX, **how)
    ]


def test_calls_that_a_server_fails_are_told_of_it() -> None:
    """6 of 20: Wilson's 95 % is 14.5 % to 51.9 %."""
    findings = found(*calls(14), *calls(6, 15, outcome="rejected", code=503))
    finding = findings["call-failed:hall-pbx:recorded"]
    assert (finding.asset, finding.verdict) == ("hall-pbx", Verdict.DEMONSTRATED)
    assert "6 of 20 calls" in finding.statement
    assert "(503): 30.0 % (95 % interval 14.5 % to 51.9 %)" in finding.statement


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("busy", 486), ("rejected", 404), ("rejected", 603), ("no answer", 480), ("cancelled", 487)],
)
def test_callees_own_state_is_no_failure_of_a_server(outcome: str, code: int) -> None:
    assert found(*calls(14), *calls(6, 15, outcome=outcome, code=code)) == {}


def test_few_failures_among_many_calls_that_are_not_listed_are_none() -> None:
    """The reader lists 100 calls, unusual ones first: 900 that went well are not among them."""
    facts = [*calls(6, 1, outcome="unanswered", code=None), ("call_left_out_count", 900, {})]
    assert found(*facts) == {}


def test_one_failed_call_alone_is_information() -> None:
    finding = found(*calls(1, outcome="unanswered", code=None))["call-failed:hall-pbx:recorded"]
    assert finding.verdict is Verdict.INSUFFICIENT_DATA


def test_side_that_is_never_heard_is_told_where_other_calls_have_both_ways() -> None:
    """Audio reaches the caller alone: what the caller's telephone sends does not pass."""
    findings = found(*calls(5), *calls(3, 6, audio="towards the caller"))
    finding = findings["one-way-audio:depot-phone:recorded"]
    assert (finding.severity, finding.verdict) == (Severity.WARNING, Verdict.SUPPORTED)
    assert "3 of 8 calls" in finding.statement


def test_capture_that_sees_one_way_of_everything_accuses_nobody() -> None:
    """Media goes between other hosts than signalling, and no call shows both ways."""
    facts = calls(4, audio="towards the callee", media=("203.0.113.77:4000", "198.51.100.77:4000"))
    (finding,) = found(*facts).values()
    assert finding.code == "one-way-audio"
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.INSUFFICIENT_DATA)


def test_audio_that_its_receiver_reports_went_another_way() -> None:
    own = {"source": "far end", "ssrc": "0x9", "reporter": "198.51.100.10:4001"}
    facts = [*calls(5), *calls(3, 6, audio="towards the caller")]
    facts.append(("far_end_report_count", 5, own))
    finding = found(*facts)["one-way-audio:depot-phone:recorded"]
    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert any("yes: 198.51.100.10:4001" in test.result for test in finding.refutations)


def test_address_that_no_inventory_has_is_named_by_itself() -> None:
    facts = [*stream("192.0.2.1:4000", "192.0.2.2:4000", lost=40)]
    assert set(found(*facts)) == {"packet-loss:capture:recorded"}


def test_neighbour_of_known_addresses_is_of_their_site() -> None:
    """203.0.113.99 is in the /24 of the depot's telephone, and of no other site."""
    assert set(found(*stream("203.0.113.99:4000", HALL, lost=40))) == {"packet-loss:depot:recorded"}


def test_voice_quality_report_is_of_the_stream_that_arrives_where_it_says() -> None:
    """RFC 6035: a telephone reports what it received at its own address."""
    own = {
        "source": "far end", "reporter": "198.51.100.10:5060", "address": "198.51.100.10",
        "port": 4000, "side": "local", "reported_by": "voice quality report",
    }  # fmt: skip
    facts = [*stream(DEPOT, HALL, lost=200, r_factor=51.0), ("far_end_r_factor", 90.0, own)]
    finding = found(*facts)["poor-voice-quality:depot:recorded"]
    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    elsewhere = [*facts[:-1], ("far_end_r_factor", 90.0, {**own, "port": 4002})]
    assert found(*elsewhere)["poor-voice-quality:depot:recorded"].verdict is Verdict.SUPPORTED
