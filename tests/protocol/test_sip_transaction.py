"""The client transaction against RFC 3261 section 17.1.2, with time as a number."""

import pytest

from nethealth.protocol.sip_transaction import ClientTransaction, State
from nethealth.wire.errors import WireError
from nethealth.wire.sip import CSeq

REQUEST = b"OPTIONS sip:a SIP/2.0\r\n\r\n"


def transaction(*, reliable: bool = False, timeout_s: float = 32.0) -> ClientTransaction:
    return ClientTransaction(
        REQUEST,
        branch="z9hG4bKabc",
        sent_by="192.0.2.7:5060",
        cseq=CSeq(1, "OPTIONS"),
        reliable=reliable,
        timeout_s=timeout_s,
    )


def answer(
    code: int = 200,
    *,
    branch: str = "z9hG4bKabc",
    sent_by: str = "192.0.2.7:5060",
    cseq: str = "1 OPTIONS",
    more: str = "",
) -> bytes:
    return (
        f"SIP/2.0 {code} Words\r\nVia: SIP/2.0/UDP {sent_by};branch={branch};rport=5060\r\n{more}"
        f"CSeq: {cseq}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def run(one: ClientTransaction, *, until_s: float, arrivals: dict[float, bytes]) -> list[float]:
    """Drive it as its owner would; the times of transmission."""
    sent_s = []
    now = 0.0
    pending = sorted(arrivals.items())
    while True:
        if one.due(now) is not None:
            one.transmitted(now)
            sent_s.append(now)
        times = [one.next_deadline_s, pending[0][0] if pending else None]
        steps = [time for time in times if time is not None and time <= until_s]
        if not one.is_open or not steps:
            return sent_s
        now = min(steps)
        if pending and pending[0][0] == now:
            one.receive_datagram(pending.pop(0)[1], now)


def test_timers_e_and_f_without_an_answer() -> None:
    """Section 17.1.2.2: T1, doubled up to T2, until 64*T1."""
    one = transaction()
    sent_s = run(one, until_s=100.0, arrivals={})
    assert sent_s == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert one.state is State.TIMED_OUT
    assert one.next_deadline_s is None
    assert one.due(200.0) is None
    assert not one.first_transmission_answered


def test_a_smaller_timeout_ends_it_sooner_and_a_greater_does_not() -> None:
    assert run(transaction(timeout_s=2.0), until_s=100.0, arrivals={}) == [0.0, 0.5, 1.5]
    one = transaction(timeout_s=64.0)
    run(one, until_s=32.0, arrivals={})
    assert one.state is State.TIMED_OUT


def test_a_reliable_transport_sends_once() -> None:
    one = transaction(reliable=True)
    assert run(one, until_s=100.0, arrivals={}) == [0.0]
    assert one.state is State.TIMED_OUT


def test_the_first_copy_answered() -> None:
    one = transaction()
    assert run(one, until_s=100.0, arrivals={0.02: answer()}) == [0.0]
    assert one.state is State.COMPLETED
    assert one.final is not None
    assert one.final.status_code == 200
    assert (one.first_sent_s, one.answered_s) == (0.0, 0.02)
    assert one.first_transmission_answered
    assert one.answered_after_last_copy_s is None


def test_an_answer_after_a_retransmission_has_no_known_delay() -> None:
    one = transaction()
    run(one, until_s=100.0, arrivals={0.6: answer(503)})
    assert one.transmission_count == 2
    assert not one.first_transmission_answered
    assert one.answered_after_last_copy_s == pytest.approx(0.1)


def test_an_answer_that_the_kernel_had_before_the_second_copy_went() -> None:
    """The receive stamp decides, not the moment at which it was read."""
    one = transaction()
    for sent_s in (0.0, 0.5):
        assert one.due(sent_s) == REQUEST
        one.transmitted(sent_s)
    one.receive_datagram(answer(), 0.49)
    assert one.transmission_count == 1
    assert one.first_transmission_answered


def test_after_a_provisional_the_copies_go_at_t2() -> None:
    """Section 17.1.2.2: timer E that runs is left; when it fires it is set to T2."""
    one = transaction()
    sent_s = run(one, until_s=13.0, arrivals={0.1: answer(100), 12.9: answer(200)})
    assert sent_s == [0.0, 0.5, 4.5, 8.5, 12.5]
    assert one.last_provisional is not None
    assert one.state is State.COMPLETED


def test_provisional_answers_alone_do_not_put_off_the_end() -> None:
    one = transaction()
    run(one, until_s=100.0, arrivals={step / 2: answer(100) for step in range(1, 80)})
    assert one.state is State.TIMED_OUT
    assert one.final is None


@pytest.mark.parametrize(
    "octets",
    [
        answer(branch="z9hG4bKother"),
        answer(sent_by="192.0.2.8:5060"),  # section 18.1.2
        answer(sent_by="192.0.2.7"),
        answer(cseq="1 INVITE"),
        answer(cseq="2 OPTIONS"),
        answer(more="Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"),  # section 8.1.3.3
        b"OPTIONS sip:us SIP/2.0\r\nContent-Length: 0\r\n\r\n",
        answer().replace(b"SIP/2.0 200 Words", b"OPTIONS sip:us SIP/2.0"),  # our own, sent back
    ],
)
def test_answers_to_something_else(octets: bytes) -> None:
    one = transaction()
    run(one, until_s=0.4, arrivals={0.1: octets})
    assert (one.foreign_count, one.malformed_count) == (1, 0)
    assert one.state is State.TRYING
    assert one.first_fault is not None


@pytest.mark.parametrize(
    "octets",
    [
        b"\x80\x00" * 600,
        b"SIP/2.0 200 OK\r\n\r\n",
        b"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\n\r\n",
        answer(cseq="99999999999 OPTIONS"),
        answer(more="Via: nonsense\r\n"),
    ],
)
def test_answers_that_are_malformed(octets: bytes) -> None:
    one = transaction()
    run(one, until_s=0.4, arrivals={0.1: octets, 0.2: b"second"})
    assert (one.foreign_count, one.malformed_count) == (0, 2)
    assert one.first_malformed == octets[:512]
    assert one.first_fault
    assert one.state is State.TRYING


def test_branch_and_sent_by_are_compared_without_case() -> None:
    """Section 7.3.1: values are case-insensitive unless said otherwise."""
    one = transaction()
    run(one, until_s=1.0, arrivals={0.1: answer(branch="Z9HG4BKABC")})
    assert one.state is State.COMPLETED


def test_a_second_copy_of_the_answer_changes_nothing() -> None:
    one = transaction()
    run(one, until_s=1.0, arrivals={0.1: answer()})
    one.receive_datagram(answer(503), 0.2)
    assert one.final is not None
    assert one.final.status_code == 200
    assert one.answered_s == 0.1


def test_octets_that_a_stream_parser_refused_are_counted() -> None:
    one = transaction(reliable=True)
    one.receive_malformed(b"x" * 1000, WireError("why"))
    assert (one.malformed_count, one.first_malformed, one.first_fault) == (1, b"x" * 512, "why")
