"""Datagrams that came in fragments, joined (RFC 791 section 3.2, RFC 8200 section 4.5).

State is bounded: so many datagrams at a time, each for so long. A fragment that comes twice adds
nothing; where two overlap, the octets of the one with the lower offset stay.
"""

from collections import OrderedDict
from dataclasses import dataclass, field, replace

from nethealth.passive.packets import FRAGMENT_NONE, TCP, UDP, Packet, Packets

PENDING_MAX = 1024  # of at most 64 KiB each
LIFETIME_NS = 60_000_000_000  # RFC 8200 section 4.5
DATAGRAM_MAX = 65_535
_PIECES_MAX = 256
_HEADERS = frozenset({0, 43, 60, 135})  # IPv6 extension headers that may stand before Fragment
_FRAGMENT = 44

Key = tuple[bytes, bytes, int, int]  # addresses, identification, protocol (IPv6: 0)


@dataclass(frozen=True, slots=True)
class _Fragment:
    key: Key
    offset: int
    data: bytes  # as far as captured
    octets: int  # on the wire
    last: bool
    protocol: int


@dataclass(slots=True)
class _Pending:
    first_ns: int
    pieces: dict[int, _Fragment] = field(default_factory=dict)
    octets: int | None = None  # of the whole, once its last fragment is there
    protocol: int = -1

    def add(self, fragment: _Fragment) -> None:
        if fragment.offset == 0:
            self.protocol = fragment.protocol
        if fragment.last:
            self.octets = fragment.offset + fragment.octets
        if len(self.pieces) < _PIECES_MAX:
            self.pieces.setdefault(fragment.offset, fragment)

    def joined(self) -> bytes | None:
        """What was captured of the whole, up to the first octet that was not; None if not whole."""
        if self.octets is None or self.octets > DATAGRAM_MAX:
            return None
        data, reached, cut = bytearray(), 0, False
        for offset in sorted(self.pieces):
            piece = self.pieces[offset]
            if offset > reached:
                return None
            if not cut:
                data += piece.data[reached - offset :]
                cut = len(piece.data) < piece.octets
            reached = max(reached, offset + piece.octets)
        return bytes(data[: self.octets]) if reached >= self.octets else None


class Fragments:
    """Takes the packets of a timeline, run by run."""

    def __init__(self) -> None:
        self._pending: OrderedDict[Key, _Pending] = OrderedDict()
        self._done: OrderedDict[Key, int] = OrderedDict()

    def joined(self, packets: Packets) -> Packets:
        """The same run with the datagrams that a fragment in it completed."""
        rows = packets.rows(packets.fragment != FRAGMENT_NONE) if len(packets) else []
        found = [packet for row in rows if (packet := self._take(packets, row)) is not None]
        return replace(packets, reassembled=tuple(found)) if found else packets

    def _take(self, packets: Packets, row: int) -> Packet | None:
        fragment = _fragment(packets, row)
        if fragment is None:
            return None
        time_ns = int(packets.time_ns[row])
        self._forget(time_ns)
        if fragment.key in self._done:
            return None  # a mirror port's second copy
        pending = self._pending.get(fragment.key)
        if pending is None:
            pending = self._pending[fragment.key] = _Pending(time_ns)
        pending.add(fragment)
        data = pending.joined()
        if data is None:
            return None
        del self._pending[fragment.key]
        self._done[fragment.key] = time_ns
        return _packet(packets, row, pending, data)

    def _forget(self, now_ns: int) -> None:
        while self._pending:
            key, pending = next(iter(self._pending.items()))
            if len(self._pending) <= PENDING_MAX and now_ns - pending.first_ns <= LIFETIME_NS:
                break
            del self._pending[key]
        while self._done:
            key, done_ns = next(iter(self._done.items()))
            # An identification is used anew before long; a second copy comes at once.
            if len(self._done) <= PENDING_MAX and now_ns - done_ns <= 1_000_000_000:
                break
            del self._done[key]


def _fragment(packets: Packets, row: int) -> _Fragment | None:
    at, version = int(packets.network_at[row]), int(packets.ip_version[row])
    header = packets.octets_of(row, at, 512)
    if version == 4 and len(header) >= 20:
        start, octets = (header[0] & 0x0F) * 4, int.from_bytes(header[2:4], "big")
        place = int.from_bytes(header[6:8], "big")
        key = header[12:16], header[16:20], int.from_bytes(header[4:6], "big"), header[9]
        last, offset, protocol = not place & 0x2000, (place & 0x1FFF) * 8, header[9]
    elif version == 6 and len(header) >= 48:
        found = _fragment_header(header)
        if found is None:
            return None
        octets = 40 + int.from_bytes(header[4:6], "big")
        place = int.from_bytes(header[found + 2 : found + 4], "big")
        key = header[8:24], header[24:40], int.from_bytes(header[found + 4 : found + 8], "big"), 0
        last, offset, protocol, start = not place & 1, place & 0xFFF8, header[found], found + 8
    else:
        return None
    if octets <= start:
        return None
    data = packets.octets_of(row, at + start, octets - start)
    return _Fragment(key, offset, data, octets - start, last, protocol)


def _fragment_header(header: bytes) -> int | None:
    """Where the Fragment header begins, behind those that may stand before it."""
    kind, at = header[6], 40
    while at + 8 <= len(header):
        if kind == _FRAGMENT:
            return at
        if kind not in _HEADERS:
            return None
        kind, at = header[at], at + (header[at + 1] + 1) * 8
    return None


def _packet(packets: Packets, row: int, pending: _Pending, data: bytes) -> Packet | None:
    """The joined datagram; `data` begins with the transport header."""
    source_port = destination_port = header = 0
    if pending.protocol in (UDP, TCP):
        header = 8 if pending.protocol == UDP else 20
        if len(data) < header:
            return None
        source_port = int.from_bytes(data[0:2], "big")
        destination_port = int.from_bytes(data[2:4], "big")
        if pending.protocol == TCP:
            header = max(20, (data[12] >> 4) * 4)
    return Packet(
        number=int(packets.number[row]),
        time_ns=int(packets.time_ns[row]),
        source=packets.source_text(row),
        source_port=source_port,
        destination=packets.destination_text(row),
        destination_port=destination_port,
        protocol=pending.protocol,
        payload=data[header:],
        payload_octets=max((pending.octets or 0) - header, 0),
        vlan=int(packets.vlan[row]),
        dscp=max(int(packets.dscp[row]), 0),
    )
