"""The shared echo engine on the loopback, and the reading of the kernel's stamps."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from nethealth.model.ports import EchoEvent, EchoFlow, NetworkFailure, NetworkStatistics
from probes.echo import EchoEngine, StampReader, available
from probes.net import SystemClock

Run = Callable[[Coroutine[Any, Any, Any]], Any]
BUSY_S = 5.0  # far more than a loopback takes


def _uvloop_run(main: Coroutine[Any, Any, Any]) -> Any:
    import uvloop

    return uvloop.run(main)


@pytest.fixture(params=[asyncio.run, _uvloop_run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    chosen: Run = request.param
    return chosen


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(BUSY_S):
        while not condition():
            await asyncio.sleep(0.005)


def engine_of() -> EchoEngine:
    return EchoEngine(SystemClock(), NetworkStatistics())


@pytest.mark.lab
def test_two_flows_to_one_address_keep_their_own(run: Run) -> None:
    async def main() -> None:
        engine = engine_of()
        seen: tuple[list[EchoEvent], list[EchoEvent]] = ([], [])
        flows = [engine.open("127.0.0.7", box.append, dscp=0, payload_bytes=56) for box in seen]
        assert flows[0].identifier == flows[1].identifier
        sent_s = [[flow.send(sequence) for flow in flows] for sequence in (3, 5)]
        await until(lambda: sum(map(len, seen)) == 4)
        for which, box in enumerate(seen):
            assert [event.sequence for event in box] == [3, 5]
            for event, sent in zip(box, sent_s, strict=True):
                assert event.received_s >= sent[which]
                assert (event.kind, event.source, event.ttl) == ("reply", "127.0.0.7", 64)
        engine.close()

    run(main())


@pytest.mark.lab
def test_many_hosts_get_each_reply_of_their_own(run: Run) -> None:
    async def main() -> None:
        engine = engine_of()
        seen: dict[str, list[EchoEvent]] = {f"127.0.2.{n}": [] for n in range(1, 251)}
        flows: dict[str, EchoFlow] = {
            host: engine.open(host, box.append, dscp=0, payload_bytes=56)
            for host, box in seen.items()
        }
        for sequence in range(5):
            for flow in flows.values():
                flow.send(sequence)
            await asyncio.sleep(0)
        await until(lambda: all(len(box) == 5 for box in seen.values()))
        for host, box in seen.items():
            assert {event.source for event in box} == {host}
            assert [event.sequence for event in box] == [0, 1, 2, 3, 4]
        engine.close()

    run(main())


@pytest.mark.lab
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_code_point_goes_out_and_comes_back(address: str) -> None:
    async def main() -> None:
        engine = engine_of()
        seen: dict[int, list[EchoEvent]] = {0: [], 46: []}
        for dscp, box in seen.items():
            engine.open(address, box.append, dscp=dscp, payload_bytes=56).send(0)
        await until(lambda: all(seen.values()))
        assert {dscp: [event.dscp for event in box] for dscp, box in seen.items()} == {
            0: [0],
            46: [46],
        }
        engine.close()

    asyncio.run(main())


@pytest.mark.lab
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("payload_bytes", [8, 56, 1472, 20_000])
def test_payloads_of_all_sizes_are_read_whole(address: str, payload_bytes: int) -> None:
    async def main() -> None:
        engine, seen = engine_of(), list[EchoEvent]()
        engine.open(address, seen.append, dscp=0, payload_bytes=payload_bytes).send(0)
        await until(lambda: bool(seen))
        engine.close()

    asyncio.run(main())


@pytest.mark.lab
def test_a_closed_flow_hears_nothing_more() -> None:
    async def main() -> None:
        engine, seen, other = engine_of(), list[EchoEvent](), list[EchoEvent]()
        flow = engine.open("127.0.0.8", seen.append, dscp=0, payload_bytes=56)
        flow.send(0)
        flow.close()
        engine.open("127.0.0.8", other.append, dscp=0, payload_bytes=56).send(0)
        await until(lambda: bool(other))
        assert seen == []
        assert len(other) == 1
        engine.close()
        engine.close()

    asyncio.run(main())


@pytest.mark.lab
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_what_the_kernel_drops_at_the_socket_is_counted(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr("probes.icmp_socket.RECEIVE_BUFFER_BYTES", 4096)

    async def main() -> None:
        statistics = NetworkStatistics()
        engine, seen = EchoEngine(SystemClock(), statistics), list[EchoEvent]()
        flow = engine.open(address, seen.append, dscp=0, payload_bytes=56)
        for sequence in range(500):  # without a turn of the loop: nobody reads meanwhile
            flow.send(sequence)
        await asyncio.sleep(0.1)
        flow.close()
        assert len(seen) < 500
        # On the loopback a full raw socket also counts the requests that its filter would refuse.
        missed = 500 - len(seen)
        assert missed <= statistics.socket_overflow_count <= 2 * missed
        engine.close()

    asyncio.run(main())


@pytest.mark.lab
def test_an_address_of_no_route_is_a_network_failure() -> None:
    async def main() -> None:
        engine = engine_of()
        # Class E (RFC 1112 section 4): no kernel sends there without being told to.
        flow = engine.open("255.255.255.255", lambda event: None, dscp=0, payload_bytes=56)
        with pytest.raises(NetworkFailure, match=r"255\.255\.255\.255 cannot be sent"):
            flow.send(0)
        engine.close()

    asyncio.run(main())


@pytest.mark.lab
def test_another_programs_replies_are_not_ours() -> None:
    async def main() -> None:
        engine, seen = engine_of(), list[EchoEvent]()
        flow = engine.open("127.0.0.9", seen.append, dscp=0, payload_bytes=56)
        forged = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        with forged:
            for identifier in (flow.identifier ^ 1, flow.identifier ^ 0x8000):
                # An echo request of theirs, which the kernel answers to everybody's raw sockets.
                packet = bytearray(b"\x08\0\0\0" + identifier.to_bytes(2, "big") + b"\0\0")
                words = int.from_bytes(packet[0:2], "big") + identifier
                packet[2:4] = (0xFFFF - (words & 0xFFFF) - (words >> 16)).to_bytes(2, "big")
                forged.sendto(packet, ("127.0.0.9", 0))
        flow.send(0)
        await until(lambda: bool(seen))
        await asyncio.sleep(0.05)
        assert [event.sequence for event in seen] == [0]
        engine.close()

    asyncio.run(main())


@pytest.mark.lab
def test_root_may_always_ping() -> None:
    assert available() is None


@pytest.mark.parametrize("payload_bytes", [0, 7, 65_508])
def test_a_payload_that_cannot_be_sent_is_refused(payload_bytes: int) -> None:
    engine = engine_of()
    with pytest.raises(ValueError, match="8 to 65507"):
        engine.open("127.0.0.1", lambda event: None, dscp=0, payload_bytes=payload_bytes)
    engine.close()


class SetClock:
    """Two clocks under the test's control: the monotonic one it is, and the wall clock beside."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        self.wall_ahead_ns = 1_700_000_000 * 10**9
        monkeypatch.setattr(time, "time_ns", self.wall_ns)

    def wall_ns(self) -> int:
        self.now_s += 1e-7  # a reading takes a moment
        return round(self.now_s * 1e9) + self.wall_ahead_ns

    def monotonic_s(self) -> float:
        self.now_s += 1e-7
        return self.now_s

    def wall_utc(self) -> Any:
        raise AssertionError("not asked for")

    async def sleep_until(self, monotonic_s: float) -> None:
        self.now_s = max(self.now_s, monotonic_s)


