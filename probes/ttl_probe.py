"""Packets with a chosen TTL on Linux: UDP, ICMP echo or TCP SYN, and what is said to them.

No privilege is needed for UDP and TCP, and for ICMP only net.ipv4.ping_group_range: the kernel's
error queue (IP_RECVERR, ip(7)) names who reported what. It keeps the quoted IP header to itself;
where a raw socket may be opened, that is read too. The flow is constant, so that routers which
balance load by flow keep it on one path: same ports, and for ICMP same identifier and checksum.
"""

import contextlib
import errno
import secrets
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import replace

from nethealth.model.check import ProbeMethod
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import NetworkFailure, ProbeChannel, ProbeEvent
from nethealth.wire.errors import WireError
from nethealth.wire.icmp import (
    ECHO_REPLY,
    ERRORS,
    EchoReply,
    echo_request,
    parse_icmpv4,
    parse_icmpv6,
)
from nethealth.wire.quotation import (
    ICMP,
    ICMPV6,
    TCP,
    UDP,
    QuotingError,
    flow_numbers,
    parse_error,
)
from probes.datagram import Readiness
from probes.icmp_socket import why_unavailable
from probes.probe_flow import (
    IP_HEADER,
    Arrival,
    Deliver,
    Flow,
    QuotedErrors,
    arrivals,
    icmp_message,
    link_mtu,
    raw_socket,
)

_MARK = b"nethealth"
_TAG = struct.Struct(f"!{len(_MARK)}sH")  # begins the payload of a UDP probe
_ECHO_BYTES = 56  # of payload, as ping(8) sends
TCP_WAIT_S = 0.95  # the kernel would send its SYN again after one second


def open_probe(
    remote: Endpoint,
    method: ProbeMethod,
    deliver: Deliver,
    readiness: Readiness,
    *,
    dscp: int,
    dont_fragment: bool,
) -> ProbeChannel:
    """A channel of that method; NetworkFailure where its socket may not be opened."""
    kinds: dict[ProbeMethod, Callable[[Flow], ProbeChannel]] = {
        "udp": UdpProbes,
        "icmp": EchoProbes,
        "tcp": TcpProbes,
    }
    return kinds[method](Flow(remote, deliver, readiness, dscp, dont_fragment))


class UdpProbes:
    """UDP from one port to one port. The length of a datagram tells which probe it is.

    Even a router that quotes no more than RFC 792 asks for quotes the length; without a raw socket
    it is the payload that tells, of routers which quote that too.
    """

    serial = False

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._errors = QuotedErrors(flow, self._probe_of, flow.deliver)
        self.quotes = self._errors.seen
        try:
            self._socket = flow.open_bound(0, queue=not self.quotes)
        except OSError as error:
            self._errors.close()
            raise flow.failure(error) from None
        name = self._socket.getsockname()
        self.local = Endpoint(str(name[0]), int(name[1]))
        flow.readiness.add(self._socket, lambda _: self._drain())

    def send(self, probe: int, *, ttl: int, packet_bytes: int | None = None) -> float:
        if packet_bytes is not None:
            raise ValueError("the length of a UDP probe is its number")
        sock = self._socket
        self._flow.set_ttl(sock, ttl)
        # An ICMP error about an earlier probe would be reported by this send, and nothing sent. It
        # stands in the error queue anyway: reading SO_ERROR clears the report.
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        payload = _TAG.pack(_MARK, probe).ljust(_TAG.size + probe, b"\0")
        sent_s = time.monotonic()
        try:
            sock.sendto(payload, self._flow.peer)
        except OSError as error:
            raise self._flow.failure(error) from None
        return sent_s

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._flow.readiness.remove(self._socket)
            self._socket.close()
        self._errors.close()

    def _drain(self) -> None:
        for arrival in arrivals(self._socket):
            probe = _tagged(arrival.octets)
            if arrival.error is not None:
                event = self._flow.queued(arrival, probe)
                if event is not None:
                    self._flow.deliver(event)
            elif str(arrival.source[0]).partition("%")[0] == self._flow.target:
                source = self._flow.remote.address
                self._flow.deliver(ProbeEvent(probe, arrival.received_s, source, "reply"))

    def _probe_of(self, error: QuotingError) -> int | None:
        """Ours by its ports and destination; a translator may have changed source and its port."""
        numbers = flow_numbers(error.quoted)
        if numbers is None or numbers.number is None or error.quoted.protocol != UDP:
            return None
        same_ports = numbers.destination_port == self._flow.remote.port
        if not same_ports or error.quoted.destination != self._flow.target:
            return None
        tag = _tagged(error.quoted.transport[8:])
        if tag is None and numbers.source_port != self.local.port:
            return None
        number = numbers.number - _TAG.size
        return number if number >= 0 else None


def _tagged(payload: bytes) -> int | None:
    """The number that a UDP probe carries; None where so much was not quoted."""
    if len(payload) < _TAG.size:
        return None
    mark, probe = _TAG.unpack_from(payload)
    return int(probe) if mark == _MARK else None


