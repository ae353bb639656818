"""RTP streams of a capture: announced by signalling, or plain from the packets themselves."""

from collections.abc import Iterator

import numpy as np

from nethealth.model.endpoint import Endpoint
from nethealth.passive.analysis import Fact
from nethealth.passive.announced import MediaBook, StreamEnds
from nethealth.passive.columns import Flags, Ints
from nethealth.passive.engine import Engine
from nethealth.passive.grouping import Tally
from nethealth.passive.known_headers import ENDS_MOST, KnownHeaders
from nethealth.passive.known_rows import KnownRows
from nethealth.passive.packets import Packets
from nethealth.passive.rtp_encodings import Encodings
from nethealth.passive.rtp_evidence import PACKETS_MIN
from nethealth.passive.rtp_facts import stream_facts
from nethealth.passive.rtp_follow import begin, follow
from nethealth.passive.rtp_holes import Holes
from nethealth.passive.rtp_probation import (
    PROBATION_MOST,
    PROBATION_PACKETS,
    clock_hz,
    packet_ticks,
)
from nethealth.passive.rtp_results import Results
from nethealth.passive.rtp_rows import Candidates, RtpRows, joined
from nethealth.passive.rtp_state import no_streams
from nethealth.passive.rtp_stream import RtpStream
from nethealth.passive.rtp_variation import Variation

CANDIDATES_MAX = 65_536
_ALIKE = 0xFFFF_FFFF_FF7F  # of the marks of a row: all but the payload's length and the marker
_WAITING_S = 30.0  # when there are too many, one that was silent so long is forgotten


