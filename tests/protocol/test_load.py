"""The lines of a load, whom the service serves, and its pace."""

from contextlib import suppress
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.protocol.load import (
    LoadGate,
    LoadRequest,
    Pace,
    Refusal,
    Way,
    answer,
    parse_answer,
)
from nethealth.wire.errors import WireError

LINE = b"NETHEALTH-LOAD/1 take 4000000 5.000\n"


def gate() -> LoadGate:
    return LoadGate([ip_network("198.18.0.0/24"), ip_network("2001:db8::/64")], 10e6, 20.0)


def test_a_request_is_the_line_of_the_page() -> None:
    asked = LoadRequest(Way.TAKE, 4_000_000, 5.0)
    assert asked.build() == LINE
    assert LoadRequest.parse(LINE) == asked


@pytest.mark.parametrize("line", [
    b"", b"\n", LINE[:-1], LINE.replace(b"take", b"eat"), LINE.replace(b"/1", b"/2"),
    LINE.replace(b"4000000", b"-1"), LINE.replace(b"4000000", b"0"),
    LINE.replace(b"4000000", b"4e6"), LINE.replace(b"5.000", b"0.000"),
    LINE.replace(b"5.000", b"nan"), LINE.replace(b"5.000", b"1e9"), LINE.replace(b" ", b"  "),
    LINE.replace(b"4000000", b"9" * 400), LINE.replace(b"4000000", "\u0663".encode()), LINE + LINE,
])  # fmt: skip
def test_what_is_no_request(line: bytes) -> None:
    with pytest.raises(WireError):
        LoadRequest.parse(line)
    assert gate().begin(line) is Refusal.MALFORMED


@given(st.binary(max_size=300))
def test_any_octets_are_a_request_or_a_wire_error(line: bytes) -> None:
    for read in (LoadRequest.parse, parse_answer):
        with suppress(WireError):
            read(line)


def test_an_answer_says_why() -> None:
    assert parse_answer(answer(None)) is None
    assert parse_answer(answer(Refusal.BUSY)) == "another load is running"
    with pytest.raises(WireError):
        parse_answer(b"HTTP/1.1 400 Bad Request\n")


def test_whom_it_serves() -> None:
    service = gate()
    assert service.refuse_peer("198.18.0.7") is None
    assert service.refuse_peer("2001:db8::7") is None
    assert service.refuse_peer("198.18.1.7") is Refusal.NOT_ALLOWED
    assert service.refuse_peer("2001:db8:0:1::7") is Refusal.NOT_ALLOWED
    assert service.refused == {Refusal.NOT_ALLOWED: 2}


def test_the_caps_and_one_at_a_time() -> None:
    service = gate()
    assert service.begin(LINE.replace(b"4000000", b"10000001")) is Refusal.TOO_FAST
    assert service.begin(LINE.replace(b"5.000", b"20.001")) is Refusal.TOO_LONG
    assert isinstance(service.begin(LINE), LoadRequest)
    assert service.begin(LINE) is Refusal.BUSY
    service.end()
    assert isinstance(service.begin(LINE), LoadRequest)


def test_a_pace_keeps_the_rate_and_saves_up_no_burst() -> None:
    # 8 Mbit/s is 1000 octets a millisecond; 20 ms of it is the most that may leave together.
    pace = Pace(8e6, 100.0)
    assert pace.free(100.0) == 0
    assert pace.free(100.005) == pytest.approx(5000, abs=1)
    pace.passed(5000)
    assert pace.free(100.005) <= 1
    assert pace.free(160.0) == 20_000
    pace.passed(20_000)
    total, now_s = 0, 160.0
    for _ in range(1000):  # ten seconds in steps of 10 ms: 10 MB, and no octet more
        now_s += 0.01
        octets = pace.free(now_s)
        pace.passed(octets)
        total += octets
    assert total == pytest.approx(10_000_000, rel=0.001)
    assert total <= 10_000_000


def test_a_clock_that_goes_back_gives_nothing() -> None:
    pace = Pace(8e6, 100.0)
    assert pace.free(99.0) == 0
    assert pace.free(100.0) == 0
