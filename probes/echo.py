"""The run's shared ICMP engine: many flows of echo requests over a few sockets.

ping3 supplies the IPv4 request (`send_one_ping`, handed our socket). The rest of ping3 is not
used: its reader ignores the replying address and IPv4 options, and its stamps are user-space wall
time, so that a late reply made the next silent host look alive. Version 6 requests are ours.

A reply belongs to a request when address, identifier and sequence agree. The sequence on the wire
runs on over all flows of a socket, so that a reply that is late for one flow is never taken for
another flow's, not even to the same address.
"""

import asyncio
import select
import time
from collections.abc import Callable
from dataclasses import dataclass

import ping3

from nethealth.model.check import Family
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import Clock, EchoEvent, NetworkFailure, NetworkStatistics
from nethealth.wire.icmp import ECHO_REPLY, EchoReply, echo_request
from probes.addresses import ip_version, socket_address
from probes.failures import network_failure
from probes.icmp_socket import Arrival, IcmpSocket, why_unavailable

PAYLOAD_MIN_BYTES = 8  # ping3 begins it with a time of eight octets
PAYLOAD_MAX_BYTES = 65_507
_STEP_TOLERANCE_S = 2e-6

Deliver = Callable[[EchoEvent], None]


def available() -> str | None:
    """None where an ICMP socket can be opened, else why not, and the cure."""
    return why_unavailable(4)


class StampReader:
    """Turns the kernel's wall clock stamps into monotonic seconds.

    The two clocks run at one rate and differ by a constant, until somebody sets the wall clock.
    Reading one between two readings of the other bounds that constant; the bounds of many
    readings are intersected, and bounds that no longer meet betray a step.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._base_ns = time.time_ns()  # whole nanoseconds since 1970 do not fit a float
        self._low_s, self._high_s = float("-inf"), float("inf")
        for _ in range(8):
            self.observe()

    def observe(self) -> bool:
        """Compare the clocks; False if the wall clock was set since the last comparison."""
        before = self._clock.monotonic_s()
        wall_s = (time.time_ns() - self._base_ns) * 1e-9
        after = self._clock.monotonic_s()
        low = max(self._low_s, before - wall_s)
        high = min(self._high_s, after - wall_s)
        steady = low <= high + _STEP_TOLERANCE_S
        self._low_s, self._high_s = (low, high) if steady else (before - wall_s, after - wall_s)
        return steady

    def monotonic_s(self, stamp_ns: int) -> float:
        """The moment of a wall clock stamp, by the last comparison."""
        return (stamp_ns - self._base_ns) * 1e-9 + (self._low_s + self._high_s) / 2


@dataclass(frozen=True, slots=True)
class _Request:
    """Where an answer is to be delivered, and what it answers."""

    deliver: Deliver
    address: str
    sequence: int
    sent_s: float


class _Lane:
    """One socket, and the requests that may still be answered on it, by address and sequence."""

    def __init__(self, sock: IcmpSocket, clock: Clock) -> None:
        self.sock = sock
        self.requests: dict[tuple[str, int], _Request] = {}
        self._clock = clock
        self._next_sequence = 0

    def take_sequence(self) -> int:
        sequence = self._next_sequence
        self._next_sequence = (sequence + 1) & 0xFFFF
        return sequence

    def drain(self, stamps: StampReader) -> None:
        """Deliver what has come."""
        trusted = stamps.observe()
        for arrival in self.sock.arrivals():
            request = self._find(arrival)
            if request is None:
                continue
            now = self._clock.monotonic_s()
            received_s = now
            if trusted and arrival.stamp_ns is not None:
                stamped_s = stamps.monotonic_s(arrival.stamp_ns)
                # A reading of the clocks that was interrupted must not make a reply arrive
                # before its request, or in the future.
                received_s = stamped_s if request.sent_s <= stamped_s <= now else now
            request.deliver(_event(arrival, request, received_s, self.sock.version))

    def _find(self, arrival: Arrival) -> _Request | None:
        message = arrival.message
        echo = message if isinstance(message, EchoReply) else message.quoted
        address = arrival.source if isinstance(message, EchoReply) else message.quoted.destination
        if echo.identifier != self.sock.identifier or echo.sequence is None:
            return None
        return self.requests.get((address, echo.sequence))


class Flow:
    """Echo requests to one address; see EchoFlow of the model's ports."""

    def __init__(
        self, engine: "EchoEngine", lane: _Lane, address: str, deliver: Deliver, payload_bytes: int
    ) -> None:
        _, self._to = socket_address(Endpoint(address, 0))
        self.address = address
        self.identifier = lane.sock.identifier
        self._engine = engine
        self._lane = lane
        self._deliver = deliver
        self._payload_bytes = payload_bytes
        self._keys: list[tuple[str, int]] = []

    def send(self, sequence: int) -> float:
        """Send one request now; the monotonic time just before. May raise NetworkFailure."""
        lane, sock = self._lane, self._lane.sock
        on_wire = lane.take_sequence()
        try:
            if sock.version == 4:
                ping3.send_one_ping(
                    sock, self._to[0], self.identifier, on_wire, self._payload_bytes
                )
            else:
                payload = bytes(self._payload_bytes)
                sock.sendto(echo_request(6, self.identifier, on_wire, payload), self._to)
        except OSError as error:
            raise network_failure(
                error, f"an echo request to {self.address} cannot be sent"
            ) from None
        key = (str(self._to[0]), on_wire)
        lane.requests[key] = _Request(self._deliver, self.address, sequence, sock.last_sent_s)
        self._keys.append(key)
        return sock.last_sent_s

    def close(self) -> None:
        for key in self._keys:
            self._lane.requests.pop(key, None)
        self._keys.clear()
        self._engine.count_drops()


