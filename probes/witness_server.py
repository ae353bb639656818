"""The witness's sockets: datagrams and connections in, what arrived and words to bindings out.

It lives in the loop of the reflector: each of its sockets is registered with what is to be called
for it, and `turn` does what is due by the clock.
"""

import errno
import itertools
import secrets
import selectors
import socket
import struct
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from ipaddress import ip_address

from nethealth.model.endpoint import Endpoint
from nethealth.protocol.reflector_peers import Allowed, Peers
from nethealth.protocol.witness import Action, Came, Hang, Listening, Say, Tell, Witness
from nethealth.wire.witness import ASKED_MAX, OCTETS_MAX
from probes.addresses import SocketAddress, endpoint_of, socket_address

# <linux/in.h>, <linux/in6.h>
_IP_PKTINFO = 8
_IPV6_RECVPKTINFO, _IPV6_PKTINFO = 49, 50
_PKTINFO4 = struct.Struct("@I4s4s")  # interface, the address it came to, its header's address
_PKTINFO6 = struct.Struct("@16sI")
_DATAGRAM_MAX = 65_535
_ANCILLARY_BYTES = 128
_BATCH_MAX = 64
_BACKLOG = 16
_OUTBOX_MAX = 1 << 18  # octets that a slow reader may owe us; then it is hung up on
_QUIET_S = 0.25  # a request on a connection is whole when nothing more has come for so long
_TURN_S = 0.1  # how soon that is noticed
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 20), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))
_NO_MORE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class WitnessServer:
    """Sockets at each of `addresses`, registered at `selector`, which closes them at the end.

    OSError if one cannot be bound; ValueError if `allow` is nobody or the world.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        addresses: Sequence[str],
        allow: Sequence[Allowed],
        rate: float,
        *,
        control_port: int,
        sip_port: int | None,
    ) -> None:
        named = tuple(
            one for one in addresses if not ip_address(one.partition("%")[0]).is_unspecified
        )
        listening = Listening(sip_port, control_port, control_port + 1, named)
        self.core = Witness(Peers(allow, rate), listening, secrets.token_bytes)
        self.unsendable_count = 0
        self._selector = selector
        self._numbers = itertools.count(1)
        self._connections: dict[int, _Connection] = {}
        self._datagrams: list[tuple[socket.socket, str, int]] = []
        for address in addresses:
            for port in dict.fromkeys((control_port, control_port + 1, sip_port)):
                if port is not None:
                    self._open_datagrams(address, port)
            for port in dict.fromkeys((control_port, sip_port)):
                if port is not None:
                    self._open_stream(address, port)

    def turn(self, most_s: float) -> float:
        """Do what is due; how long the loop may then wait, at most `most_s`."""
        now_s = time.monotonic()
        self._do(self.core.due(now_s))
        for connection in list(self._connections.values()):
            if connection.is_request and now_s - connection.heard_s >= _QUIET_S:
                self._deliver(connection)
        if any(one.is_request for one in self._connections.values()):
            most_s = min(most_s, _TURN_S)
        due_s = self.core.next_due_s
        return most_s if due_s is None else max(0.0, min(most_s, due_s - time.monotonic()))

    def _open_datagrams(self, address: str, port: int) -> None:
        family, bound = socket_address(Endpoint(address, port))
        sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            sock.bind(bound)
        except OSError:
            sock.close()
            raise
        self._datagrams.append((sock, address, port))
        self._selector.register(sock, selectors.EVENT_READ, partial(self._drain, sock, port))

    def _open_stream(self, address: str, port: int) -> None:
        family, bound = socket_address(Endpoint(address, port))
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(bound)
            sock.listen(_BACKLOG)
        except OSError:
            sock.close()
            raise
        self._selector.register(sock, selectors.EVENT_READ, partial(self._accept, sock, port))

    def _drain(self, sock: socket.socket, port: int, _: int) -> None:
        for _ in range(_BATCH_MAX):
            try:
                data, ancillary, _, source = sock.recvmsg(_DATAGRAM_MAX, _ANCILLARY_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue  # an answer of before was refused: this call has cleared the error
            peer = endpoint_of(source)
            local = _local_address(ancillary) or endpoint_of(sock.getsockname()).address
            now_s = time.monotonic()
            self._do(self.core.datagram(Came(data, peer.address, peer.port, local, port, now_s)))

    def _accept(self, listener: socket.socket, port: int, _: int) -> None:
        for _ in range(_BATCH_MAX):
            try:
                sock, source = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _NO_MORE:
                    return
                continue  # it has gone again
            self._take(sock, source, port)

    def _take(self, sock: socket.socket, source: SocketAddress, port: int) -> None:
        sock.setblocking(False)
        peer = endpoint_of(source)
        try:
            local = endpoint_of(sock.getsockname())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEPALIVE:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
        except OSError:
            sock.close()
            return
        number, now_s = next(self._numbers), time.monotonic()
        if not self.core.connected(number, peer.address, peer.port, local.address, now_s):
            sock.close()
            self._do(self.core.excuses(peer.address))
            return
        connection = _Connection(number, sock, peer, Endpoint(local.address, port), now_s)
        if port != self.core.listening.control_port:
            connection.is_request = True
        self._connections[number] = connection
        self._selector.register(sock, selectors.EVENT_READ, partial(self._converse, connection))

    def _converse(self, connection: "_Connection", events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush(connection)
        if not events & selectors.EVENT_READ or connection.number not in self._connections:
            return
        try:
            data = connection.sock.recv(OCTETS_MAX)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        connection.heard_s = time.monotonic()
        if not data:
            self._deliver(connection)
            self._hang_up(connection)
            return
        if connection.is_request is None:
            # At the control port a session opens with a JSON object, and no SIP request does.
            connection.is_request = not data.startswith(b"{")
        if connection.is_request:
            connection.inbox += data[: OCTETS_MAX + 1 - len(connection.inbox)]
        else:
            self._read_lines(connection, data)

    def _read_lines(self, connection: "_Connection", data: bytes) -> None:
        *lines, rest = (bytes(connection.inbox) + data).split(b"\n")
        connection.inbox[:] = rest
        for line in lines:
            self._do(self.core.line(connection.number, line, time.monotonic()))
            if connection.number not in self._connections:
                return
        if len(rest) > ASKED_MAX:
            self._hang_up(connection)

    def _deliver(self, connection: "_Connection") -> None:
        """What came on a connection for a request, once."""
        if not connection.is_request or not connection.inbox or connection.delivered:
            return
        connection.delivered = True
        peer, local = connection.peer, connection.local
        came = Came(
            bytes(connection.inbox), peer.address, peer.port, local.address, local.port,
            time.monotonic(),
        )  # fmt: skip
        self._do(self.core.stream(came))

    def _do(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Tell(number, line):
                    told = self._connections.get(number)
                    if told is not None:
                        told.outbox += line
                        self._flush(told)
                case Say():
                    self._say(action)
                case Hang(number):
                    if number in self._connections:
                        self._hang_up(self._connections[number])

    def _say(self, say: Say) -> None:
        for sock, address, port in self._datagrams:
            six = sock.family == socket.AF_INET6
            bound = address.partition("%")[0]
            here = bound == say.local_address.partition("%")[0] or ip_address(bound).is_unspecified
            if port != say.local_port or six != (":" in say.local_address) or not here:
                continue
            try:
                _, peer = socket_address(Endpoint(say.address, say.port))
                sock.sendmsg((say.data,), [_from(say.local_address)], 0, peer)
            except OSError:
                self.unsendable_count += 1
            return
        self.unsendable_count += 1

    def _flush(self, connection: "_Connection") -> None:
        with suppress(BlockingIOError):
            try:
                while connection.outbox:
                    del connection.outbox[: connection.sock.send(connection.outbox)]
            except BlockingIOError:
                raise
            except OSError:
                self._hang_up(connection)
                return
        if len(connection.outbox) > _OUTBOX_MAX:
            self._hang_up(connection)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.outbox else 0)
        self._selector.modify(connection.sock, events, partial(self._converse, connection))

    def _hang_up(self, connection: "_Connection") -> None:
        if self._connections.pop(connection.number, None) is None:
            return
        self.core.closed(connection.number)
        self._selector.unregister(connection.sock)
        connection.sock.close()


class _Connection:
    """One TCP connection: of a session, or bearing one SIP request."""

    def __init__(
        self, number: int, sock: socket.socket, peer: Endpoint, local: Endpoint, now_s: float
    ) -> None:
        self.number = number
        self.sock = sock
        self.peer = peer
        self.local = local
        self.heard_s = now_s
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.is_request: bool | None = None  # None: not known yet
        self.delivered = False


def _local_address(ancillary: Iterable[tuple[int, int, bytes]]) -> str | None:
    """The address that a datagram came to."""
    for level, kind, content in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            return socket.inet_ntop(socket.AF_INET, _PKTINFO4.unpack_from(content)[2])
        if (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO):
            return socket.inet_ntop(socket.AF_INET6, _PKTINFO6.unpack_from(content)[0])
    return None


def _from(address: str) -> tuple[int, int, bytes]:
    """The control message that makes a datagram leave from this address of ours."""
    plain = address.partition("%")[0]
    if ":" in plain:
        packed = _PKTINFO6.pack(socket.inet_pton(socket.AF_INET6, plain), 0)
        return socket.IPPROTO_IPV6, _IPV6_PKTINFO, packed
    local = socket.inet_pton(socket.AF_INET, plain)
    return socket.IPPROTO_IP, _IP_PKTINFO, _PKTINFO4.pack(0, local, b"\0" * 4)
