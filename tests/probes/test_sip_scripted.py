"""`sip` on a scripted network: what a kernel or a router may say, and what is left behind."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from random import Random
from typing import cast

import pytest

from nethealth.model.check import Check, Family, ProbeMethod, SipParameters, SipTransport
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation
from nethealth.model.ports import (
    Datagram,
    DatagramChannel,
    EchoEvent,
    EchoFlow,
    NetworkFailure,
    NetworkStatistics,
    ProbeChannel,
    ProbeEvent,
    StreamChannel,
)
from nethealth.model.probe import Completion, Env
from probes.net import SystemClock
from probes.sip import SIP
from tests.peers.hostile_sip import response
from tests.probes.sip_runs import NoPacer, ask

REMOTE = Endpoint("192.0.2.1", 5060)
NO_WAY = NetworkFailure(Failure.UNREACHABLE, "ICMP host unreachable from 192.0.2.254")


class Channel:
    """`replies` makes, from the copies sent so far, what `receive` gives; None is silence."""

    def __init__(self, replies: Callable[[list[bytes]], Datagram | NetworkFailure | None]) -> None:
        self.local = Endpoint("192.0.2.7", 40001)
        self.remote = REMOTE
        self.sent: list[bytes] = []
        self.closed = False
        self._replies = replies

    def send(self, data: bytes) -> float:
        self.sent.append(data)
        return SystemClock().monotonic_s()

    async def receive(self) -> Datagram:
        reply = self._replies(self.sent)
        if isinstance(reply, NetworkFailure):
            raise reply
        if reply is None:
            await asyncio.Event().wait()
        return cast(Datagram, reply)

    def close(self) -> None:
        self.closed = True


class Network:
    """Hands out one channel, or fails to."""

    def __init__(self, given: Channel | NetworkFailure) -> None:
        self.statistics = NetworkStatistics()
        self._given = given

    async def resolve(self, host: str, family: Family | None = None) -> tuple[str, ...]:
        return (REMOTE.address, "192.0.2.2")

    async def open_datagram(self, remote: Endpoint, *, dscp: int = 0) -> DatagramChannel:
        assert remote == REMOTE, "the first address, and no other"
        if isinstance(self._given, NetworkFailure):
            raise self._given
        return self._given

    async def open_stream(self, remote: Endpoint, *, dscp: int = 0) -> StreamChannel:
        if isinstance(self._given, NetworkFailure):
            raise self._given
        raise AssertionError("no stream is scripted")

    def open_echo(
        self, address: str, deliver: Callable[[EchoEvent], None], *, dscp: int, payload_bytes: int
    ) -> EchoFlow:
        raise AssertionError("no echo is scripted")

    def open_probe(
        self,
        remote: Endpoint,
        method: ProbeMethod,
        deliver: Callable[[ProbeEvent], None],
        *,
        dscp: int = 0,
        dont_fragment: bool = False,
    ) -> ProbeChannel:
        raise AssertionError("no probe is scripted")

    async def close(self) -> None:
        return


def test_an_icmp_error_ends_the_wait_at_once() -> None:
    channel = Channel(lambda _: NO_WAY)
    said = asyncio.run(ask(5060, host="pbx.example", timeout_s=32.0, network=Network(channel)))
    assert said.end == (Outcome.FAILED, Failure.UNREACHABLE)
    assert said.completion.reason == NO_WAY.reason
    assert said["sip_status_code"].failure is Failure.UNREACHABLE
    assert said["resolution_time_s"].method["addresses"] == ("192.0.2.1", "192.0.2.2")
    assert channel.closed


@pytest.mark.parametrize(
    ("transport", "step"), [("udp", "sip_status_code"), ("tcp", "tcp_connect_time_s")]
)
def test_no_channel_to_be_had(transport: SipTransport, step: str) -> None:
    said = asyncio.run(ask(5060, host="pbx.example", transport=transport, network=Network(NO_WAY)))
    assert said.end == (Outcome.FAILED, Failure.UNREACHABLE)
    assert said[step].failure is Failure.UNREACHABLE


def test_the_delay_is_from_the_send_to_the_receive_stamp() -> None:
    def reply(sent: list[bytes]) -> Datagram:
        stamp_s = SystemClock().monotonic_s() + 7.0
        return Datagram(response(sent[0]), REMOTE, stamp_s)

    said = asyncio.run(ask(5060, host="pbx.example", network=Network(Channel(reply))))
    delay = said["sip_response_delay_s"].value
    assert isinstance(delay, float)
    assert 7.0 <= delay < 8.0


def test_a_check_that_is_stopped_closes_its_channel() -> None:
    """The sweep cancels at a deadline, wherever the probe then stands."""
    channel = Channel(lambda _: None)
    clock = SystemClock()
    env = Env(clock, Network(channel), Random(1), NoPacer(), clock.monotonic_s())
    parameters = SipParameters("sip:pbx.example", "pbx.example", 5060)
    check = Check("a:sip", "sip", None, None, None, "sip:pbx.example", parameters)

    async def scene() -> set[str]:
        names = set()
        items = cast(AsyncGenerator[Observation | Completion, None], SIP.run(check, env))
        with pytest.raises(TimeoutError):
            async with aclosing(items), asyncio.timeout(0.05):
                async for item in items:
                    names.add(getattr(item, "name", "completion"))
        return names

    assert asyncio.run(scene()) == {"resolution_time_s"}, "what was known was handed over"
    assert channel.closed
