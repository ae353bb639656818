"""Packets sent at fixed moments: one thread sends those of every flow, on absolute deadlines.

An event loop wakes its sleepers up to a millisecond late and in the order of its other work. This
thread sleeps until the next deadline of any flow, sends what is due, and keeps how late it was.
What comes back is read by the event loop: the kernel has stamped it when it arrived.
"""

import asyncio
import heapq
import itertools
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from nethealth.model.endpoint import Endpoint
from nethealth.model.ports import NetworkFailure, NetworkStatistics, TimedDatagram
from probes.addresses import SocketAddress, endpoint_of, set_dscp, socket_address
from probes.datagram import (
    IP_RECVERR,
    IPV6_RECVERR,
    SO_RXQ_OVFL,
    SO_TIMESTAMPNS,
    Readiness,
    failure_of,
    monotonic_of_stamp,
    source_for,
)
from probes.failures import network_failure
from probes.punctual import punctual

# <linux/in.h>, <linux/in6.h>; Python names none of the first two
IP_RECVTTL, IP_RECVTOS = 12, 13
HOP_LIMIT = frozenset({(socket.IPPROTO_IP, 2), (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)})
TRAFFIC_CLASS = frozenset({(socket.IPPROTO_IP, 1), (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)})
RECEIVE_BUFFER_BYTES = 4 << 20
OCTETS_MAX = 2048  # read of one datagram; no STAMP packet of ours is as long

_RECVERR = frozenset({(socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)})
_COUNT = struct.Struct("@I")
_ANCILLARY_BYTES = 512
_BATCH_MAX = 64  # read in one turn of the loop, so that a flood starves nobody
_START_S = 0.02  # from the order to the first packet
# Flows that start in step must not be due in step: each is moved by this share of its interval
# from the one before, which spreads any number of them evenly.
_GOLDEN = 0.6180339887498949
_COARSE_S = 0.005  # a longer sleep is broken off for a new flow


def hop_and_class(family: int, sock: socket.socket) -> None:
    """Have the kernel tell hop limit and traffic class of what `sock` receives."""
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)


class TimedSender:
    """The one thread; it ends with its last flow."""

    def __init__(self) -> None:
        self._due: list[_Due] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._phases = itertools.count()

    def add(self, flow: "StampFlow", count: int, interval_s: float) -> None:
        """Send `count` packets of the flow, one every `interval_s`, from very soon on."""
        phase_s = next(self._phases) * _GOLDEN % 1 * interval_s
        with self._changed:
            first_s = time.monotonic() + _START_S + phase_s
            heapq.heappush(self._due, _Due(first_s, next(self._phases), flow, count, interval_s))
            self._changed.notify()
            if self._thread is None:
                receiver = threading.get_native_id()
                self._thread = threading.Thread(
                    target=self._run, args=(receiver,), name="stamp", daemon=True
                )
                self._thread.start()

    def _run(self, receiver: int) -> None:
        with punctual(receiver):
            self._send_all()

    def _send_all(self) -> None:
        while (due := self._next()) is not None:
            while (wait_s := due.at_s - time.monotonic()) > 0:
                time.sleep(wait_s)
            if not due.flow.send(due.at_s):
                continue
            due.at_s += due.interval_s
            due.left -= 1
            if due.left:
                with self._changed:
                    heapq.heappush(self._due, due)
            else:
                due.flow.finish()

    def _next(self) -> "_Due | None":
        """The next packet, once it is due within a few milliseconds; None if there is none."""
        with self._changed:
            while self._due:
                wait_s = self._due[0].at_s - time.monotonic()
                if wait_s <= _COARSE_S:
                    return heapq.heappop(self._due)
                self._changed.wait(wait_s - _COARSE_S / 2)
            self._thread = None
            return None


@dataclass(order=True, slots=True)
class _Due:
    at_s: float
    number: int
    flow: "StampFlow" = field(compare=False)
    left: int = field(compare=False)
    interval_s: float = field(compare=False)


