"""One open way to a SIP server, on which transactions follow each other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from nethealth.model.check import SipTransport
from nethealth.model.endpoint import Endpoint
from nethealth.model.ports import Clock, DatagramChannel, StreamChannel
from nethealth.model.probe import Env
from nethealth.protocol.sip_transaction import ClientTransaction
from nethealth.wire.sip_stream import SipStreamParser
from probes.sip_exchange import Ending, over_datagrams, over_stream
from probes.steps import within


class Line(Protocol):
    """Carries one transaction at a time to its end."""

    local: Endpoint

    async def exchange(self, transaction: ClientTransaction) -> Ending: ...


class DatagramLine:
    """One UDP socket: late copies of answers to earlier requests arrive on it, and are known."""

    def __init__(self, channel: DatagramChannel, clock: Clock) -> None:
        self.local = channel.local
        self._channel = channel
        self._clock = clock
        self._finished: set[str] = set()

    async def exchange(self, transaction: ClientTransaction) -> Ending:
        transaction.late = frozenset(self._finished)
        self._finished.add(transaction.branch)
        return await over_datagrams(self._channel, transaction, self._clock)


class StreamLine:
    """One TCP or TLS connection, whose octets are framed from its first to its last."""

    def __init__(self, channel: StreamChannel, clock: Clock) -> None:
        self.local = channel.local
        self._channel = channel
        self._clock = clock
        self._parser = SipStreamParser()
        self._finished: set[str] = set()

    async def exchange(self, transaction: ClientTransaction) -> Ending:
        transaction.late = frozenset(self._finished)
        self._finished.add(transaction.branch)
        return await over_stream(self._channel, transaction, self._clock, self._parser)


@asynccontextmanager
async def connected(
    remote: Endpoint, transport: SipTransport, server_name: str, timeout_s: float, env: Env
) -> AsyncIterator[Line]:
    """A new TCP or TLS connection that nothing is observed of; NetworkFailure if there is none."""
    await env.pacer.wait()
    channel = await within(timeout_s, env.network.open_stream(remote), f"connecting to {remote}")
    try:
        if transport == "tls":
            await within(timeout_s, channel.start_tls(server_name), f"TLS handshake with {remote}")
        yield StreamLine(channel, env.clock)
    finally:
        await channel.close()