class EchoEngine:
    """Opens flows, one socket for each IP version and DSCP, and reads them all."""

    def __init__(self, clock: Clock, statistics: NetworkStatistics) -> None:
        self._clock = clock
        self._statistics = statistics
        self._stamps = StampReader(clock)
        self._lanes: dict[tuple[Family, int], _Lane] = {}
        self._by_fileno: dict[int, _Lane] = {}
        # The event loop watches an epoll of ours, not the sockets: a queued ICMP error raises
        # POLLERR, at which libuv, and so uvloop, stops watching a descriptor for good.
        self._poll = select.epoll()
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self, address: str, deliver: Deliver, *, dscp: int, payload_bytes: int) -> Flow:
        """A flow to a numeric address; `deliver` is called from the event loop.

        Raises NetworkFailure where no ICMP socket may be opened, ValueError for a payload outside
        8 to 65,507 octets.
        """
        if not PAYLOAD_MIN_BYTES <= payload_bytes <= PAYLOAD_MAX_BYTES:
            raise ValueError(
                f"payload of {payload_bytes} octets; {PAYLOAD_MIN_BYTES} to {PAYLOAD_MAX_BYTES}"
            )
        lane = self._lane(ip_version(address), dscp)
        lane.sock.expect(payload_bytes)
        return Flow(self, lane, address, deliver, payload_bytes)

    def count_drops(self) -> None:
        """Add what the kernel dropped at the sockets since the last call to the statistics."""
        for lane in self._lanes.values():
            self._statistics.socket_overflow_count += lane.sock.new_drop_count()

    def close(self) -> None:
        """Close every socket; flows still open get nothing more."""
        if self._poll.closed:
            return
        self.count_drops()
        if self._loop is not None:
            self._loop.remove_reader(self._poll.fileno())
        self._poll.close()
        for lane in self._lanes.values():
            lane.sock.close()
        self._lanes.clear()
        self._by_fileno.clear()

    def _lane(self, version: Family, dscp: int) -> _Lane:
        lane = self._lanes.get((version, dscp))
        if lane is None:
            try:
                sock = IcmpSocket(version, dscp, self._clock)
            except OSError as error:
                reason = why_unavailable(version) or f"ICMPv{version} socket: {error}"
                raise NetworkFailure(Failure.UNREACHABLE, reason) from None
            lane = self._lanes[version, dscp] = _Lane(sock, self._clock)
            self._by_fileno[sock.fileno()] = lane
            self._poll.register(sock.fileno(), select.EPOLLIN)
            if self._loop is None:
                self._loop = asyncio.get_running_loop()
                self._loop.add_reader(self._poll.fileno(), self._read)
        return lane

    def _read(self) -> None:
        for fileno, _ in self._poll.poll(0):
            self._by_fileno[fileno].drain(self._stamps)


def _event(arrival: Arrival, request: _Request, received_s: float, version: Family) -> EchoEvent:
    message = arrival.message
    if isinstance(message, EchoReply):
        # The request's own spelling of the address: a link-local one bears its interface.
        return EchoEvent(
            sequence=request.sequence,
            received_s=received_s,
            source=request.address,
            kind="reply",
            icmp_type=ECHO_REPLY[version],
            icmp_code=0,
            ttl=arrival.ttl,
            dscp=arrival.dscp,
        )
    return EchoEvent(
        sequence=request.sequence,
        received_s=received_s,
        source=arrival.source,
        kind="error",
        icmp_type=message.icmp_type,
        icmp_code=message.icmp_code,
        ttl=arrival.ttl,
        dscp=arrival.dscp,
    )
