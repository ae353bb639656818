"""tcp against real listeners and their absence."""

import socket

import pytest

from nethealth.model.check import DnsParameters, Family, TcpParameters
from nethealth.model.failure import Failure
from tests.peers.ports import free_port
from tests.probes.driver import drive


@pytest.mark.parametrize(
    ("address", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_an_open_port_is_connected_and_closed(address: str, family: socket.AddressFamily) -> None:
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen()
        port = listener.getsockname()[1]
        seen = drive("tcp", TcpParameters(address, port))
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(1) == b""  # closed in order, nothing said
    assert seen.completed()
    connect = seen.only("tcp_connect_time_s")
    assert connect.unit == "s"
    assert connect.samples == 1
    assert connect.method["address"] == address
    assert 0 < seen.value("tcp_connect_time_s") < 5


def test_a_closed_port_is_refused() -> None:
    seen = drive("tcp", TcpParameters("127.0.0.1", free_port()))
    assert seen.failed(Failure.REFUSED)
    connect = seen.only("tcp_connect_time_s")
    assert connect.value is None
    assert connect.failure is Failure.REFUSED


def test_a_name_is_resolved_apart_from_the_connection() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        seen = drive("tcp", TcpParameters("localhost", listener.getsockname()[1], family=4))
    assert seen.names() == ["resolution_time_s", "tcp_connect_time_s"]
    assert seen.only("resolution_time_s").method["addresses"] == ("127.0.0.1",)


@pytest.mark.parametrize(
    ("host", "family"),
    [("no-such-host.invalid", None), ("127.0.0.1", 6), ("::1", 4), ("a" * 64 + ".example", None)],
)
def test_what_gives_no_address_fails_to_resolve(host: str, family: Family | None) -> None:
    seen = drive("tcp", TcpParameters(host, 80, family=family))
    assert seen.failed(Failure.RESOLVE)
    assert seen.names() == ["resolution_time_s"]
    assert seen.value("resolution_time_s") is None


def test_silence_is_a_timeout() -> None:
    # a full accept queue: the kernel drops further handshakes, as a dead host would
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(address)
            seen = drive("tcp", TcpParameters("127.0.0.1", address[1], timeout_s=0.2))
        finally:
            for filler in fillers:
                filler.close()
    assert seen.failed(Failure.TIMEOUT)


def test_an_unreachable_address_is_told_apart() -> None:
    # a multicast address takes no connection: the kernel says so at once
    seen = drive("tcp", TcpParameters("224.0.0.1", 80))
    assert seen.failed(Failure.UNREACHABLE)


def test_parameters_of_another_kind_are_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="tcp"):
        drive("tcp", DnsParameters("127.0.0.1", "portal.example"))
