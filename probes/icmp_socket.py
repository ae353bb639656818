"""One ICMP socket: opened with the least privilege that works, and what the kernel says with
each packet (receive time, hop limit, traffic class, errors).

Numbers that Python's socket module does not name are those of Linux (asm-generic/socket.h,
linux/in.h, linux/in6.h, linux/icmp.h).
"""

import contextlib
import errno
import os
import secrets
import socket
import struct
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from nethealth.model.check import Family
from nethealth.model.ports import Clock
from nethealth.wire.errors import WireError
from nethealth.wire.icmp import (
    ECHO_REPLY,
    ERRORS,
    EchoReply,
    IcmpError,
    Quoted,
    parse_icmpv4,
    parse_icmpv6,
    parse_ipv4,
)
from probes.addresses import SocketAddress, set_dscp

RECEIVE_BUFFER_BYTES = 4 << 20
BATCH = 256  # packets read in one wakeup, so that a flood cannot starve the event loop

_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35
_SO_MEMINFO = 55
_MEMINFO_DROPS = 8
_IP_RECVERR, _IP_RECVTTL, _IP_RECVTOS = 11, 12, 13
_IPV6_RECVERR = 25
_ICMP_FILTER = (255, 1)  # SOL_RAW; a set bit blocks that type
_ICMP6_FILTER = (socket.IPPROTO_ICMPV6, 1)
_MSG_ERRQUEUE = 0x2000
_RECVERR = frozenset({(socket.IPPROTO_IP, 11), (socket.IPPROTO_IPV6, 25)})
_HOP_LIMIT = frozenset({(socket.IPPROTO_IP, 2), (socket.IPPROTO_IPV6, 52)})
_TRAFFIC_CLASS = frozenset({(socket.IPPROTO_IP, 1), (socket.IPPROTO_IPV6, 67)})
_ORIGIN_ICMP = frozenset({2, 3})  # SO_EE_ORIGIN_ICMP, _ICMP6; 1 is local
_EXTENDED_ERROR = struct.Struct("=IBBBBII")
_TIMESPEC = struct.Struct("@ll")
_ANCILLARY_BYTES = 512
_HEADERS_BYTES = 128  # IPv4 with options, ICMP, and the quoted headers of an error

