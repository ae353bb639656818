"""RTP streams of a capture: announced by signalling, or plain from the packets themselves."""

from collections.abc import Iterator
from math import sqrt

import numpy as np

from nethealth.model.ports import Endpoint
from nethealth.passive.analysis import Fact
from nethealth.passive.announced import AnnouncedMedia, Encoding, MediaBook, StreamEnds
from nethealth.passive.columns import Flags, Ints
from nethealth.passive.engine import Engine
from nethealth.passive.grouping import Tally
from nethealth.passive.known_headers import ENDS_MOST, KnownHeaders
from nethealth.passive.known_rows import KnownRows
from nethealth.passive.packets import Packets
from nethealth.passive.rtp_evidence import PACKETS_MIN, Evidence, proves
from nethealth.passive.rtp_facts import stream_facts
from nethealth.passive.rtp_follow import begin, follow
from nethealth.passive.rtp_holes import Holes, LossRuns
from nethealth.passive.rtp_loss import StreamLoss, stream_losses
from nethealth.passive.rtp_payload import EVENTS, STATIC
from nethealth.passive.rtp_probation import (
    PROBATION_MOST,
    PROBATION_PACKETS,
    clock_hz,
    packet_ticks,
)
from nethealth.passive.rtp_progress import LossSeries
from nethealth.passive.rtp_reverse import with_reverse
from nethealth.passive.rtp_rows import Candidates, Ends, RtpRows, joined
from nethealth.passive.rtp_state import no_streams
from nethealth.passive.rtp_stream import RtpStream
from nethealth.passive.rtp_variation import Variation
from nethealth.quality.loss import Z_95

CANDIDATES_MAX = 65_536
_ALIKE = 0xFFFF_FFFF_FF7F  # of the marks of a row: all but the payload's length and the marker
_WAITING_S = 30.0  # when there are too many, one that was silent so long is forgotten
_BROKEN_MOST = 0.05  # of all steps; beyond, the capture's clock or the sender's means nothing
_FIT_PACKETS_MIN = 50  # one in eight counts
_FIT_SPAN_MIN_S = 10.0


