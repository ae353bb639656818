"""route and path-mtu: real sockets on loopback, and scripted paths that lie, limit, break off."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from nethealth.model.check import (
    Check,
    Parameters,
    PathMtuParameters,
    ProbeKind,
    ProbeMethod,
    RouteParameters,
)
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation
from nethealth.model.ports import NetworkFailure, ProbeChannel, ProbeEvent
from nethealth.model.probe import Completion, Env
from probes import CATALOG
from tests.probes.driver import NoPacing, Seen, drive
from tests.sweep.virtual import LoopClock, NoNetwork, virtually

TARGET = "198.51.100.9"
US = Endpoint("192.0.2.1", 40_000)
Answer = Callable[
    [int, int | None], tuple[float, ProbeEvent] | None
]  # (ttl, bytes) -> delay, event


class ScriptedChannel:
    serial = False
    quotes = True
    local = US

    def __init__(self, answer: Answer, deliver: Callable[[ProbeEvent], None]) -> None:
        self._answer = answer
        self._deliver = deliver
        self.closed = False

    def send(self, probe: int, *, ttl: int, packet_bytes: int | None = None) -> float:
        loop = asyncio.get_running_loop()
        now = loop.time()
        found = self._answer(ttl, packet_bytes)
        if found is not None:
            delay_s, event = found
            told = ProbeEvent(
                probe, now + delay_s, event.source, event.kind, event.icmp_type, event.icmp_code,
                event.mtu, event.quoted_tos, event.quoted_source,
            )  # fmt: skip
            loop.call_later(delay_s, self._deliver, told)
        return now

    def close(self) -> None:
        self.closed = True


class ScriptedNetwork(NoNetwork):
    """One path, which `answer` describes; or none at all."""

    def __init__(self, answer: Answer | NetworkFailure) -> None:
        super().__init__()
        self._answer = answer
        self.channels: list[ScriptedChannel] = []

    async def resolve(self, host: str, family: object = None) -> tuple[str, ...]:
        return (host,)

    def open_probe(
        self,
        remote: Endpoint,
        method: ProbeMethod,
        deliver: Callable[[ProbeEvent], None],
        *,
        dscp: int = 0,
        dont_fragment: bool = False,
    ) -> ProbeChannel:
        if isinstance(self._answer, NetworkFailure):
            raise self._answer
        self.channels.append(ScriptedChannel(self._answer, deliver))
        return self.channels[-1]


async def run(
    kind: ProbeKind, parameters: Parameters, network: ScriptedNetwork, *, cut_s: float | None = None
) -> Seen:
    """The probe in virtual time; with `cut_s`, cancelled then."""
    clock = LoopClock()
    env = Env(clock, network, Random(1), NoPacing(), clock.monotonic_s())
    check = Check("a:b", kind, None, None, None, TARGET, parameters)
    observations: list[Observation] = []
    end = Completion(Outcome.COMPLETED)

    async def consume() -> None:
        nonlocal end
        async for item in CATALOG[kind].run(check, env):
            if isinstance(item, Completion):
                end = item
            else:
                observations.append(item)

    task = asyncio.create_task(consume())
    await asyncio.wait({task}, timeout=cut_s)
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
    else:
        task.result()
    assert all(channel.closed for channel in network.channels)
    return Seen(tuple(observations), end)


def exceeded(hop: int, tos: int | None = None, source: Endpoint | None = None) -> ProbeEvent:
    return ProbeEvent(
        0, 0.0, f"192.0.2.1{hop}", "error", 11, 0, quoted_tos=tos, quoted_source=source
    )


def traced(answer: Answer, cut_s: float | None = None, dscp: int = 0) -> Seen:
    parameters = RouteParameters(TARGET, dscp=dscp)
    return virtually(run("route", parameters, ScriptedNetwork(answer), cut_s=cut_s))


REPLY = ProbeEvent(0, 0.0, TARGET, "reply")


def test_marks_delays_and_a_translator_are_told_hop_by_hop() -> None:
    def path(ttl: int, _: int | None) -> tuple[float, ProbeEvent]:
        if ttl == 3:
            return 0.03, REPLY
        quoted = US if ttl == 1 else Endpoint("203.0.113.7", 1024)
        return ttl / 100, exceeded(ttl, 46 << 2 if ttl == 1 else 2, quoted)

    seen = traced(path, dscp=46)
    assert seen.completed()
    assert [seen.value("hop_address", hop=hop) for hop in (1, 2, 3)] == [
        "192.0.2.11", "192.0.2.12", TARGET,
    ]  # fmt: skip
    assert [seen.value("hop_dscp_quoted", hop=hop) for hop in (1, 2, 3)] == [46, 0, None]
    assert [seen.value("hop_ecn_quoted", hop=hop) for hop in (1, 2, 3)] == [0, 2, None]
    assert seen.value("hop_round_trip_delay_median_s", hop=3) == pytest.approx(0.03, abs=1e-6)
    nat = seen.only("route_nat_seen")
    assert (nat.value, nat.method["hop"]) == (True, 2)
    assert nat.method["quoted_source"] == "203.0.113.7:1024"
    assert seen.only("packet_loss_ratio").samples == 3


def test_a_route_cut_short_hands_over_what_it_knows() -> None:
    seen = traced(lambda ttl, _: (0.01, exceeded(ttl)) if ttl < 3 else None, cut_s=1.0)
    assert seen.value("hop_address", hop=2) == "192.0.2.12"
    assert seen.only("route_reached").method["finished"] is False


def test_total_silence_is_a_completed_route_of_no_hops() -> None:
    seen = traced(lambda ttl, _: None)
    assert seen.completed()
    assert seen.names() == ["route_length_hops", "route_reached", "route_nat_seen",
                            "packet_loss_ratio"]  # fmt: skip
    assert seen.value("route_reached") is False
    assert seen.only("packet_loss_ratio").failure is Failure.TIMEOUT


@pytest.mark.parametrize("kind", ["route", "path-mtu"])
def test_what_cannot_be_sent_fails_with_the_reason(kind: ProbeKind) -> None:
    network = ScriptedNetwork(NetworkFailure(Failure.UNREACHABLE, "no way there"))
    parameters = RouteParameters(TARGET) if kind == "route" else PathMtuParameters(TARGET)
    seen = virtually(run(kind, parameters, network))
    assert seen.end == Completion(Outcome.FAILED, Failure.UNREACHABLE, "no way there")


def searched(answer: Answer) -> Seen:
    return virtually(run("path-mtu", PathMtuParameters(TARGET), ScriptedNetwork(answer)))


def refused(size: int, link: int = 1500) -> tuple[float, ProbeEvent] | None:
    return (0.0, ProbeEvent(0, 0.0, US.address, "refused", mtu=link)) if size > link else None


def test_a_black_hole_is_compared_and_placed() -> None:
    def path(ttl: int, size: int | None) -> tuple[float, ProbeEvent] | None:
        octets = size or 84
        if (own := refused(octets)) is not None:
            return own
        if ttl <= 2:
            return 0.01, exceeded(ttl)
        return None if octets > 1400 else (0.03, REPLY if ttl > 3 else exceeded(3))

    seen = searched(path)
    assert seen.completed()
    assert (seen.value("path_mtu_bytes"), seen.value("path_mtu_black_hole")) == (1400, True)
    assert seen.value("packet_reply_ratio", packet_bytes=1400) == 1.0
    assert seen.value("packet_reply_ratio", packet_bytes=1401) == 0.0
    last = seen.only("path_mtu_last_hop")
    assert (last.value, last.method["hop"], last.method["next_hop"]) == ("192.0.2.12", 2, 3)


def test_a_forged_word_on_the_size_costs_packets_and_changes_nothing() -> None:
    lies = iter((68, 1499, 0, 9000, 1201, 1450))

    def path(ttl: int, size: int | None) -> tuple[float, ProbeEvent] | None:
        octets = size or 84
        if (own := refused(octets)) is not None:
            return own
        if octets > 1400:
            mtu = next(lies, 1400) or None
            return 0.01, ProbeEvent(0, 0.0, "192.0.2.66", "error", 3, 4, mtu=mtu)
        return 0.02, REPLY

    seen = searched(path)
    assert (seen.value("path_mtu_bytes"), seen.value("path_mtu_black_hole")) == (1400, False)


def test_a_silent_host_has_no_path_mtu() -> None:
    seen = searched(lambda ttl, size: refused(size or 84))
    assert seen.failed(Failure.TIMEOUT)
    assert (seen.value("path_mtu_bytes"), seen.value("path_mtu_black_hole")) == (None, None)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("method", ["udp", "icmp", "tcp"])
def test_loopback_is_one_hop_away(address: str, method: ProbeMethod) -> None:
    seen = drive("route", RouteParameters(address, method, 33_434, timeout_s=1.0))
    assert seen.completed()
    assert seen.value("hop_address", hop=1) == address
    assert (seen.value("route_length_hops"), seen.value("packet_loss_ratio")) == (1, 0.0)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_loopback_takes_every_size(address: str) -> None:
    seen = drive("path-mtu", PathMtuParameters(address))
    assert seen.completed()
    assert seen.value("path_mtu_bytes") == 65_535
    assert seen.value("path_mtu_black_hole") is False


def test_a_name_that_gives_no_address_is_not_traced() -> None:
    nowhere = "no-such-host.invalid"
    assert drive("route", RouteParameters(nowhere)).failed(Failure.RESOLVE)
    assert drive("path-mtu", PathMtuParameters(nowhere)).failed(Failure.RESOLVE)