_Ancillary = list[tuple[int, int, bytes]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An echo reply or an error; `stamp_ns` is the kernel's wall time, None where it gave none."""

    message: EchoReply | IcmpError
    source: str
    stamp_ns: int | None
    ttl: int | None
    dscp: int | None


class IcmpSocket:
    """A non-blocking ICMP socket for one IP version and one DSCP.

    A datagram socket where the kernel allows it (net.ipv4.ping_group_range), else a raw one;
    OSError where neither may be opened. With a datagram socket the kernel owns the identifier and
    hands over nothing that bears another; a raw one sees every reply that reaches the machine.
    """

    def __init__(self, version: Family, dscp: int, clock: Clock) -> None:
        self.version = version
        self._clock = clock
        self._sock = _open(version)
        self.family = self._sock.family  # ping3 asks its socket for this
        self.raw = self._sock.type == socket.SOCK_RAW
        self.last_sent_s = 0.0
        self._read_bytes = 2048
        self._drop_count = 0
        self._damaged_count = _damaged_icmpv6_count() if version == 6 else 0
        try:
            self._set_options(dscp)
            if self.raw:
                self.identifier = secrets.randbelow(0xFFFF) + 1
            else:
                self._sock.bind(("::" if version == 6 else "0.0.0.0", 0))
                self.identifier = int(self._sock.getsockname()[1])
        except OSError:
            self._sock.close()
            raise

    def fileno(self) -> int:
        return self._sock.fileno()

    def expect(self, payload_bytes: int) -> None:
        """Make room for replies with a payload of this size."""
        self._read_bytes = max(self._read_bytes, payload_bytes + _HEADERS_BYTES)

    def sendto(self, packet: bytes, address: SocketAddress) -> None:
        """Send now, leaving the time just before in `last_sent_s`; OSError if nothing went out."""
        try:
            self.last_sent_s = self._clock.monotonic_s()
            self._sock.sendto(packet, address)
        except OSError as error:
            # A datagram socket reports an ICMP error about an earlier packet, to any address, at
            # its next call. That clears it. A filter's own refusal (EPERM) is never of that kind.
            if self.raw or error.errno == errno.EPERM:
                raise
            self.last_sent_s = self._clock.monotonic_s()
            self._sock.sendto(packet, address)

    def arrivals(self) -> Iterator[Arrival]:
        """What has come, at most BATCH of each sort; what is not ours to read is passed over."""
        if not self.raw:
            yield from self._queued_errors()
        for _ in range(BATCH):
            try:
                octets, ancillary, _, address = self._sock.recvmsg(
                    self._read_bytes, _ANCILLARY_BYTES
                )
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error's echo on a datagram socket: the queue has its details
            with contextlib.suppress(WireError):  # not ours, or damaged: the wait will tell
                yield self._arrival(octets, ancillary, str(address[0]))

    def new_drop_count(self) -> int:
        """Packets that the kernel dropped here since the last call, for want of room.

        It is the counter of SO_RXQ_OVFL, which comes only with a later packet: after the last one
        none would tell. A raw socket of version 6 counts what fails its checksum with it; that is
        taken off, as the system counts it for all ICMPv6 alike.
        """
        size = struct.calcsize("=9I")
        counters = struct.unpack("=9I", self._sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, size))
        before, self._drop_count = self._drop_count, counters[_MEMINFO_DROPS]
        dropped = (self._drop_count - before) & 0xFFFFFFFF
        if not self.raw or self.version == 4:
            return dropped
        before, self._damaged_count = self._damaged_count, _damaged_icmpv6_count()
        return max(0, dropped - (self._damaged_count - before))

    def close(self) -> None:
        self._sock.close()

    def _set_options(self, dscp: int) -> None:
        sock = self._sock
        sock.setblocking(False)
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        set_dscp(sock, self.family, dscp)
        passed = {ECHO_REPLY[self.version], *ERRORS[self.version]}
        if self.version == 4:
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVTOS, 1)
            if self.raw:
                icmp_filter(sock, 4, passed)
            else:
                sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
            if self.raw:
                icmp_filter(sock, 6, passed)
            else:
                sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)

    def _arrival(self, octets: bytes, ancillary: _Ancillary, source: str) -> Arrival:
        if self.version == 6:
            message = parse_icmpv6(octets)
        else:
            message = parse_icmpv4(parse_ipv4(octets).payload if self.raw else octets)
        stamp_ns = ttl = tos = None
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                seconds, nanoseconds = _TIMESPEC.unpack(data)
                stamp_ns = seconds * 1_000_000_000 + nanoseconds
            elif (level, kind) in _HOP_LIMIT:
                ttl = int.from_bytes(data, sys.byteorder)
            elif (level, kind) in _TRAFFIC_CLASS:
                tos = int.from_bytes(data, sys.byteorder)
        return Arrival(message, source, stamp_ns, ttl, None if tos is None else tos >> 2)

    def _queued_errors(self) -> Iterator[Arrival]:
        # What the kernel queues is the request as we sent it, the address that it went to, and
        # beside them who reported the error (ip(7), IP_RECVERR).
        for _ in range(BATCH):
            try:
                request, ancillary, _, asked = self._sock.recvmsg(
                    self._read_bytes, _ANCILLARY_BYTES, _MSG_ERRQUEUE
                )
            except OSError:
                return
            destination = str(asked[0]) if asked else ""
            for level, kind, data in ancillary:
                if (level, kind) in _RECVERR and len(request) >= 8:
                    _, origin, icmp_type, icmp_code, _, _, _ = _EXTENDED_ERROR.unpack_from(data)
                    if origin in _ORIGIN_ICMP:
                        identifier, sequence = struct.unpack_from("!HH", request, 4)
                        quoted = Quoted("", destination, None, identifier, sequence)
                        error = IcmpError(icmp_type, icmp_code, quoted)
                        offender = self._offender(data[_EXTENDED_ERROR.size :])
                        yield Arrival(error, offender, None, None, None)

    def _offender(self, sockaddr: bytes) -> str:
        start, length = (8, 16) if self.version == 6 else (4, 4)
        return socket.inet_ntop(self.family, sockaddr[start : start + length])


def _damaged_icmpv6_count() -> int:
    """ICMPv6 packets that came to this machine with a wrong checksum; 0 where nothing tells."""
    try:
        lines = Path("/proc/thread-self/net/snmp6").read_text().splitlines()
    except OSError:
        return 0
    return int(dict(line.split() for line in lines).get("Icmp6InCsumErrors", 0))


def icmp_filter(sock: socket.socket, version: Family, passed: Collection[int]) -> None:
    """Let a raw ICMP socket see these types alone."""
    if version == 4:
        blocked = ~sum(1 << icmp_type for icmp_type in passed) & 0xFFFFFFFF
        sock.setsockopt(*_ICMP_FILTER, struct.pack("=I", blocked))
    else:
        mask = ~sum(1 << icmp_type for icmp_type in passed) & ((1 << 256) - 1)
        words = (mask >> shift & 0xFFFFFFFF for shift in range(0, 256, 32))
        sock.setsockopt(*_ICMP6_FILTER, struct.pack("=8I", *words))


def why_unavailable(version: Family) -> str | None:
    """None where an ICMP socket can be opened, else why not, and the cure."""
    try:
        _open(version).close()
    except OSError as error:
        return (
            f"no ICMPv{version} socket may be opened here ({os.strerror(error.errno or 0)}); "
            "as root: sysctl -w net.ipv4.ping_group_range='0 2147483647'"
        )
    return None


def _open(version: Family) -> socket.socket:
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    protocol = socket.IPPROTO_ICMPV6 if version == 6 else socket.IPPROTO_ICMP
    try:
        return socket.socket(family, socket.SOCK_DGRAM, protocol)
    except OSError:
        return socket.socket(family, socket.SOCK_RAW, protocol)
