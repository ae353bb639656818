"""A witness in memory: whom it answers, with how much, and what it never does."""

from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.protocol.reflector_peers import Peers
from nethealth.protocol.witness import (
    ARRIVALS_MAX,
    BINDINGS_MAX,
    CONNECTIONS_MAX,
    CONNECTIONS_OF_A_PEER_MAX,
    HELLO_MOST_S,
    PENDING_MAX,
    SESSION_MOST_S,
    SPEAK_MOST_S,
    Action,
    Came,
    Hang,
    Listening,
    Say,
    Tell,
    Witness,
    WitnessRefusal,
)
from nethealth.wire.witness import (
    BUSY,
    Arrival,
    Asked,
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
    parse_told,
)

PEER, OWN, OTHER = "198.18.102.2", "198.18.0.2", "198.18.0.3"
NONCE = bytes(16)
PORTS = Listening(5060, 8630, 8631, (OWN, OTHER, "2001:db8::2"))


def witness(rate: float = 1e6, listening: Listening = PORTS) -> Witness:
    numbers = iter(range(1, 1000))
    peers = Peers([ip_network("198.18.102.0/24"), ip_network("2001:db8:2::/64")], rate)
    return Witness(peers, listening, lambda count: next(numbers).to_bytes(count, "big"))


def said(actions: Iterable[Action]) -> list[Told]:
    return [parse_told(one.line[:-1]) for one in actions if isinstance(one, Tell)]


def ask(one: Witness, asked: Asked, now_s: float = 0.0, connection: int = 1) -> list[Told]:
    return said(one.line(connection, build_line(asked)[:-1], now_s))


def session(one: Witness, connection: int = 1, address: str = PEER) -> bytes:
    """A session's token."""
    assert one.connected(connection, address, 4000 + connection, OWN, 0.0)
    (welcome,) = ask(one, Hello(NONCE), connection=connection)
    assert isinstance(welcome, Welcome)
    return welcome.token


def came(data: bytes, port: int = 8630, source: tuple[str, int] = (PEER, 7000)) -> Came:
    return Came(data, *source, OWN, port, 0.0)


def opened(one: Witness, token: bytes, number: int = 1) -> tuple[Action, ...]:
    return one.datagram(came(Opening(token, NONCE, number).build()))


def test_a_welcome_says_what_it_sees_and_where_it_listens() -> None:
    one = witness()
    assert one.connected(1, PEER, 4001, OWN, 0.0)
    (told,) = ask(one, Hello(b"n" * 16))
    token = (1).to_bytes(16, "big")
    assert told == Welcome(b"n" * 16, token, PEER, 4001, 5060, 8630, 8631, OTHER, SPEAK_MOST_S)


def test_strangers_and_those_in_a_hurry_are_refused() -> None:
    one = witness(rate=2)
    assert not one.connected(1, "198.18.103.1", 4000, OWN, 0.0)
    assert one.datagram(came(b"x", source=("203.0.113.1", 9))) == ()
    assert one.refused[WitnessRefusal.NOT_ALLOWED] == 2
    assert [one.datagram(came(b"x")) for _ in range(5)] == [()] * 5
    assert one.refused[WitnessRefusal.TOO_FAST] == 3


def test_what_is_dropped_for_haste_is_told_once_to_the_session_that_it_spoils() -> None:
    one = witness(rate=4)
    token = session(one)  # the connection and its hello
    opened(one, token, 1)
    opened(one, token, 2)
    assert said(opened(one, token, 3)) == [Refused(BUSY)]
    assert opened(one, token, 4) == ()


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "128.0.0.0/1"])
def test_no_witness_is_open_to_the_world(network: str) -> None:
    with pytest.raises(ValueError, match="open to the world"):
        Peers([ip_network(network)], 100)


def test_a_request_with_the_token_is_told_octet_for_octet_and_never_answered_by_udp() -> None:
    one = witness()
    token = session(one).hex().encode()
    octets = b"OPTIONS sip:x SIP/2.0\r\nCall-ID: " + token + b"x1@\xff\r\n\r\n"
    actions = one.datagram(came(octets, 5060))
    assert not [action for action in actions if isinstance(action, Say)]
    assert said(actions) == [Arrival("udp", 5060, PEER, 7000, octets)]
    assert said(one.stream(came(octets, 5060))) == [Arrival("tcp", 5060, PEER, 7000, octets)]
    (long,) = said(one.datagram(came(octets + b"x" * 9000, 5060)))
    assert isinstance(long, Arrival)
    assert long.cut


def test_what_bears_no_token_is_answered_by_silence() -> None:
    one = witness()
    session(one)
    for data in (
        b"",
        b"OPTIONS sip:x SIP/2.0\r\n\r\n",
        b"f" * 32,
        Opening(b"?" * 16, NONCE, 1).build(),
    ):
        assert one.datagram(came(data, 5060)) == ()
    assert one.refused[WitnessRefusal.NO_SESSION] == 4


def test_an_opening_brings_one_word_and_speak_brings_one_more_when_it_is_due() -> None:
    one = witness()
    token = session(one)
    say, tell = opened(one, token)
    assert say == Say(Word(NONCE, 1, 0).build(), OWN, 8630, PEER, 7000)
    assert said([tell]) == [Bound(1, OWN, 8630, PEER, 7000)]
    assert ask(one, Speak(1, 5, 30.0)) == []
    assert one.next_due_s == 30.0
    assert one.due(29.9) == ()
    say, tell = one.due(30.0)
    assert say == Say(Word(NONCE, 1, 5).build(), OWN, 8630, PEER, 7000)
    assert said([tell]) == [Spoken(1, 5)]
    assert one.due(1000.0) == ()