class EchoProbes:
    """Echo requests of one identifier, with a payload that keeps their checksum constant."""

    serial = False

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        version = flow.version
        raw = raw_socket(flow, ERRORS[version] | {ECHO_REPLY[version]})
        self.quotes = raw is not None
        if raw is not None:
            self._socket = raw
            identifier = secrets.randbelow(0xFFFF) + 1
        else:
            protocol = socket.IPPROTO_ICMPV6 if version == 6 else socket.IPPROTO_ICMP
            try:
                self._socket = flow.open_bound(protocol, queue=True)
            except OSError as error:
                reason = why_unavailable(version) or f"ICMPv{version} socket: {error}"
                raise NetworkFailure(Failure.UNREACHABLE, reason) from None
            identifier = int(self._socket.getsockname()[1])
        self.local = Endpoint(str(flow.source[0]), identifier)
        flow.readiness.add(self._socket, lambda _: self._drain())

    def send(self, probe: int, *, ttl: int, packet_bytes: int | None = None) -> float:
        flow, sock = self._flow, self._socket
        flow.set_ttl(sock, ttl)
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        headers = IP_HEADER[flow.version] + 8
        length = _ECHO_BYTES if packet_bytes is None else packet_bytes - headers
        # In ones' complement, a number and its inverse add up to nothing: one checksum for all.
        payload = struct.pack("!H", 0xFFFF - probe).ljust(length, b"\0")
        packet = echo_request(flow.version, self.local.port, probe, payload)
        sent_s = time.monotonic()
        try:
            sock.sendto(packet, (flow.peer[0], 0, *flow.peer[2:]))
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise flow.failure(error) from None
            flow.deliver(
                ProbeEvent(
                    probe,
                    sent_s,
                    self.local.address,
                    "refused",
                    mtu=link_mtu(flow.family, flow.peer),
                )
            )
        return sent_s

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._flow.readiness.remove(self._socket)
            self._socket.close()

    def _drain(self) -> None:
        for arrival in arrivals(self._socket):
            with contextlib.suppress(WireError):
                event = self._event(arrival)
                if event is not None:
                    self._flow.deliver(event)

    def _event(self, arrival: Arrival) -> ProbeEvent | None:
        flow = self._flow
        if arrival.error is not None:  # what the kernel queues is the request, as it was quoted
            if len(arrival.octets) < 8:
                return flow.queued(arrival, None)
            (sequence,) = struct.unpack_from("!H", arrival.octets, 6)
            return flow.queued(arrival, sequence)
        octets = icmp_message(arrival.octets, flow.version) if self.quotes else arrival.octets
        source = str(arrival.source[0])
        if octets[:1] == bytes([ECHO_REPLY[flow.version]]):
            parse = parse_icmpv6 if flow.version == 6 else parse_icmpv4
            reply = parse(octets)
            if not isinstance(reply, EchoReply) or source.partition("%")[0] != flow.target:
                return None
            if reply.identifier != self.local.port:
                return None
            return ProbeEvent(reply.sequence, arrival.received_s, flow.remote.address, "reply")
        error = parse_error(octets, flow.version)
        numbers = flow_numbers(error.quoted)
        if numbers is None or error.quoted.protocol not in (ICMP, ICMPV6):
            return None
        if error.quoted.destination != flow.target or numbers.source_port != self.local.port:
            return None
        return flow.quoted(error, numbers.number, source, arrival.received_s)


class TcpProbes:
    """Connections that are given up: one SYN each, all from one port, so one after the other.

    A connection that comes about is torn down with a reset before anything is sent on it.
    """

    serial = True

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._socket: socket.socket | None = None
        self._probe = 0
        self._heard: dict[str, ProbeEvent] = {}
        self._errors = QuotedErrors(flow, self._probe_of, self._hear)
        self.quotes = self._errors.seen
        self.local = Endpoint(str(flow.source[0]), 0)

    def send(self, probe: int, *, ttl: int, packet_bytes: int | None = None) -> float:
        if packet_bytes is not None:
            raise ValueError("a SYN has no size to choose")
        self._abandon()
        self._heard.clear()
        flow = self._flow
        try:
            sock = flow.open(socket.SOCK_STREAM, 0, queue=True)
        except OSError as error:
            raise flow.failure(error) from None
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            flow.set_ttl(sock, ttl)
            sock.bind((flow.source[0], self.local.port, *flow.source[2:]))
            self.local = Endpoint(self.local.address, int(sock.getsockname()[1]))
            sent_s = time.monotonic()
            result = sock.connect_ex(flow.peer)
        except OSError as error:
            sock.close()
            raise flow.failure(error) from None
        if result not in (0, errno.EINPROGRESS, errno.ECONNREFUSED):
            sock.close()
            raise flow.failure(OSError(result, ""))
        self._socket, self._probe = sock, probe
        flow.readiness.add(sock, lambda _: self._drain(), writable=True)
        return sent_s

    def close(self) -> None:
        self._abandon()
        self._errors.close()

    def _abandon(self) -> None:
        if self._socket is not None:
            self._flow.readiness.remove(self._socket)
            self._socket.close()
            self._socket = None

    def _drain(self) -> None:
        sock = self._socket
        if sock is None:
            return
        at_s = time.monotonic()
        failed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        queued = (self._flow.queued(arrival, self._probe) for arrival in arrivals(sock))
        events = [event for event in queued if event is not None]
        self._abandon()
        if failed in (0, errno.ECONNREFUSED) and not events:
            source = self._flow.remote.address
            self._flow.deliver(ProbeEvent(self._probe, at_s, source, "reply"))
        # The queue is of this very SYN: the kernel compares sequence numbers. An earlier SYN's
        # late error looks the same on the raw socket, which only adds the quotation.
        self._errors.drain()
        for event in events:
            heard = self._heard.get(event.source)
            self._flow.deliver(
                event
                if heard is None
                else replace(event, quoted_tos=heard.quoted_tos, quoted_source=heard.quoted_source)
            )

    def _hear(self, event: ProbeEvent) -> None:
        self._heard[event.source] = event

    def _probe_of(self, error: QuotingError) -> int | None:
        numbers = flow_numbers(error.quoted)
        ours = (
            numbers is not None
            and error.quoted.protocol == TCP
            and numbers.destination_port == self._flow.remote.port
            and numbers.source_port == self.local.port
            and error.quoted.destination == self._flow.target
        )
        return self._probe if ours else None
