"""A line full of calls, and lines that are full of something else while people telephone."""

from dataclasses import replace

import pytest

from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import capture, event, known
from tests.diagnosis.heard import stream
from tests.diagnosis.routers import line


def calls(scene: Scene, count: int, from_s: float, to_s: float) -> Scene:
    """So many calls at a time, by the telephone system's records; one brackets the whole time."""
    event(scene, "call-start", -100.0, "hall")
    for _ in range(count):
        event(scene, "call-start", from_s, "hall")
        event(scene, "call-end", to_s, "hall")
    event(scene, "call-end", 1000.0, "hall")
    return scene


def load_of(scene: Scene) -> Finding | None:
    return next((one for one in scene.findings() if one.code == "call-load"), None)


# 21 calls of 87.2 kb/s (G.711, 20 ms, with Ethernet: handbook 2.4) and the one that brackets all
# are 22 x 87.2 = 1.92 Mb/s, in the second and third minute; 0.09 Mb/s in the others.
FULL_OF_CALLS = [(0.1, 0.1), (1.9, 1.9), (1.95, 1.9), (0.1, 0.1)]


def test_calls_that_fill_the_line_while_packets_are_lost() -> None:
    scene = calls(line(FULL_OF_CALLS, lost={1: 12, 2: 15}), 21, 61.0, 181.0)
    finding = load_of(scene)
    assert finding is not None
    assert (finding.id, finding.verdict) == ("call-load:hall", Verdict.SUPPORTED)
    assert finding.direction is Direction.TELEPHONY_TO_NETWORK
    assert "22 calls at 87.2 kb/s each way are 1.92 Mb/s" in finding.statement
    assert any("27 of 200 echo requests lost" in test.result for test in finding.refutations)
    assert any("0 of 200 echo requests lost then" in test.result for test in finding.refutations)


def test_loss_and_poor_voice_are_named_under_the_calls_that_caused_them() -> None:
    scene = calls(line(FULL_OF_CALLS, lost={1: 12, 2: 15}), 21, 61.0, 181.0)
    finding = load_of(scene)
    assert finding is not None
    assert finding.symptoms == ("packet-loss:hall",)


def test_frames_thrown_away_show_it_as_well() -> None:
    scene = calls(line(FULL_OF_CALLS, discards={1: 400, 2: 500}), 21, 61.0, 181.0)
    finding = load_of(scene)
    assert finding is not None
    assert finding.verdict is Verdict.SUPPORTED
    assert any("900 frames thrown away" in test.result for test in finding.refutations)


def test_calls_that_fill_the_line_and_hurt_nobody_are_only_suggested() -> None:
    finding = load_of(calls(line(FULL_OF_CALLS), 21, 61.0, 181.0))
    assert finding is not None
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.SUGGESTIVE)
    assert finding.direction is Direction.UNDETERMINED


def test_loss_beside_calls_that_came_in_the_midst_of_an_interval_is_no_control() -> None:
    """The calls come just before the round of the first interval, whose mean is low."""
    scene = calls(line(FULL_OF_CALLS, lost={0: 12, 1: 12, 2: 15}), 21, 15.0, 181.0)
    finding = load_of(scene)
    assert finding is not None
    assert finding.verdict is Verdict.SUPPORTED
    assert any("0 of 100 echo requests lost then" in test.result for test in finding.refutations)


def test_provider_that_loses_at_all_times_is_not_the_calls() -> None:
    lossy = dict.fromkeys(range(4), 12)
    finding = load_of(calls(line(FULL_OF_CALLS, lost=lossy), 21, 61.0, 181.0))
    assert finding is not None
    assert finding.verdict is Verdict.SUGGESTIVE


def test_backup_that_fills_the_line_beside_a_few_calls_clears_them() -> None:
    """Six calls are 0.52 Mb/s of 1.9: the rest is somebody else's, and one way alone."""
    backup = [(0.6, 0.6), (0.6, 1.9), (0.6, 1.95), (0.6, 0.6)]
    finding = load_of(calls(line(backup, lost={1: 12, 2: 15}), 5, 0.0, 240.0))
    assert finding is not None
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.CONTRADICTED)
    assert finding.direction is Direction.NOT_TELEPHONY
    assert "not of calls" in finding.statement


