"""Drives a trace over a channel: sends what it asks for, hands over what comes, keeps the time."""

import asyncio
from collections.abc import Callable

from nethealth.model.ports import NetworkFailure, ProbeChannel, ProbeEvent
from nethealth.model.probe import Env
from nethealth.protocol.route import Trace


class Tracing:
    """Opens no channel itself: `deliver` is what a channel is to be opened with."""

    def __init__(self, trace: Trace, env: Env, end_s: float) -> None:
        self.trace = trace
        self._env = env
        self._end_s = end_s
        self._arrived = asyncio.Event()

    def deliver(self, event: ProbeEvent) -> None:
        self.trace.received(event)
        self._arrived.set()

    async def run(self, channel: ProbeChannel, *, packet_bytes: int | None = None) -> bool:
        """Until the trace is finished; False where the time was over first.

        NetworkFailure if the very first packet cannot be sent; a route that goes later ends it.
        """
        trace, clock = self.trace, self._env.clock
        sent_any = False
        while not trace.finished(now := clock.monotonic_s()):
            if now >= self._end_s:
                return False
            self._arrived.clear()
            probe = trace.next_probe(now)
            if probe is None:
                await self._wait(min(trace.wake_s(now) or self._end_s, self._end_s))
                continue
            await self._env.pacer.wait()
            try:
                sent_s = channel.send(probe, ttl=trace.hop_of(probe), packet_bytes=packet_bytes)
            except NetworkFailure:
                if sent_any:
                    return False
                raise
            sent_any = True
            trace.sent(probe, sent_s)
        return True

    async def _wait(self, until_s: float) -> None:
        await arrived_by(self._arrived, until_s, self._env.clock.monotonic_s)


async def arrived_by(
    arrived: asyncio.Event, until_s: float, monotonic_s: Callable[[], float]
) -> bool:
    """Whether the event came before `until_s`."""
    try:
        async with asyncio.timeout(max(0.0, until_s - monotonic_s())):
            await arrived.wait()
    except TimeoutError:
        return False
    return True
