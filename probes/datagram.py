"""Datagrams on Linux: unconnected UDP, kernel receive stamps, ICMP errors by the error queue."""

import asyncio
import select
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable

from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import Datagram, NetworkFailure, NetworkStatistics
from probes.addresses import SocketAddress, endpoint_of, set_dscp, socket_address
from probes.failures import classify, network_failure

# <linux/in.h>, <linux/in6.h>, <asm-generic/socket.h>; Python 3.11 names none of these
_IP_MTU_DISCOVER = 10
IP_RECVERR = 11
IP_RECVTOS = 13
_IPV6_MTU_DISCOVER = 23
IPV6_RECVERR = 25
_IPV6_DONTFRAG = 62
_PMTUDISC_DONT, _PMTUDISC_PROBE = 0, 3
SO_TIMESTAMPNS = 35
SO_RXQ_OVFL = 40
_TIMESPEC = struct.Struct("@qq")
_COUNT = struct.Struct("@I")
_EXTENDED_ERROR = struct.Struct("@IBBBBII")  # struct sock_extended_err, <linux/errqueue.h>
_ORIGIN_ICMP, _ORIGIN_ICMP6 = 2, 3

QUEUE_MAX = 256  # datagrams that wait for the probe
_BATCH_MAX = 64  # read in one turn of the loop, so that a flood starves nobody
_READINGS_MAX = 4
_READING_S = 2e-5  # what reading two clocks takes at most, undisturbed
_STAMP_AGE_MAX_S = 5.0
# One for all channels: a drain copies what it read before it reads on, and nothing awaits within.
_BUFFER = memoryview(bytearray(65_535))
_BUFFERS = [_BUFFER]
_MARKS = ((socket.IPPROTO_IP, socket.IP_TOS), (socket.IPPROTO_IPV6, socket.IPV6_TCLASS))
_ANCILLARY = socket.CMSG_SPACE(64) * 3

_ICMP_WORDS = {
    (4, 3, 0): "network unreachable",
    (4, 3, 1): "host unreachable",
    (4, 3, 2): "protocol unreachable",
    (4, 3, 3): "port unreachable",
    (4, 3, 4): "fragmentation needed",
    (4, 3, 9): "network prohibited",
    (4, 3, 10): "host prohibited",
    (4, 3, 13): "administratively prohibited",
    (4, 11, 0): "time to live exceeded",
    (6, 1, 0): "no route",
    (6, 1, 1): "administratively prohibited",
    (6, 1, 3): "address unreachable",
    (6, 1, 4): "port unreachable",
    (6, 2, 0): "packet too big",
    (6, 3, 0): "hop limit exceeded",
}


def monotonic_of_stamp(stamp: bytes) -> float:
    """A SO_TIMESTAMPNS control message on the monotonic clock.

    The kernel stamps by the wall clock, so the stamp is taken as an age. An age that is negative
    or absurd means that the wall clock stepped in between: then the time is now.

    Where this thread was put aside between the readings of the two clocks, they are read again;
    and the later of the monotonic ones counts, so that nothing seems to come before it was sent.
    """
    for _ in range(_READINGS_MAX):
        before, wall, now = time.monotonic(), time.time_ns(), time.monotonic()
        if now - before < _READING_S:
            break
    seconds, nanoseconds = _TIMESPEC.unpack_from(stamp)
    age = (wall - seconds * 1_000_000_000 - nanoseconds) / 1e9
    return now - age if 0 <= age <= _STAMP_AGE_MAX_S else now


