"""One flow's bookkeeping: scenarios of sendings and arrivals, with what must be made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.model.ports import EchoEvent
from nethealth.protocol.echo import KINDS_OF_ERROR_MAX, EchoSession, ErrorKind, Status

HOST, ROUTER = "192.0.2.9", "192.0.2.254"


def reply(sequence: int, at_s: float, source: str = HOST, **more: int) -> EchoEvent:
    return EchoEvent(sequence, at_s, source, "reply", 0, 0, **more)


def error(sequence: int, at_s: float, source: str = ROUTER, code: int = 1) -> EchoEvent:
    return EchoEvent(sequence, at_s, source, "error", 3, code)


def session_of(count: int, *, interval_s: float = 1.0, timeout_s: float = 2.0) -> EchoSession:
    session = EchoSession(HOST, timeout_s)
    for sequence in range(count):
        session.sent(sequence, sequence * interval_s)
    return session


def test_answered_late_and_lost_are_three_things() -> None:
    session = session_of(4)
    session.received(reply(0, 0.25))
    session.received(reply(2, 2.5))
    session.received(reply(1, 3.5))  # 2.5 s after it was sent
    assert session.statuses() == (Status.ANSWERED, Status.LATE, Status.ANSWERED, Status.AWAITED)
    session.expire(4.999)
    assert session.statuses()[3] is Status.AWAITED
    session.expire(5.0)
    assert session.statuses()[3] is Status.LOST
    assert session.round_trip_delays_s() == (0.25, None, 0.5, None)


def test_a_reply_read_after_its_wait_counts_by_when_it_came() -> None:
    session = session_of(1)
    session.expire(2.1)
    session.received(reply(0, 1.5))
    assert session.statuses() == (Status.ANSWERED,)
    assert session.awaited_until_s is None


def test_copies_are_counted_and_change_nothing() -> None:
    session = session_of(2)
    for at_s in (0.1, 0.2, 1.9):
        session.received(reply(0, at_s))
    assert session.duplicate_count == 2
    assert session.round_trip_delays_s() == (0.1, None)


def test_a_reply_from_elsewhere_is_no_answer() -> None:
    session = session_of(1)
    session.received(reply(0, 0.1, source=ROUTER))
    assert session.statuses() == (Status.AWAITED,)
    assert session.duplicate_count == 0


def test_an_unknown_sequence_is_ignored() -> None:
    session = session_of(1)
    session.received(reply(7, 0.1))
    session.received(error(7, 0.1))
    assert session.statuses() == (Status.AWAITED,)
    assert not session.errors


def test_errors_are_told_apart_and_do_not_end_the_wait() -> None:
    session = session_of(3)
    session.received(error(0, 0.1))
    session.received(error(1, 1.1))
    session.received(error(1, 1.2, code=13))
    session.received(error(2, 2.1, source="198.51.100.1"))
    session.received(reply(2, 2.3))
    assert session.errors == {
        ErrorKind(3, 1, ROUTER): 2,
        ErrorKind(3, 13, ROUTER): 1,
        ErrorKind(3, 1, "198.51.100.1"): 1,
    }
    assert session.statuses() == (Status.AWAITED, Status.AWAITED, Status.ANSWERED)


def test_forged_errors_fill_no_memory() -> None:
    session = session_of(1)
    for number in range(1000):
        session.received(error(0, 0.1, source=f"198.51.100.{number}"))
    assert len(session.errors) == KINDS_OF_ERROR_MAX + 1
    for code in range(256):
        session.received(error(0, 0.1, code=code))
    assert len(session.errors) == KINDS_OF_ERROR_MAX + 1
    assert session.errors[ErrorKind(3, None, None)] == 1256 - KINDS_OF_ERROR_MAX


def test_the_wait_ends_with_the_last_that_is_awaited() -> None:
    session = session_of(3)
    assert session.awaited_until_s == 4.0
    session.received(reply(2, 2.1))
    assert session.awaited_until_s == 3.0
    session.received(reply(0, 0.1))
    session.received(reply(1, 1.1))
    assert session.awaited_until_s is None


def test_a_flow_cut_short_keeps_only_packets_whose_wait_was_over() -> None:
    session = session_of(4)
    for sequence in (0, 2, 3):
        session.received(reply(sequence, sequence + 0.1))
    session.forget_unfinished(3.5)
    session.expire(3.5)
    assert session.statuses() == (Status.ANSWERED, Status.LOST)


def test_hop_limits_and_code_points_of_answers() -> None:
    session = session_of(3)
    session.received(reply(0, 0.1, ttl=64, dscp=46))
    session.received(reply(1, 1.1, ttl=63, dscp=0))
    session.received(reply(2, 2.1, ttl=64, dscp=0))
    assert session.ttls == {64: 2, 63: 1}
    assert session.dscps == {46: 1, 0: 2}


def test_a_number_is_used_once() -> None:
    session = session_of(1)
    with pytest.raises(ValueError, match="sequence 0"):
        session.sent(0, 1.0)


arrivals = st.tuples(
    st.integers(-1, 6),
    st.floats(0, 20, allow_nan=False),
    st.sampled_from([HOST, ROUTER]),
    st.booleans(),
)


@given(st.lists(arrivals, max_size=40))
def test_whatever_comes_every_packet_has_one_status(
    what: list[tuple[int, float, str, bool]],
) -> None:
    session = session_of(5)
    answers = 0
    for sequence, after_s, source, is_reply in what:
        at_s = max(sequence, 0) + after_s
        session.received(
            reply(sequence, at_s, source) if is_reply else error(sequence, at_s, source)
        )
        answers += is_reply and source == HOST and 0 <= sequence < 5
    session.expire(100.0)
    statuses = session.statuses()
    assert len(statuses) == 5
    assert Status.AWAITED not in statuses
    assert session.awaited_until_s is None
    came = statuses.count(Status.ANSWERED) + statuses.count(Status.LATE)
    assert came + session.duplicate_count == answers
    for status, delay_s in zip(statuses, session.round_trip_delays_s(), strict=True):
        assert (delay_s is not None) == (status is Status.ANSWERED)
        assert delay_s is None or 0 <= delay_s <= 2.0