def test_log_on_at_nine_clears_the_calls_of_the_same_hour() -> None:
    """Calls rise at nine too, but they are 1.05 of the 1.9 Mb/s."""
    finding = load_of(calls(line(FULL_OF_CALLS, lost={1: 12, 2: 15}), 11, 61.0, 181.0))
    assert finding is not None
    assert finding.verdict is Verdict.CONTRADICTED


def test_download_as_large_as_the_calls_would_be_is_none_of_them() -> None:
    """22 calls go both ways: 1.9 Mb/s in and 0.1 out is something else, whoever was telephoning."""
    one_way = [(0.1, 0.1), (1.9, 0.1), (1.9, 0.1), (0.1, 0.1)]
    finding = load_of(calls(line(one_way, lost={1: 12, 2: 15}), 21, 61.0, 181.0))
    assert finding is not None
    assert finding.verdict is Verdict.CONTRADICTED


def test_line_that_is_not_full_is_none() -> None:
    half = [(0.1, 0.1), (1.0, 1.0), (1.0, 1.0), (0.1, 0.1)]
    assert load_of(calls(line(half), 11, 61.0, 181.0)) is None


@pytest.mark.parametrize(
    ("carried", "verdict"),
    [
        (FULL_OF_CALLS, Verdict.SUPPORTED),
        # 1.9 Mb/s one way alone: of a line of 20 Mb/s down that is nothing, and up is not known
        ([(0.1, 0.1), (1.9, 0.1), (1.9, 0.1), (0.1, 0.1)], None),
    ],
)
def test_line_of_two_speeds_is_full_of_calls_where_the_slower_one_is(
    carried: list[tuple[float, float]], verdict: Verdict | None
) -> None:
    scene = line(carried, lost={1: 12, 2: 15})
    scene.sites["hall"] = replace(scene.sites["hall"], wan_down_mbps=20.0, wan_up_mbps=2.0)
    finding = load_of(calls(scene, 21, 61.0, 181.0))
    assert (finding.verdict if finding else None) is verdict


def test_switch_is_no_line() -> None:
    """What a switch counts at a port is not the line, of which only a router speaks."""
    finding = load_of(calls(line(FULL_OF_CALLS, kind="switch"), 21, 61.0, 181.0))
    assert finding is not None
    assert finding.verdict is Verdict.INSUFFICIENT_DATA
    assert "of a line of 2 Mb/s" in finding.statement


def test_port_of_a_switch_at_which_a_router_says_to_be_is_the_line() -> None:
    carried = line(FULL_OF_CALLS, lost={1: 12, 2: 15}, kind="switch", beside=("router",))
    finding = load_of(calls(carried, 21, 61.0, 181.0))
    assert finding is not None
    assert finding.verdict is Verdict.SUPPORTED


def test_streams_of_a_capture_are_calls_at_their_own_rate() -> None:
    """22 streams that leave the site: 160 octets, 40 and 18 of headers, 50 a second, 87.2 kb/s."""
    scene = line(FULL_OF_CALLS, lost={1: 12, 2: 15})
    known(scene, "depot-pbx", "pbx", "203.0.113.10")
    facts = [
        fact
        for at in range(22)
        for fact in stream(
            f"198.51.100.50:{4000 + at}", f"203.0.113.10:{6000 + at}", ssrc=f"0x{at}",
            sent=6000, lasts_s=120.0, at_s=60.0,
        )
    ]  # fmt: skip
    finding = load_of(capture(scene, None, *facts, lasts_s=300.0))
    assert finding is not None
    assert finding.verdict is Verdict.SUPPORTED
    assert "22 calls at 87.2 kb/s" in finding.statement


def test_without_calls_nothing_is_said_of_a_full_line() -> None:
    assert load_of(line(FULL_OF_CALLS, lost={1: 12, 2: 15})) is None