def test_it_speaks_from_another_port_or_address_to_the_same_source() -> None:
    one = witness()
    opened(one, session(one))
    for serial, (place, local) in enumerate(
        (("same", (OWN, 8630)), ("port", (OWN, 8631)), ("address", (OTHER, 8630))), 1
    ):
        line = b'{"speak":1,"serial":%d,"after_s":0,"place":"%s"}' % (serial, place.encode())
        assert one.line(1, line, 0.0) == ()
        say = one.due(0.0)[0]
        assert isinstance(say, Say)
        assert (say.local_address, say.local_port) == local
        assert (say.address, say.port) == (PEER, 7000)


def test_what_it_will_not_do_is_said() -> None:
    one = witness(listening=Listening(5060, 8630, 8631))
    opened(one, session(one))
    for speak in (Speak(2, 1, 0.0), Speak(1, 1, SPEAK_MOST_S + 1), Speak(1, 1, 0.0, "address")):
        (told,) = ask(one, speak)
        assert isinstance(told, Refused)
    for number in range(PENDING_MAX):
        assert ask(one, Speak(1, number % 100, 5.0)) == []
    assert isinstance(ask(one, Speak(1, 1, 5.0))[0], Refused)


def test_with_the_session_ends_all_that_was_to_be_said() -> None:
    one = witness()
    token = session(one)
    opened(one, token)
    ask(one, Speak(1, 1, 1.0))
    one.closed(1)
    assert one.due(10.0) == ()
    assert opened(one, token) == ()
    assert one.session_count == 0


@pytest.mark.parametrize("line", [b"", b"GET / HTTP/1.1", b'{"speak":1}', b'{"hello":1}'])
def test_who_speaks_otherwise_is_hung_up_on(line: bytes) -> None:
    one = witness()
    one.connected(1, PEER, 4000, OWN, 0.0)
    tell, hang = one.line(1, line, 0.0)
    assert isinstance(said([tell])[0], Refused)
    assert hang == Hang(1)


def test_its_rooms_have_walls() -> None:
    one = witness()
    token = session(one)
    for number in range(2, CONNECTIONS_OF_A_PEER_MAX + 1):
        assert one.connected(number, PEER, number, OWN, 0.0)
    assert not one.connected(99, PEER, 99, OWN, 0.0)
    for number in range(BINDINGS_MAX):
        assert opened(one, token, number)
    assert opened(one, token, BINDINGS_MAX) == ()
    request = came(token.hex().encode(), 5060)
    assert all(one.datagram(request) for _ in range(ARRIVALS_MAX))
    assert one.datagram(request) == ()
    for number in range(100, 100 + CONNECTIONS_MAX):
        one.connected(number, f"198.18.102.{number}", 1, OWN, 0.0)
    assert not one.connected(999, "198.18.102.99", 1, OWN, 0.0)
    assert one.refused[WitnessRefusal.NO_ROOM] >= 4


def test_who_says_nothing_and_who_stays_for_ever_has_to_go() -> None:
    one = witness()
    session(one)
    one.connected(2, PEER, 2, OWN, 0.0)
    assert one.due(HELLO_MOST_S) == ()
    assert one.due(HELLO_MOST_S + 1) == (Hang(2),)
    one.closed(2)
    assert one.due(SESSION_MOST_S + 1) == (Hang(1),)


SOURCES = tuple((f"198.18.102.{host}", port) for host in (2, 3) for port in (7000, 7001))


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("open"), st.sampled_from(SOURCES), st.integers(0, 2)),
            st.tuples(st.just("speak"), st.integers(0, 2), st.sampled_from(["same", "port"])),
            st.tuples(st.just("noise"), st.sampled_from(SOURCES), st.binary(max_size=300)),
        ),
        max_size=60,
    )
)
def test_nobody_ever_gets_more_octets_by_udp_than_came_from_there(
    steps: list[tuple[str, object, object]],
) -> None:
    one = witness()
    token = session(one)
    balance: Counter[tuple[str, int]] = Counter()
    for kind, first, second in steps:
        actions: tuple[Action, ...] = ()
        if kind == "speak":
            line = f'{{"speak":{first},"serial":1,"after_s":0,"place":"{second}"}}'.encode()
            one.line(1, line, 0.0)
            actions = one.due(0.0)
        else:
            assert isinstance(first, tuple)
            data = second if isinstance(second, bytes) else b""
            if isinstance(second, int):
                data = Opening(token, NONCE, second).build()
            balance[first] += len(data)
            actions = one.datagram(came(data, source=first))
        for action in actions:
            if isinstance(action, Say):
                balance[action.address, action.port] -= len(action.data)
        assert min(balance.values(), default=0) >= 0


@given(st.binary(max_size=500), st.binary(max_size=500))
def test_any_octets_are_taken(data: bytes, line: bytes) -> None:
    one = witness()
    session(one)
    one.datagram(came(data))
    one.stream(came(data))
    one.line(1, line, 0.0)