def test_a_stamp_is_the_monotonic_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SetClock(monkeypatch)
    stamps = StampReader(clock)
    clock.now_s = 1234.5
    stamp_ns = clock.wall_ns()
    moment_s = clock.now_s
    clock.now_s = 1300.0
    assert stamps.observe()
    assert stamps.monotonic_s(stamp_ns) == pytest.approx(moment_s, abs=1e-6)


@pytest.mark.parametrize("step_s", [-3600, -0.02, 0.02, 3600])
def test_a_step_of_the_wall_clock_is_noticed_once(
    monkeypatch: pytest.MonkeyPatch, step_s: float
) -> None:
    clock = SetClock(monkeypatch)
    stamps = StampReader(clock)
    assert stamps.observe()
    clock.wall_ahead_ns += round(step_s * 1e9)
    assert not stamps.observe()
    stamp_ns, moment_s = clock.wall_ns(), clock.now_s
    assert stamps.observe()
    assert stamps.monotonic_s(stamp_ns) == pytest.approx(moment_s, abs=1e-6)


def test_an_interrupted_reading_loosens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SetClock(monkeypatch)
    stamps = StampReader(clock)
    usual = clock.monotonic_s

    def interrupted() -> float:
        clock.now_s += 0.005
        return usual()

    monkeypatch.setattr(clock, "monotonic_s", interrupted)
    assert stamps.observe()
    stamp_ns, moment_s = clock.wall_ns(), clock.now_s
    assert stamps.monotonic_s(stamp_ns) == pytest.approx(moment_s, abs=1e-6)