class StampFlow:
    """One socket to one peer; `deliver` and `fail` are called from the event loop."""

    def __init__(
        self,
        remote: Endpoint,
        deliver: Callable[[TimedDatagram], None],
        fail: Callable[[NetworkFailure], None],
        *,
        dscp: int,
        sender: TimedSender,
        readiness: Readiness,
        statistics: NetworkStatistics,
    ) -> None:
        self.remote = remote
        self.timer_errors_s: list[float] = []
        self.unsendable_count = 0
        self._deliver, self._fail = deliver, fail
        self._sender, self._readiness, self._statistics = sender, readiness, statistics
        self._loop = asyncio.get_running_loop()
        self._finished = asyncio.Event()
        self._lock = threading.Lock()  # held while sending, so that closing never meets a send
        self._closed = False
        self._overflowed = 0
        self._make: Callable[[float], bytes | None] = lambda now_s: None
        self._unmake: Callable[[], None] = lambda: None
        try:
            family, self._peer = socket_address(remote)
            self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            raise network_failure(error, f"to {remote}") from None
        try:
            self._set_options(family, dscp)
            self._socket.bind(source_for(family, self._peer))
        except OSError as error:
            self._socket.close()
            raise network_failure(error, f"to {remote}") from None
        self._last_address: SocketAddress = ()  # of the last datagram, and what it came to mean
        self._last_source = remote
        readiness.add(self._socket, self._drain)

    def _set_options(self, family: socket.AddressFamily, dscp: int) -> None:
        sock = self._socket
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        hop_and_class(family, sock)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        if dscp:
            set_dscp(sock, family, dscp)

    async def run(
        self,
        make: Callable[[float], bytes],
        unmake: Callable[[], None],
        count: int,
        interval_s: float,
    ) -> None:
        """Send; `make` gives the packet for a moment, `unmake` is told that it did not leave.

        Both are called from the sender's thread, and not after `close`.
        """
        self._make, self._unmake = make, unmake
        self._sender.add(self, count, interval_s)
        await self._finished.wait()

    def send(self, due_s: float) -> bool:
        """Send one packet now; whether the flow still wants to send."""
        with self._lock:
            if self._closed:
                return False
            packet = self._make(time.monotonic())
            leaving_s = time.monotonic()
            if packet is not None and not self._sent(packet):
                self._unmake()
                self.unsendable_count += 1
            self.timer_errors_s.append(leaving_s - due_s)
            return True

    def _sent(self, packet: bytes) -> bool:
        try:
            self._socket.sendto(packet, self._peer)
        except OSError:
            # An ICMP error about an earlier packet is reported by the next call, which clears it.
            try:
                self._socket.sendto(packet, self._peer)
            except OSError as error:
                failure = network_failure(error, f"sending to {self.remote}")
                self._loop.call_soon_threadsafe(self._fail, failure)
                return False
        return True

    def finish(self) -> None:
        """The last packet has left (called by the sender's thread)."""
        with self._lock:
            if not self._closed:
                self._loop.call_soon_threadsafe(self._finished.set)

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._readiness.remove(self._socket)
                self._socket.close()

    def _drain(self, failed: bool) -> None:
        for _ in range(_BATCH_MAX):
            try:
                data, ancillary, _, source = self._socket.recvmsg(OCTETS_MAX, _ANCILLARY_BYTES)
            except BlockingIOError:
                break
            except OSError:
                continue  # only says that there is an error; the queue below says which
            received_s = time.monotonic()
            ttl = dscp = None
            for level, kind, content in ancillary:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    received_s = monotonic_of_stamp(content)
                elif level == socket.SOL_SOCKET and kind == SO_RXQ_OVFL:
                    (total,) = _COUNT.unpack(content)
                    self._statistics.socket_overflow_count += total - self._overflowed
                    self._overflowed = total
                elif (level, kind) in HOP_LIMIT:
                    ttl = int.from_bytes(content, sys.byteorder)
                elif (level, kind) in TRAFFIC_CLASS:
                    dscp = content[0] >> 2
            if source != self._last_address:  # nearly every datagram comes from the one peer
                self._last_address, self._last_source = source, endpoint_of(source)
            self._deliver(TimedDatagram(data, self._last_source, received_s, dscp, ttl))
        if failed:
            self._drain_errors()

    def _drain_errors(self) -> None:
        for _ in range(_BATCH_MAX):
            try:
                _, ancillary, _, _ = self._socket.recvmsg(0, _ANCILLARY_BYTES, socket.MSG_ERRQUEUE)
            except OSError:
                break
            for level, kind, content in ancillary:
                if (level, kind) in _RECVERR:
                    self._fail(failure_of(content, self.remote))
