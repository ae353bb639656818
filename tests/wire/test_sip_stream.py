"""SIP out of a stream: framing, keep-alives, limits, and the same whichever way it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire.errors import WireError
from nethealth.wire.sip import MESSAGE_MAX_OCTETS, SipMessage, SipResponse
from nethealth.wire.sip_stream import SipStreamParser

FIRST = b"SIP/2.0 100 Trying\r\nContent-Length: 0\r\n\r\n"
SECOND = b"SIP/2.0 200 OK\r\nl: 5\r\n\r\nhello"
BROKEN = b"SIP/2.0 200 OK\r\nno colon\r\n\r\n"


def read(pieces: list[bytes]) -> tuple[list[SipMessage], str | None]:
    parser = SipStreamParser()
    messages: list[SipMessage] = []
    for piece in [*pieces, b""]:
        try:
            messages += parser.feed(piece)
        except WireError as error:
            return messages, str(error)
    return messages, None


def test_two_messages_with_keep_alives_between() -> None:
    parser = SipStreamParser()
    messages = parser.feed(b"\r\n\r\n" + FIRST + b"\r\n\r\n" + SECOND)
    assert [m.status_code for m in messages if isinstance(m, SipResponse)] == [100, 200]
    assert messages[1].body == b"hello"
    assert parser.pending_octets == 0


def test_the_end_of_a_message_is_awaited() -> None:
    parser = SipStreamParser()
    assert parser.feed(SECOND[:-1]) == []
    assert parser.pending_octets > 0
    assert len(parser.feed(SECOND[-1:])) == 1


def test_whole_messages_come_before_the_error_that_follows_them() -> None:
    parser = SipStreamParser()
    assert len(parser.feed(FIRST + BROKEN)) == 1
    for _ in range(2):
        with pytest.raises(WireError, match="not a header"):
            parser.feed(FIRST)


def test_a_stream_needs_content_length() -> None:
    assert read([b"SIP/2.0 200 OK\r\n\r\n"])[1] is not None


def test_headers_without_end() -> None:
    line = b"A: b\r\n"
    parser = SipStreamParser()
    with pytest.raises(WireError, match="headers of more than"):
        for _ in range(MESSAGE_MAX_OCTETS // len(line) + 2):
            parser.feed(line)
    assert parser.pending_octets == 0, "nothing is kept after the fault"


def test_a_body_beyond_the_limit_is_refused_before_it_comes() -> None:
    head = f"SIP/2.0 200 OK\r\nContent-Length: {MESSAGE_MAX_OCTETS + 1}\r\n\r\n".encode()
    assert read([head])[1] is not None


@pytest.mark.parametrize("stream", [FIRST + SECOND, b"\n\r\n" + SECOND + FIRST, FIRST + BROKEN])
def test_one_octet_at_a_time(stream: bytes) -> None:
    assert read([bytes([octet]) for octet in stream]) == read([stream])


@given(
    st.lists(st.sampled_from([FIRST, SECOND, BROKEN, b"\r\n", b"\x00", b"l: 1\r\n\r\n"])),
    st.lists(st.integers(1, 30), min_size=1),
)
def test_however_the_stream_is_cut(parts: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(parts)
    pieces, start, turn = [], 0, 0
    while start < len(stream):
        size = sizes[turn % len(sizes)]
        pieces.append(stream[start : start + size])
        start, turn = start + size, turn + 1
    assert read(pieces) == read([stream])


@given(st.binary(max_size=3000))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    read([octets])
