"""path-mtu: how large may a packet be on its way, and do larger ones vanish without a word?"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import closing

from nethealth.model.check import Check, PathMtuParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Scalar
from nethealth.model.ports import NetworkFailure, ProbeChannel, ProbeEvent
from nethealth.model.probe import Completion, Env, Observer, Probe
from nethealth.protocol.path_mtu import MtuSearch, Report
from nethealth.protocol.route import Hop, Trace
from probes.steps import RESOLUTION_UNITS, failed, resolve_one
from probes.tracing import Tracing, arrived_by

UNITS: dict[str, str | None] = {
    **RESOLUTION_UNITS,
    "path_mtu_bytes": "bytes",
    "path_mtu_black_hole": None,
    "path_mtu_reporter": None,
    "path_mtu_last_hop": None,
    "packet_reply_ratio": "1",
}

DEADLINE_MARGIN_S = 0.5
_WAIT_MIN_S = 0.3  # for an answer, however near the target is
_WAIT_ROUND_TRIPS = 4
_GAP_MIN_S = 0.05  # between copies of a packet that is not answered
_TTL = 64
_COMPARED = 10  # packets of each size that settle whether size alone decides
_COMPARED_GAP_S = 0.02
_HOPS_MAX = 30
_TRACE_TIMEOUT_S = 1.0

_Passport = Mapping[str, Scalar | Sequence[Scalar]]


async def search_mtu(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """The search; of a black hole also a comparison of both sizes, and the last hop before it."""
    parameters = check.parameters
    if not isinstance(parameters, PathMtuParameters):
        raise TypeError(f"{check.id}: not the parameters of a path-mtu check")
    end_s = env.clock.monotonic_s() + check.deadline_s - DEADLINE_MARGIN_S
    observe = Observer(check, env, UNITS)
    resolution = await resolve_one(parameters.host, parameters.family, env, observe)
    for observation in resolution.observations:
        yield observation
    if resolution.failure is not None:
        yield failed(resolution.failure)
        return
    search = MtuSearch(6 if resolution.passport["ip_version"] == 6 else 4)
    method: _Passport = resolution.passport
    try:
        with closing(_Exchange(resolution.address, parameters, env, end_s, search)) as exchange:
            complete = await exchange.search_all()
            for observation in _found(observe, method, exchange, complete):
                yield observation
            if complete and search.black_hole:
                for size, ratio in await exchange.compare():
                    sized = {**method, "packet_bytes": size}
                    yield observe("packet_reply_ratio", ratio, samples=_COMPARED, method=sized)
                address, told = await _last_hop(exchange, method)
                yield observe("path_mtu_last_hop", address, method=told)
    except NetworkFailure as failure:
        yield observe("path_mtu_bytes", None, failure=failure.failure, method=method)
        yield failed(failure)
        return
    if search.passing is None:
        reason = f"{resolution.address} answers no echo request, of whatever size"
        yield Completion(Outcome.FAILED, Failure.TIMEOUT, reason)
    elif not complete:
        reason = f"not found within the deadline of {check.deadline_s:g} s"
        yield Completion(Outcome.FAILED, Failure.TIMEOUT, reason)


class _Exchange:
    """Packets of chosen sizes, one size after the other, and what became of them."""

    def __init__(
        self, address: str, parameters: PathMtuParameters, env: Env, end_s: float, search: MtuSearch
    ) -> None:
        self.search = search
        self.env = env
        self.end_s = end_s
        self.remote = Endpoint(address, 0)
        self.sent_count = 0
        self._parameters = parameters
        self._round_trip_s = parameters.timeout_s
        self._number = 0
        self._events: dict[int, ProbeEvent] = {}
        self._arrived = asyncio.Event()
        self._channel = env.network.open_probe(
            self.remote, "icmp", self._deliver, dont_fragment=True
        )

    def close(self) -> None:
        self._channel.close()

    async def search_all(self) -> bool:
        """Try sizes until the search is over; False where the time was over first."""
        while (size := self.search.next_size()) is not None:
            if self.env.clock.monotonic_s() >= self.end_s:
                return False
            await self._try(size)
        return True

    async def compare(self) -> tuple[tuple[int, float], ...]:
        """Packets of the largest size that passes and of the next one, in turn: share answered."""
        sizes = (self.search.passing or 0, self.search.failing)
        sent: dict[int, list[int]] = {size: [] for size in sizes}
        for _ in range(_COMPARED):
            for size in sizes:
                number, _ = await self._send(size)
                sent[size].append(number)
                await self._arrives(number, _COMPARED_GAP_S)
        await self._arrives(sent[sizes[1]][-1], self._wait_s)
        return tuple(
            (size, sum(self._answered(number) for number in numbers) / _COMPARED)
            for size, numbers in sent.items()
        )

    async def _try(self, size: int) -> None:
        """Copies of one packet until one is answered, and then what that says of the size."""
        numbers: list[int] = []
        for copy in range(self._parameters.copies):
            number, sent_s = await self._send(size)
            numbers.append(number)
            last = copy == self._parameters.copies - 1
            gap_s = max(_GAP_MIN_S, self._wait_s / 2)
            event = await self._any(numbers, self._wait_s if last else gap_s)
            if event is None:
                continue
            if event.kind == "reply":
                if number == event.probe:
                    self._round_trip_s = min(self._round_trip_s, event.received_s - sent_s)
                self.search.passed(size)
            elif event.kind == "refused":
                self.search.refused(size, event.mtu)
            else:
                by = Report(event.source, event.icmp_type or 0, event.icmp_code or 0, event.mtu)
                self.search.refused(size, event.mtu, by)
            return
        self.search.vanished(size)

    @property
    def _wait_s(self) -> float:
        waited = max(_WAIT_MIN_S, _WAIT_ROUND_TRIPS * self._round_trip_s)
        return min(self._parameters.timeout_s, waited)

    async def _send(self, size: int) -> tuple[int, float]:
        await self.env.pacer.wait()
        number = self._number
        self._number = (number + 1) & 0xFFFF
        self.sent_count += 1
        return number, self._channel.send(number, ttl=_TTL, packet_bytes=size)

    async def _any(self, numbers: Sequence[int], wait_s: float) -> ProbeEvent | None:
        """The first that came, or comes within `wait_s`, of what says something of the size."""
        until_s = min(self.env.clock.monotonic_s() + wait_s, self.end_s)
        while True:
            self._arrived.clear()
            for number in numbers:
                if number in self._events:
                    return self._events[number]
            if not await arrived_by(self._arrived, until_s, self.env.clock.monotonic_s):
                return None

    async def _arrives(self, number: int, wait_s: float) -> None:
        await self._any([number], wait_s)

    def _answered(self, number: int) -> bool:
        event = self._events.get(number)
        return event is not None and event.kind == "reply"

    def _deliver(self, event: ProbeEvent) -> None:
        if event.probe is None or event.probe in self._events:
            return
        if event.kind == "error" and not _too_big(event, self.search.version):
            return  # unreachable, or a loop: it says nothing of the size
        self._events[event.probe] = event
        self._arrived.set()


def _too_big(event: ProbeEvent, version: int) -> bool:
    return (event.icmp_type, event.icmp_code) == ((3, 4) if version == 4 else (2, 0))


def _found(
    observe: Observer, method: _Passport, exchange: _Exchange, complete: bool
) -> Sequence[Observation]:
    search = exchange.search
    told = {**method, "complete": complete, "limit": search.limit, "failing_bytes": search.failing}
    failure = None if search.passing else Failure.TIMEOUT
    found = [
        observe(
            "path_mtu_bytes",
            search.passing,
            samples=exchange.sent_count,
            failure=failure,
            method=told,
        ),
        observe(
            "path_mtu_black_hole",
            search.black_hole if complete else None,
            failure=failure,
            method=told,
        ),
    ]
    for report in dict.fromkeys(search.reports):
        said = {
            **method,
            "icmp_type": report.icmp_type,
            "icmp_code": report.icmp_code,
            "mtu_bytes": report.mtu,
        }
        found.append(observe("path_mtu_reporter", report.source, method=said))
    return found


async def _last_hop(exchange: _Exchange, method: _Passport) -> tuple[str | None, _Passport]:
    """The last router that large packets still reach, and the next one that only small ones do."""
    small = await _trace(exchange, None, _HOPS_MAX)
    large = await _trace(exchange, exchange.search.failing, len(small))
    last = max((hop.number for hop in large if hop.answers), default=0)
    beyond = next((hop for hop in small if hop.number > last and hop.answers), None)
    told: dict[str, Scalar | Sequence[Scalar]] = {
        **method,
        "hop": last,
        "packet_bytes": exchange.search.failing,
    }
    if beyond is not None:
        told |= {"next_hop": beyond.number, "next_address": beyond.addresses[0]}
    if not last:
        told["reason"] = "no hop answers packets of that size"
        return None, told
    return large[-1].addresses[0], told


async def _trace(exchange: _Exchange, packet_bytes: int | None, hops_max: int) -> tuple[Hop, ...]:
    trace = Trace(exchange.remote.address.partition("%")[0], hops_max, 2, _TRACE_TIMEOUT_S)
    tracing = Tracing(trace, exchange.env, exchange.end_s)
    channel: ProbeChannel = exchange.env.network.open_probe(
        exchange.remote, "icmp", tracing.deliver, dont_fragment=True
    )
    with closing(channel):
        await tracing.run(channel, packet_bytes=packet_bytes)
    return trace.hops()


PATH_MTU = Probe("path-mtu", search_mtu, UNITS, needs=("icmp_socket",))
