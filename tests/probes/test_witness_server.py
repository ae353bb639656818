"""The witness of `nethealth reflect` over real sockets: its walls, and strangers before them."""

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from nethealth.model.check import NatParameters
from nethealth.protocol.witness import CONNECTIONS_OF_A_PEER_MAX
from nethealth.wire.witness import Hello, Opening, Speak, build_line
from tests.peers import reflector
from tests.peers.ports import free_row
from tests.peers.process import Process
from tests.probes.driver import drive

HERE = "127.0.0.1"
NONCE = bytes(16)


class Served:
    """A running reflector, and the ports of its witness."""

    def __init__(self, process: Process, control: int, sip: int) -> None:
        self.process = process
        self.control = control
        self.sip = sip

    def connect(self, port: int | None = None) -> socket.socket:
        sock = socket.create_connection((HERE, port or self.control), timeout=5)
        sock.settimeout(5)
        return sock


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    control = free_row(4)
    sip = control + 2
    more = ("--sip-port", str(sip), "--control-port", str(control))
    allow = "127.0.0.0/30"
    with reflector.serving(tmp_path, HERE, control + 3, allow, more=more) as process:
        process.wait_bound("tcp", control)
        process.wait_bound("tcp", sip)
        yield Served(process, control, sip)


def line_of(sock: socket.socket) -> dict[str, Any]:
    data = b""
    while not data.endswith(b"\n"):
        part = sock.recv(1)
        assert part, data
        data += part
    found: dict[str, Any] = json.loads(data)
    return found


def closed(sock: socket.socket) -> bool:
    """Whether the other end has hung up, whatever it said before."""
    try:
        while sock.recv(4096):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def welcomed(sock: socket.socket) -> str:
    sock.sendall(build_line(Hello(NONCE)))
    token: str = line_of(sock)["token"]
    return token


def test_requests_by_udp_are_answered_by_silence_and_told_on_the_session(served: Served) -> None:
    with served.connect() as session, socket.socket(type=socket.SOCK_DGRAM) as udp:
        token = welcomed(session)
        udp.bind((HERE, 0))
        udp.settimeout(0.3)
        for octets in (b"OPTIONS sip:x SIP/2.0\r\n\r\n", token.encode() + b"x1 SIP/2.0"):
            udp.sendto(octets, (HERE, served.sip))
        told = line_of(session)
        assert (told["arrived"], told["port"]) == ("udp", served.sip)
        assert (told["source"], told["source_port"]) == udp.getsockname()
        with pytest.raises(TimeoutError):
            udp.recv(1)


def test_a_request_by_tcp_in_pieces_is_told_whole(served: Served) -> None:
    with served.connect() as session, served.connect(served.sip) as sip:
        token = welcomed(session).encode()
        sip.sendall(b"INVITE sip:x SIP/2.0\r\nCall-ID: " + token[:9])
        time.sleep(0.05)
        sip.sendall(token[9:] + b"x1\r\n\r\n")
        assert len(line_of(session)["octets"]) > 80


def test_strangers_are_hung_up_on_and_their_datagrams_ignored(served: Served) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.9", 0))  # outside 127.0.0.0/30
        sock.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            sock.connect((HERE, served.control))
            sock.sendall(build_line(Hello(NONCE)))
        assert closed(sock)
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.9", 0))
        udp.settimeout(0.2)
        udp.sendto(Opening(bytes(16), NONCE, 1).build(), (HERE, served.control))
        with pytest.raises(TimeoutError):
            udp.recv(1)
    served.process.stop()
    assert "2 not allowed" in served.process.output()


def test_a_peer_has_so_many_connections_and_no_more(served: Served) -> None:
    with ExitStack() as stack:
        open_ones = [
            stack.enter_context(served.connect()) for _ in range(CONNECTIONS_OF_A_PEER_MAX)
        ]
        welcomed(open_ones[0])
        with served.connect() as one_more:
            assert closed(one_more)
        open_ones.pop().close()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with served.connect() as again, contextlib.suppress(AssertionError, OSError):
                welcomed(again)
                return
        raise AssertionError("no place after one was given back")


@pytest.mark.parametrize(
    "octets", [b"{" + b" " * 5000, b'{"hello":2}\n', b"{}\n", b'{"speak":1}\n'],
    ids=["endless", "version", "nothing", "no hello"],
)  # fmt: skip
def test_who_speaks_otherwise_is_hung_up_on(served: Served, octets: bytes) -> None:
    with served.connect() as sock:
        sock.sendall(octets)
        assert closed(sock)


def test_who_does_not_read_is_hung_up_on_in_bounded_memory(served: Served) -> None:
    with served.connect() as session, socket.socket(type=socket.SOCK_DGRAM) as udp:
        session.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        token = welcomed(session).encode()
        before = _resident(served.process.pid)
        for _ in range(2000):
            udp.sendto(token + os.urandom(3000), (HERE, served.sip))
        with served.connect() as other:
            assert welcomed(other)
        assert _resident(served.process.pid) - before < 16 << 20


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_words_go_to_the_source_of_a_binding_and_end_with_its_session(served: Served) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind((HERE, 0))
        udp.settimeout(5)
        with served.connect() as session:
            token = bytes.fromhex(welcomed(session))
            udp.sendto(Opening(token, NONCE, 1).build(), (HERE, served.control))
            assert udp.recvfrom(99)[1] == (HERE, served.control)
            assert line_of(session)["bound"] == 1
            session.sendall(build_line(Speak(1, 1, 0.1, "port")))
            assert udp.recvfrom(99)[1] == (HERE, served.control + 1)
            session.sendall(build_line(Speak(1, 2, 0.5, "same")))
            line_of(session)
        udp.settimeout(1.0)
        with pytest.raises(TimeoutError):
            udp.recv(99)


@pytest.mark.parametrize(("wild", "asked"), [("0.0.0.0", "127.0.0.2"), ("::", "::1")])
def test_where_it_listens_at_all_addresses_it_answers_from_the_one_that_was_asked(
    tmp_path: Path, wild: str, asked: str
) -> None:
    control = free_row(3)
    allow = "127.0.0.0/8" if wild == "0.0.0.0" else "::1/128"
    more = ("--control-port", str(control))
    with reflector.serving(tmp_path, wild, control + 2, allow, more=more) as process:
        process.wait_bound("tcp", control)
        seen = drive("nat", NatParameters(asked, control, least_s=1, most_s=1, bindings=1))
    assert seen.completed()
    assert seen.value("nat_filtering") == "not port-dependent"
    assert seen.value("nat_binding_lifetime_s") == 1
    assert "witness_rejected_count" not in seen.names()
