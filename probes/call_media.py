"""The media of one call on real channels: an even port for RTP, the next for RTCP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import CallNetwork, NetworkFailure, OpenChannel
from nethealth.model.probe import Env
from nethealth.protocol.call_media import PTIME_S, AgreedMedia
from nethealth.protocol.rtp_session import RtpSession, same_address

_PAIRS_MAX = 20
# The first report tells the far end when we sent it, so that its first can tell the round trip;
# then about every 2.5 s, half of RFC 3550's least interval and far below 5 % of the bandwidth.
RTCP_FIRST_S = 1.0
RTCP_INTERVAL_S = 2.5
_ERRORS_MAX = 1000
# What a third address gets, in the whole call, before anything has come from where it was sent:
# two seconds, enough for the far end to speak or report, and too little for a flood.
UNPROVEN_PACKETS_MAX = 100


@dataclass
class MediaPorts:
    """Both channels and what crosses them; `remote` is asked for the media as agreed just now."""

    rtp: OpenChannel
    rtcp: OpenChannel
    peer: str  # the address that was asked to take the call
    session: RtpSession
    remote: Callable[[], AgreedMedia | None]
    errors: list[NetworkFailure] = field(default_factory=list)  # ICMP, or the local kernel's
    lateness_s: list[float] = field(default_factory=list)  # of our own sending
    skipped: int = 0  # packets not sent: the far end asked for silence
    unproven: int = 0  # packets sent to an address that nothing has come from
    withheld: int = 0  # packets not sent there any more

    async def listen(self) -> None:
        """Take in what comes on both ports, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(self.rtp, self._take))
            tasks.create_task(self._listen(self.rtcp, self._take_rtcp))

    async def talk(self, env: Env, until_s: float) -> None:
        """Send a packet every 20 ms until `until_s`, each at a moment fixed beforehand."""
        start_s = env.clock.monotonic_s()
        reported_s = start_s + RTCP_FIRST_S
        slot = 0
        while (due_s := start_s + slot * PTIME_S) < until_s:
            await env.pacer.wait()
            await env.clock.sleep_until(due_s)
            media = self.remote()
            if media is None or not media.sends:
                self.skipped += 1
            elif self._may_reach(media.remote.address):
                self._send(media, slot, due_s)
            else:
                self.withheld += 1
            slot += 1
            if due_s >= reported_s:
                self.report(env)
                reported_s = due_s + RTCP_INTERVAL_S * env.random.uniform(0.5, 1.5)

    def report(self, env: Env, *, leaving: bool = False) -> None:
        """Send our RTCP report, if there is somebody to send it to."""
        media = self.remote()
        if media is None or not self._may_reach(media.remote.address):
            return
        data = self.session.report(env.clock.monotonic_s(), media.remote.address, leaving=leaving)
        try:
            self.rtcp.send(data, media.rtcp)
        except NetworkFailure as failure:
            self._failed(failure)

    def _may_reach(self, address: str) -> bool:
        """Whether a packet may go there now; to an address that is silent only so many may.

        A description can name anybody. The one who was asked has agreed by answering; any other
        address shows by a packet of its own that somebody there takes part.
        """
        if same_address(address, self.peer) or self.session.heard_from(address):
            return True
        self.unproven += 1
        return self.unproven <= UNPROVEN_PACKETS_MAX

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()

    def _send(self, media: AgreedMedia, slot: int, due_s: float) -> None:
        packet = self.session.packet(media.codec, slot)
        try:
            at_s = self.rtp.send(packet.encode(), media.remote)
        except NetworkFailure as failure:
            self._failed(failure)
            return
        self.session.sent(packet, at_s)
        self.lateness_s.append(at_s - due_s)

    async def _listen(
        self, channel: OpenChannel, take: Callable[[bytes, Endpoint, float, int | None], None]
    ) -> None:
        while True:
            try:
                datagram = await channel.receive()
            except NetworkFailure as failure:
                self._failed(failure)
            else:
                take(datagram.data, datagram.source, datagram.received_s, datagram.dscp)

    def _take(self, data: bytes, source: Endpoint, at_s: float, dscp: int | None) -> None:
        self.session.receive(data, source, at_s, dscp)

    def _take_rtcp(self, data: bytes, source: Endpoint, at_s: float, _: int | None) -> None:
        media = self.remote()
        self.session.receive_rtcp(data, source, at_s, None if media is None else media.rtcp.address)

    def _failed(self, failure: NetworkFailure) -> None:
        if len(self.errors) < _ERRORS_MAX:
            self.errors.append(failure)


@asynccontextmanager
async def media_ports(
    network: CallNetwork, peer: Endpoint, dscp: int, session: RtpSession
) -> AsyncIterator[MediaPorts]:
    """A pair of ports that leads to `peer`; RTP and RTCP bear `dscp`."""
    rtp, rtcp = await _pair(network, peer, dscp)
    ports = MediaPorts(rtp, rtcp, peer.address, session, lambda: None)
    try:
        yield ports
    finally:
        ports.close()


async def _pair(network: CallNetwork, peer: Endpoint, dscp: int) -> tuple[OpenChannel, OpenChannel]:
    for _ in range(_PAIRS_MAX):
        rtp = await network.open_channel(peer, dscp=dscp)
        if rtp.local.port % 2 == 0:
            with contextlib.suppress(NetworkFailure):  # the next port is taken
                rtcp = await network.open_channel(peer, dscp=dscp, local_port=rtp.local.port + 1)
                return rtp, rtcp
        rtp.close()
    raise NetworkFailure(Failure.UNREACHABLE, "no two neighbouring ports are free for media")
