"""One load: asked for, kept to its rate, and cut as soon as its guard says so."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Literal

from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import Clock, LoadChannel, LoadNetwork, NetworkFailure
from nethealth.protocol.load import LINE_OCTETS_MAX, LoadRequest, Pace, Way, parse_answer
from nethealth.quality.bandwidth import tcp_share
from nethealth.wire.errors import WireError
from probes.coexistence_guard import Guard
from probes.steps import within

Phase = Literal["download", "upload"]
CONNECT_S = 1.5
TAKEN_MARGIN = 1.25
EARLY_SHARE = 0.9  # of a load's time, before which its end is no end of its time
_TURN_S = 0.005
_WATCH_S = 0.05
_CHUNK = 65_536
TIME = "its time was over"


class LoadRefused(Exception):
    """The load service does not serve this load; the message says why."""


@dataclass(frozen=True, slots=True)
class LoadRun:
    """A load that was made: how much TCP carried from `start_s` to `end_s`, and why it ended.

    `rate_bps` is on the wire; None if it was over before anything can be said of a rate.
    """

    phase: Phase
    asked_bps: float
    start_s: float
    end_s: float
    octets: int
    by: Literal["time", "guard", "service"]
    ended: str
    six: bool

    @property
    def rate_bps(self) -> float | None:
        took_s = self.end_s - self.start_s
        return self.octets * 8 / took_s / tcp_share(six=self.six) if took_s > 0 else None


def payload_bps(wire_bps: float, *, six: bool) -> int:
    """What TCP may carry so that no more than `wire_bps` stands on the wire."""
    return max(1, int(wire_bps * tcp_share(six=six)))


async def ask(network: LoadNetwork, remote: Endpoint, rate_bps: int, seconds: float) -> None:
    """Raise LoadRefused if such a load would not be served, NetworkFailure if nobody answers."""
    channel = await _asked(network, remote, LoadRequest(Way.ASK, rate_bps, seconds))
    channel.cut()


async def run_load(
    network: LoadNetwork,
    clock: Clock,
    remote: Endpoint,
    phase: Phase,
    wire_bps: float,
    seconds: float,
    guard: Guard,
) -> LoadRun:
    """Load the path until the time is over or the guard objects.

    LoadRefused or NetworkFailure if there was no load.
    """
    six = ":" in remote.address
    rate_bps = payload_bps(wire_bps, six=six)
    way = Way.TAKE if phase == "download" else Way.GIVE  # a download goes to the site
    channel = await _asked(network, remote, LoadRequest(way, rate_bps, seconds))
    start_s = clock.monotonic_s()
    octets_before = channel.acknowledged_octets()
    # What is given is taken a little faster than it was asked for, and no faster, whoever gives it.
    margin = 1.0 if way is Way.TAKE else TAKEN_MARGIN
    flow = _Flow(channel, clock, Pace(rate_bps * margin, start_s))
    task = asyncio.create_task(flow.send() if way is Way.TAKE else flow.receive())
    by: Literal["time", "guard", "service"] = "time"
    ended = TIME
    try:
        while clock.monotonic_s() < start_s + seconds:
            trouble = guard.trouble(start_s, clock.monotonic_s())
            if trouble is not None:
                by, ended = "guard", f"the guard ended it: {trouble}"
                break
            if task.done():
                early = clock.monotonic_s() < start_s + EARLY_SHARE * seconds
                if flow.ended is not None or early:
                    by, ended = "service", flow.ended or "the load service ended it early"
                break
            await clock.sleep_until(min(start_s + seconds, clock.monotonic_s() + _WATCH_S))
    finally:
        end_s = clock.monotonic_s()
        octets = flow.received_octets
        with contextlib.suppress(NetworkFailure):
            octets += channel.acknowledged_octets() - octets_before if way is Way.TAKE else 0
        channel.cut()
        task.cancel()
    await asyncio.wait({task})
    return LoadRun(phase, wire_bps, start_s, end_s, octets, by, ended, six)


class _Flow:
    def __init__(self, channel: LoadChannel, clock: Clock, pace: Pace) -> None:
        self.received_octets = 0
        self.ended: str | None = None
        self._channel = channel
        self._clock = clock
        self._pace = pace

    async def send(self) -> None:
        try:
            while True:
                octets = min(self._pace.free(self._clock.monotonic_s()), _CHUNK)
                if octets:
                    await self._channel.write(bytes(octets))
                    self._pace.passed(octets)
                await asyncio.sleep(_TURN_S)
        except NetworkFailure as failure:
            self.ended = f"the load service ended it: {failure.reason}"

    async def receive(self) -> None:
        try:
            while True:
                free = min(self._pace.free(self._clock.monotonic_s()), _CHUNK)
                if free:
                    octets = len(await self._channel.read(free))
                    if not octets:
                        break
                    self._pace.passed(octets)
                    self.received_octets += octets
                await asyncio.sleep(_TURN_S)
            # The service's own clock may be the quicker one: that is no fault, and leaves None.
        except NetworkFailure as failure:
            self.ended = f"the load service ended it: {failure.reason}"


async def _asked(network: LoadNetwork, remote: Endpoint, request: LoadRequest) -> LoadChannel:
    opening = network.open_load(remote, request.rate_bps)
    channel = await within(CONNECT_S, opening, f"connecting to {remote}")
    try:
        await channel.write(request.build())
        line = await within(CONNECT_S, _line(channel), f"asking {remote} for a load")
        refusal = parse_answer(line)
    except WireError as error:
        channel.cut()
        raise NetworkFailure(Failure.PROTOCOL, f"{remote}: {error}") from None
    except BaseException:
        channel.cut()
        raise
    if refusal is not None:
        channel.cut()
        raise LoadRefused(f"the load service at {remote} refuses: {refusal}")
    return channel


async def _line(channel: LoadChannel) -> bytes:
    """The service's line, octet by octet: what follows it is the load itself."""
    line = b""
    while not line.endswith(b"\n") and len(line) <= LINE_OCTETS_MAX:
        octet = await channel.read(1)
        if not octet:
            break
        line += octet
    return line
