"""The block-structured capture file (draft-ietf-opsawg-pcapng)."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from nethealth.passive.capture_file import (
    RECORD_MAX,
    Found,
    Records,
    shifted,
    together,
)
from nethealth.passive.columns import Ints, Octets, distinct, rows_at
from nethealth.passive.interface import Interface
from nethealth.passive.record_scan import chain

SECTION = 0x0A0D0D0A
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _STATISTICS, _ENHANCED_PACKET = 1, 2, 3, 5, 6
_ORDERS = {0x1A2B3C4D: "<", 0x4D3C2B1A: ">"}
_IF_NAME, _IF_TSRESOL, _IF_TSOFFSET = 2, 9, 14
_ISB_IFDROP, _ISB_OSDROP = 5, 7
_EPB_DROPCOUNT = 4
_INTERFACES_MAX = 65_536
_ENHANCED_OCTETS = 32  # of an enhanced packet block without packet and options
_SCAN_OCTETS_MIN = 4096  # for less a loop is as quick
_SCAN_RECORDS_MIN = 4
_LOOP_BLOCKS = 64  # where a scan finds nothing, before it is tried again


def is_pcapng(beginning: bytes) -> bool:
    return beginning[:4] == b"\x0a\x0d\x0d\x0a"


class _Clock:
    """What an interface's time stamps count: if_tsresol and if_tsoffset (section 4.2)."""

    def __init__(self, resolution: int = 6, offset_s: int = 0) -> None:
        self._power = 2 if resolution & 0x80 else 10
        self._places = resolution & 0x7F
        self._offset_ns = offset_s * 1_000_000_000

    @property
    def digits(self) -> int:
        """Decimal digits of a second; of a binary resolution those that it surely has."""
        return self._places if self._power == 10 else int(self._places * 0.30103)

    def fits(self, stamp: int) -> bool:
        """Whether `many` can reckon stamps up to this one."""
        if self._power == 10:
            return 0 <= self.ns(stamp) < 1 << 62 and stamp < 1 << 62 and self._places <= 18
        return self._places <= 30 and 0 <= self.ns(stamp) < 1 << 62

    def many(self, stamps: Ints) -> Ints:
        """`ns` of each."""
        if self._power == 2:
            whole, part = stamps >> self._places, stamps & (1 << self._places) - 1
            since: Ints = whole * 1_000_000_000 + (part * 1_000_000_000 >> self._places)
        elif self._places <= 9:
            since = stamps * 10 ** (9 - self._places)
        else:
            since = stamps // 10 ** (self._places - 9)
        return since + self._offset_ns

    def ns(self, stamp: int) -> int:
        second: int = self._power**self._places
        return stamp * 1_000_000_000 // second + self._offset_ns


