"""Bursts and gaps against the handbook's hand-worked stream."""

import pytest

from nethealth.quality.burst import burst_gap


def stream(text: str) -> list[bool]:
    return [character == "1" for character in text]


def test_vector_of_300_packets() -> None:
    seen = burst_gap(stream("1" * 100 + "0010110" + "1" * 93 + "0" + "1" * 99))
    assert seen.bursts == ((100, 106),)
    assert seen.burst_mean_packets == 7  # 140 ms at 20 ms a packet
    assert seen.burst_density == pytest.approx(4 / 7)
    assert seen.gap_density == pytest.approx(1 / 293)
    assert seen.gap_mean_packets == 293 / 2


@pytest.mark.parametrize(("between", "bursts"), [(15, ((20, 36),)), (16, ())])
def test_sixteen_received_packets_part_two_losses(
    between: int, bursts: tuple[tuple[int, int], ...]
) -> None:
    assert burst_gap(stream("1" * 20 + "0" + "1" * between + "0" + "1" * 20)).bursts == bursts


def test_first_lone_loss_is_no_burst() -> None:
    seen = burst_gap(stream("1" * 100 + "0" + "1" * 100))
    assert (seen.bursts, seen.burst_density, seen.burst_mean_packets) == ((), None, None)
    assert seen.gap_density == pytest.approx(1 / 201)
    assert seen.gap_mean_packets == 201


def test_all_lost_and_none_sent() -> None:
    every = burst_gap(stream("0000"))
    assert (every.burst_density, every.gap_density, every.gap_mean_packets) == (1.0, None, None)
    nothing = burst_gap([])
    assert (nothing.bursts, nothing.gap_density, nothing.gap_mean_packets) == ((), None, None)