class Rtp:
    """An `Analyser`; `streams` when it has finished."""

    def __init__(self, book: MediaBook, known: KnownHeaders | None = None) -> None:
        """`known`: is taught the headers of the streams that are followed."""
        self._book = book
        self._known = known
        self._candidates = Candidates()
        self._state = no_streams()
        self._holes = Holes()
        self._variation = Variation()
        self._waiting: list[RtpRows] = []  # on probation, or before a jump is understood
        self._payload_types, self._dscps, self._vlans = Tally(), Tally(), Tally()
        self._forgotten = 0
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
        self.streams = self._streams()
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
            self._state,
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
                if self._announced(self._candidates.ends(int(new.stream[begins[index]])), 0)
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
            encoding, _ = self._encoding(
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

    def _encoding(
        self, ends: Ends, payload_type: int, at_ns: int
    ) -> tuple[Encoding | None, AnnouncedMedia | None]:
        """What the payload type stands for, and the announced endpoint the stream belongs to."""
        media = self._announced(ends, at_ns)
        for each in media:
            if payload_type in each.encodings:
                return each.encodings[payload_type], each
        return STATIC.get(payload_type), media[0] if media else None

    def _announced(self, ends: Ends, at_ns: int) -> list[AnnouncedMedia]:
        """Announcements of the stream's ends, the receiving end's and the latest before it first.

        Who says where it receives also sends from there, nearly always; so both ends count.
        """
        found = []
        for address, port in (
            (ends.destination, ends.destination_port),
            (ends.source, ends.source_port),
        ):
            here = self._book.at(address, port)
            found += sorted(
                here, key=lambda each: (each.from_ns > at_ns, abs(each.from_ns - at_ns))
            )
        return found

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
        self._forgotten += len(numbers) - len(kept)
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

    def _streams(self) -> tuple[RtpStream, ...]:
        state = self._state
        expected = np.where(state.begun, state.highest - state.lowest + 1, 0) + state.strays
        runs = self._holes.runs()
        losses = stream_losses(runs, expected)
        found = [
            stream
            for number in np.flatnonzero(state.begun & (state.received > 0)).tolist()
            if (stream := self._stream(number, int(expected[number]), losses[number], runs))
            is not None
        ]
        found.sort(key=lambda stream: (stream.first_ns, str(stream.ends)))
        return tuple(with_reverse(found))

    def _over_time(self, number: int, runs: LossRuns) -> LossSeries | None:
        first, last = np.searchsorted(runs.stream, [number, number + 1])
        return self._holes.progress.series(
            number, int(self._state.lowest[number]), runs.begin[first:last], runs.length[first:last]
        )

    def _stream(
        self, number: int, expected: int, loss: StreamLoss, runs: LossRuns
    ) -> RtpStream | None:
        state = self._state
        ends = self._candidates.ends(number)
        types = self._payload_types.of(number)
        speech = {
            kind: count
            for kind, count in types.items()
            if (encoding := self._encoding(ends, kind, int(state.first_ns[number]))[0]) is None
            or encoding.name not in EVENTS
        }
        commonest = max(speech or types, key=lambda kind: types[kind])
        encoding, media = self._encoding(ends, commonest, int(state.first_ns[number]))
        clock = int(state.clock_hz[number])
        span_s = float(state.last_ns[number] - state.first_ns[number]) / 1e9
        received = int(state.received[number] + state.strays[number])
        if media is None and not proves(
            Evidence(
                packets=received - int(state.duplicated[number]),
                steps=int(state.steps[number]),
                plausible=int(state.plausible[number]),
                clock_hz=clock,
                media_s=float(state.media_ticks[number]) / clock if clock else None,
                span_s=span_s,
                payload_type=commonest,
                payload_type_share=types[commonest] / max(sum(types.values()), 1),
            )
        ):
            return None
        ticks = int(state.packet_ticks[number])
        broken = int(state.broken[number]) > _BROKEN_MOST * int(state.steps[number])
        jittered = 0 if broken else int(state.jittered[number])
        several = received > 1
        drift = self._drift(number)
        return RtpStream(
            ends=ends,
            known_by="evidence" if media is None else "signalling",
            media=media,
            encoding=encoding,
            clock_hz=clock,
            clock_broken=broken,
            packet_s=ticks / clock if clock and ticks else None,
            first_ns=int(state.first_ns[number]),
            last_ns=int(state.last_ns[number]),
            expected=expected,
            received=received,
            duplicated=int(state.duplicated[number]),
            reordered=int(state.reordered[number]),
            restarts=int(state.restarts[number]),
            strays=int(state.strays[number]),
            loss=loss,
            loss_over_time=self._over_time(number, runs) if loss.lost else None,
            jitter_mean_s=float(state.jitter_sum[number]) / jittered / clock if jittered else None,
            jitter_max_s=float(state.jitter_max[number]) / clock if jittered else None,
            delta_min_s=int(state.delta_min_ns[number]) / 1e9 if several else None,
            delta_max_s=int(state.delta_max_ns[number]) / 1e9 if several else None,
            silences=int(state.silences[number]),
            silence_s=int(state.silence_ticks[number]) / clock if clock else None,
            late=int(state.late[number]),
            pdv_p95_s=self._quantile(number, 0.95),
            pdv_p99_s=self._quantile(number, 0.99),
            clock_error_ppm=drift[0] if drift else None,
            clock_error_interval_ppm=drift[1] if drift else None,
            payload_types=types,
            dscps=self._dscps.of(number),
            vlans={vlan - 1: count for vlan, count in self._vlans.of(number).items()},
            octets=int(state.octets[number]),
        )

    def _quantile(self, number: int, share: float) -> float | None:
        if not self._state.clock_hz[number]:
            return None
        return self._variation.quantile_s(int(self._state.variation[number]), share)

    def _drift(self, number: int) -> tuple[float, tuple[float, float]] | None:
        """By how much the sender's clock is slow against the capture's, in parts per million.

        The slope of transit over time, by least squares, with its 95 % interval.
        """
        state = self._state
        n, x, y = (float(column[number]) for column in (state.fit_n, state.fit_x, state.fit_y))
        if n < _FIT_PACKETS_MIN:
            return None
        xx = float(state.fit_xx[number]) - x * x / n
        xy = float(state.fit_xy[number]) - x * y / n
        yy = float(state.fit_yy[number]) - y * y / n
        if sqrt(max(xx, 0.0) / n) < _FIT_SPAN_MIN_S / sqrt(12):
            return None
        slope = xy / xx
        error = sqrt(max(yy - slope * xy, 0.0) / (n - 2) / xx)
        half = Z_95 * error
        return slope * 1e6, ((slope - half) * 1e6, (slope + half) * 1e6)
