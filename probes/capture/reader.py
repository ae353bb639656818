"""Capture files as one timeline of packets, run by run, in bounded memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle

import numpy as np

from nethealth.passive.capture_file import (
    RECORD_MAX,
    CaptureError,
    Records,
    Walker,
    shifted,
    together,
)
from nethealth.passive.columns import SLACK, Octets
from nethealth.passive.engine import Engine
from nethealth.passive.packets import Packets
from nethealth.passive.pcap import HEADER_OCTETS, Pcap, is_pcap
from nethealth.passive.pcapng import Pcapng, is_pcapng
from probes.capture.result import FileRead
from probes.capture.sources import SourceError, Stream, expand, open_source
from probes.capture.timeline import OverlapError, Waiting, timeline

PACKETS_MOST = 65_536  # of a run: numpy is quickest where its calls are few
# Of each buffer of a file, by how many files there are; longer than any record may be.
_BUFFER_OCTETS = ((1, 12 << 20), (4, 6 << 20), (1 << 30, RECORD_MAX + (64 << 10)))
_FIRST_PACKETS = 4096  # of the first run; so that streams are soon known, others grow from it
_STEP_OCTETS_COMPILED = 1 << 20  # at one go; so much is still in the cache when it is looked at
_BUFFERS = 4  # one that is filled, two that wait, one that is analysed


class Reader:
    """Iterate once. The packets of a run stay as they are until the third one after it comes.

    `interface` of a packet is 65,536 times its file's number, from 0, and the interface's in it.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        packets_most: int | None = None,
        engine: Engine | None = None,
    ) -> None:
        """`names`: files, folders, `-`; SourceError if they cannot be told apart or found."""
        self._engine = engine
        self._names = expand(names)
        self._packets_most = packets_most or PACKETS_MOST
        self._number = 1
        octets = next(size for most, size in _BUFFER_OCTETS if len(self._names) <= most)
        self._files = [_File(name, octets, engine) for name in self._names]

    @property
    def files(self) -> tuple[FileRead, ...]:
        """What became of each file; complete when the iteration is."""
        return tuple(file.read for file in self._files)

    def __iter__(self) -> Iterator[Packets]:
        """The runs; SourceError if too many files overlap in time."""
        if len(self._files) == 1:
            runs = self._files[0].runs(self._packets_most)
        else:
            runs = timeline(
                [
                    Waiting(file.first_ns(), partial(self._runs, number, file))
                    for number, file in enumerate(self._files)
                ]
            )
        try:
            for octets, records in runs:
                yield self._packets(octets, records)
        except OverlapError as error:
            raise SourceError(str(error)) from None

    def _runs(self, number: int, file: "_File") -> Iterator[tuple[Octets, Records]]:
        for octets, records in file.runs(self._packets_most):
            yield octets, replace(records, interface=records.interface + (number << 16))

    def _packets(self, octets: Octets, records: Records) -> Packets:
        count = len(records.frame_at)
        number = np.arange(self._number, self._number + count)
        self._number += count
        return Packets(
            octets=octets,
            frame_at=records.frame_at,
            captured=records.captured,
            wire=records.wire,
            time_ns=records.time_ns,
            number=number,
            interface=records.interface,
            link_type=records.link_type,
            engine=self._engine,
        )


class _File:
    """One file, from its first octet to its last whole packet."""

    def __init__(self, name: str, buffer_octets: int, engine: Engine | None) -> None:
        self.read = FileRead(name)
        self._engine = engine
        self._buffer_octets = buffer_octets

    def first_ns(self) -> int:
        """The time of the first packet; 0 where there is none, so that the reason is found soon."""
        ahead = _File(self.read.name, self._buffer_octets, None)
        for _, records in ahead.runs(1):
            return int(records.time_ns[0])
        return 0

    def runs(self, most: int) -> Iterator[tuple[Octets, Records]]:
        try:
            stream = open_source(self.read.name)
        except SourceError as error:
            self._stop(str(error))
            return
        try:
            yield from self._walk(stream, most)
        finally:
            stream.close()

    def _walk(self, stream: Stream, most: int) -> Iterator[tuple[Octets, Records]]:
        buffers = cycle([np.zeros(self._buffer_octets + SLACK, np.uint8) for _ in range(_BUFFERS)])
        buffer = next(buffers)
        end, over = self._fill(stream, buffer, 0)
        try:
            walker, begin = walker_of(buffer[: min(end, HEADER_OCTETS)].tobytes(), self._engine)
        except CaptureError as error:
            self._stop(str(error))
            return
        self.read = replace(self.read, octets=begin)
        while True:
            asked = min(most, max(_FIRST_PACKETS, self.read.packets))
            parts: list[Records] = []
            first, count, fault = begin, 0, None
            while count < asked and fault is None:
                more = not over and end < self._buffer_octets
                if more:
                    end, over = self._fill(stream, buffer, end)
                found = walker.walk(buffer[begin:], end - begin, asked - count)
                self._count(found, walker)
                if len(found.frame_at):
                    parts.append(shifted(found, begin - first))
                    count += len(found.frame_at)
                begin += found.used
                fault = found.fault
                if not more and not found.used:
                    break
            if parts:
                yield buffer[first:], together(parts)
            if fault is not None:
                self._stop(fault)
                return
            if count < asked:
                if over:
                    break
                # Packets handed out stay where they are; what is not whole yet goes on elsewhere.
                following = next(buffers)
                following[: end - begin] = buffer[begin:end]
                buffer, begin, end = following, 0, end - begin
        if end > begin and self.read.reason is None:
            self._stop(f"the last {end - begin} octets are no whole record")

    def _fill(self, stream: Stream, buffer: Octets, end: int) -> tuple[int, bool]:
        """Read on: until the buffer is full, or as much as compiled loops take at one go."""
        view = buffer.data
        stop = self._buffer_octets
        if self._engine is not None:
            stop = min(end + _STEP_OCTETS_COMPILED, stop)
        while end < stop:
            try:
                count = stream.readinto(view[end:stop])
            except (OSError, EOFError) as error:
                self._stop(f"reading failed: {error}")
                return end, True
            if not count:
                return end, True
            end += count
        return end, False

    def _count(self, records: Records, walker: Walker) -> None:
        read = self.read
        if len(records.time_ns):
            first, last = int(records.time_ns.min()), int(records.time_ns.max())
            read = replace(
                read,
                first_ns=first if read.first_ns is None else min(first, read.first_ns),
                last_ns=last if read.last_ns is None else max(last, read.last_ns),
            )
        self.read = replace(
            read,
            packets=read.packets + len(records.frame_at),
            octets=read.octets + records.used,
            interfaces=tuple(walker.interfaces()),
            time_digits=walker.time_digits(),
        )

    def _stop(self, reason: str) -> None:
        self.read = replace(self.read, reason=reason)


def walker_of(beginning: bytes, engine: Engine | None) -> tuple[Walker, int]:
    """Who reads a file that begins like this, and from which octet on."""
    if not beginning:
        raise CaptureError("the file is empty")
    if is_pcapng(beginning):
        return Pcapng(), 0
    if is_pcap(beginning):
        return Pcap(beginning, engine), HEADER_OCTETS
    raise CaptureError(f"no capture: it begins with {beginning[:8]!r}")
