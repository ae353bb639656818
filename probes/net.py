"""The real clock and the real network behind the model's ports; every socket is opened here."""

import asyncio
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from nethealth.model.check import Family, ProbeMethod
from nethealth.model.endpoint import Endpoint
from nethealth.model.ports import (
    Clock,
    DatagramChannel,
    EchoEvent,
    EchoFlow,
    LoadChannel,
    NetworkFailure,
    NetworkStatistics,
    OpenChannel,
    ProbeChannel,
    ProbeEvent,
    StreamChannel,
    TimedDatagram,
    TimedFlow,
)
from probes.datagram import Readiness, UdpChannel
from probes.resolver import Resolver
from probes.stream import open_tcp
from probes.timer import DeadlineTimer
from probes.ttl_probe import open_probe

if TYPE_CHECKING:
    from probes.echo import EchoEngine
    from probes.stamp_engine import TimedSender
    from probes.trust import TrustStore


class SystemClock:
    """The machine's clocks."""

    def __init__(self) -> None:
        self._timer: DeadlineTimer | None = None

    def monotonic_s(self) -> float:
        return time.monotonic()

    def wall_utc(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, monotonic_s: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is None or self._timer.loop is not loop:
            self._timer = DeadlineTimer(loop)
        await self._timer.sleep_until(monotonic_s)


class SystemNetwork:
    """Real sockets. `ca_file`: a PEM file to trust in place of the system's own."""

    def __init__(self, clock: Clock, ca_file: str | None = None) -> None:
        self.statistics = NetworkStatistics()
        self._clock = clock
        self._ca_file = ca_file
        _allow_many_sockets()

    @cached_property
    def _resolver(self) -> Resolver:
        return Resolver()

    @cached_property
    def _readiness(self) -> Readiness:
        return Readiness(asyncio.get_running_loop())

    @cached_property
    def _trust(self) -> "TrustStore":
        # cryptography: an import that a ping need not pay for
        from probes.trust import TrustStore  # noqa: PLC0415

        return TrustStore.load(self._ca_file)

    @cached_property
    def _echo(self) -> "EchoEngine":
        from probes.echo import EchoEngine  # noqa: PLC0415 - ping3, likewise

        return EchoEngine(self._clock, self.statistics)

    async def resolve(self, host: str, family: Family | None = None) -> tuple[str, ...]:
        return await self._resolver.resolve(host, family)

    async def open_datagram(self, remote: Endpoint, *, dscp: int = 0) -> DatagramChannel:
        return UdpChannel(remote, self._readiness, self.statistics, dscp)

    async def open_channel(
        self, peer: Endpoint, *, dscp: int = 0, local_port: int = 0
    ) -> OpenChannel:
        return UdpChannel(
            peer, self._readiness, self.statistics, dscp, local_port=local_port, marks=True
        )

    async def open_sized(self, peer: Endpoint, *, dont_fragment: bool) -> OpenChannel:
        return UdpChannel(peer, self._readiness, self.statistics, 0, dont_fragment=dont_fragment)

    async def open_stream(self, remote: Endpoint, *, dscp: int = 0) -> StreamChannel:
        return await open_tcp(remote, dscp, lambda: self._trust)

    async def open_stream_from(self, remote: Endpoint, *, local_port: int = 0) -> StreamChannel:
        return await open_tcp(remote, 0, lambda: self._trust, local_port=local_port)

    def open_echo(
        self, address: str, deliver: Callable[[EchoEvent], None], *, dscp: int, payload_bytes: int
    ) -> EchoFlow:
        return self._echo.open(address, deliver, dscp=dscp, payload_bytes=payload_bytes)

    def open_probe(
        self,
        remote: Endpoint,
        method: ProbeMethod,
        deliver: Callable[[ProbeEvent], None],
        *,
        dscp: int = 0,
        dont_fragment: bool = False,
    ) -> ProbeChannel:
        return open_probe(
            remote, method, deliver, self._readiness, dscp=dscp, dont_fragment=dont_fragment
        )

    @cached_property
    def _timed_sender(self) -> "TimedSender":
        from probes.stamp_engine import TimedSender  # noqa: PLC0415 - likewise

        return TimedSender()

    def open_timed(
        self,
        remote: Endpoint,
        deliver: Callable[[TimedDatagram], None],
        fail: Callable[[NetworkFailure], None],
        *,
        dscp: int,
    ) -> TimedFlow:
        from probes.stamp_engine import StampFlow  # noqa: PLC0415 - likewise

        return StampFlow(
            remote, deliver, fail, dscp=dscp, sender=self._timed_sender,
            readiness=self._readiness, statistics=self.statistics,
        )  # fmt: skip

    async def open_load(self, remote: Endpoint, rate_bps: float) -> LoadChannel:
        from probes.load_channel import open_load  # noqa: PLC0415 - likewise

        return await open_load(remote, rate_bps)

    async def close(self) -> None:
        """Let go of what the channels share; each channel is closed by the probe that opened it."""
        if "_echo" in self.__dict__:
            self._echo.close()
        if "_readiness" in self.__dict__:
            self._readiness.close()


def _allow_many_sockets() -> None:
    """Raise the soft limit on descriptors, often 1024, to the administrator's own.

    A sweep of thousands of checks waits for hundreds of dead hosts at a time.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
