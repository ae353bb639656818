"""The simulated link: one path per site that delays, varies, drops and fails, in this process.

Datagrams and streams are real and run over loopback through relays of this link; only the delay
and the drops are simulated. ICMP echo is answered by the link itself: the kernel would answer for
all of 127.0.0.0/8, dead hosts too.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import cast

from nethealth.model.ports import Clock

# What a sender waits before it sends a lost TCP segment again (RFC 6298 section 2.4 asks for at
# least a second; Linux uses 0.2 s).
RETRANSMISSION_TIMEOUT_S = 0.2


@dataclass(frozen=True, slots=True)
class Path:
    """One way between the vantage and a site.

    `delay_s` and `variation_s` (mean of an exponential on top) are one way; `loss_ratio` is the
    share of packets dropped one way. For `busy_s` of every `period_s` the busy figures are added.
    """

    delay_s: float = 0.004
    variation_s: float = 0.0005
    loss_ratio: float = 0.0
    period_s: float = 1.0
    busy_s: float = 0.0
    busy_delay_s: float = 0.0
    busy_loss_ratio: float = 0.0


class SiteLink:
    """The path to one site, both ways alike."""

    def __init__(self, path: Path, clock: Clock, random: Random) -> None:
        self._path = path
        self._clock = clock
        self._random = random

    def transit_s(self) -> float | None:
        """How long one packet takes one way; None if it is dropped."""
        path = self._path
        busy = self._clock.monotonic_s() % path.period_s < path.busy_s
        loss_ratio = path.loss_ratio + (path.busy_loss_ratio if busy else 0.0)
        if self._random.random() < loss_ratio:
            return None
        variation = -path.variation_s * math.log(1.0 - self._random.random())
        return path.delay_s + variation + (path.busy_delay_s if busy else 0.0)

    def segment_transit_s(self) -> float:
        """How long one TCP segment takes: a dropped one is sent again after the timeout."""
        waited = 0.0
        while (transit := self.transit_s()) is None:
            waited += RETRANSMISSION_TIMEOUT_S
        return waited + transit


class DatagramRelay(asyncio.DatagramProtocol):
    """Stands at the simulated address of a UDP service and carries datagrams to the real server."""

    def __init__(self, link: SiteLink, server: tuple[str, int]) -> None:
        self._link = link
        self._server = server
        self._upstreams: dict[tuple[str, int], asyncio.DatagramTransport] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, client: tuple[str, int]) -> None:
        transit = self._link.transit_s()
        if transit is None:
            return
        task = asyncio.ensure_future(self._forward(data, client, transit))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _forward(self, data: bytes, client: tuple[str, int], transit_s: float) -> None:
        await asyncio.sleep(transit_s)
        upstream = self._upstreams.get(client)
        if upstream is None:
            upstream, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Returning(self, client), remote_addr=self._server
            )
            self._upstreams[client] = upstream
        upstream.sendto(data)

    def give_back(self, data: bytes, client: tuple[str, int]) -> None:
        """Carry an answer of the server to the client."""
        transit = self._link.transit_s()
        if transit is not None and self.transport is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(transit, self._deliver, data, client)

    def _deliver(self, data: bytes, client: tuple[str, int]) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(data, client)

    def close(self) -> None:
        for task in self._opening:
            task.cancel()
        for transport in (self.transport, *self._upstreams.values()):
            if transport is not None:
                transport.close()


class _Returning(asyncio.DatagramProtocol):
    """The relay's socket towards the server, one per client."""

    def __init__(self, relay: DatagramRelay, client: tuple[str, int]) -> None:
        self._relay = relay
        self._client = client

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self._relay.give_back(data, self._client)


class StreamRelay:
    """Stands at the simulated address of a TCP service and carries bytes to the real server."""

    def __init__(self, link: SiteLink, server: tuple[str, int]) -> None:
        self._link = link
        self._server = server

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways until both are at their end."""
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._server)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._carry(reader, server_writer), self._carry(server_reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A reset of either end ends this direction; the prober sees it as the end of its stream.
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                await asyncio.sleep(self._link.segment_transit_s())
                writer.write(data)
                await writer.drain()
        writer.close()


Deliver = Callable[[float], None]


def echo(
    there: SiteLink, alive: bool, now_s: float, deliver: Deliver
) -> asyncio.TimerHandle | None:
    """Answer one echo request over the link; `deliver` gets the monotonic time of the reply."""
    forward, back = there.transit_s(), there.transit_s()
    if not alive or forward is None or back is None:
        return None
    arrival_s = now_s + forward + back
    return asyncio.get_running_loop().call_later(forward + back, deliver, arrival_s)
