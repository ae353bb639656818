"""One flow of probes on Linux: its sockets, what the kernel hands over, and raw quotations."""

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nethealth.model.check import Family
from nethealth.model.endpoint import Endpoint
from nethealth.model.ports import NetworkFailure, ProbeEvent
from nethealth.wire.errors import WireError
from nethealth.wire.icmp import ERRORS, parse_ipv4
from nethealth.wire.quotation import QuotingError, flow_numbers, parse_error
from probes.addresses import SocketAddress, ip_version, set_dscp, socket_address
from probes.datagram import (
    IP_RECVERR,
    IPV6_RECVERR,
    SO_TIMESTAMPNS,
    Readiness,
    monotonic_of_stamp,
    source_for,
)
from probes.failures import network_failure
from probes.icmp_socket import icmp_filter

Deliver = Callable[[ProbeEvent], None]

IP_HEADER: dict[Family, int] = {4: 20, 6: 40}
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER, _PMTUDISC_PROBE = 10, 23, 3  # <linux/in.h>, <linux/in6.h>
_IPV6_DONTFRAG = 62
_EXTENDED_ERROR = struct.Struct("=IBBBBII")  # struct sock_extended_err, <linux/errqueue.h>
_ORIGIN_LOCAL, _ORIGIN_ICMP, _ORIGIN_ICMP6 = 1, 2, 3
_BATCH = 64
_BUFFER = 65_535
_ANCILLARY = 512


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message of a socket, or of its error queue."""

    octets: bytes
    source: SocketAddress
    received_s: float
    error: bytes | None  # struct sock_extended_err and the offender's address


class Flow:
    """What the probes of all methods share: the two ends, the options, the way to deliver."""

    def __init__(
        self, remote: Endpoint, deliver: Deliver, readiness: Readiness, dscp: int, whole: bool
    ) -> None:
        self.remote = remote
        self.version = ip_version(remote.address.partition("%")[0])
        self.family, self.peer = socket_address(remote)
        self.target = str(self.peer[0]).partition("%")[0]
        self.deliver = deliver
        self.readiness = readiness
        self._dscp = dscp
        self._whole = whole
        try:
            self.source = source_for(self.family, self.peer)
        except OSError as error:
            raise network_failure(error, f"to {remote}") from None

    def failure(self, error: OSError) -> NetworkFailure:
        return network_failure(error, f"a probe to {self.remote} cannot be sent")

    def open(self, kind: int, protocol: int, *, queue: bool) -> socket.socket:
        """A socket with the flow's options, and the error queue where asked."""
        sock = socket.socket(self.family, kind | socket.SOCK_NONBLOCK, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            set_dscp(sock, self.family, self._dscp)
            if self.version == 6:
                if queue:
                    sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
                if self._whole:
                    sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_PROBE)
                    sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_DONTFRAG, 1)
            else:
                if queue:
                    sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
                if self._whole:
                    sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_PROBE)
        except OSError:
            sock.close()
            raise
        return sock

    def open_bound(self, protocol: int, *, queue: bool) -> socket.socket:
        """A datagram socket, bound to the address that the target is reached from."""
        sock = self.open(socket.SOCK_DGRAM, protocol, queue=queue)
        try:
            sock.bind(self.source)
        except OSError:
            sock.close()
            raise
        return sock

    def set_ttl(self, sock: socket.socket, ttl: int) -> None:
        if self.version == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)

    def queued(self, arrival: Arrival, probe: int | None) -> ProbeEvent | None:
        """The event that an entry of the error queue stands for; None if it is another's."""
        if arrival.error is None:
            return None
        _, origin, icmp_type, icmp_code, _, info, _ = _EXTENDED_ERROR.unpack_from(arrival.error)
        if origin not in (_ORIGIN_ICMP, _ORIGIN_ICMP6):
            return None
        offender = arrival.error[_EXTENDED_ERROR.size :]
        start, length = (8, 16) if self.version == 6 else (4, 4)
        return ProbeEvent(
            probe,
            arrival.received_s,
            socket.inet_ntop(self.family, offender[start : start + length]),
            "error",
            icmp_type,
            icmp_code,
            mtu=info or None,
        )

    def quoted(
        self, error: QuotingError, probe: int | None, source: str, at_s: float
    ) -> ProbeEvent:
        """The event of an error whose quotation was seen whole."""
        numbers = flow_numbers(error.quoted)
        port = numbers.source_port if numbers else 0
        return ProbeEvent(
            probe,
            at_s,
            source,
            "error",
            error.icmp_type,
            error.icmp_code,
            mtu=error.mtu,
            quoted_tos=error.quoted.tos,
            quoted_source=Endpoint(error.quoted.source, port),
        )


