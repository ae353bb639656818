"""Counters of a switch's ports, such as its agent would show: the kernel counts, nobody reads.

A packet socket counts in the kernel what its filter takes (packet(7), PACKET_STATISTICS), be it
read or not. Linux itself keeps no count of multicast and broadcast by port and way.
"""

import ctypes
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.lab.topology import Lab, entered
from tests.peers.snmp_device import Table, interface

_ETH_P_ALL = 3
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_SO_ATTACH_FILTER = 26
_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE = 0x20, 0x28, 0x30
_IF_EQUAL, _IF_SET, _RETURN = 0x15, 0x45, 0x06
_PACKET_TYPE, _OUTGOING = 0xFFFFF004, 4  # linux/filter.h SKF_AD_OFF + SKF_AD_PKTTYPE
_Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand

# Columns of ifXTable (RFC 2863): ifHCIn… 8 multicast, 9 broadcast; ifHCOut… 12 and 13.
_COLUMNS = {("in", "multicast"): 8, ("in", "broadcast"): 9,
            ("out", "multicast"): 12, ("out", "broadcast"): 13}  # fmt: skip


def _filter(way: str, kind: str) -> Sequence[_Instruction]:
    """A classic BPF program that takes the frames of one way and kind, and no octet of them."""
    wanted, other = (0, 1) if way == "out" else (1, 0)
    last = [(_RETURN, 0, 0, 0), (_RETURN, 0, 0, 1)]  # refused; taken
    if kind == "broadcast":
        tests = [
            (_LOAD_WORD, 0, 0, 0), (_IF_EQUAL, 0, 2, 0xFFFFFFFF),
            (_LOAD_HALF, 0, 0, 4), (_IF_EQUAL, 1, 0, 0xFFFF),
        ]  # fmt: skip
    else:
        tests = [
            (_LOAD_BYTE, 0, 0, 0), (_IF_SET, 0, 4, 1),
            (_LOAD_WORD, 0, 0, 0), (_IF_EQUAL, 0, 3, 0xFFFFFFFF),
            (_LOAD_HALF, 0, 0, 4), (_IF_EQUAL, 0, 1, 0xFFFF),
        ]  # fmt: skip
    to_refused = len(tests)
    first = [
        (_LOAD_WORD, 0, 0, _PACKET_TYPE),
        (_IF_EQUAL, wanted * to_refused, other * to_refused, _OUTGOING),
    ]
    return [*first, *tests, *last]


@dataclass
class Ports:
    """Counts of each port since it was opened, by way and kind."""

    names: Sequence[str]
    _sockets: dict[tuple[str, str, str], socket.socket] = field(default_factory=dict)
    _counted: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def open(self) -> None:
        """Begin to count, in the network namespace that this thread is in."""
        for name in self.names:
            for way, kind in _COLUMNS:
                sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                program = b"".join(struct.pack("HBBI", *each) for each in _filter(way, kind))
                octets = ctypes.create_string_buffer(program)
                count = len(program) // 8
                sock.setsockopt(
                    socket.SOL_SOCKET, _SO_ATTACH_FILTER,
                    struct.pack("HL", count, ctypes.addressof(octets)),
                )  # fmt: skip
                sock.bind((name, _ETH_P_ALL))
                self._sockets[name, way, kind] = sock
                self._counted[name, way, kind] = 0

    def counts(self) -> dict[tuple[str, str, str], int]:
        """Frames by port, way and kind."""
        for key, sock in self._sockets.items():
            packets, _ = struct.unpack("II", sock.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
            self._counted[key] += packets  # reading it sets it to nothing
        return dict(self._counted)

    def table(self) -> Table:
        """They as rows of IF-MIB."""
        counts = self.counts()
        rows: Table = {}
        for index, name in enumerate(self.names, 1):
            columns = {column: counts[name, way, kind] for (way, kind), column in _COLUMNS.items()}
            rows |= interface(index, name, mbps=100, counters=columns)
        return rows

    def close(self) -> None:
        for sock in self._sockets.values():
            sock.close()


@contextmanager
def counting(lab: Lab, node: str, names: Sequence[str]) -> Iterator[Ports]:
    """The ports of a node, counted while the block runs."""
    ports = Ports(names)
    with entered(lab, node):
        ports.open()
    try:
        yield ports
    finally:
        ports.close()
