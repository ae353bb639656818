"""Loss against the handbook's Wilson intervals, a hand-worked burst ratio and pooling."""

from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.quality.loss import (
    Z_95,
    from_burst_ratio,
    loss_statistics,
    packets_needed,
    pool,
    wilson,
)

# 100 received, 0010110 (0 lost), 93 received, 1 lost, 99 received.
BURSTY = [True] * 100 + [c == "1" for c in "0010110"] + [True] * 93 + [False] + [True] * 99
SEQUENCES = st.lists(st.booleans(), min_size=1, max_size=300)


@pytest.mark.parametrize(
    ("lost", "sent", "low_percent", "high_percent"),
    [
        (0, 60, 0.0, 6.0), (3, 60, 1.7, 13.7), (0, 1000, 0.0, 0.38),
        (10, 1000, 0.54, 1.83), (0, 5, 0.0, 43.4),
    ],
)  # fmt: skip
def test_published_wilson_intervals(
    lost: int, sent: int, low_percent: float, high_percent: float
) -> None:
    low, high = wilson(lost, sent)
    assert low * 100 == pytest.approx(low_percent, abs=0.05)
    assert high * 100 == pytest.approx(high_percent, abs=0.05)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_holds_the_estimate_and_mirrors(pair: tuple[int, int]) -> None:
    lost, sent = pair
    low, high = wilson(lost, sent)
    assert 0 <= low <= lost / sent <= high <= 1
    mirrored = wilson(sent - lost, sent)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)


@pytest.mark.parametrize(("lost", "n"), [(1, 0), (-1, 5), (6, 5), (0, float("nan"))])
def test_wilson_refuses_what_is_no_ratio(lost: float, n: float) -> None:
    with pytest.raises(ValueError, match="lost of"):
        wilson(lost, n)


def test_bursty_vector() -> None:
    seen = loss_statistics(BURSTY)
    assert (seen.sent, seen.lost, seen.run_count, seen.run_max) == (300, 5, 4, 2)
    assert seen.ratio == pytest.approx(5 / 300)
    assert seen.burst_ratio == pytest.approx(1.2292, abs=5e-5)
    # 300 / (2 * 1.229166 - 1)
    assert seen.n_effective == pytest.approx(205.714, abs=0.001)
    assert seen.interval[0] < wilson(5, 300)[0]
    assert seen.interval[1] > wilson(5, 300)[1]


def test_no_loss_and_total_loss_have_no_burst_ratio() -> None:
    none = loss_statistics([True] * 60)
    assert (none.lost, none.burst_ratio, none.run_max, none.n_effective) == (0, None, 0, 60)
    every = loss_statistics([False] * 5)
    assert (every.ratio, every.burst_ratio, every.run_max) == (1.0, None, 5)
    assert every.interval[1] == 1.0


def test_nothing_sent_is_refused() -> None:
    with pytest.raises(ValueError, match="no packet"):
        loss_statistics([])


def test_alternate_loss_is_clamped_to_random() -> None:
    assert loss_statistics([True, False] * 50).burst_ratio == 1.0


@given(st.lists(SEQUENCES, min_size=1, max_size=5))
def test_pool_adds_packets_and_runs_without_joining_them(sequences: list[list[bool]]) -> None:
    pooled = pool(map(loss_statistics, sequences))
    # A received packet between sequences keeps their runs apart; counts are then compared.
    joined = loss_statistics([got for one in sequences for got in (*one, True)])
    assert pooled.lost == joined.lost
    assert pooled.sent == joined.sent - len(sequences)
    assert pooled.run_count == joined.run_count
    assert pooled.run_max == joined.run_max


def test_restored_from_a_record_pools_as_the_original() -> None:
    original = loss_statistics(BURSTY)
    restored = from_burst_ratio(300, 5, original.burst_ratio, 2)
    assert restored.run_count == pytest.approx(original.run_count)
    assert restored.interval == pytest.approx(original.interval)
    assert from_burst_ratio(20, 20, None).ratio == 1.0
    assert from_burst_ratio(20, 0, None).burst_ratio is None


def test_packets_needed_is_the_first_count_that_clears() -> None:
    needed = packets_needed(0.02, 0.01)
    assert needed is not None
    assert wilson(0.02 * needed, needed)[0] > 0.01
    assert wilson(0.02 * (needed - 1), needed - 1)[0] <= 0.01
    bursty = packets_needed(0.02, 0.01, 2.0)
    assert bursty == 3 * needed
    assert packets_needed(0.01, 0.01) is None
    assert packets_needed(1.0, 0.01) == 1


def test_95_percent_of_a_normal_distribution_lie_within_z() -> None:
    assert pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-15) == Z_95
