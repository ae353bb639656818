"""What far ends say: RTCP and published reports, by hand and beside tshark."""

import csv
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from nethealth.model.endpoint import Endpoint
from nethealth.model.pseudonym import Revealed
from nethealth.passive.analysis import Fact
from nethealth.passive.announced import MediaBook, StreamEnds
from nethealth.passive.gates import rtcp_candidates
from nethealth.passive.rtcp import RtcpAnalysis
from nethealth.passive.rtcp_accounts import Account, middle
from nethealth.passive.sip import SipAnalysis
from nethealth.wire.rtcp import (
    ExtendedReport,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    encode_rtcp,
    parse_rtcp,
)
from nethealth.wire.rtcp_xr import DelaySince, DelaysSince, ReferenceTime
from probes.capture.reader import Reader
from tests import captures
from tests.passive.packet_frames import ethernet, ipv4, packets, udp
from tests.passive.sip_script import SECOND, START_NS, Script, ordinary_call
from tests.wire.test_rtcp_xr import VOIP
from tests.wire.test_vq_report import EXAMPLE

NTP = 0x83AA7E80_00000000 + (1000 << 32)  # some instant; the middle 32 bits are what is echoed
ALICE, BOB = "198.18.0.1", "198.18.0.2"

COLUMNS = ("fraction_lost", "cum_lost", "ext_high_seq", "jitter", "lsr", "dlsr")


def frame(parts: list[RtcpPacket], source: str, destination: str) -> bytes:
    octets = encode_rtcp(parts)
    return ethernet(ipv4(udp(octets, 4001, 5001), source=source, destination=destination))


def block(lost: int, highest: int, fraction: int = 0, jitter: int = 80, lsr: int = 0,
          dlsr: int = 0) -> ReportBlock:  # fmt: skip
    return ReportBlock(0xAB, fraction, lost, highest, jitter, lsr, dlsr)


def facts_of(frames: list[tuple[float, bytes]], book: MediaBook) -> list[Fact]:
    analysis = RtcpAnalysis(book)
    times = [START_NS + round(at_s * SECOND) for at_s, _ in frames]
    analysis.feed(packets([each for _, each in frames], times_ns=times))
    return list(analysis.finish())


def values(facts: list[Fact]) -> dict[str, object]:
    return {fact.name: fact.value for fact in facts}


def test_reports_on_a_stream_beside_what_was_seen() -> None:
    """Alice sends (SSRC 0xab) with a clock of 8000 Hz; Bob reports after 5 and after 10 s.

    Lost 2 of the first part, 12 in all; expected 250 from the first to the second report. Alice's
    SR passes at 1 s, Bob answers at 5.0 s and says he held it for 3.96875 s (260096 / 65536), so
    the way to Bob and back is 0.03125 s.
    """
    book = MediaBook()
    seen_at = Endpoint(ALICE, 4000), Endpoint(BOB, 5000)
    book.found(
        StreamEnds(*seen_at, 600, START_NS, START_NS + 12 * SECOND, 0xAB, 502, 2, 0.001, 8000)
    )
    facts = facts_of(
        [
            (1.0, frame([SenderReport(0xAB, NTP, 0, 50, 8000)], ALICE, BOB)),
            (5.0, frame([ReceiverReport(7, (block(2, 1250, lsr=middle(NTP), dlsr=260096),))],
                        BOB, ALICE)),
            (10.0, frame([ReceiverReport(7, (block(12, 1500, 10, 160),))], BOB, ALICE)),
        ],
        book,
    )  # fmt: skip
    found = values(facts)
    assert found["far_end_report_count"] == 2
    assert found["far_end_cumulative_lost_packets"] == 12
    assert found["far_end_packet_loss_ratio"] == pytest.approx(10 / 250)
    assert found["far_end_fraction_lost_max_ratio"] == pytest.approx(10 / 256)
    assert found["far_end_interarrival_jitter_median_s"] == pytest.approx(120 / 8000)
    assert found["far_end_interarrival_jitter_max_s"] == pytest.approx(160 / 8000)
    assert found["rtcp_round_trip_delay_median_s"] == pytest.approx(0.03125)
    (loss,) = (fact for fact in facts if fact.name == "far_end_packet_loss_ratio")
    assert loss.samples == 250
    for key, value in {
        "source": "far end", "reported_by": "RTCP RR", "ssrc": "0x000000ab",
        "reporter": f"{BOB}:4001", "seen_lost": 2, "seen_expected": 502,
        "stream_destination": f"{BOB}:5000",
    }.items():  # fmt: skip
        assert loss.method[key] == value


