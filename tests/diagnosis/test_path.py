"""Loss, delay and voice against thresholds, with samples too small to say told apart."""

import pytest

from nethealth.model.finding import Severity, Verdict
from nethealth.model.record import Instrument
from tests.diagnosis.build import Scene, healthy


def test_loss_of_a_site_is_pooled_over_its_hosts() -> None:
    # 3 of 60: 1.7 % to 13.7 %, above 1 %. Each host alone has 1 of 20, which says nothing.
    scene = healthy()
    for host in ("a", "b", "c"):
        scene.ping(f"mill-{host}", lost=1)
    finding = scene.only("packet-loss:mill")
    assert (finding.severity, finding.verdict) == (Severity.WARNING, Verdict.DEMONSTRATED)
    assert "3 of 60 packets" in finding.statement
    assert finding.effect is not None
    assert finding.effect.estimate == pytest.approx(0.05)
    assert finding.effect.interval == pytest.approx((0.017, 0.137), abs=5e-4)
    assert "mill-a:ping/1" in finding.evidence
    assert any("Hall House 0 of 80" in test.result for test in finding.refutations)
    assert any("lost 1 of 20" in test.result for test in finding.refutations)


def test_the_lossiest_hosts_come_first_in_the_evidence_and_their_loss_before_its_counts() -> None:
    scene = healthy().ping("mill-a", lost=1).ping("mill-b").ping("mill-c", lost=5)
    # In the scene a ping's third observation is its loss, the first two what it is the ratio of.
    ratios = ("mill-c:ping/3", "mill-a:ping/3", "mill-b:ping/3")
    sent = ("mill-c:ping/1", "mill-a:ping/1", "mill-b:ping/1")
    assert scene.only("packet-loss:mill").evidence[:6] == ratios + sent


def test_loss_that_the_sample_cannot_tell_from_the_threshold_is_information() -> None:
    scene = healthy().ping("mill-a", lost=1).ping("mill-b").ping("mill-c")
    finding = scene.only("packet-loss:mill")
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.INSUFFICIENT_DATA)
    assert "too few" in finding.statement
    assert "packets would show it" in finding.statement


def test_loss_below_the_threshold_is_nothing() -> None:
    assert healthy().ping("mill-a", lost=10, sent=2000).findings() == ()


def test_bursts_widen_the_interval() -> None:
    # 8 of 200 is 2.0 % to 7.7 %; at BurstR 4 the 200 count as 29, and 0.8 % to 17 % says nothing.
    assert healthy().ping("mill-a", lost=8, sent=200).only("packet-loss:mill").verdict is (
        Verdict.DEMONSTRATED
    )
    bursty = healthy().ping("mill-a", lost=8, sent=200, burst=4.0)
    assert bursty.only("packet-loss:mill").verdict is Verdict.INSUFFICIENT_DATA


def test_silent_hosts_are_down_and_not_in_the_pool() -> None:
    scene = healthy().silent("mill-a").ping("mill-b").ping("mill-c")
    assert scene.ids() == ["host-down:mill-a"]


def test_one_bad_host_among_many_is_named_alone() -> None:
    scene = healthy().ping("mill-bad", lost=8, sent=20)
    for index in range(39):
        scene.ping(f"mill-{index:02}", sent=40)
    # 8 of 1580 is healthy for the site as a whole.
    assert scene.only("packet-loss:mill-bad").asset == "mill-bad"


def test_gateway_that_answers_only_some_requests_loses_nothing() -> None:
    scene = healthy().ping("gateway:mill", lost=12).ping("mill-a").ping("mill-b")
    assert scene.findings() == ()


def test_what_the_vantage_dropped_itself_is_taken_off() -> None:
    scene = healthy().ping("mill-a", lost=4).busy(Instrument(socket_overflow_count=4))
    assert scene.ids() == ["instrument-limited:desk"]
    worse = healthy().ping("mill-a", lost=12).busy(Instrument(socket_overflow_count=4))
    assert "packet-loss:mill" in worse.ids()
    assert "8 of 20" in next(f for f in worse.findings() if f.code == "packet-loss").statement


def test_rounds_of_a_repeated_run_are_one_sample() -> None:
    scene = healthy()
    for _ in range(3):
        scene.ping("mill-a", lost=1)
    finding = scene.only("packet-loss:mill")
    assert "3 of 60" in finding.statement
    assert {"mill-a:ping/1", "mill-a:ping#2/1", "mill-a:ping#3/1"} <= set(finding.evidence)


def test_slow_site_is_one_finding_and_says_how_one_way_was_taken() -> None:
    scene = healthy().ping("mill-a", rtt_s=0.36).ping("mill-b", rtt_s=0.36).ping("mill-c")
    finding = scene.only("high-delay:mill")
    assert finding.verdict is Verdict.DEMONSTRATED
    assert "180 ms" in finding.statement
    assert "half of the median round trip" in finding.statement


def test_one_slow_host_among_quick_ones_is_named_alone() -> None:
    scene = healthy().ping("mill-a", rtt_s=0.4)
    for host in ("b", "c", "d"):
        scene.ping(f"mill-{host}")
    assert scene.ids() == ["high-delay:mill-a"]


def test_slow_gateway_speaks_for_its_site() -> None:
    scene = healthy().ping("gateway:mill", rtt_s=0.4).ping("mill-a").ping("mill-b").ping("mill-c")
    assert scene.ids() == ["high-delay:mill"]


def test_delay_of_a_few_packets_is_information() -> None:
    finding = healthy().ping("mill-a", rtt_s=0.4, sent=4).only("high-delay:mill-a")
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.INSUFFICIENT_DATA)


def test_delay_at_the_threshold_is_none() -> None:
    assert healthy().ping("mill-a", rtt_s=0.3).findings() == ()


def test_lossy_path_sounds_poor_and_both_are_told_with_their_tie() -> None:
    # 30 of 120 lost is 18 % to 33 %; R is 66 at 10 % for G.711 with concealment.
    scene = healthy()
    for host in ("a", "b", "c"):
        scene.ping(f"mill-{host}", lost=10, sent=40, r_factor=40.0)
    loss, voice = scene.findings()
    assert (loss.id, voice.id) == ("packet-loss:mill", "poor-voice-quality:mill")
    assert loss.symptoms == ("poor-voice-quality:mill",)
    assert voice.verdict is Verdict.SUGGESTIVE
    assert voice.severity is Severity.WARNING
    assert "half of the round trip" in voice.statement
    assert "G.711+PLC" in voice.statement
    assert "mill-a:ping/7" in voice.evidence


def test_two_lost_of_twenty_are_no_verdict_on_voice() -> None:
    # R 66 by the point estimate, and no worse than 86 at the 2.8 % that the interval allows.
    assert not any("voice" in one for one in healthy().ping("mill-a", lost=2, r_factor=66).ids())


def test_packets_too_late_to_play_count_as_lost() -> None:
    scene = healthy()
    scene.ping("mill-a", sent=100, r_factor=35.0, heard_loss=0.4)
    finding = scene.only("poor-voice-quality:mill")
    assert "of 100 packets 0 were lost and 40 came too late" in finding.statement


def test_voice_is_not_judged_where_it_was_not_computed() -> None:
    scene = healthy().ping("mill-a", lost=10, r_factor=None)
    assert scene.ids() == ["packet-loss:mill"]


def test_lone_target_is_judged_by_itself() -> None:
    scene = Scene(kind="check").ping("lone:198.18.0.9", lost=10)
    assert scene.ids() == ["packet-loss:198.18.0.9", "poor-voice-quality:198.18.0.9"]