def arrivals(sock: socket.socket) -> Iterator[Arrival]:
    """What a socket holds, then its error queue, at most a batch of each."""
    for flags in (0, socket.MSG_ERRQUEUE):
        for _ in range(_BATCH):
            try:
                octets, ancillary, _, source = sock.recvmsg(_BUFFER, _ANCILLARY, flags)
            except BlockingIOError:
                break
            except OSError:
                continue  # only says that there is an error; the queue says which
            received_s, error = time.monotonic(), None
            for level, kind, content in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                    received_s = monotonic_of_stamp(content)
                elif (level, kind) in (
                    (socket.IPPROTO_IP, IP_RECVERR),
                    (socket.IPPROTO_IPV6, IPV6_RECVERR),
                ):
                    error = content
            yield Arrival(octets, source, received_s, error)


def raw_socket(flow: Flow, types: frozenset[int]) -> socket.socket | None:
    """A raw ICMP socket that passes these types; None where the privilege for it is lacking."""
    protocol = socket.IPPROTO_ICMPV6 if flow.version == 6 else socket.IPPROTO_ICMP
    try:
        sock = flow.open(socket.SOCK_RAW, protocol, queue=False)
    except PermissionError:
        return None
    icmp_filter(sock, flow.version, types)
    return sock


def icmp_message(octets: bytes, version: Family) -> bytes:
    """An ICMP message as a raw socket hands it over: version 4 has its IP header before it."""
    return octets if version == 6 else parse_ipv4(octets).payload


class QuotedErrors:
    """Reads ICMP errors on a raw socket, for probes that are sent on another."""

    def __init__(
        self, flow: Flow, probe_of: Callable[[QuotingError], int | None], deliver: Deliver
    ) -> None:
        self._flow = flow
        self._probe_of = probe_of
        self._deliver = deliver
        self._socket = raw_socket(flow, ERRORS[flow.version])
        self.seen = self._socket is not None
        if self._socket is not None:
            flow.readiness.add(self._socket, lambda _: self.drain())

    def close(self) -> None:
        if self._socket is not None and self._socket.fileno() >= 0:
            self._flow.readiness.remove(self._socket)
            self._socket.close()

    def drain(self) -> None:
        """Deliver what has come."""
        if self._socket is None:
            return
        flow = self._flow
        for arrival in arrivals(self._socket):
            with contextlib.suppress(WireError):  # not ours, or damaged: the wait will tell
                error = parse_error(icmp_message(arrival.octets, flow.version), flow.version)
                probe = self._probe_of(error)
                if probe is not None:
                    source = str(arrival.source[0])
                    self._deliver(flow.quoted(error, probe, source, arrival.received_s))


def link_mtu(family: socket.AddressFamily, peer: SocketAddress) -> int | None:
    """The MTU of the link that packets to `peer` leave by; None where every packet fits.

    The kernel says so of a datagram that is too large to send whole; it sends none.
    """
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        six = family == socket.AF_INET6
        level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
        sock.setsockopt(level, IPV6_RECVERR if six else IP_RECVERR, 1)
        sock.setsockopt(level, _IPV6_MTU_DISCOVER if six else _IP_MTU_DISCOVER, _PMTUDISC_PROBE)
        if six:
            sock.setsockopt(level, _IPV6_DONTFRAG, 1)
        with contextlib.suppress(OSError):
            sock.sendto(bytes(_BUFFER - IP_HEADER[6 if six else 4] - 8), (peer[0], 9, *peer[2:]))
        for arrival in arrivals(sock):
            if arrival.error is not None:
                _, origin, _, _, _, info, _ = _EXTENDED_ERROR.unpack_from(arrival.error)
                if origin == _ORIGIN_LOCAL and info:
                    return int(info)
    return None