def test_without_a_clock_jitter_is_told_in_units_only() -> None:
    facts = facts_of([(1.0, frame([ReceiverReport(7, (block(0, 9),))], BOB, ALICE))], MediaBook())
    (jitter,) = (fact for fact in facts if fact.name == "far_end_interarrival_jitter_max_s")
    assert (jitter.value, jitter.method["timestamp_units"]) == (None, 80)


def test_extended_reports() -> None:
    """VOIP's octets stand in tests/wire: loss 13/256, RTD 201 ms, R 81, MOS-LQ 4.0, MOS-CQ 3.8.

    A reference time from Bob passes at 1 s and its echo at 1.5 s, held for 0.25 s: 0.25 s remain.
    """
    echo = DelaysSince((DelaySince(7, middle(NTP), 16384),))
    facts = facts_of(
        [
            (1.0, frame([ExtendedReport(7, (VOIP, ReferenceTime(NTP)))], BOB, ALICE)),
            (1.5, frame([ExtendedReport(0xAB, (echo,))], ALICE, BOB)),
        ],
        MediaBook(),
    )
    found = values(facts)
    assert found["far_end_packet_loss_ratio"] == pytest.approx(13 / 256)
    assert found["far_end_burst_duration_mean_s"] == pytest.approx(0.140)
    assert found["far_end_round_trip_delay_s"] == pytest.approx(0.201)
    assert (found["far_end_r_factor"], found["far_end_mos_lq"], found["far_end_mos_cq"]) == (
        81, 4.0, 3.8,
    )  # fmt: skip
    assert found["rtcp_round_trip_delay_median_s"] == pytest.approx(0.25)


def test_what_is_unavailable_is_left_out() -> None:
    mute = replace(
        VOIP, loss_rate=0, round_trip_delay_ms=0, signal_level=127, noise_level=127, rerl=127,
        r_factor=127, mos_lq=127, mos_cq=127,
    )  # fmt: skip
    found = values(facts_of([(0.0, frame([ExtendedReport(7, (mute,))], BOB, ALICE))], MediaBook()))
    assert not {"far_end_mos_lq", "far_end_r_factor", "far_end_round_trip_delay_s"} & set(found)
    assert found["far_end_packet_loss_ratio"] == 0.0


def test_a_hold_that_is_longer_than_the_time_passed_is_refused() -> None:
    account = Account(0, 0)
    account.returned(0, SECOND, 2 * 65536)
    account.returned(0, 100 * SECOND, 0)
    assert (len(account.round_trips_s), account.round_trip_refused_count) == (0, 2)