class Pcapng:
    """One file. `walk` begins at the file's first octet."""

    def __init__(self) -> None:
        self._order = "<"
        self._interfaces: list[Interface] = []
        self._clocks: list[_Clock] = []
        self._section_first = 0  # the section's first interface in the file
        self._last_ns = 0

    def interfaces(self) -> Sequence[Interface]:
        return tuple(self._interfaces)

    def time_digits(self) -> int:
        return min((clock.digits for clock in self._clocks), default=6)

    def walk(self, octets: Octets, end: int, most: int) -> Records:
        """See `Walker`."""
        parts: list[Records] = []
        at, count = 0, 0
        while count < most:
            part = self._scan(octets[at:], end - at, most - count)
            if part is None:
                part = self._loop(octets[at:], end - at, min(_LOOP_BLOCKS, most - count))
            parts.append(shifted(part, at))
            at += part.used
            count += len(part.frame_at)
            if part.fault is not None or not part.used:
                break
        return together(parts)

    def walk_slowly(self, octets: Octets, end: int, most: int) -> Records:
        """The same block by block: what `walk` is tested against."""
        return self._loop(octets, end, most)

    def _scan(self, octets: Octets, end: int, most: int) -> Records | None:
        """As many enhanced packet blocks as a chain of them gives; None if not a good number."""
        if end < _SCAN_OCTETS_MIN or not self._interfaces:
            return None
        order = f"{self._order}u4"

        def look(octets: Octets) -> Ints:
            words = octets[: len(octets) // 4 * 4].view(order)
            return np.flatnonzero(words == _ENHANCED_PACKET) * 4

        def lengths(octets: Octets, at: Ints) -> Ints:
            length = rows_at(octets, at)[:, 4:8].view(order)[:, 0].astype(np.int64)
            return np.maximum(length, 4)  # whatever it says, a chain goes forward

        at = chain(octets, end, look, lengths, _ENHANCED_OCTETS, most)
        if len(at) < _SCAN_RECORDS_MIN:
            return None
        _, length, interface, high, low, captured, wire = (
            column.astype(np.int64) for column in rows_at(octets, at)[:, :28].view(order).T
        )
        again = rows_at(octets, at + length - 4)[:, :4].view(order)[:, 0]
        sound = (again == length) & (length % 4 == 0) & (captured <= length - _ENHANCED_OCTETS)
        sound &= (length <= RECORD_MAX) & (interface < len(self._interfaces) - self._section_first)
        count = len(at) if sound.all() else int(np.argmin(sound))
        clocks = {int(each): self._clocks[self._section_first + int(each)]
                  for each in distinct(interface[:count])}  # fmt: skip
        time_ns = _times(clocks, interface[:count], high[:count], low[:count])
        if count < _SCAN_RECORDS_MIN or time_ns is None:
            return None
        interface = interface[:count] + self._section_first
        self._drops(octets, at[:count], length[:count], captured[:count], interface)
        self._last_ns = int(time_ns[-1])
        link_types = np.array([each.link_type for each in self._interfaces])
        return Records(
            used=int(at[count - 1] + length[count - 1]),
            frame_at=at[:count] + 28,
            captured=captured[:count],
            wire=np.maximum(wire, captured)[:count],
            time_ns=time_ns,
            interface=interface,
            link_type=link_types[interface],
        )

    def _drops(
        self, octets: Octets, at: Ints, length: Ints, captured: Ints, interface: Ints
    ) -> None:
        """Drop counts among the blocks' options, which few blocks have."""
        option = at + 28 + captured + -captured % 4
        stop = at + length - 4
        left = np.flatnonzero(option + 4 <= stop)
        if not len(left):
            return
        order = f"{self._order}u2"
        codes = rows_at(octets, option[left])[:, :2].view(order)[:, 0]
        for row in left[codes != 0].tolist():  # a list that begins with its end holds none
            self._drop_counts(octets.data, int(option[row]), int(stop[row]), int(interface[row]))

    def _drop_counts(self, data: memoryview, at: int, stop: int, index: int) -> None:
        for code, value in self._options(data, at, stop):
            if code == _EPB_DROPCOUNT and len(value) == 8:
                (count,) = struct.unpack(f"{self._order}Q", value)
                self._dropped(index, (self._interfaces[index].dropped or 0) + count)

    def _loop(self, octets: Octets, end: int, most: int) -> Records:
        data = octets.data
        found = Found()
        fault = None
        at = 0
        while at + 12 <= end and len(found.frame_at) < most:
            try:
                kind, length = self._block(data, at)
            except ValueError as error:
                fault = str(error)
                break
            if at + length > end:
                break
            fault = self._read(data, at, kind, length, found)
            if fault is not None:
                break
            at += length
        return found.records(at, fault)

    def _block(self, octets: memoryview, at: int) -> tuple[int, int]:
        """Type and length of a block; ValueError says what is wrong with it."""
        (kind,) = struct.unpack_from("<I", octets, at)
        if kind == SECTION:
            (magic,) = struct.unpack_from("<I", octets, at + 8)
            if magic not in _ORDERS:
                raise ValueError(f"a section's byte order is {magic:#010x}")
            self._order = _ORDERS[magic]
        kind, length = struct.unpack_from(f"{self._order}II", octets, at)
        if length < 12 or length > RECORD_MAX:
            raise ValueError(f"a block of type {kind:#x} says that it has {length} octets")
        return kind, length + -length % 4  # early writers left the padding out of the length

    def _read(
        self, octets: memoryview, at: int, kind: int, length: int, found: Found
    ) -> str | None:
        """Take in one whole block; what is wrong with it, or None."""
        (again,) = struct.unpack_from(f"{self._order}I", octets, at + length - 4)
        if length - again not in range(4):
            return f"a block of {length} octets ends with the length {again}"
        body, stop = at + 8, at + length - 4
        if kind == SECTION:
            if stop - body < 16:
                return "a section header is cut short"
            self._section_first = len(self._interfaces)
        elif kind == _INTERFACE:
            return self._interface(octets, body, stop)
        elif kind == _ENHANCED_PACKET:
            return self._packet(octets, body, stop, "IIIII", 20, found)
        elif kind == _OLD_PACKET:
            return self._packet(octets, body, stop, "HHIIII", 20, found)
        elif kind == _SIMPLE_PACKET:
            return self._simple_packet(octets, body, stop, found)
        elif kind == _STATISTICS:
            self._statistics(octets, body, stop)
        return None

    def _interface(self, octets: memoryview, body: int, stop: int) -> str | None:
        if stop - body < 8:
            return "an interface description is cut short"
        if len(self._interfaces) >= _INTERFACES_MAX:
            return f"more than {_INTERFACES_MAX} interfaces"
        link_type, _, snap = struct.unpack_from(f"{self._order}HHI", octets, body)
        name, resolution, offset_s = None, 6, 0
        for code, value in self._options(octets, body + 8, stop):
            if code == _IF_NAME:
                name = value.rstrip(b"\0").decode("utf-8", "replace")
            elif code == _IF_TSRESOL and value:
                resolution = value[0]
            elif code == _IF_TSOFFSET and len(value) == 8:
                (offset_s,) = struct.unpack(f"{self._order}q", value)
        self._interfaces.append(Interface(link_type, name, snap or None))
        self._clocks.append(_Clock(resolution, offset_s))
        return None

    def _packet(
        self, octets: memoryview, body: int, stop: int, form: str, fixed: int, found: Found
    ) -> str | None:
        if stop - body < fixed:
            return "a packet block is cut short"
        fields = struct.unpack_from(f"{self._order}{form}", octets, body)
        high, low, captured, wire = fields[-4:]
        if captured > stop - body - fixed:
            return f"a packet of {captured} octets in a block of {stop - body + 12}"
        index = self._section_first + fields[0]
        if index >= len(self._interfaces):
            return f"a packet of interface {fields[0]}, which the section has not described"
        self._note(found, index, body + fixed, captured, wire, high << 32 | low)
        if form == "IIIII":
            self._drop_counts(octets, body + fixed + captured + -captured % 4, stop, index)
        elif fields[1] != 0xFFFF:
            # Drops since the packet before, of this interface and those of the same name.
            self._dropped(index, (self._interfaces[index].dropped or 0) + fields[1])
        return None

    def _simple_packet(self, octets: memoryview, body: int, stop: int, found: Found) -> str | None:
        """No interface (it is the first), no time (that of the packet before) (section 4.4)."""
        if stop - body < 4:
            return "a packet block is cut short"
        if self._section_first >= len(self._interfaces):
            return "a packet before any interface was described"
        (wire,) = struct.unpack_from(f"{self._order}I", octets, body)
        interface = self._interfaces[self._section_first]
        captured = min(wire, stop - body - 4, interface.snap_octets or RECORD_MAX)
        self._note(found, self._section_first, body + 4, captured, wire, None)
        return None

    def _note(
        self, found: Found, index: int, at: int, captured: int, wire: int, stamp: int | None
    ) -> None:
        if stamp is not None:
            # Beyond what 64 bits hold (the year 2262) a time stamp is not one.
            self._last_ns = min(max(self._clocks[index].ns(stamp), 0), 2**63 - 1)
        found.frame_at.append(at)
        found.captured.append(captured)
        found.wire.append(max(wire, captured))
        found.time_ns.append(self._last_ns)
        found.interface.append(index)
        found.link_type.append(self._interfaces[index].link_type)

    def _statistics(self, octets: memoryview, body: int, stop: int) -> None:
        if stop - body < 12:
            return
        (number,) = struct.unpack_from(f"{self._order}I", octets, body)
        index = self._section_first + number
        if index >= len(self._interfaces):
            return
        drops = [
            struct.unpack(f"{self._order}Q", value)[0]
            for code, value in self._options(octets, body + 12, stop)
            if code in (_ISB_IFDROP, _ISB_OSDROP) and len(value) == 8
        ]
        if drops:
            # Both count from the beginning, each its own drops: by the card, by the system.
            self._dropped(index, sum(drops))

    def _dropped(self, index: int, count: int) -> None:
        self._interfaces[index] = replace(self._interfaces[index], dropped=count)

    def _options(self, octets: memoryview, at: int, stop: int) -> Iterator[tuple[int, bytes]]:
        while at + 4 <= stop:
            code, length = struct.unpack_from(f"{self._order}HH", octets, at)
            if code == 0 or at + 4 + length > stop:
                return
            yield code, octets[at + 4 : at + 4 + length].tobytes()
            at += 4 + length + -length % 4


def _times(clocks: Mapping[int, _Clock], interface: Ints, high: Ints, low: Ints) -> Ints | None:
    """Nanoseconds of all stamps; None where 64 bits are not enough to reckon them at once."""
    if len(high) and int(high.max()) >= 1 << 31:
        return None
    stamp = high << 32 | low
    time_ns = np.empty(len(stamp), np.int64)
    for number, clock in clocks.items():
        rows = slice(None) if len(clocks) == 1 else np.flatnonzero(interface == number)
        own = stamp[rows]
        most = int(own.max()) if len(own) else 0
        if not clock.fits(most):
            return None
        time_ns[rows] = clock.many(own)
    return time_ns
