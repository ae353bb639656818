"""The signalling of one call over UDP, or over a connection, bounded against any far end."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import Clock, NetworkFailure, OpenChannel, StreamChannel
from nethealth.protocol.rtp_session import same_address
from nethealth.protocol.sip_call import Call, Outgoing
from nethealth.wire.errors import WireError
from nethealth.wire.sip_stream import SipStreamParser

MESSAGES_MAX = 1000  # taken in of one call
STREAM_MAX_OCTETS = 524_288
SOURCES_MAX = 16
_READ_OCTETS = 65_536

Until = Callable[[], bool]


class Signalling(Protocol):
    """A way for the messages of one call."""

    wrong_sources: Counter[str]

    async def send(self, out: Outgoing) -> None: ...

    async def receive(self, call: Call) -> None:
        """Hand the call what comes next; NetworkFailure when no more can come."""
        ...


class OverDatagrams:
    """UDP: messages from the one who was asked, and from where the dialog leads."""

    def __init__(self, channel: OpenChannel, remote: Endpoint) -> None:
        self.wrong_sources: Counter[str] = Counter()
        self._channel = channel
        self._remote = remote
        self._taken = 0

    async def send(self, out: Outgoing) -> None:
        self._channel.send(out.data, out.hop or self._remote)

    async def receive(self, call: Call) -> None:
        self._taken += 1
        if self._taken > MESSAGES_MAX:
            raise NetworkFailure(Failure.PROTOCOL, f"more than {MESSAGES_MAX} datagrams came")
        try:
            datagram = await self._channel.receive()
        except NetworkFailure:
            if not (call.provisional or call.final):
                raise
            return  # ICMP from the way of a later request: the call stands, its timers run
        known = (self._remote, *call.hops)
        if any(same_address(datagram.source.address, one.address) for one in known):
            call.receive_datagram(datagram.data, datagram.source, datagram.received_s)
        elif len(self.wrong_sources) < SOURCES_MAX or str(datagram.source) in self.wrong_sources:
            self.wrong_sources[str(datagram.source)] += 1


class OverStream:
    """TCP or TLS: everything by the one connection, wherever the dialog leads."""

    def __init__(self, channel: StreamChannel, clock: Clock) -> None:
        self.wrong_sources: Counter[str] = Counter()
        self._channel = channel
        self._clock = clock
        self._parser = SipStreamParser()
        self._read = 0

    async def send(self, out: Outgoing) -> None:
        await self._channel.write(out.data)

    async def receive(self, call: Call) -> None:
        data = await self._channel.read(_READ_OCTETS)
        if not data:
            raise NetworkFailure(Failure.RESET, "the peer closed the connection within the call")
        self._read += len(data)
        if self._read > STREAM_MAX_OCTETS:
            raise NetworkFailure(Failure.PROTOCOL, f"more than {STREAM_MAX_OCTETS} octets came")
        try:
            messages = self._parser.feed(data)
        except WireError as error:
            call.receive_malformed(data, error)
            raise NetworkFailure(Failure.PROTOCOL, f"the stream is broken: {error}") from None
        for message in messages:
            call.receive(message, None, self._clock.monotonic_s(), data)


async def carry(call: Call, way: Signalling, clock: Clock, until: Until, deadline_s: float) -> None:
    """Send and receive until `until()` holds or the deadline has passed."""
    while True:
        for out in call.due(clock.monotonic_s()):
            await way.send(out)
        now_s = clock.monotonic_s()
        if until() or now_s >= deadline_s:
            return
        wait_until_s = min(deadline_s, call.next_deadline_s or deadline_s)
        try:
            async with asyncio.timeout(max(0.0, wait_until_s - now_s)):
                await way.receive(call)
        except TimeoutError:
            continue
