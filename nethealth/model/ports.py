"""The two doors to the outside that a probe is handed: the clock and the network.

A probe never opens a socket nor reads a clock by itself, so the demonstration can stand a
simulated link here, and a test a scripted one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from nethealth.model.check import Family, ProbeMethod
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure


class NetworkFailure(Exception):
    """A network operation gave no value: the one exception that crosses these ports."""

    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure
        self.reason = reason


class Clock(Protocol):
    """Monotonic time for every difference, wall time once to date the run."""

    def monotonic_s(self) -> float: ...
    def wall_utc(self) -> datetime: ...
    async def sleep_until(self, monotonic_s: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Datagram:
    """What came, from whom, and when (monotonic seconds, the kernel's stamp where it gives one).

    `dscp` is the mark that it bore, on a channel that asks for it.
    """

    data: bytes
    source: Endpoint
    received_s: float
    dscp: int | None = None


class OpenChannel(Protocol):
    """A UDP socket for a conversation of several parties: it sends to whom it is told."""

    local: Endpoint

    def send(self, data: bytes, to: Endpoint | None = None) -> float:
        """Send now (by default to the peer it was opened for); the monotonic time just before."""
        ...

    async def receive(self) -> Datagram:
        """The next datagram from anybody, with its mark; an ICMP error raises NetworkFailure."""
        ...

    def close(self) -> None: ...


class DatagramChannel(Protocol):
    """An unconnected UDP socket that talks to one peer and shows who really answers."""

    local: Endpoint  # with the source address that the kernel chose for this peer
    remote: Endpoint

    def send(self, data: bytes) -> float:
        """Send now; the monotonic time just before."""
        ...

    async def receive(self) -> Datagram:
        """The next datagram from anybody; an ICMP error raises NetworkFailure."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What a handshake showed; `certificates` as DER, leaf first, unverified as received.

    `verify_error` is null where the chain and the name hold against the system's trust store.
    """

    version: str  # "TLSv1.3"
    cipher: str
    certificates: tuple[bytes, ...]
    verify_error: str | None
    alpn: str | None = None
    handshake_time_s: float | None = None  # the exchange alone, without the judging of the chain


class StreamChannel(Protocol):
    """One TCP connection, which may take TLS on top."""

    local: Endpoint
    remote: Endpoint

    async def start_tls(self, server_name: str, *, version: str | None = None) -> TlsFacts:
        """Handshake without refusing a bad certificate: what is wrong with it is a fact.

        `version`, such as "TLSv1.1", is then the only one that is offered.
        """
        ...

    async def read(self, limit: int) -> bytes:
        """At most `limit` bytes; empty at the end of the stream."""
        ...

    async def write(self, data: bytes) -> None: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class EchoEvent:
    """An echo reply, or an ICMP error that quotes our request."""

    sequence: int
    received_s: float  # monotonic seconds, from the kernel's receive stamp where there is one
    source: str  # who sent it: the target for a reply, a router for an error
    kind: Literal["reply", "error"]
    icmp_type: int
    icmp_code: int
    ttl: int | None = None
    dscp: int | None = None


class EchoFlow(Protocol):
    """Echo requests of one identifier to one address."""

    address: str
    identifier: int

    def send(self, sequence: int) -> float:
        """Send one request now; the monotonic time just before. May raise NetworkFailure."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ProbeEvent:
    """What came back of one probe: the target's own answer, or an error that quotes the probe.

    `kind` is `refused` where this machine's kernel would not send a packet so large. `probe` is
    null where the quotation is too short to tell. What was not seen of the quoted packet is null.
    """

    probe: int | None
    received_s: float  # monotonic seconds, from the kernel's receive stamp where there is one
    source: str
    kind: Literal["reply", "error", "refused"]
    icmp_type: int | None = None
    icmp_code: int | None = None
    mtu: int | None = None  # that a packet was too big for
    quoted_tos: int | None = None  # the whole octet: DSCP and ECN
    quoted_source: Endpoint | None = None


class ProbeChannel(Protocol):
    """Packets of one flow, with a chosen TTL, and what routers and target say to them."""

    local: Endpoint  # for ICMP the identifier stands for the port
    serial: bool  # a probe ends when the next is sent
    quotes: bool  # whether the quoted IP header is seen, which takes a raw socket

    def send(self, probe: int, *, ttl: int, packet_bytes: int | None = None) -> float:
        """Send one probe now; the monotonic time just before. May raise NetworkFailure.

        `packet_bytes` is the size of the whole IP packet, for ICMP only.
        """
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class NetworkStatistics:
    """What the sockets themselves lost, for `run.instrument`."""

    socket_overflow_count: int = 0
    notes: list[str] = field(default_factory=list)


class Network(Protocol):
    """Name resolution, datagrams, streams and echo; every failure is a NetworkFailure."""

    statistics: NetworkStatistics

    async def resolve(self, host: str, family: Family | None = None) -> tuple[str, ...]:
        """Numeric addresses in the resolver's order; a numeric host is returned as it is."""
        ...

    async def open_datagram(self, remote: Endpoint, *, dscp: int = 0) -> DatagramChannel: ...

    async def open_stream(self, remote: Endpoint, *, dscp: int = 0) -> StreamChannel: ...

    def open_echo(
        self, address: str, deliver: Callable[[EchoEvent], None], *, dscp: int, payload_bytes: int
    ) -> EchoFlow:
        """A flow on the run's shared ICMP socket; `deliver` is called from the event loop."""
        ...

    def open_probe(
        self,
        remote: Endpoint,
        method: ProbeMethod,
        deliver: Callable[[ProbeEvent], None],
        *,
        dscp: int = 0,
        dont_fragment: bool = False,
    ) -> ProbeChannel:
        """Packets that may die on their way; `deliver` is called from the event loop."""
        ...

    async def close(self) -> None: ...


class Pacer(Protocol):
    """Spaces what is sent: a slot at the target's site for each packet."""

    async def wait(self, packets: int = 1) -> None: ...


@dataclass(frozen=True, slots=True)
class TimedDatagram(Datagram):
    """A datagram with the hop limit with which it came, too."""

    ttl: int | None = None


class TimedFlow(Protocol):
    """Packets to one peer that leave at fixed moments, whatever else this process does."""

    timer_errors_s: list[float]  # how late each left
    unsendable_count: int  # refused by this machine's kernel

    async def run(
        self,
        make: Callable[[float], bytes],
        unmake: Callable[[], None],
        count: int,
        interval_s: float,
    ) -> None:
        """Send `count` packets, one every `interval_s`; return when the last has left.

        `make` gives the packet for a monotonic moment, and `unmake` is told that it did not leave;
        both are called from another thread.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class TimedNetwork(Protocol):
    """A network that can also keep a send timer; a simulated one need not."""

    def open_timed(
        self,
        remote: Endpoint,
        deliver: Callable[[TimedDatagram], None],
        fail: Callable[[NetworkFailure], None],
        *,
        dscp: int,
    ) -> TimedFlow:
        """A flow; `deliver` and `fail` (ICMP errors) are called from the event loop."""
        ...


@runtime_checkable
class CallNetwork(Protocol):
    """A network that a call can be held over; a simulated one need not be."""

    async def open_channel(
        self, peer: Endpoint, *, dscp: int = 0, local_port: int = 0
    ) -> OpenChannel:
        """A channel at the address that leads to `peer`, at `local_port` (0: any)."""
        ...


class LoadChannel(Protocol):
    """A TCP connection that carries a load: few octets wait in it, and it can be cut at once."""

    local: Endpoint
    remote: Endpoint

    async def read(self, limit: int) -> bytes:
        """At most `limit` bytes; empty at the end of the stream."""
        ...

    async def write(self, data: bytes) -> None: ...

    def acknowledged_octets(self) -> int:
        """How many of the octets that were written the peer has acknowledged."""
        ...

    def cut(self) -> None:
        """End by a reset, with what still waits unsent; harmless if it has ended."""
        ...


@runtime_checkable
class LoadNetwork(Protocol):
    """A network that a load can be put on; a simulated one need not be."""

    async def open_load(self, remote: Endpoint, rate_bps: float) -> LoadChannel:
        """Connect; what is written leaves spread over about `rate_bps`. The caller bounds waits."""
        ...


@runtime_checkable
class WitnessNetwork(CallNetwork, Protocol):
    """A network that a reflector's witness can be asked over; a simulated one need not be."""

    async def open_sized(self, peer: Endpoint, *, dont_fragment: bool) -> OpenChannel:
        """A channel for datagrams of any size, which no router may fragment, or every one may.

        What the kernel has cached of the path is ignored.
        """
        ...

    async def open_stream_from(self, remote: Endpoint, *, local_port: int = 0) -> StreamChannel:
        """A connection from a port of ours (0: any), which others to elsewhere may share."""
        ...