class Readiness:
    """Tells the channels of one event loop when something has come, an error included.

    A poll of our own, for all of them: libuv, on finding an error pending on a socket that it
    watches itself, stops watching it for good.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._poll = select.epoll()
        self._drains: dict[int, Callable[[bool], None]] = {}
        loop.add_reader(self._poll.fileno(), self._turn)

    def add(
        self, sock: socket.socket, drain: Callable[[bool], None], *, writable: bool = False
    ) -> None:
        """Call `drain` when something has come; its argument says whether an error has.

        With `writable` also once `sock` may be written.
        """
        self._drains[sock.fileno()] = drain
        self._poll.register(sock, select.EPOLLIN | (select.EPOLLOUT if writable else 0))

    def remove(self, sock: socket.socket) -> None:
        del self._drains[sock.fileno()]
        if not self._poll.closed:
            self._poll.unregister(sock)

    def close(self) -> None:
        if not self._poll.closed:
            self._loop.remove_reader(self._poll.fileno())
            self._poll.close()

    def _turn(self) -> None:
        for file, events in self._poll.poll(0):
            if file in self._drains:  # one drained before may have closed another
                self._drains[file](bool(events & select.EPOLLERR))


class UdpChannel:
    """The datagram channel of the contract, on one socket of its own."""

    def __init__(
        self,
        remote: Endpoint,
        readiness: Readiness,
        statistics: NetworkStatistics,
        dscp: int,
        *,
        local_port: int = 0,
        marks: bool = False,
        dont_fragment: bool | None = None,
    ) -> None:
        """With `marks`, each datagram tells the DSCP that it bore.

        `dont_fragment` None: as the kernel does by itself.
        """
        self.remote = remote
        self._readiness = readiness
        self._statistics = statistics
        self._overflowed = 0
        self._waiting: deque[Datagram | NetworkFailure] = deque()
        self._arrived = asyncio.Event()
        self._last_address: SocketAddress = ()  # of the last datagram, and what it came to mean
        self._last_source = remote
        try:
            self._family, self._peer = socket_address(remote)
            self._socket = socket.socket(self._family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            raise network_failure(error, f"to {remote}") from None
        try:
            self._set_options(dscp)
            if marks:
                ask_for_marks(self._socket, self._family)
            if dont_fragment is not None:
                _allow_fragments(self._socket, self._family, not dont_fragment)
            # bound, so that every copy leaves from the address that a Via names
            address, _, *scope = source_for(self._family, self._peer)
            self._socket.bind((address, local_port, *scope))
            self.local = endpoint_of(self._socket.getsockname())
        except OSError as error:
            self._socket.close()
            raise network_failure(error, f"to {remote}") from None
        readiness.add(self._socket, self._drain)

    def _set_options(self, dscp: int) -> None:
        sock = self._socket
        if self._family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
        if dscp:
            set_dscp(sock, self._family, dscp)

    def send(self, data: bytes, to: Endpoint | None = None) -> float:
        peer = self._peer if to is None else socket_address(to)[1]
        sent_s = time.monotonic()
        try:
            self._socket.sendto(data, peer)
        except OSError:
            # An ICMP error about an earlier datagram is reported by the next call, which clears
            # the report and sends nothing. The error stands in the error queue anyway.
            sent_s = time.monotonic()
            try:
                self._socket.sendto(data, peer)
            except OSError as error:
                raise network_failure(error, f"sending to {to or self.remote}") from None
        return sent_s

    async def receive(self) -> Datagram:
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        item = self._waiting.popleft()
        if isinstance(item, NetworkFailure):
            raise item
        return item

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._readiness.remove(self._socket)
            self._socket.close()

    def _drain(self, failed: bool) -> None:
        read = self._socket.recvmsg_into
        for _ in range(_BATCH_MAX):
            try:
                size, ancillary, _, source = read(_BUFFERS, _ANCILLARY)
            except BlockingIOError:
                break
            except OSError:
                continue  # only says that there is an error; the queue below says which
            received_s = dscp = None
            for level, kind, content in ancillary:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    received_s = monotonic_of_stamp(content)
                elif level == socket.SOL_SOCKET and kind == SO_RXQ_OVFL:
                    self._count_overflow(*_COUNT.unpack(content))
                elif (level, kind) in _MARKS:
                    # one octet for IPv4 (ip(7)), an int for IPv6 (ipv6(7))
                    dscp = int.from_bytes(content, sys.byteorder) >> 2
            if received_s is None:
                received_s = time.monotonic()
            if source != self._last_address:  # nearly every datagram comes from the one peer
                self._last_address, self._last_source = source, endpoint_of(source)
            data = bytes(_BUFFER[:size])
            self._hand_over(Datagram(data, self._last_source, received_s, dscp))
        if failed:
            self._drain_errors()

    def _drain_errors(self) -> None:
        for _ in range(_BATCH_MAX):
            try:
                _, ancillary, _, _ = self._socket.recvmsg(0, _ANCILLARY, socket.MSG_ERRQUEUE)
            except OSError:
                break
            for level, kind, content in ancillary:
                if (level, kind) in (
                    (socket.IPPROTO_IP, IP_RECVERR),
                    (socket.IPPROTO_IPV6, IPV6_RECVERR),
                ):
                    self._hand_over(failure_of(content, self.remote))

    def _count_overflow(self, total: int) -> None:
        self._statistics.socket_overflow_count += total - self._overflowed
        self._overflowed = total

    def _hand_over(self, item: Datagram | NetworkFailure) -> None:
        if len(self._waiting) < QUEUE_MAX:
            self._waiting.append(item)
            self._arrived.set()
        else:
            note = f"a peer sent more than {QUEUE_MAX} datagrams at once; the rest were dropped"
            if note not in self._statistics.notes:
                self._statistics.notes.append(note)


def _allow_fragments(sock: socket.socket, family: socket.AddressFamily, allowed: bool) -> None:
    """Whatever the kernel knows of the path (ip(7), ipv6(7))."""
    mode = _PMTUDISC_DONT if allowed else _PMTUDISC_PROBE
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, mode)
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_DONTFRAG, 0 if allowed else 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, mode)


def ask_for_marks(sock: socket.socket, family: socket.AddressFamily) -> None:
    """Have the kernel tell the DSCP of each datagram."""
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)


def source_for(family: socket.AddressFamily, peer: SocketAddress) -> SocketAddress:
    """The address that the kernel's routing chooses for `peer`; connecting UDP sends nothing."""
    with socket.socket(family, socket.SOCK_DGRAM) as throw_away:
        throw_away.connect(peer)
        address: SocketAddress = throw_away.getsockname()
    return (address[0], 0, *address[2:])


def failure_of(extended_error: bytes, remote: Endpoint) -> NetworkFailure:
    """One message of the error queue (struct sock_extended_err, then the offender's address)."""
    number, origin, icmp_type, icmp_code, *_ = _EXTENDED_ERROR.unpack_from(extended_error)
    error = OSError(number, "")
    if origin not in (_ORIGIN_ICMP, _ORIGIN_ICMP6):
        return network_failure(error, f"to {remote}")
    offender = extended_error[_EXTENDED_ERROR.size :]
    if origin == _ORIGIN_ICMP:
        version, address = 4, socket.inet_ntop(socket.AF_INET, offender[4:8])
    else:
        version, address = 6, socket.inet_ntop(socket.AF_INET6, offender[8:24])
    words = _ICMP_WORDS.get((version, icmp_type, icmp_code), "error")
    failure = classify(error)
    return NetworkFailure(
        failure if failure is Failure.REFUSED else Failure.UNREACHABLE,
        f"ICMP {words} (type {icmp_type}, code {icmp_code}) from {address}, for {remote}",
    )
