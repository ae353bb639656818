"""Streams to a reflector: loss, voice and marks, each with its direction."""

import pytest

from nethealth.model.failure import Failure
from nethealth.model.finding import Severity, Verdict
from nethealth.model.observation import Observation, Scalar
from tests.diagnosis.build import Scene, healthy

# R by ITU-T G.107, default echo, Ta = 75 ms: about 91 without loss, below 70 from 8 % on.
PASSPORT: dict[str, Scalar] = {
    "codec": "G.711+PLC", "delay_variant": "default-echo", "one_way_delay_s": 0.01,
    "packetisation_s": 0.02, "jitter_buffer_s": 0.04, "burst_r": 1.0,
}  # fmt: skip


def stream(
    scene: Scene,
    host: str,
    forward: int = 0,
    back: int = 0,
    sent: int = 500,
    marks: tuple[int | None, int | None] = (46, 46),
    expected: int | None = 46,
    r_factor: tuple[float, float] = (91.0, 91.0),
) -> Scene:
    """One stream of the catalogue's probe, as it says it."""
    lost = forward + back
    scene.check(host, "stamp", {"packets_sent_count": sent, "packets_received_count": sent - lost})
    check = scene.checks[-1].id
    arrived = sent - forward

    def see(name: str, value: Scalar, samples: int | None = None, **method: Scalar) -> None:
        number = sum(seen.check == check for seen in scene.observations) + 1
        scene.observations.append(
            Observation(f"{check}/{number}", check, name, value, t_s=2.0, samples=samples,
                        method=method)
        )  # fmt: skip

    for way, count, of, mark, score in (
        ("forward", forward, sent, marks[0], r_factor[0]),
        ("return", back, arrived, marks[1], r_factor[1]),
    ):
        see("packets_lost_count", count, of, direction=way)
        see("packet_loss_ratio", count / of, of, direction=way)
        if count:
            see("packet_loss_burst_ratio", 1.0, of, direction=way)
        also: dict[str, Scalar] = {"dscp": 46}
        if way == "return":
            also["expected"] = expected
        see("dscp_received", mark, of - count, direction=way, **also)
        see("r_factor", score, of, **PASSPORT, loss_ratio=count / of, direction=way)
    return scene


def mill() -> Scene:
    return healthy().ping("mill-r")


def test_a_clean_stream_is_nothing() -> None:
    assert stream(mill(), "mill-r").findings() == ()


@pytest.mark.parametrize(("there", "back", "where"), [
    (20, 0, "on the way there"), (0, 20, "on the way back"), (20, 20, "in both directions"),
])  # fmt: skip
def test_loss_names_its_direction(there: int, back: int, where: str) -> None:
    # 20 of 500: Wilson 2.6 % to 6.1 %, above 1 %.
    finding = stream(mill(), "mill-r", there, back).only("packet-loss:mill")
    assert (finding.severity, finding.verdict) == (Severity.WARNING, Verdict.DEMONSTRATED)
    assert f"are lost {where}: " in finding.statement
    assert finding.effect is not None
    assert finding.effect.estimate == pytest.approx(0.04, abs=0.002)
    assert any(one.startswith("mill-r:stamp/") for one in finding.evidence)


def test_a_stream_speaks_in_place_of_echo_requests() -> None:
    scene = healthy().ping("mill-r", lost=4).ping("mill-b", lost=3)
    finding = stream(scene, "mill-r", forward=30).only("packet-loss:mill")
    assert "on the way there 30 of 500" in finding.statement
    assert any("7 of 40" in test.result for test in finding.refutations)


def test_loss_that_may_be_chance_is_left_to_the_echo_requests() -> None:
    # 8 of 500 is 0.8 % to 3.1 %.
    assert stream(mill(), "mill-r", forward=8).findings() == ()


def test_poor_voice_of_a_stream_is_supported_and_has_its_direction() -> None:
    scene = stream(mill(), "mill-r", back=100, r_factor=(91.0, 52.0))
    found = {finding.code: finding for finding in scene.findings()}
    assert set(found) == {"packet-loss", "poor-voice-quality"}
    voice = found["poor-voice-quality"]
    assert voice.verdict is Verdict.SUPPORTED
    assert "what goes from mill-r" in voice.statement
    assert found["packet-loss"].symptoms == ("poor-voice-quality:mill",)


def test_a_good_stream_refutes_what_echo_requests_suggest() -> None:
    scene = healthy().ping("mill-r", rtt_s=0.9)
    assert "poor-voice-quality:mill" in scene.ids()
    assert "poor-voice-quality:mill" not in stream(scene, "mill-r").ids()


def test_a_mark_lost_on_the_way_there() -> None:
    finding = stream(mill(), "mill-r", marks=(0, 46)).only("dscp-bleached:mill-r")
    assert "lose their mark on the way there: sent with DSCP 46" in finding.statement
    assert "with DSCP 0" in finding.statement
    assert finding.asset == "mill-r"


def test_a_mark_lost_on_the_way_back() -> None:
    finding = stream(mill(), "mill-r", marks=(46, 0)).only("dscp-bleached:mill-r:return")
    assert "on the way back" in finding.statement
    assert finding.refutations[0].result == "no"


def test_a_mark_that_the_reflector_was_not_asked_for_is_no_finding() -> None:
    assert stream(mill(), "mill-r", marks=(None, 0), expected=None).findings() == ()


def test_a_reflector_that_is_silent_limits_the_instrument() -> None:
    scene = mill().check(
        "mill-r", "stamp", {"packets_sent_count": 500, "packets_received_count": 0},
    )  # fmt: skip
    assert scene.findings() == ()
    scene = mill().failing("mill-r", "stamp", Failure.REFUSED, packets_sent_count=500)
    finding = scene.only("instrument-limited:desk")
    assert "reflector at mill-r" in finding.statement
