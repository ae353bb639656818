"""Interarrival jitter against the handbook's vector for RFC 3550, section 6.4.1."""

import pytest

from nethealth.quality.jitter import interarrival_jitter, running_jitter

SENT = [0, 160, 320, 480, 640, 800]  # 0, 20 … 100 ms at 8 kHz
ARRIVED = [0.005, 0.025, 0.049, 0.065, 0.089, 0.105]


def test_vector_at_8_khz() -> None:
    running = running_jitter(SENT, ARRIVED, clock_rate_hz=8000)
    assert running == pytest.approx([0, 0, 2.0, 3.875, 5.6328, 7.2808], abs=5e-5)
    summed = interarrival_jitter(SENT, ARRIVED, clock_rate_hz=8000)
    assert summed is not None
    assert summed.last_s * 1000 == pytest.approx(0.9101, abs=5e-5)
    assert summed.max_s == summed.last_s
    assert summed.mean_s * 8000 == pytest.approx((2.0 + 3.875 + 5.6328 + 7.2808) / 5, abs=5e-5)
    assert (summed.samples, summed.variant) == (5, "all_packets")


def test_a_wrapping_timestamp_is_no_jump() -> None:
    wrapped = [(stamp - 320) % 2**32 for stamp in SENT]
    assert running_jitter(wrapped, ARRIVED, clock_rate_hz=8000) == pytest.approx(
        running_jitter(SENT, ARRIVED, clock_rate_hz=8000)
    )


def test_a_reordered_packet_counts_in_the_order_of_arrival() -> None:
    # The second arrives after the third: D = +160 + 160 and then −160 − 160, of 160 units each.
    running = running_jitter([0, 320, 160], [0.0, 0.02, 0.04], clock_rate_hz=8000)
    assert running == pytest.approx([0, 10, 10 + (320 - 10) / 16])


def test_nothing_gives_nothing_and_a_clock_of_zero_is_refused() -> None:
    assert interarrival_jitter([], [], clock_rate_hz=8000) is None
    assert interarrival_jitter([1], [1.0], clock_rate_hz=8000) is None
    with pytest.raises(ValueError, match="0 Hz"):
        running_jitter([1], [1.0], clock_rate_hz=0)