class Rtp:
    """An `Analyser`; `streams` when it has finished."""

    def __init__(self, book: MediaBook, known: KnownHeaders | None = None) -> None:
        """`known`: is taught the headers of the streams that are followed."""
        self._book = book
        self._known = known
        self._encodings = Encodings(book)
        self._candidates = Candidates()
        self._state = no_streams()
        self._holes = Holes()
        self._variation = Variation()
        self._waiting: list[RtpRows] = []  # on probation, or before a jump is understood
        self._payload_types, self._dscps, self._vlans = Tally(), Tally(), Tally()
        self.streams: tuple[RtpStream, ...] = ()

    def feed(self, packets: Packets) -> None:
        places, rows = self._candidates.of(packets)
        together = rows
        if packets.known is not None:
            together = self._with_known(rows, packets.number[places], packets.known)
        if packets.engine is not None and len(together):
            together = self._quickly(packets.engine, together)
        if len(together):
            self._take(together, final=False)
        if self._known is not None and len(rows):
            begun = self._state.begun[rows.stream]
            if begun.sum() > ENDS_MOST:
                self._known.learn(packets, places[begun], self._candidates.keys(rows.stream[begun]))
        if len(self._candidates) > CANDIDATES_MAX:
            self._forget(int(packets.time_ns[-1]))

    def finish(self) -> Iterator[Fact]:
        if self._waiting:
            self._take(None, final=True)
        self.streams = Results(
            self._candidates,
            self._state,
            self._holes,
            self._variation,
            self._payload_types,
            self._dscps,
            self._vlans,
            self._encodings,
        ).streams()
        for stream in self.streams:
            ends = stream.ends
            self._book.found(
                StreamEnds(
                    Endpoint(ends.source, ends.source_port),
                    Endpoint(ends.destination, ends.destination_port),
                    stream.received,
                    stream.first_ns,
                    stream.last_ns,
                    ssrc=ends.ssrc,
                    expected=stream.expected,
                    lost=stream.loss.lost,
                    jitter_mean_s=stream.jitter_mean_s,
                    clock_hz=stream.clock_hz or None,
                )
            )
        yield Fact("rtp_stream_count", len(self.streams))
        for stream in self.streams:
            yield from stream_facts(stream)

    def _with_known(self, rows: RtpRows, numbers: Ints, known: KnownRows) -> RtpRows:
        """Those of a run, in the order of the timeline, that are known together with the others.

        What the known ones have in common is counted here.
        """
        streams, more = self._candidates.of_known(known)
        headers, places, counts = known.headers, known.places, known.counts
        self._payload_types.add(streams, headers.payload_type[places], counts)
        self._dscps.add(streams, headers.dscp[places], counts)
        self._vlans.add(streams, headers.vlan[places] + 1, counts)
        return more.with_rows(np.searchsorted(known.number, numbers), rows)

    def _quickly(self, engine: Engine, rows: RtpRows) -> RtpRows:
        """Follow what is plain, packet by packet; the rows that are left."""
        self._state.grow(len(self._candidates))
        state = self._state
        left_streams = ~state.begun | (state.clock_hz <= 0) | (state.received <= 0)
        for waiting in self._waiting:
            left_streams[waiting.stream] = True
        found = engine.follow(
            state,
            self._variation.counts,
            self._holes.sorted(),
            self._holes.progress.bin_ns,
            rows,
            left_streams,
        )
        self._holes.open(found.opened, found.opened_to)
        self._holes.close(np.sort(found.closed))
        self._holes.progress.add(found.noted, found.reached)
        uncounted = rows.take(~(found.left | rows.counted))
        self._count(uncounted.take(np.argsort(uncounted.stream, kind="stable")))
        return rows.take(found.left)

    def _take(self, rows: RtpRows | None, *, final: bool) -> None:
        """Sort the rows by stream, those that waited first, and follow what can be followed."""
        together = joined([*self._waiting, *([rows] if rows is not None else [])])
        self._state.grow(len(self._candidates))
        narrow = together.stream.astype(np.uint32 if len(self._candidates) > 1 << 16 else np.uint16)
        together = together.take(np.argsort(narrow, kind="stable"))
        self._waiting = []
        unknown = ~self._state.begun[together.stream]
        if unknown.any():
            together = self._probation(together, unknown, final=final)
        if not len(together):
            return
        again = follow(self._state, self._holes, self._variation, together, final=final)
        if len(again):
            self._waiting.append(again.as_counted())
        self._count(together.take(~together.counted))

    def _count(self, rows: RtpRows) -> None:
        """Payload types, marks and VLANs; runs of packets alike in all of them are one entry."""
        if not len(rows):
            return
        alike = rows.marks & _ALIKE
        begins = np.flatnonzero(
            (np.diff(alike, prepend=-1) != 0) | (np.diff(rows.stream, prepend=-1) != 0)
        )
        counts = np.diff(begins, append=len(rows))
        first = rows.take(begins)
        self._payload_types.add(first.stream, first.second & 0x7F, counts)
        self._dscps.add(first.stream, first.dscp, counts)
        self._vlans.add(first.stream, first.vlan, counts)

    def _probation(self, rows: RtpRows, unknown: Flags, *, final: bool) -> RtpRows:
        """Begin the streams of which enough has come; the rows that can be followed."""
        new = rows.take(unknown)
        begins = np.flatnonzero(np.diff(new.stream, prepend=-1))
        sizes = np.diff(begins, append=len(new))
        enough = np.flatnonzero(sizes >= (PACKETS_MIN if final else PROBATION_PACKETS)).tolist()
        if final and len(self._book):
            # So few prove nothing; but what was announced needs no proof.
            few = np.flatnonzero(sizes < PACKETS_MIN).tolist()
            enough += [
                index
                for index in few
                if self._encodings.announced(
                    self._candidates.ends(int(new.stream[begins[index]])), 0
                )
            ]
            enough.sort()
        learnt = {}
        for index in enough:
            known = self._learn(new, int(begins[index]), int(sizes[index]), final=final)
            if known is not None:
                learnt[index] = known
        ready = np.zeros(len(sizes), np.bool_)
        ready[list(learnt)] = True
        if learnt:
            clocks, ticks = (np.array(column) for column in zip(*learnt.values(), strict=True))
            begin(
                self._state,
                self._variation,
                new.take(np.repeat(ready, sizes)),
                clocks_hz=clocks,
                packet_ticks=ticks,
            )
        if not ready.all():
            self._waiting.append(new.take(np.repeat(~ready, sizes)))
        return rows.take(self._state.begun[rows.stream])

    def _learn(self, rows: RtpRows, at: int, size: int, *, final: bool) -> tuple[int, int] | None:
        """Clock and usual step of a stream from its first packets; None if more are needed.

        From as many as there are in the smallest power of two that shows them, so that it does not
        depend on how the packets were cut into runs.
        """
        ends = self._candidates.ends(int(rows.stream[at]))
        count = PROBATION_PACKETS
        while count <= PROBATION_MOST:
            part = slice(at, at + min(count, size))
            timestamps = rows.timestamp[part].tolist()
            types = (rows.second[part] & 0x7F).tolist()
            encoding, _ = self._encodings.of(
                ends, max(set(types), key=types.count), int(rows.time_ns[at])
            )
            times_ns = rows.time_ns[part].tolist()
            clock = encoding.clock_hz if encoding else clock_hz(timestamps, times_ns)
            if clock or (final and count >= size) or count == PROBATION_MOST <= size:
                return clock, packet_ticks(rows.sequence[part].tolist(), timestamps)
            if count >= size:
                return None
            count *= 2
        return None

    def _forget(self, now_ns: int) -> None:
        """Drop candidates that never became a stream, the longest silent first."""
        last_ns = self._state.last_ns.copy()
        for rows in self._waiting:
            np.maximum.at(last_ns, rows.stream, rows.time_ns)
        recent = last_ns >= now_ns - int(_WAITING_S * 1e9)
        kept = np.flatnonzero(self._state.begun | recent)
        if len(kept) > CANDIDATES_MAX // 2:
            # Even so too many: the half that was seen last stays.
            order = np.argsort(
                np.where(self._state.begun[kept], np.iinfo(np.int64).max, last_ns[kept])
            )
            kept = np.sort(kept[order[-CANDIDATES_MAX // 2 :]])
        numbers = np.full(len(self._candidates), -1)
        numbers[kept] = np.arange(len(kept))
        self._candidates.only(kept)
        self._state.only(kept)
        self._holes.rename(numbers)
        for tally in (self._payload_types, self._dscps, self._vlans):
            tally.rename(numbers)
        self._waiting = [
            RtpRows(numbers[rows.stream], *rows.columns()[1:])
            for waiting in self._waiting
            if len(rows := waiting.take(numbers[waiting.stream] >= 0))
        ]
