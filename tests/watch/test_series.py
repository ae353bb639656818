"""Counts are exact however long a watch lasts; delays are held to numpy's quantiles."""

from random import Random

import numpy as np
import pytest

from nethealth.quality.emodel import estimate
from nethealth.quality.loss import loss_statistics
from nethealth.watch.series import KEPT_MOST, EchoSeries


def test_a_short_series_is_that_of_its_packets() -> None:
    """4 of 10 lost in runs of 1 and 3, as `loss_statistics` counts them."""
    got = [True, False, True, True, False, False, False, True, True, True]
    delays = [0.010, None, 0.012, 0.050, None, None, None, 0.011, 0.014, 0.020]
    series = EchoSeries()
    for delay in delays:
        series.add(delay)
    assert series.loss() == loss_statistics(got)
    answered = [delay for delay in delays if delay is not None]
    found = series.delays.summary()
    assert found is not None
    assert found.median_s == pytest.approx(np.quantile(answered, 0.5))
    assert found.p95_s == pytest.approx(np.quantile(answered, 0.95))
    assert found.pdv_p95_s == pytest.approx(np.quantile(answered, 0.95) - 0.010)
    assert (found.last_s, found.min_s, found.max_s, found.samples) == (0.020, 0.010, 0.050, 6)


def test_the_last_packet_was_lost() -> None:
    series = EchoSeries()
    series.add(0.01)
    series.add(None)
    found = series.delays.summary()
    assert found is not None
    assert found.last_s is None


def test_a_long_series_is_bounded_and_its_counts_exact() -> None:
    random = Random(7)
    series, got, delays = EchoSeries(), [], []
    for _ in range(20_000):
        lost = random.random() < 0.03
        delay = None if lost else random.expovariate(100)
        series.add(delay)
        got.append(not lost)
        delays += [] if delay is None else [delay]
    assert series.loss() == loss_statistics(got)
    assert len(series.delays.values) < KEPT_MOST
    found = series.delays.summary()
    assert found is not None
    assert (found.min_s, found.max_s, found.samples) == (min(delays), max(delays), len(delays))
    assert found.median_s == pytest.approx(np.quantile(delays, 0.5), rel=0.1)
    assert found.p95_s == pytest.approx(np.quantile(delays, 0.95), rel=0.1)


def test_packets_before_the_first_that_was_heard_were_lost() -> None:
    series = EchoSeries(missed=3)
    series.add(0.01)
    assert series.loss() == loss_statistics([False, False, False, True])
    assert EchoSeries().loss() is None


def test_a_score_needs_ten_packets_and_counts_what_comes_too_late() -> None:
    """40 ms of buffer each way: 80 ms above the least of a round trip."""
    series = EchoSeries()
    for _ in range(9):
        series.add(0.020)
    assert series.quality() is None
    series.add(0.101)
    quality = series.quality()
    assert quality is not None
    asked = estimate(one_way_delay_s=0.010, loss_ratio=0.1)
    assert quality.r_factor == pytest.approx(asked.r_factor)
    silent = EchoSeries(missed=20)
    assert silent.quality() is None
