"""Requests to the witness: sent in copies until it tells of their arrival, and what it told."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import NetworkFailure, OpenChannel, StreamChannel, WitnessNetwork
from nethealth.model.probe import Env
from nethealth.protocol.sip_rewriting import labels
from nethealth.wire.witness import Arrival
from probes.steps import within
from probes.witness_session import WitnessSession

Role = Literal["sip", "control"]


@dataclass(slots=True)
class Case:
    """One request to one port: what was sent, and how it arrived if it did."""

    number: int
    transport: Literal["udp", "tcp"]
    role: Role
    port: int
    octets: bytes
    local: Endpoint
    sent_count: int = 0
    awaited: bool = False  # to the end: before that, not to have arrived says nothing
    arrivals: list[Arrival] = field(default_factory=list)
    failure: NetworkFailure | None = None  # of a connection or of this machine's own sending

    @property
    def arrived(self) -> bool:
        return bool(self.arrivals)

    @property
    def received(self) -> bytes | None:
        """The octets as they arrived; None if none did, or copies of one request disagree."""
        different = {one.octets for one in self.arrivals}
        return different.pop() if len(different) == 1 else None


class Requests:
    """All requests of one session; what the witness tells is believed only where it can be so."""

    def __init__(self, session: WitnessSession, env: Env) -> None:
        self.rejected: Counter[str] = Counter()
        self.first_rejected: dict[str, bytes] = {}
        self._session = session
        self._env = env
        self._cases: dict[tuple[int, int], Case] = {}  # by number and port
        self._read = 0

    def add(self, case: Case) -> Case:
        self._cases[case.number, case.port] = case
        return case

    def take_in(self) -> None:
        """What the witness has told since, to the cases that it tells of."""
        told = self._session.told
        for _, one in told[self._read :]:
            if isinstance(one, Arrival):
                self._arrival(one)
        self._read = len(told)

    def _arrival(self, arrival: Arrival) -> None:
        numbers = labels(self._session.token, arrival.octets)
        case = self._cases.get((next(iter(numbers)), arrival.port)) if len(numbers) == 1 else None
        why = self._implausible(arrival, case)
        if case is None or why is not None:
            reason = why or "bears no name of a request that was sent there"
            self.rejected[reason] += 1
            self.first_rejected.setdefault(reason, arrival.octets)
        else:
            case.arrivals.append(arrival)

    @staticmethod
    def _implausible(arrival: Arrival, case: Case | None) -> str | None:
        """Why a claim cannot be what became of this request, whatever is on the way."""
        if case is None:
            return None
        if arrival.transport != case.transport or not case.sent_count:
            return "tells of a request that was not sent so"
        if len(case.arrivals) >= case.sent_count:
            return "tells of more copies than were sent"
        if arrival.cut or len(arrival.octets) > 2 * len(case.octets):
            return "is longer than any rewriting makes it"
        method = case.octets.partition(b" ")[0]
        if not arrival.octets.startswith(method + b" ") or b" SIP/2.0" not in arrival.octets:
            return "is not the request any more"
        return None

    async def over_datagrams(
        self, channel: OpenChannel, cases: Sequence[Case], copies: int, timeout_s: float
    ) -> None:
        """Send what has not arrived, again and again, until it has or the time is over."""
        for _ in range(copies):
            for case in cases:
                if not case.arrived and case.failure is None:
                    await self._send(channel, case)
            until_s = self._env.clock.monotonic_s() + timeout_s / copies
            if await self._session.until(lambda: self._settled(cases), until_s):
                break
        for case in cases:
            case.awaited = True

    async def _send(self, channel: OpenChannel, case: Case) -> None:
        await self._env.pacer.wait()
        remote = self._session.remote
        try:
            case.sent_count += 1
            channel.send(case.octets, Endpoint(remote.address, case.port))
        except NetworkFailure as failure:
            case.sent_count -= 1
            case.failure = failure

    def _settled(self, cases: Iterable[Case]) -> bool:
        self.take_in()
        return all(case.arrived or case.failure is not None for case in cases)

    async def over_streams(
        self, channels: Sequence[tuple[StreamChannel, Case]], timeout_s: float
    ) -> None:
        """Send each on its connection, once, and wait."""
        for channel, case in channels:
            await self._env.pacer.wait()
            try:
                case.sent_count = 1
                await within(timeout_s, channel.write(case.octets), f"sending to {channel.remote}")
            except NetworkFailure as failure:
                case.failure = failure
        watches = [asyncio.create_task(self._watch(channel, case)) for channel, case in channels]
        try:
            until_s = self._env.clock.monotonic_s() + timeout_s
            cases = [case for _, case in channels]
            await self._session.until(lambda: self._settled(cases), until_s)
            for case in cases:
                case.awaited = True
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)

    async def _watch(self, channel: StreamChannel, case: Case) -> None:
        """Whether the connection is broken off before the request has arrived."""
        try:
            while await channel.read(4096):
                pass
            failure = NetworkFailure(Failure.RESET, f"{channel.remote} closed the connection")
        except NetworkFailure as broken:
            failure = broken
        # The witness may have told of it already, on the other connection.
        await asyncio.sleep(0.2)
        self.take_in()
        if not case.arrived:
            case.failure = failure
            self._session.wake()


async def together(*steps: Coroutine[None, None, None]) -> None:
    """All at once; the first NetworkFailure of any ends them all."""
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except* NetworkFailure as failures:
        first = next(_leaves(failures))
    else:
        return
    raise first


def _leaves(group: BaseExceptionGroup[NetworkFailure]) -> Iterator[NetworkFailure]:
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from _leaves(one)
        else:
            yield one


async def two_streams(
    network: WitnessNetwork, remotes: Sequence[Endpoint], timeout_s: float
) -> list[StreamChannel | NetworkFailure]:
    """A connection to each, all from one port of ours, so that one request suits them all."""
    opened: list[StreamChannel | NetworkFailure] = []
    local_port = 0
    for remote in remotes:
        try:
            channel = await within(
                timeout_s,
                network.open_stream_from(remote, local_port=local_port),
                f"connecting to {remote}",
            )
        except NetworkFailure as failure:
            opened.append(failure)
            continue
        local_port = channel.local.port
        opened.append(channel)
    return opened


async def drained(channel: OpenChannel, errors: Counter[str]) -> None:
    """Take in whatever comes to a channel that expects nothing; ICMP errors are counted."""
    while True:
        try:
            await channel.receive()
        except NetworkFailure as failure:
            if failure.reason in errors or len(errors) < 16:
                errors[failure.reason] += 1
        await asyncio.sleep(0)


def by_pair(cases: Iterable[Case]) -> dict[tuple[str, str], dict[Role, Case]]:
    """The two cases of each transport and method."""
    pairs: dict[tuple[str, str], dict[Role, Case]] = defaultdict(dict)
    for case in cases:
        method = case.octets.partition(b" ")[0].decode()
        pairs[case.transport, method][case.role] = case
    return dict(pairs)


async def closing(channels: Iterable[StreamChannel | NetworkFailure]) -> None:
    for channel in channels:
        if not isinstance(channel, NetworkFailure):
            with suppress(NetworkFailure):
                await channel.close()
