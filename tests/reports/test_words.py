"""Numbers as a person reads them, and a word for each member of the closed lists."""

from typing import get_args

import pytest

from nethealth.model.check import ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Direction, FindingCode, Severity, Verdict
from nethealth.model.observation import Observation, Scalar
from reports import words


def test_every_member_of_a_closed_list_has_its_words() -> None:
    assert set(words.CODE_TITLES) == set(get_args(FindingCode))
    assert set(words.PROBE_WORDS) == set(get_args(ProbeKind))
    assert set(words.SEVERITY_WORDS) == set(Severity)
    assert set(words.VERDICT_WORDS) == set(Verdict)
    assert set(words.DIRECTION_WORDS) == set(Direction)
    assert set(words.FAILURE_WORDS) == set(Failure)
    assert set(words.OUTCOME_WORDS) == set(Outcome)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "s", "no data"),
        (0.0, "s", "0.00 ms"),
        (0.00041, "s", "0.41 ms"),
        (0.0123, "s", "12.3 ms"),
        (0.149, "s", "149 ms"),
        (3.21, "s", "3.2 s"),
        (0.0, "1", "0 %"),
        (0.0038, "1", "0.38 %"),
        (0.125, "1", "12.5 %"),
        (1.0, "1", "100 %"),
        (12.4, "d", "12.4 days"),
        (20, "packets", "20 packets"),
        (5060, None, "5060"),
        (503, None, "503"),
        (True, None, "yes"),
        (False, None, "no"),
        ("NOERROR", None, "NOERROR"),
        (float("nan"), "s", "nan"),
        (float("inf"), "1", "inf"),
    ],
)
def test_quantities(value: Scalar, unit: str | None, text: str) -> None:
    assert words.quantity(value, unit) == text


def test_a_missing_value_carries_its_cause() -> None:
    silent = Observation(
        "a/1", "a", "round_trip_delay_median_s", None, "s", failure=Failure.TIMEOUT
    )
    assert words.observed(silent) == "no data (no answer)"


@pytest.mark.parametrize(
    ("name", "value", "unit", "text"),
    [
        ("r_factor", 58.2, "1", "58.2"),
        ("mos_cqe", 3.0, "1", "3"),
        ("packet_loss_ratio", 0.125, "1", "12.5 %"),
        ("packet_loss_burst_ratio", 1.5, "1", "1.5 times chance"),
        ("packets_sent_count", 40, "packets", "40"),
    ],
)
def test_only_a_share_is_a_percentage(name: str, value: float, unit: str, text: str) -> None:
    assert words.observed(Observation("a/1", "a", name, value, unit)) == text


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("round_trip_delay_median_s", "round-trip delay, median"),
        ("sip_response_delay_s", "SIP response delay"),
        ("http_first_byte_time_s", "HTTP first byte time"),
        ("packet_loss_ratio", "packet loss"),
        ("packets_sent_count", "packets sent"),
        ("pdv_p99_s", "delay variation, p99 (pdv)"),
        ("temperature_celsius", "temperature"),
        ("ethernet_fcs_errors_per_s", "ethernet FCS errors"),
        ("e1_controlled_slip_seconds_count", "E1 controlled slip seconds"),
    ],
)
def test_names_of_the_contract_in_words(name: str, label: str) -> None:
    assert words.observation_label(name) == label


def test_lists() -> None:
    assert words.listed([], 3) == ""
    assert words.listed(["a"], 3) == "a"
    assert words.listed(["a", "b", "c"], 3) == "a, b and c"
    assert words.listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"
