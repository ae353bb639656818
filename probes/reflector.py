"""The reflector's sockets and its loop: kernel receive stamps in, answers out at once."""

import selectors
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address

from nethealth.protocol.reflector_peers import Allowed, closed_networks
from nethealth.protocol.stamp_reflector import Arrived, Reflector
from nethealth.wire.stamp import ErrorEstimate, ntp_of_unix_ns, stamped
from probes.addresses import SocketAddress
from probes.clock_state import clock_state
from probes.datagram import SO_RXQ_OVFL, SO_TIMESTAMPNS
from probes.stamp_engine import (
    HOP_LIMIT,
    OCTETS_MAX,
    RECEIVE_BUFFER_BYTES,
    TRAFFIC_CLASS,
    hop_and_class,
)
from probes.witness_server import WitnessServer

# <linux/in.h>, <linux/in6.h>
_IP_TOS, _IP_PKTINFO = 1, 8
_IPV6_RECVPKTINFO, _IPV6_PKTINFO = 49, 50
_TIMESPEC = struct.Struct("@qq")
_COUNT = struct.Struct("@I")
_INT = struct.Struct("@i")
_PKTINFO4 = struct.Struct("@I4s4s")  # interface, the address it came to, its header's address
_ANCILLARY_BYTES = 512
_BATCH_MAX = 64
_TURN_S = 0.5  # how soon a request to stop is noticed
_CLOCK_EVERY_S = 16.0
_UNKNOWN_ERROR_S = 1.0


@dataclass(slots=True)
class Statistics:
    """What came of a reflector's time."""

    reflected_count: int = 0
    refused: dict[str, int] | None = None
    overflow_count: int = 0  # dropped by the kernel at our own sockets
    unsendable_count: int = 0


def own_error_estimate() -> ErrorEstimate:
    """What this machine's clock says of itself."""
    state = clock_state()
    error_s = _UNKNOWN_ERROR_S if state.error_s is None else state.error_s
    return ErrorEstimate.of(error_s, synchronised=bool(state.synchronised))


class ReflectorServer:
    """Sockets bound to `addresses`; OSError if one cannot be bound, ValueError for `allow`.

    With a `control_port` there is a witness too, which tells what arrived there, at the port after
    it and at `sip_port`.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        port: int,
        allow: Sequence[Allowed],
        rate: float,
        *,
        control_port: int | None = None,
        sip_port: int | None = None,
    ) -> None:
        self._reflector = Reflector(closed_networks(allow), rate, own_error_estimate())
        self._selector = selectors.DefaultSelector()
        self._statistics = Statistics()
        self._overflowed: dict[int, int] = {}
        self.witness: WitnessServer | None = None
        try:
            for address in addresses:
                sock = _bound(address, port)
                self._selector.register(sock, selectors.EVENT_READ, partial(self._drain, sock))
            if control_port is not None:
                self.witness = WitnessServer(
                    self._selector, addresses, allow, rate,
                    control_port=control_port, sip_port=sip_port,
                )  # fmt: skip
        except OSError:
            self.close()
            raise

    def serve(self, stopping: Callable[[], bool], for_s: float | None = None) -> Statistics:
        """Reflect until `stopping()` or for so long."""
        began_s = checked_s = time.monotonic()
        while not stopping():
            now_s = time.monotonic()
            left_s = _TURN_S if for_s is None else min(_TURN_S, began_s + for_s - now_s)
            if left_s <= 0:
                break
            if now_s - checked_s > _CLOCK_EVERY_S:
                self._reflector.error_estimate = own_error_estimate()
                checked_s = now_s
            if self.witness is not None:
                left_s = self.witness.turn(left_s)
            for key, events in self._selector.select(left_s):
                key.data(events)
        self._statistics.reflected_count = self._reflector.reflected_count
        self._statistics.refused = {
            str(why): count for why, count in self._reflector.refused.items()
        }
        return self._statistics

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()

    def _drain(self, sock: socket.socket, _: int) -> None:
        for _ in range(_BATCH_MAX):
            try:
                data, ancillary, _, source = sock.recvmsg(OCTETS_MAX, _ANCILLARY_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue  # an answer of before was refused: this call has cleared the error
            self._answer(sock, data, ancillary, source)

    def _answer(
        self,
        sock: socket.socket,
        data: bytes,
        ancillary: list[tuple[int, int, bytes]],
        source: SocketAddress,
    ) -> None:
        stamp_ns, ttl, traffic_class = time.time_ns(), 255, 0
        back: list[tuple[int, int, bytes]] = []
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                seconds, nanoseconds = _TIMESPEC.unpack_from(content)
                stamp_ns = seconds * 1_000_000_000 + nanoseconds
            elif (level, kind) == (socket.SOL_SOCKET, SO_RXQ_OVFL):
                (total,) = _COUNT.unpack(content)
                file = sock.fileno()
                self._statistics.overflow_count += total - self._overflowed.get(file, 0)
                self._overflowed[file] = total
            elif (level, kind) in HOP_LIMIT:
                (ttl,) = _INT.unpack_from(content)
            elif (level, kind) in TRAFFIC_CLASS:
                traffic_class = content[0]
            elif (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
                _, local, _ = _PKTINFO4.unpack_from(content)
                back.append((level, kind, _PKTINFO4.pack(0, local, b"\0" * 4)))
            elif (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO):
                back.append((level, kind, content))
        reflection = self._reflector.reflect(
            Arrived(
                data, str(source[0]), int(source[1]), time.monotonic(),
                ntp_of_unix_ns(stamp_ns), ttl, traffic_class,
            )
        )  # fmt: skip
        if reflection is None:
            return
        mark = _INT.pack(reflection.dscp << 2)
        six = sock.family == socket.AF_INET6
        back.append(
            (socket.IPPROTO_IPV6, socket.IPV6_TCLASS, mark)
            if six
            else (socket.IPPROTO_IP, _IP_TOS, mark)
        )
        stamped(reflection.packet, ntp_of_unix_ns(time.time_ns()))
        try:
            sock.sendmsg((reflection.packet,), back, 0, source)
        except OSError:
            self._statistics.unsendable_count += 1


def _bound(address: str, port: int) -> socket.socket:
    """A socket for one IP version, which answers from the address that was asked."""
    six = ip_address(address.partition("%")[0]).version == 6
    family = socket.AF_INET6 if six else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        if six:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        hop_and_class(family, sock)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock
