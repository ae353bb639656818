"""What one RTP stream becomes in the record."""

from collections.abc import Iterator

from nethealth.model.endpoint import Endpoint
from nethealth.model.observation import Scalar
from nethealth.passive.analysis import Fact, Units
from nethealth.passive.rtp_payload import E_MODEL
from nethealth.passive.rtp_stream import RtpStream
from nethealth.passive.rtp_variation import RESOLUTION
from nethealth.quality.emodel import JITTER_BUFFER_S, estimate
from nethealth.quality.loss import from_burst_ratio

QUALITY_PACKETS_MIN = 100  # below, one lost packet alone decides the estimate
_DIGITS = 9  # of a second

UNITS: Units = {
    "rtp_stream_count": "streams",
    "rtp_packets_expected": "packets",
    "rtp_packets_received": "packets",
    "rtp_packets_duplicated": "packets",
    "rtp_packets_lost": "packets",
    "rtp_packets_reordered": "packets",
    "interarrival_jitter_mean_s": "s",
    "interarrival_jitter_max_s": "s",
    "rtp_loss_run_count": None,
    "rtp_loss_run_max_packets": "packets",
    "packet_loss_ratio": "1",
    "packet_loss_burst_ratio": "1",
    "rtp_burst_count": None,
    "rtp_burst_density_ratio": "1",
    "rtp_gap_density_ratio": "1",
    "rtp_packet_interval_mean_s": "s",
    "rtp_packet_interval_min_s": "s",
    "rtp_packet_interval_max_s": "s",
    "rtp_packets_late": "packets",
    "pdv_p95_s": "s",
    "pdv_p99_s": "s",
    "rtp_silence_count": None,
    "rtp_silence_s": "s",
    "rtp_restart_count": None,
    "rtp_clock_error_ppm": "ppm",
    "rtp_reverse_packets_received": "packets",
    "rtp_packets_lost_in_a_bin_max": "packets",
    "dscp_received": None,
    "r_factor": "1",
    "mos_cqe": "1",
}


def stream_facts(stream: RtpStream) -> Iterator[Fact]:
    """Every observation of one stream, dated on its first packet."""
    return _Facts(stream).all()


class _Facts:
    def __init__(self, stream: RtpStream) -> None:
        self._stream = stream
        ends = stream.ends
        self._method: dict[str, Scalar] = {
            "ssrc": f"0x{ends.ssrc:08x}",
            "source": str(Endpoint(ends.source, ends.source_port)),
            "destination": str(Endpoint(ends.destination, ends.destination_port)),
            "payload_type": stream.payload_type,
            "codec": stream.codec,
        }

    def all(self) -> Iterator[Fact]:
        yield from self._counts()
        yield from self._jitter()
        yield from self._loss()
        yield from self._time()
        yield from self._marks()
        yield from self._quality()

    def _counts(self) -> Iterator[Fact]:
        stream = self._stream
        yield self._fact(
            "rtp_packets_expected",
            stream.expected,
            known_by=stream.known_by,
            duration_s=stream.duration_s,
            payload_octets=stream.octets,
            payload_types=" ".join(map(str, stream.payload_types)),
        )
        yield self._fact("rtp_packets_received", stream.received)
        yield self._fact("rtp_packets_duplicated", stream.duplicated)
        yield self._fact("rtp_packets_lost", stream.loss.lost, stream.expected)
        yield self._fact("rtp_packets_reordered", stream.reordered)
        yield self._fact("rtp_loss_run_count", stream.loss.run_count)
        yield self._fact("rtp_loss_run_max_packets", stream.loss.run_max)
        if stream.restarts or stream.strays:
            yield self._fact("rtp_restart_count", stream.restarts, strays=stream.strays)
        yield self._fact("rtp_reverse_packets_received", stream.reverse_packets)

    def _jitter(self) -> Iterator[Fact]:
        stream = self._stream
        for name, value_s in (
            ("interarrival_jitter_mean_s", stream.jitter_mean_s),
            ("interarrival_jitter_max_s", stream.jitter_max_s),
        ):
            if value_s is None:
                yield self._fact(name, None, reason=self._why_no_jitter())
            else:
                yield self._fact(
                    name,
                    round(value_s, _DIGITS),
                    stream.received,
                    variant="all_packets",
                    clock_hz=stream.clock_hz,
                )

    def _why_no_jitter(self) -> str:
        if self._stream.received < 2:
            return "one packet has nothing to differ from"
        if self._stream.clock_broken:
            return "its time stamps or the capture's jump about"
        return "the clock of its time stamps is not known"

    def _loss(self) -> Iterator[Fact]:
        stream, loss = self._stream, self._stream.loss
        ratio = loss.lost / stream.expected
        burst_ratio = self._burst_ratio()
        statistics = from_burst_ratio(stream.expected, loss.lost, burst_ratio, loss.run_max)
        yield Fact(
            "packet_loss_ratio",
            ratio,
            samples=stream.expected,
            interval=statistics.interval,
            method={**self._method, "n_effective": statistics.n_effective},
            time_ns=stream.first_ns,
        )
        series = stream.loss_over_time
        if series is not None:
            yield Fact(
                "rtp_packets_lost_in_a_bin_max",
                max(series.lost),
                samples=sum(series.expected),
                method={
                    **self._method,
                    "bin_s": series.bin_ns / 1e9,
                    "expected": series.expected,
                    "lost": series.lost,
                },
                time_ns=series.start_ns,
            )
        if burst_ratio is not None:
            yield self._fact("packet_loss_burst_ratio", burst_ratio, stream.expected)
            yield self._fact("rtp_burst_count", loss.burst_count, gmin=16)
            for name, density in (
                ("rtp_burst_density_ratio", loss.burst_density),
                ("rtp_gap_density_ratio", loss.gap_density),
            ):
                if density is not None:
                    yield self._fact(name, density, stream.expected, gmin=16)

    def _time(self) -> Iterator[Fact]:
        stream = self._stream
        if stream.received > 1:
            intervals = stream.received - 1
            yield self._fact("rtp_packet_interval_mean_s", stream.duration_s / intervals, intervals)
            yield self._fact("rtp_packet_interval_min_s", stream.delta_min_s, intervals)
            yield self._fact("rtp_packet_interval_max_s", stream.delta_max_s, intervals)
        if stream.clock_hz:
            yield self._fact("rtp_packets_late", stream.late, buffer_s=JITTER_BUFFER_S)
        if stream.clock_hz and not stream.clock_broken:
            for name, value_s in (("pdv_p95_s", stream.pdv_p95_s), ("pdv_p99_s", stream.pdv_p99_s)):
                yield self._fact(
                    name,
                    value_s,
                    stream.received - stream.duplicated,
                    definition="RFC 5481, above the quickest packet so far",
                    resolution=RESOLUTION,
                )
        if stream.silences:
            yield self._fact("rtp_silence_count", stream.silences)
            yield self._fact("rtp_silence_s", stream.silence_s)
        if stream.clock_error_ppm is not None:
            interval = stream.clock_error_interval_ppm
            yield Fact(
                "rtp_clock_error_ppm",
                round(stream.clock_error_ppm, 2),
                samples=stream.received,
                # A billionth of that is how sums of floats came out, and nothing of the clock.
                interval=interval and (round(interval[0], 3), round(interval[1], 3)),
                method=self._method,
                time_ns=stream.first_ns,
            )

    def _marks(self) -> Iterator[Fact]:
        stream = self._stream
        for dscp, count in stream.dscps.items():
            tags = [str(vlan) for vlan in stream.vlans if vlan >= 0]
            yield self._fact("dscp_received", dscp, count, vlan=" ".join(tags) or None)

    def _quality(self) -> Iterator[Fact]:
        stream = self._stream
        codec = E_MODEL.get(stream.codec.lower(), stream.codec)
        reason = None
        quality = None
        if stream.expected < QUALITY_PACKETS_MIN:
            reason = f"fewer than {QUALITY_PACKETS_MIN} packets"
        else:
            missed = min(stream.expected, stream.loss.lost + stream.late)
            quality = estimate(
                one_way_delay_s=0.0,
                loss_ratio=missed / stream.expected,
                burst_ratio=self._burst_ratio(),
                codec=codec,
                ptime_s=stream.packet_s or 0.020,
            )
            reason = quality.reason
        method = {
            **self._method,
            **(quality.passport if quality else {}),
            "codec": stream.codec,
            "e_model_codec": codec,
            "one_way_delay": "not seen at one capture point, taken as 0: the best it can have been",
            "late_discard_count": stream.late,
        }
        if reason:
            method["reason"] = reason
        for name, value in (
            ("r_factor", quality.r_factor if quality else None),
            ("mos_cqe", quality.mos_cqe if quality else None),
        ):
            yield Fact(name, value, samples=stream.expected, method=method, time_ns=stream.first_ns)

    def _burst_ratio(self) -> float | None:
        """Mean run of losses over that of random loss, at least 1; None without loss."""
        loss, expected = self._stream.loss, self._stream.expected
        if not 0 < loss.lost < expected:
            return None
        return max(1.0, (1 - loss.lost / expected) * loss.lost / loss.run_count)

    def _fact(
        self, name: str, value: float | None, samples: int | None = None, **method: Scalar
    ) -> Fact:
        return Fact(
            name,
            value,
            samples=samples,
            method={**self._method, **method} if method else self._method,
            time_ns=self._stream.first_ns,
        )
