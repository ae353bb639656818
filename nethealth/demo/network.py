"""The network port of the demonstration: real sockets to relays on loopback, echo by the link."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from nethealth.demo.link import SiteLink, echo
from nethealth.model.check import Family, ProbeMethod
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import (
    Clock,
    Datagram,
    DatagramChannel,
    EchoEvent,
    EchoFlow,
    Network,
    NetworkFailure,
    ProbeChannel,
    ProbeEvent,
    StreamChannel,
)


@dataclass(frozen=True, slots=True)
class Host:
    """One simulated host; `relays` holds the loopback relay of each of its (transport, port)."""

    link: SiteLink
    alive: bool
    relays: Mapping[tuple[str, int], Endpoint]


class DemoNetwork:
    """Translates simulated endpoints to relays; whatever is not simulated is unreachable."""

    def __init__(
        self, real: Network, clock: Clock, hosts: Mapping[str, Host], names: Mapping[str, str]
    ) -> None:
        self._real = real
        self._clock = clock
        self._hosts = hosts
        self._names = names
        self.statistics = real.statistics

    async def resolve(self, host: str, family: Family | None = None) -> tuple[str, ...]:
        """Names of the demonstration; numbers are returned as they are."""
        if host in self._hosts and family != 6:
            return (host,)
        if host in self._names and family != 6:
            return (self._names[host],)
        raise NetworkFailure(Failure.RESOLVE, f"{host} is not in the demonstration")

    async def open_datagram(self, remote: Endpoint, *, dscp: int = 0) -> DatagramChannel:
        relay = self._host(remote.address).relays.get(("udp", remote.port))
        if relay is None:
            raise NetworkFailure(Failure.REFUSED, f"{remote}: port unreachable")
        return _Translated(await self._real.open_datagram(relay, dscp=dscp), remote)

    async def open_stream(self, remote: Endpoint, *, dscp: int = 0) -> StreamChannel:
        host = self._host(remote.address)
        if not host.alive:
            await asyncio.get_running_loop().create_future()  # silence, until the probe gives up
        # The handshake's two segments cross the link; loopback itself adds nothing to speak of.
        await asyncio.sleep(host.link.segment_transit_s() + host.link.segment_transit_s())
        relay = host.relays.get(("tcp", remote.port))
        if relay is None:
            raise NetworkFailure(Failure.REFUSED, f"{remote}: connection refused")
        return await self._real.open_stream(relay, dscp=dscp)

    def open_echo(
        self, address: str, deliver: Callable[[EchoEvent], None], *, dscp: int, payload_bytes: int
    ) -> EchoFlow:
        return _DemoEcho(address, self._host(address), self._clock, deliver, dscp)

    def open_probe(
        self,
        remote: Endpoint,
        method: ProbeMethod,
        deliver: Callable[[ProbeEvent], None],
        *,
        dscp: int = 0,
        dont_fragment: bool = False,
    ) -> ProbeChannel:
        raise NetworkFailure(
            Failure.UNREACHABLE, f"{remote.address}: the demonstration has no routers on its paths"
        )

    async def close(self) -> None:
        await self._real.close()

    def _host(self, address: str) -> Host:
        if address not in self._hosts:
            raise NetworkFailure(Failure.UNREACHABLE, f"{address} is not in the demonstration")
        return self._hosts[address]


class _Translated:
    """A real channel to a relay that names the simulated host as its peer."""

    def __init__(self, channel: DatagramChannel, remote: Endpoint) -> None:
        self.local = channel.local
        self.remote = remote
        self._channel = channel

    def send(self, data: bytes) -> float:
        return self._channel.send(data)

    async def receive(self) -> Datagram:
        datagram = await self._channel.receive()
        if datagram.source == self._channel.remote:
            return replace(datagram, source=self.remote)
        return datagram

    def close(self) -> None:
        self._channel.close()


class _DemoEcho:
    """Echo requests that the link itself answers."""

    identifier = 0  # nothing goes on a wire, so nothing needs telling apart

    def __init__(
        self,
        address: str,
        host: Host,
        clock: Clock,
        deliver: Callable[[EchoEvent], None],
        dscp: int,
    ) -> None:
        self.address = address
        self._host = host
        self._clock = clock
        self._deliver = deliver
        self._dscp = dscp
        self._pending: list[asyncio.TimerHandle] = []

    def send(self, sequence: int) -> float:
        now_s = self._clock.monotonic_s()

        def arrive(received_s: float) -> None:
            self._deliver(
                EchoEvent(
                    sequence, received_s, self.address, "reply", 0, 0, ttl=63, dscp=self._dscp
                )
            )

        timer = echo(self._host.link, self._host.alive, now_s, arrive)
        if timer is not None:
            self._pending.append(timer)
        return now_s

    def close(self) -> None:
        for timer in self._pending:
            timer.cancel()
