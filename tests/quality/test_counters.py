"""Counters against wraps worked out by hand, restarts, and readings that no device could give."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.quality.counters import (
    UPTIME_WRAP_S,
    NoRate,
    Rate,
    Reading,
    frames_most_per_s,
    octets_most_per_s,
    rate,
    restarted,
)

GIGABIT = octets_most_per_s(1e9)
FAST = octets_most_per_s(100e6)


def readings(
    first: int, second: int, seconds: float, *, bits: int = 64, uptime_s: float | None = 1000.0
) -> tuple[Reading, Reading]:
    """Two readings of a device that ran on all the time."""
    later_s = None if uptime_s is None else uptime_s + seconds
    width: Literal[32, 64] = 32 if bits == 32 else 64
    return (
        Reading(first, 50.0, uptime_s, bits=width),
        Reading(second, 50.0 + seconds, later_s, bits=width),
    )


def test_a_plain_difference() -> None:
    # 125,000,000 octets in 10 s are 100 Mb/s.
    assert rate(*readings(5, 125_000_005, 10.0), most_per_s=GIGABIT) == Rate(
        12_500_000.0, 125_000_000, 10.0, wrapped=False
    )


@pytest.mark.parametrize(("most_per_s", "wrap_s"), [(GIGABIT, 34.4), (FAST, 343.6)])
def test_how_long_32_bits_of_octets_last(most_per_s: float, wrap_s: float) -> None:
    # 2^32 octets at 125,000,000 a second are 34.36 s, at 12,500,000 343.6 s.
    assert 2**32 / most_per_s == pytest.approx(wrap_s, abs=0.05)
    below = rate(*readings(0, 100, wrap_s - 0.1, bits=32), most_per_s=most_per_s)
    above = rate(*readings(0, 100, wrap_s + 0.1, bits=32), most_per_s=most_per_s)
    assert isinstance(below, Rate)
    assert above is NoRate.MAY_WRAP_TWICE


def test_a_wrap_of_32_bits() -> None:
    # From 4,294,967,290 it is 6 to zero, and 94 on: 100 in 20 s.
    assert rate(*readings(4_294_967_290, 94, 20.0, bits=32), most_per_s=GIGABIT) == Rate(
        5.0, 100, 20.0, wrapped=True
    )


def test_64_bits_do_not_wrap() -> None:
    assert rate(*readings(2**64 - 6, 94, 20.0), most_per_s=GIGABIT) is NoRate.RESET


def test_a_counter_that_was_cleared_is_no_wrap() -> None:
    # 3,000,000,000 to 0 would be 1,294,967,296 more in 10 s: 1.04 Gb/s over a link of 10 Mb/s.
    cleared = readings(3_000_000_000, 0, 10.0, bits=32)
    assert rate(*cleared, most_per_s=octets_most_per_s(10e6)) is NoRate.RESET


def test_a_counter_of_unknown_speed_that_went_down_is_no_wrap() -> None:
    assert rate(*readings(2**32 - 1, 0, 10.0, bits=32), most_per_s=None) is NoRate.RESET
    assert rate(*readings(3, 5, 10.0, bits=32), most_per_s=None) == Rate(0.2, 2, 10.0, False)


def test_a_restart_shows_by_an_uptime_that_went_back() -> None:
    before = Reading(2**32 - 1, 0.0, 86_400.0, bits=32)
    after = Reading(500, 60.0, 30.0, bits=32)
    assert rate(before, after, most_per_s=GIGABIT) is NoRate.RESTARTED
    assert restarted(before, after) is True


def test_a_restart_shows_by_an_uptime_that_grew_too_little() -> None:
    # Asked 40 s after its start, and an hour later 1,800 s after its next one.
    before, after = Reading(100, 0.0, 40.0), Reading(90_000, 3600.0, 1800.0)
    assert rate(before, after, most_per_s=GIGABIT) is NoRate.RESTARTED


def test_an_uptime_that_wraps_after_497_days_is_no_restart() -> None:
    days = UPTIME_WRAP_S / 86_400
    assert days == pytest.approx(497.1, abs=0.05)
    before, after = Reading(0, 0.0, UPTIME_WRAP_S - 20), Reading(600, 60.0, 40.0)
    assert rate(before, after, most_per_s=GIGABIT) == Rate(10.0, 600, 60.0, wrapped=False)
    assert restarted(before, after) is False


def test_the_devices_own_clock_gives_the_interval() -> None:
    # Our clock read 10.5 s because the second answer was late; the device counted for 10.0 s.
    before, after = Reading(0, 0.0, 100.0), Reading(100, 10.5, 110.0)
    assert rate(before, after, most_per_s=None) == Rate(10.0, 100, 10.0, wrapped=False)


def test_a_discontinuity_of_one_interface() -> None:
    before = Reading(900, 0.0, 100.0, discontinuity_s=0.0)
    after = Reading(950, 10.0, 110.0, discontinuity_s=105.0)
    assert rate(before, after, most_per_s=GIGABIT) is NoRate.DISCONTINUITY


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_no_interval_gives_no_rate(seconds: float) -> None:
    assert rate(*readings(0, 1, seconds, uptime_s=None), most_per_s=None) is NoRate.NO_INTERVAL


def test_a_clock_that_stands_still() -> None:
    assert rate(Reading(0, 0.0, 5.0), Reading(9, 1.0, 5.0), most_per_s=1e9) is NoRate.NO_INTERVAL


def test_an_uptime_that_runs_away() -> None:
    before, after = Reading(0, 0.0, 100.0), Reading(9, 10.0, 9000.0)
    assert rate(before, after, most_per_s=None) is NoRate.CLOCKS_DISAGREE


def test_more_than_the_link_can_carry() -> None:
    # 10 Mb/s is 1,250,000 octets a second; 10^15 in 10 s is a lie.
    lie = readings(0, 10**15, 10.0)
    assert rate(*lie, most_per_s=octets_most_per_s(10e6)) is NoRate.FASTER_THAN_LINK


def test_a_device_that_renews_its_counters_rarely_is_believed() -> None:
    # Full speed for 10 s before the first reading, handed over between the two.
    late = readings(0, 12_500_000 * 2, 1.0)
    assert isinstance(rate(*late, most_per_s=FAST), Rate)


def test_frames_of_ethernet() -> None:
    assert frames_most_per_s(1e9) == pytest.approx(1_488_095, abs=1)  # the known 1.488 Mpps


@pytest.mark.parametrize("values", [(-1, 5), (0, 2**32), (2**70, 2**70)])
def test_what_no_counter_can_hold(values: tuple[int, int]) -> None:
    assert rate(*readings(*values, 10.0, bits=32), most_per_s=None) is NoRate.NOT_A_COUNTER


@given(
    st.integers(0, 2**32 - 1), st.integers(0, 10**9), st.floats(1.0, 30.0),
)  # fmt: skip
def test_whatever_a_link_of_1_gbit_s_carries_is_found_again(
    first: int, increase: int, seconds: float
) -> None:
    carried = min(increase, int(GIGABIT * seconds))
    found = rate(*readings(first, (first + carried) % 2**32, seconds, bits=32), most_per_s=GIGABIT)
    assert isinstance(found, Rate)
    assert found.increase == carried
    assert found.wrapped == (first + carried >= 2**32)
