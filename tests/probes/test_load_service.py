"""The load service over real sockets: its rate both ways, its caps, and how a load is cut."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_network

import pytest

from nethealth.protocol.load import LoadRequest, Way, parse_answer
from probes.load_service import LoadCounts, LoadService

HERE = "127.0.0.1"
RATE_BPS = 4_000_000


def free_tcp_port(address: str = HERE) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


@contextmanager
def serving(
    address: str = HERE, allow: str = "127.0.0.0/8", rate_bps: float = RATE_BPS
) -> Iterator[tuple[int, list[LoadCounts]]]:
    """The service and its port; its counts stand in the list after the block."""
    port, counts = free_tcp_port(address), list[LoadCounts]()
    service = LoadService([address], port, [ip_network(allow)], rate_bps)
    service.start()
    try:
        yield port, counts
    finally:
        counts.append(service.stop())


def asked(port: int, line: bytes, address: str = HERE) -> tuple[socket.socket, bytes]:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock.settimeout(5)
    told = b""
    with suppress(ConnectionError):
        sock.connect((address, port))
        sock.sendall(line)
        while not told.endswith(b"\n") and (octet := sock.recv(1)):
            told += octet
    return sock, told


def request(way: Way, seconds: float, rate_bps: int = RATE_BPS) -> bytes:
    return LoadRequest(way, rate_bps, seconds).build()


@pytest.mark.parametrize(("address", "allow"), [(HERE, "127.0.0.0/8"), ("::1", "::1/128")])
def test_it_gives_the_rate_for_the_time_and_no_more(address: str, allow: str) -> None:
    with serving(address, allow) as (port, counts):
        sock, told = asked(port, request(Way.GIVE, 1.0), address)
        with sock:
            assert parse_answer(told) is None
            octets = 0
            try:
                while part := sock.recv(65536):
                    octets += len(part)
            except ConnectionResetError:
                pass
    # A second of 4 Mbit/s is 500,000 octets; a busy machine gives fewer, none gives more.
    assert 250_000 < octets <= 500_000
    assert counts[0].given_octets >= octets
    assert counts[0].load_count == 1


def test_it_takes_no_faster_than_the_rate_whoever_pushes() -> None:
    with serving() as (port, counts):
        sock, told = asked(port, request(Way.TAKE, 1.0))
        with sock:
            assert parse_answer(told) is None
            sock.settimeout(0.3)
            until_s = time.monotonic() + 1.0
            while time.monotonic() < until_s:
                try:
                    sock.send(bytes(65536))
                except TimeoutError:
                    continue
    # What was pushed beyond the rate was never read: a second and its overtime, at most.
    assert 0 < counts[0].taken_octets <= 1_010_000


def test_a_load_that_is_cut_leaves_the_service_free() -> None:
    with serving() as (port, counts):
        first, told = asked(port, request(Way.GIVE, 20.0))
        assert parse_answer(told) is None
        second, told = asked(port, request(Way.GIVE, 1.0))
        assert parse_answer(told) == "another load is running"
        second.close()
        first.close()
        until_s = time.monotonic() + 5
        while parse_answer(told) is not None and time.monotonic() < until_s:
            again, told = asked(port, request(Way.GIVE, 0.1))
            again.close()
        assert parse_answer(told) is None
    assert counts[0].load_count == 2


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (request(Way.TAKE, 1.0, RATE_BPS + 1), "more than the rate"),
        (request(Way.GIVE, 21.0), "longer than"),
        (b"GET / HTTP/1.1\r\n", "no request"),
        (b"\xff" * 300, "no request"),
    ],
)
def test_a_refusal_has_a_word(line: bytes, word: str) -> None:
    with serving() as (port, counts):
        sock, told = asked(port, line)
        sock.close()
        assert word in str(parse_answer(told))
    assert counts[0].load_count == 0
    assert sum((counts[0].refused or {}).values()) == 1


def test_who_is_not_allowed_is_cut_off_without_an_answer() -> None:
    with serving(allow="198.18.0.0/24") as (port, counts):
        sock, told = asked(port, request(Way.GIVE, 1.0))
        sock.close()
        assert told == b""
    assert counts[0].refused == {"this address is not allowed": 1}


def test_who_says_nothing_is_not_kept() -> None:
    with (
        serving() as (port, _),
        socket.create_connection((HERE, port), timeout=5) as sock,
        suppress(ConnectionResetError),
    ):
        assert sock.recv(1) == b""
