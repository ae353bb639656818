"""Loss over time, worked out by hand and against the totals of the stream."""

import numpy as np
import pytest

from nethealth.passive import rtp_progress
from nethealth.passive.announced import MediaBook
from nethealth.passive.rtp import Rtp
from nethealth.passive.rtp_progress import Progress
from nethealth.wire.rtp import RtpPacket
from tests.passive.packet_frames import ethernet, ipv4, packets, udp

SECOND = 1_000_000_000
START_NS = 1_700_000_000 * SECOND


def column(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def noted(progress: Progress, at_s: list[float], numbers: list[int], stream: int = 0) -> None:
    times = np.array([START_NS + round(each * SECOND) for each in at_s], np.int64)
    progress.note(np.full(len(numbers), stream), times, np.array(numbers, np.int64))


def test_what_was_lost_in_each_second() -> None:
    """Numbers 0 to 9, two a second; 3 and 4 are lost, and 8."""
    progress = Progress()
    noted(progress, [0.0, 0.5, 1.0, 2.5, 3.0, 3.5, 4.5], [0, 1, 2, 5, 6, 7, 9])
    series = progress.series(0, 0, column(3, 8), column(2, 1))
    assert series is not None
    assert (series.start_ns, series.bin_ns) == (START_NS, SECOND)
    # 0 1 | 2 | 3 4 5 | 6 7 | 8 9
    assert series.expected == (2, 1, 3, 2, 2)
    assert series.lost == (0, 0, 2, 0, 1)


def test_streams_are_kept_apart_and_may_be_renamed() -> None:
    progress = Progress()
    noted(progress, [0.0, 1.0], [0, 9], stream=3)
    noted(progress, [0.0, 1.0], [0, 1], stream=5)
    progress.rename(column(-1, -1, -1, -1, -1, 0))
    series = progress.series(0, 0, column(), column())
    assert series is not None
    assert (series.expected, series.lost) == ((1, 1), (0, 0))
    assert progress.series(3, 0, column(), column()) is None


def test_bins_widen_in_memory_and_in_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtp_progress, "ENTRIES_MAX", 100)
    progress = Progress()
    seconds = list(range(1000))
    noted(progress, [float(second) for second in seconds], seconds)
    assert progress.bin_ns == 16 * SECOND
    series = progress.series(0, 0, column(500), column(100))
    assert series is not None
    assert (sum(series.expected), sum(series.lost)) == (1000, 100)
    monkeypatch.setattr(rtp_progress, "POINTS_MAX", 10)
    series = progress.series(0, 0, column(500), column(100))
    assert series is not None
    assert len(series.lost) <= 10
    assert (sum(series.expected), sum(series.lost)) == (1000, 100)


def test_a_stream_of_packets_that_loses_some() -> None:
    """1000 packets of 20 ms; 300 to 349 are lost (second 6), and 700 (second 14)."""
    frames, times = [], []
    for number in range(1000):
        if 300 <= number < 350 or number == 700:
            continue
        octets = RtpPacket(8, number, number * 160, 7, bytes(160)).encode()
        frames.append(ethernet(ipv4(udp(octets, 4000, 5000))))
        times.append(START_NS + number * 20_000_000)
    analysis = Rtp(MediaBook())
    half = len(frames) // 2
    analysis.feed(packets(frames[:half], times_ns=times[:half]))
    analysis.feed(packets(frames[half:], times_ns=times[half:]))
    facts = {fact.name: fact for fact in analysis.finish()}
    series = facts["rtp_packets_lost_in_a_bin_max"]
    assert (series.value, series.samples) == (50, 1000)
    lost = series.method["lost"]
    # The next packet after the long loss is 350: it came at 7.0 s.
    assert isinstance(lost, tuple)
    assert {index: each for index, each in enumerate(lost) if each} == {7: 50, 14: 1}
    assert facts["rtp_packets_lost"].value == 51
