"""Lines and datagrams between a vantage and a witness: to and fro, and whatever else may come."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire.errors import WireError
from nethealth.wire.witness import (
    LINE_MAX,
    OCTETS_MAX,
    OPENING_OCTETS,
    SPOKEN_OCTETS,
    Arrival,
    Bound,
    Hello,
    Opening,
    Refused,
    Speak,
    Spoken,
    Told,
    Welcome,
    Word,
    build_line,
    parse_asked,
    parse_told,
)

TOKEN, NONCE = bytes(range(16)), bytes(range(16, 32))
TOLD: tuple[Told, ...] = (
    Welcome(NONCE, TOKEN, "198.18.102.2", 40_000, 5060, 8630, 8631, "198.18.0.3", 600.0),
    Welcome(NONCE, TOKEN, "2001:db8::1", 40_000, None, 8630, 8631, None, 600.0),
    Arrival("udp", 5060, "198.18.102.2", 40_000, bytes(range(256)), False),
    Arrival("tcp", 8630, "2001:db8::1", 1, b"x" * OCTETS_MAX, True),
    Bound(7, "198.18.0.2", 8630, "198.18.102.2", 40_000),
    Spoken(7, 65_535),
)


@pytest.mark.parametrize("told", TOLD)
def test_what_a_witness_says_is_read_as_it_was_said(told: Told) -> None:
    line = build_line(told)
    assert line.endswith(b"\n")
    assert len(line) - 1 <= LINE_MAX
    assert parse_told(line[:-1]) == told


@pytest.mark.parametrize("asked", [Hello(NONCE), Speak(7, 1, 0.5, "port"), Speak(0, 0, 0.0)])
def test_what_a_vantage_asks_is_read_as_it_was_asked(asked: Hello | Speak) -> None:
    assert parse_asked(build_line(asked)[:-1]) == asked


def test_the_octets_of_a_request_travel_in_base64() -> None:
    line = json.loads(build_line(Arrival("udp", 5060, "::1", 9, b"OPTIONS sip:a SIP/2.0\r\n")))
    assert base64.b64decode(line["octets"]) == b"OPTIONS sip:a SIP/2.0\r\n"
    assert "OPTIONS" not in json.dumps(line)


def test_openings_are_ten_times_as_long_as_the_words_that_they_bring() -> None:
    opening = Opening(TOKEN, NONCE, 300)
    assert len(opening.build()) == OPENING_OCTETS == 256
    assert Opening.parse(opening.build()) == opening
    word = Word(NONCE, 300, 9)
    assert len(word.build()) == SPOKEN_OCTETS == 24
    # by hand from the layout: magic, nonce, binding, serial
    assert word.build() == b"NHS1" + NONCE + b"\x01\x2c" + b"\0\x09"
    assert Word.parse(word.build()) == word


@pytest.mark.parametrize(
    "line",
    [
        b"", b"[]", b"7", b"null", b"{}", b'{"welcome":2}', b'{"welcome":true}', b"\xff\xfe",
        b"[" * 8000, b'{"arrived":"udp"}', b'{"arrived":"sctp","octets":"","cut":false}',
        b'{"arrived":"udp","port":5060,"source":"::1","source_port":1,"octets":"*","cut":false}',
        b'{"arrived":"udp","port":0,"source":"::1","source_port":1,"octets":"","cut":false}',
        b'{"arrived":"udp","port":5060,"source":"here","source_port":1,"octets":"","cut":false}',
        b'{"spoken":1,"serial":65536}', b'{"spoken":true,"serial":1}', b'{"bound":1}',
        b'{"refused":7}', b"x" * (LINE_MAX + 1),
    ],
)  # fmt: skip
def test_what_is_no_line_of_a_witness_is_refused(line: bytes) -> None:
    with pytest.raises(WireError):
        parse_told(line)


def test_more_octets_than_any_request_has_are_refused() -> None:
    line = build_line(Arrival("udp", 5060, "::1", 9, b"x" * (OCTETS_MAX + 1)))
    with pytest.raises(WireError, match="at most 4096"):
        parse_told(line[:-1])


@pytest.mark.parametrize(
    "line",
    [
        b'{"hello":1}', b'{"hello":1,"nonce":"zz"}', b'{"hello":2,"nonce":""}', b'{"speak":1}',
        b'{"speak":1,"serial":1,"after_s":-1,"place":"same"}',
        b'{"speak":1,"serial":1,"after_s":NaN,"place":"same"}',
        b'{"speak":1,"serial":1,"after_s":true,"place":"same"}',
        b'{"speak":1,"serial":1,"after_s":1,"place":"198.18.0.9"}', b"{" + b" " * 600,
    ],
)  # fmt: skip
def test_what_no_vantage_asks_is_refused(line: bytes) -> None:
    with pytest.raises(WireError):
        parse_asked(line)


def test_a_refusal_is_shown_printable_and_short() -> None:
    told = parse_told(json.dumps({"refused": "\x1b[31m" + "x" * 500}).encode())
    assert isinstance(told, Refused)
    assert told.reason.isprintable()
    assert len(told.reason) < 100


@given(st.binary(max_size=600))
def test_any_octets_are_read_or_refused(data: bytes) -> None:
    for read in (parse_told, parse_asked, Opening.parse, Word.parse):
        try:
            read(data)
        except WireError:
            continue


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
_KEYS = (
    "hello", "nonce", "speak", "serial", "after_s", "place", "welcome", "token", "source",
    "source_port", "arrived", "octets", "cut", "bound", "spoken", "refused", "port", "address",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(_KEYS), _JSON, max_size=8))
def test_any_object_is_read_or_refused(fields: dict[str, object]) -> None:
    line = json.dumps(fields).encode()
    for read in (parse_told, parse_asked):
        try:
            read(line)
        except WireError:
            continue
