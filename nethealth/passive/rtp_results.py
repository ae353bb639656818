"""Streams of RTP as they are told of, from what was kept of them packet by packet."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from nethealth.passive.grouping import Tally
from nethealth.passive.rtp_encodings import Encodings
from nethealth.passive.rtp_evidence import Evidence, proves
from nethealth.passive.rtp_holes import Holes, LossRuns
from nethealth.passive.rtp_loss import StreamLoss, stream_losses
from nethealth.passive.rtp_payload import EVENTS
from nethealth.passive.rtp_progress import LossSeries
from nethealth.passive.rtp_reverse import with_reverse
from nethealth.passive.rtp_rows import Candidates
from nethealth.passive.rtp_state import StreamState
from nethealth.passive.rtp_stream import RtpStream
from nethealth.passive.rtp_variation import Variation
from nethealth.quality.loss import Z_95

_BROKEN_MOST = 0.05  # of all steps; beyond, the capture's clock or the sender's means nothing
_FIT_PACKETS_MIN = 50  # one in eight counts
_FIT_SPAN_MIN_S = 10.0


@dataclass(frozen=True, eq=False, slots=True)
class Results:
    """All that was kept, by the number of a stream; VLANs are counted as one more than they are."""

    candidates: Candidates
    state: StreamState
    holes: Holes
    variation: Variation
    payload_types: Tally
    dscps: Tally
    vlans: Tally
    encodings: Encodings

    def streams(self) -> tuple[RtpStream, ...]:
        """Those that are proved, by their beginning."""
        state = self.state
        expected = np.where(state.begun, state.highest - state.lowest + 1, 0) + state.strays
        runs = self.holes.runs()
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
        return self.holes.progress.series(
            number, int(self.state.lowest[number]), runs.begin[first:last], runs.length[first:last]
        )

    def _stream(
        self, number: int, expected: int, loss: StreamLoss, runs: LossRuns
    ) -> RtpStream | None:
        state = self.state
        ends = self.candidates.ends(number)
        types = self.payload_types.of(number)
        speech = {
            kind: count
            for kind, count in types.items()
            if (encoding := self.encodings.of(ends, kind, int(state.first_ns[number]))[0]) is None
            or encoding.name not in EVENTS
        }
        commonest = max(speech or types, key=lambda kind: types[kind])
        encoding, media = self.encodings.of(ends, commonest, int(state.first_ns[number]))
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
            dscps=self.dscps.of(number),
            vlans={vlan - 1: count for vlan, count in self.vlans.of(number).items()},
            octets=int(state.octets[number]),
        )

    def _quantile(self, number: int, share: float) -> float | None:
        if not self.state.clock_hz[number]:
            return None
        return self.variation.quantile_s(int(self.state.variation[number]), share)

    def _drift(self, number: int) -> tuple[float, tuple[float, float]] | None:
        """By how much the sender's clock is slow against the capture's, in parts per million.

        The slope of transit over time, by least squares, with its 95 % interval.
        """
        state = self.state
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
