"""The real clock and network: who answered, when, and every way in which it can fail."""

import asyncio
import contextlib
import errno
import socket
import ssl
import struct
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from nethealth.model.check import Family
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import NetworkFailure
from probes import resolver
from probes.datagram import QUEUE_MAX, monotonic_of_stamp
from probes.failures import classify, network_failure
from probes.net import SystemClock, SystemNetwork
from tests.peers.ports import free_port

Case = Callable[[SystemNetwork], Awaitable[None]]
Run = Callable[[Case], None]
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=sorted(LOOPS))
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a case with a network of its own, on each kind of event loop."""

    async def with_network(case: Case) -> None:
        network = SystemNetwork(SystemClock())
        try:
            async with asyncio.timeout(20):
                await case(network)
        finally:
            await network.close()

    def run_case(case: Case) -> None:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(with_network(case))

    return run_case


def listener(address: str, kind: socket.SocketKind = socket.SOCK_DGRAM) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    sock.bind((address, 0))
    return sock


def endpoint(sock: socket.socket) -> Endpoint:
    return Endpoint(*sock.getsockname()[:2])


# --- datagrams ------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_datagrams_carry_their_source_and_the_kernels_stamp(run: Run, address: str) -> None:
    async def case(network: SystemNetwork) -> None:
        with listener(address) as peer:
            channel = await network.open_datagram(endpoint(peer))
            assert channel.local.address == address
            before_s = time.monotonic()
            sent_s = channel.send(b"question")
            octets, source = peer.recvfrom(100)
            assert octets == b"question"
            assert Endpoint(*source[:2]) == channel.local
            peer.sendto(b"answer", source)
            answered_s = time.monotonic()
            await asyncio.sleep(0.05)  # a busy loop: the datagram waits in the kernel
            datagram = await channel.receive()
            channel.close()
        assert datagram.data == b"answer"
        assert datagram.source == channel.remote
        assert before_s <= sent_s <= datagram.received_s
        # the stamp is the kernel's: nearer to the sending than to the reading
        assert datagram.received_s < answered_s + 0.025

    run(case)


def test_an_answer_from_another_address_is_seen_as_such(run: Run) -> None:
    async def case(network: SystemNetwork) -> None:
        with listener("127.0.0.1") as peer, listener("127.0.0.2") as other:
            channel = await network.open_datagram(endpoint(peer))
            channel.send(b"question")
            other.sendto(b"answer", peer.recvfrom(100)[1])
            assert (await channel.receive()).source == endpoint(other)
            channel.close()

    run(case)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_port_unreachable_is_refused_each_time_and_blocks_nothing(run: Run, address: str) -> None:
    async def case(network: SystemNetwork) -> None:
        channel = await network.open_datagram(Endpoint(address, free_port(address)))
        for _ in range(3):
            channel.send(b"anybody?")
            with pytest.raises(NetworkFailure, match=f"port unreachable .* from {address}") as seen:
                await channel.receive()
            assert seen.value.failure is Failure.REFUSED
        channel.close()

    run(case)


def test_an_icmp_error_that_nobody_has_read_swallows_no_datagram(run: Run) -> None:
    async def case(network: SystemNetwork) -> None:
        port = free_port()
        channel = await network.open_datagram(Endpoint("127.0.0.1", port))
        channel.send(b"too early")  # loopback: the error is pending when this returns
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.bind(("127.0.0.1", port))
            late.settimeout(2)
            channel.send(b"in time")
            octets, source = late.recvfrom(100)
            assert octets == b"in time"
            late.sendto(b"answer", source)
            received = b""
            while not received:
                with contextlib.suppress(NetworkFailure):
                    received = (await channel.receive()).data
            assert received == b"answer"
        channel.close()

    run(case)


def test_a_flood_is_bounded_and_noted(run: Run) -> None:
    async def case(network: SystemNetwork) -> None:
        with listener("127.0.0.1") as peer:
            channel = await network.open_datagram(endpoint(peer))
            home = (channel.local.address, channel.local.port)
            for number in range(QUEUE_MAX):
                peer.sendto(number.to_bytes(2), home)
                await asyncio.sleep(0)
            for _ in range(50):
                peer.sendto(b"too much", home)
                await asyncio.sleep(0)
            await asyncio.sleep(0.1)
            received = [(await channel.receive()).data for _ in range(QUEUE_MAX)]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(channel.receive(), 0.05)
            channel.close()
        assert received == [number.to_bytes(2) for number in range(QUEUE_MAX)]  # the oldest stay
        assert len(network.statistics.notes) == 1

    run(case)


def test_what_the_kernel_dropped_is_counted(run: Run) -> None:
    async def case(network: SystemNetwork) -> None:
        with listener("127.0.0.1") as peer:
            channel = await network.open_datagram(endpoint(peer))
            home = (channel.local.address, channel.local.port)
            for _ in range(600):  # more than the default buffer holds, in one turn of the loop
                peer.sendto(b"x" * 4000, home)
            for _ in range(20):
                await asyncio.sleep(0)
            peer.sendto(b"last", home)
            await asyncio.sleep(0.05)
            channel.close()
        assert network.statistics.socket_overflow_count > 0

    run(case)


@pytest.mark.parametrize(
    ("address", "level", "ask", "kind"),
    [
        ("127.0.0.1", socket.IPPROTO_IP, socket.IP_RECVTOS, socket.IP_TOS),
        ("::1", socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, socket.IPV6_TCLASS),
    ],
)
def test_dscp_is_marked(run: Run, address: str, level: int, ask: int, kind: int) -> None:
    async def case(network: SystemNetwork) -> None:
        with listener(address) as peer:
            peer.setsockopt(level, ask, 1)
            channel = await network.open_datagram(endpoint(peer), dscp=46)
            channel.send(b"expedited")
            _, ancillary, _, _ = peer.recvmsg(100, 100)
            channel.close()
        marks = [content[0] for *found, content in ancillary if found == [level, kind]]
        assert marks == [46 << 2]

    run(case)


def test_receiving_can_be_cancelled_and_resumed(run: Run) -> None:
    async def case(network: SystemNetwork) -> None:
        with listener("127.0.0.1") as peer:
            channel = await network.open_datagram(endpoint(peer))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(channel.receive(), 0.02)
            channel.send(b"question")
            peer.sendto(b"answer", peer.recvfrom(100)[1])
            assert (await channel.receive()).data == b"answer"
            channel.close()
            channel.close()

    run(case)


def test_a_channel_may_outlive_its_network(run: Run) -> None:
    async def case(network: SystemNetwork) -> None:
        channel = await network.open_datagram(Endpoint("127.0.0.1", 9))
        await network.close()
        channel.close()

    run(case)


@pytest.mark.parametrize("put_aside", [1, 3])
def test_a_thread_that_is_put_aside_between_two_clocks_dates_nothing_back(
    monkeypatch: pytest.MonkeyPatch, put_aside: int
) -> None:
    """A stamp of now, read while the thread loses 30 ms between the readings, so many times."""
    clock = [100.0]
    left = [put_aside]

    def wall_ns() -> int:
        if left[0]:
            left[0] -= 1
            clock[0] += 0.03
        return round((1_700_000_000 + clock[0]) * 1e9)

    monkeypatch.setattr("probes.datagram.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("probes.datagram.time.time_ns", wall_ns)
    stamp = struct.pack("=qq", 1_700_000_100, 0)
    assert monotonic_of_stamp(stamp) == pytest.approx(100.0, abs=1e-5)


def test_a_stamp_from_a_stepped_clock_is_not_believed() -> None:
    def stamp(wall_ns: int) -> bytes:
        return (wall_ns // 10**9).to_bytes(8, "little") + (wall_ns % 10**9).to_bytes(8, "little")

    before_s = time.monotonic()
    hour_ns = 3600 * 10**9
    for wall_ns in (time.time_ns() - hour_ns, time.time_ns() + hour_ns):
        assert before_s <= monotonic_of_stamp(stamp(wall_ns)) <= time.monotonic()
    assert monotonic_of_stamp(stamp(time.time_ns() - 10**9)) <= time.monotonic() - 1


# --- streams --------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_streams_read_write_and_end(run: Run, address: str) -> None:
    async def case(network: SystemNetwork) -> None:
        with listener(address, socket.SOCK_STREAM) as server:
            server.listen()
            channel = await network.open_stream(endpoint(server))
            peer, source = server.accept()
            with peer:
                assert Endpoint(*source[:2]) == channel.local
                await channel.write(b"hello")
                assert peer.recv(100) == b"hello"
                peer.sendall(b"abcdef")
                assert await channel.read(3) == b"abc"
                assert await channel.read(100) == b"def"
            assert await channel.read(100) == b""
            await channel.close()
            await channel.close()

    run(case)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_closed_port_is_refused(run: Run, address: str) -> None:
    async def case(network: SystemNetwork) -> None:
        with pytest.raises(NetworkFailure) as seen:
            await network.open_stream(Endpoint(address, free_port(address)))
        assert seen.value.failure is Failure.REFUSED

    run(case)


def test_no_descriptor_is_left_open(run: Run) -> None:
    async def case(network: SystemNetwork) -> None:
        def held() -> int:
            return len(list(Path("/proc/self/fd").iterdir()))

        (await network.open_datagram(Endpoint("127.0.0.1", 9))).close()  # what all of them share
        before = held()
        for _ in range(20):
            with pytest.raises(NetworkFailure):
                await network.open_stream(Endpoint("127.0.0.1", free_port()))
            (await network.open_datagram(Endpoint("127.0.0.1", 9))).close()
            with pytest.raises(NetworkFailure):
                await network.open_datagram(Endpoint("fe80::1%no-such", 9))
            with pytest.raises(NetworkFailure):
                await network.open_stream(Endpoint("fe80::1%no-such", 9))
        assert held() == before

    run(case)


# --- failures -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (OSError(errno.ECONNREFUSED, ""), Failure.REFUSED),
        (OSError(errno.ENETUNREACH, ""), Failure.UNREACHABLE),
        (OSError(errno.EHOSTUNREACH, ""), Failure.UNREACHABLE),
        (OSError(errno.EACCES, ""), Failure.UNREACHABLE),
        (OSError(errno.EPERM, ""), Failure.UNREACHABLE),
        (OSError(errno.EADDRNOTAVAIL, ""), Failure.UNREACHABLE),
        (OSError(errno.ETIMEDOUT, ""), Failure.TIMEOUT),
        (TimeoutError(), Failure.TIMEOUT),
        (OSError(errno.ECONNRESET, ""), Failure.RESET),
        (OSError(errno.EPIPE, ""), Failure.RESET),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), Failure.TLS),
    ],
)
def test_every_error_has_its_failure_and_a_reason(error: OSError, failure: Failure) -> None:
    assert classify(error) is failure
    said = network_failure(error, "connecting").reason
    assert said.startswith("connecting: ")
    assert len(said) > len("connecting: ")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS])
def test_a_shortage_of_our_own_is_blamed_on_no_host(number: int) -> None:
    with pytest.raises(OSError, match="short") as seen:
        network_failure(OSError(number, "short"), "connecting")
    assert not isinstance(seen.value, NetworkFailure)


def test_many_channels_at_once_are_told_apart(run: Run) -> None:
    async def case(network: SystemNetwork) -> None:
        with listener("127.0.0.1") as peer:
            channels = [await network.open_datagram(endpoint(peer)) for _ in range(1500)]
            for number, channel in enumerate(channels):
                channel.send(number.to_bytes(2))
                octets, source = peer.recvfrom(100)
                peer.sendto(octets, source)
            for number, channel in enumerate(channels):
                assert (await channel.receive()).data == number.to_bytes(2)
                channel.close()

    run(case)


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "family", "addresses"),
    [
        ("127.0.0.1", None, ("127.0.0.1",)),
        ("::1", 6, ("::1",)),
        ("2001:DB8::1", None, ("2001:DB8::1",)),
        ("localhost", 4, ("127.0.0.1",)),
    ],
)
def test_resolution(run: Run, host: str, family: Family | None, addresses: tuple[str, ...]) -> None:
    async def case(network: SystemNetwork) -> None:
        assert await network.resolve(host, family) == addresses

    run(case)


def test_a_resolver_that_hangs_is_given_up_and_holds_up_nobody(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    real = socket.getaddrinfo

    def stuck(*arguments: Any, **options: Any) -> Any:
        if arguments[0] == "stuck.example":
            release.wait(20)
            raise socket.gaierror(socket.EAI_AGAIN, "late")
        return real(*arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    monkeypatch.setattr(resolver, "WAIT_MAX_S", 0.1)

    async def case(network: SystemNetwork) -> None:
        with pytest.raises(NetworkFailure, match="no answer") as seen:
            await network.resolve("stuck.example")
        assert seen.value.failure is Failure.RESOLVE
        assert await network.resolve("localhost", 4) == ("127.0.0.1",)
        release.set()
        await asyncio.sleep(0.05)  # the late answer arrives and disturbs nothing

    run(case)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (socket.EAI_NONAME, "no such name"),
        (socket.EAI_AGAIN, "temporary"),
        (socket.EAI_NODATA, "no address"),
        (socket.EAI_ADDRFAMILY, "family"),
    ],
)
def test_the_reason_tells_how_resolution_failed(
    run: Run, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    def fails(*_: object, **__: object) -> object:
        raise socket.gaierror(code, "as the library says it")

    monkeypatch.setattr(socket, "getaddrinfo", fails)

    async def case(network: SystemNetwork) -> None:
        with pytest.raises(NetworkFailure, match=words) as seen:
            await network.resolve("portal.example")
        assert seen.value.failure is Failure.RESOLVE

    run(case)


# --- the clock ------------------------------------------------------------------------------------


def test_no_sleeper_wakes_early_and_all_wake_in_order(run: Run) -> None:
    async def case(_: SystemNetwork) -> None:
        clock = SystemClock()
        start_s = clock.monotonic_s()
        woken: list[int] = []

        async def sleeper(number: int) -> None:
            due_s = start_s + number * 0.0007
            await clock.sleep_until(due_s)
            assert clock.monotonic_s() >= due_s
            woken.append(number)

        numbers = [*range(0, 100, 2), *range(99, 0, -2)]
        tasks = [asyncio.create_task(sleeper(number)) for number in numbers]
        tasks[10].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert woken == [number for number in range(100) if number != numbers[10]]
        await clock.sleep_until(start_s - 100)

    run(case)


def test_the_clock_serves_one_loop_after_another() -> None:
    clock = SystemClock()
    for make in LOOPS.values():
        with asyncio.Runner(loop_factory=make) as runner:
            runner.run(clock.sleep_until(clock.monotonic_s() + 0.002))
    assert clock.wall_utc().utcoffset() is not None
