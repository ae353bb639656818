"""The classic capture file (draft-ietf-opsawg-pcap): a header, then record after record."""

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nethealth.passive.capture_file import (
    RECORD_MAX,
    CaptureError,
    Found,
    Records,
    shifted,
    together,
)
from nethealth.passive.columns import Ints, Octets, rows_at
from nethealth.passive.engine import Engine
from nethealth.passive.interface import Interface
from nethealth.passive.record_scan import chain, same_octets

HEADER_OCTETS = 24
_LINK_TYPE_BITS = 0x03FFFFFF  # above stand the length of the frame check sequence and its flag
_SCAN_OCTETS_MIN = 4096  # for less a loop is as quick
_SCAN_RECORDS_MIN = 4
_LOOP_RECORDS = 64  # where a scan finds nothing, before it is tried again
# As the first four octets stand in the file: time stamps' digits, octets of a record's header.
_MAGICS = {
    0xA1B2C3D4: (6, 16),
    0xA1B23C4D: (9, 16),
    0xA1B2CD34: (6, 24),  # "modified" by a Linux patch: interface, protocol, packet type follow
}


def is_pcap(beginning: bytes) -> bool:
    """Whether the first four octets are those of pcap, in either order of octets."""
    return any(int.from_bytes(beginning[:4], order) in _MAGICS for order in ("little", "big"))


class Pcap:
    """One file. Its header is given first; `walk` is given what follows."""

    def __init__(self, header: bytes, engine: Engine | None = None) -> None:
        """`header`: HEADER_OCTETS from the file's beginning; another file is a CaptureError."""
        if len(header) < HEADER_OCTETS:
            raise CaptureError(f"the file's header is cut short: {len(header)} octets of 24")
        order = "<" if int.from_bytes(header[:4], "little") in _MAGICS else ">"
        magic, major, minor, _, _, snap, link = struct.unpack(f"{order}IHHiIII", header[:24])
        if magic not in _MAGICS:
            raise CaptureError(f"it begins with {header[:4].hex()}, which no pcap file does")
        if major != 2:
            raise CaptureError(f"pcap version {major}.{minor}; this version reads 2.x")
        self._digits, self._record_octets = _MAGICS[magic]
        self._fields = struct.Struct(f"{order}IIII")
        self._minor = minor
        self._engine = engine
        # libpcap writes up to 262,144 octets whatever it said; a snap length of 0 says nothing.
        self._longest = min(max(snap, 262_144), RECORD_MAX)
        self._interface = Interface(link & _LINK_TYPE_BITS, snap_octets=snap or None)

    def interfaces(self) -> Sequence[Interface]:
        return (self._interface,)

    def time_digits(self) -> int:
        return self._digits

    def walk(self, octets: Octets, end: int, most: int) -> Records:
        """See `Walker`."""
        if self._engine is not None and self._minor >= 4:
            return self._compiled(self._engine, octets, end, most)
        parts: list[Records] = []
        at, count = 0, 0
        while count < most:
            part = self._scan(octets[at:], end - at, most - count)
            if part is None:
                part = self._loop(octets[at:], end - at, min(_LOOP_RECORDS, most - count))
            parts.append(shifted(part, at))
            at += part.used
            count += len(part.frame_at)
            if part.fault is not None or not part.used:
                break
        return together(parts)

    def walk_slowly(self, octets: Octets, end: int, most: int) -> Records:
        """The same record by record: what `walk` is tested against."""
        return self._loop(octets, end, most)

    def _compiled(self, engine: Engine, octets: Octets, end: int, most: int) -> Records:
        (frame_at, captured, wire, time_ns), used, over = engine.records(
            octets,
            end,
            most,
            little=self._fields.format.startswith("<"),
            header=self._record_octets,
            longest=self._longest,
            unit_ns=10 ** (9 - self._digits),
        )
        return Records(
            used=used,
            frame_at=frame_at,
            captured=captured,
            wire=wire,
            time_ns=time_ns,
            interface=np.zeros(len(frame_at), np.int64),
            link_type=np.full(len(frame_at), self._interface.link_type, np.int64),
            fault=f"a record says that it has {over} octets" if over else None,
        )

    def _scan(self, octets: Octets, end: int, most: int) -> Records | None:
        """As many records as a chain of those alike gives; None if there is not a good number."""
        header = self._record_octets
        if end < _SCAN_OCTETS_MIN or self._minor < 4:
            return None
        little = self._fields.format.startswith("<")
        # The upper half of the seconds stays for 18 hours; a record of 64 KiB is no packet's.
        high = (3, 2) if little else (0, 1)
        zero = (10, 11) if little else (8, 9)
        wanted = {offset: int(octets[offset]) for offset in high} | dict.fromkeys(zero, 0)
        order = "<u4" if little else ">u4"

        def fields(octets: Octets, at: Ints) -> npt.NDArray[np.uint32]:
            columns: npt.NDArray[np.uint32] = rows_at(octets, at)[:, :16].view(order)
            return columns

        def lengths(octets: Octets, at: Ints) -> Ints:
            return fields(octets, at)[:, 2].astype(np.int64) + header

        at = chain(octets, end, same_octets(wanted), lengths, header, most)
        if len(at) < _SCAN_RECORDS_MIN:
            return None
        seconds, fraction, captured, wire = (
            column.astype(np.int64) for column in fields(octets, at).T
        )
        over = np.flatnonzero(captured > self._longest)
        if len(over):
            return None
        return Records(
            used=int(at[-1] + header + captured[-1]),
            frame_at=at + header,
            captured=captured,
            wire=np.maximum(wire, captured),
            time_ns=seconds * 1_000_000_000 + fraction * 10 ** (9 - self._digits),
            interface=np.zeros(len(at), np.int64),
            link_type=np.full(len(at), self._interface.link_type, np.int64),
        )

    def _loop(self, octets: Octets, end: int, most: int) -> Records:
        """Records one by one; what is wrong with the next one, if that is why they end."""
        data = octets.data
        found = Found()
        fault = None
        at = 0
        to_ns = 10 ** (9 - self._digits)
        unpack, header = self._fields.unpack_from, self._record_octets
        while at + header <= end and len(found.frame_at) < most:
            seconds, fraction, captured, wire = unpack(data, at)
            if self._minor < 3 or (self._minor == 3 and captured > wire):
                captured, wire = wire, captured  # the order of the oldest versions
            if captured > self._longest:
                fault = f"a record says that it has {captured} octets"
                break
            if at + header + captured > end:
                break
            found.frame_at.append(at + header)
            found.captured.append(captured)
            found.wire.append(max(wire, captured))
            found.time_ns.append(seconds * 1_000_000_000 + fraction * to_ns)
            at += header + captured
        count = len(found.frame_at)
        found.interface = [0] * count
        found.link_type = [self._interface.link_type] * count
        return found.records(at, fault)