def test_published_reports_of_a_call_in_the_capture() -> None:
    call = ordinary_call(Script("6dg37f1890463"))
    report = Script("publish")
    for number in (1, 2):  # once more with credentials, after a challenge
        report.request(61.0 + number, "PUBLISH", number=number, headers=("Event: vq-rtcpxr",))
    analysis = SipAnalysis(Revealed(), MediaBook())
    for seen in call.seen:
        analysis.take(seen)
    octets = b"".join(
        [
            b"PUBLISH sip:collector@example.org SIP/2.0\r\nCall-ID: p\r\nCSeq: %d PUBLISH\r\n",
            b"Content-Type: application/vq-rtcpxr\r\nContent-Length: %d\r\n\r\n%s",
        ]
    )
    frames = [ethernet(ipv4(udp(octets % (number, len(EXAMPLE), EXAMPLE)))) for number in (1, 2)]
    analysis.feed(packets(frames, times_ns=[START_NS + 61 * SECOND, START_NS + 62 * SECOND]))
    facts = [fact for fact in analysis.finish() if fact.method.get("source") == "far end"]
    local = {fact.name: fact.value for fact in facts if fact.method["side"] == "local"}
    assert local["far_end_packet_loss_ratio"] == pytest.approx(0.05)
    assert local["far_end_round_trip_delay_s"] == pytest.approx(0.2)
    assert (local["far_end_mos_lq"], local["far_end_mos_cq"]) == (4.2, 4.3)
    assert {fact.method["call"] for fact in facts} == {1}
    assert {fact.method["side"] for fact in facts} == {"local", "remote"}
    assert len([fact for fact in facts if fact.name == "far_end_mos_lq"]) == 2, "told once each"


@pytest.mark.captures
@pytest.mark.parametrize(
    "name",
    ["markofu__Forensic_challenge_4.pcap", "wswiki__Test.pcap", "wswiki__tel2_avaya.part1.pcap",
     "wswiki__testing.ext.pcap", "wswiki__Mobile-Originating-Call_AMR_.pcap",
     "sipnab__sip-over-tcp.pcap"],
)  # fmt: skip
def test_report_blocks_as_tshark_reads_them(name: str) -> None:
    """Datagrams with one report block, which is where the oracle's columns are plain."""
    blocks: Counter[tuple[int, ...]] = Counter()
    for run in Reader([str(captures.folder() / name)]):
        for row in run.rows(rtcp_candidates(run)):
            found = [
                (one.fraction_lost, one.cumulative_lost, one.highest_sequence, one.jitter,
                 one.last_sr, one.delay_since_last_sr)
                for part in parse_rtcp(run.packet(row).payload)
                if isinstance(part, SenderReport | ReceiverReport)
                for one in part.reports
            ]  # fmt: skip
            if len(found) == 1:
                blocks[found[0]] += 1
    expected: Counter[tuple[int, ...]] = Counter()
    with (captures.folder() / "oracle" / f"{name}.rtcp.tsv").open(newline="") as file:
        for each in csv.DictReader(file, delimiter="\t"):
            columns = [each[key] or "" for key in COLUMNS]
            if columns[0] and "," not in columns[0]:
                expected[tuple(map(int, columns))] += 1
    assert blocks == expected
    assert expected


@pytest.mark.captures
def test_round_trips_as_tshark_computes_them() -> None:
    """tshark works in whole milliseconds and shows those of 10 ms or more: 65, 12, 11 ..."""
    path = captures.folder() / "markofu__Forensic_challenge_4.pcap"
    shown = tshark_round_trips_ms(path)
    analysis = RtcpAnalysis(MediaBook())
    for run in Reader([str(path)]):
        analysis.feed(run)
    for ssrc, expected in shown.items():
        ours = sorted(
            round_trip_s * 1000
            for reporter, account in analysis.accounts.items()
            if f"0x{reporter.ssrc:08x}" == ssrc
            for round_trip_s in account.round_trips_s
        )
        assert len(ours) >= len(expected) > 0
        assert ours[-len(expected) :] == pytest.approx(sorted(expected), abs=2.0)


def tshark_round_trips_ms(path: Path) -> dict[str, list[float]]:
    command = [
        "tshark", "-n", "-r", str(path), "-o", "rtcp.show_roundtrip_calculation:TRUE",
        "-Y", "rtcp.roundtrip-delay", "-T", "fields", "-e", "rtcp.senderssrc",
        "-e", "rtcp.roundtrip-delay",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, list[float]] = {}
    for line in done.stdout.splitlines():
        ssrc, delay = line.split("\t")
        found.setdefault(ssrc, []).append(float(delay))
    return found
