"""What was heard in a call, direction by direction, as observations."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nethealth.model.check import CallParameters
from nethealth.model.failure import Failure
from nethealth.model.observation import Interval, Observation, Passport, Scalar
from nethealth.model.ports import NetworkFailure
from nethealth.model.probe import Observer
from nethealth.protocol.call_media import CLOCK_HZ, PTIME_S, AgreedMedia
from nethealth.protocol.rtp_stream import RtpStream
from nethealth.protocol.sip_call import Call
from nethealth.quality.burst import burst_gap
from nethealth.quality.delay import pdv_s, percentile, summary
from nethealth.quality.emodel import JITTER_BUFFER_S, estimate
from nethealth.quality.jitter import interarrival_jitter
from nethealth.quality.loss import loss_statistics, wilson
from probes.call_login import CallLogin
from probes.call_media import MediaPorts

MEDIA_UNITS: dict[str, str | None] = {
    "media_address_matched": None,
    "rtp_wrong_source_count": "packets",
    "rtp_foreign_ssrc_count": "packets",
    "rtp_malformed_count": "packets",
    "media_error_count": "packets",
    "rtcp_packets_received": "packets",
    "early_media_packets_received": "packets",
    "rtp_packets_sent": "packets",
    "rtp_packets_withheld": "packets",
    "rtp_packets_expected": "packets",
    "rtp_packets_received": "packets",
    "rtp_packets_duplicated": "packets",
    "rtp_packets_lost": "packets",
    "rtp_packets_reordered": "packets",
    "packet_loss_ratio": "1",
    "packet_loss_burst_ratio": "1",
    "rtp_loss_run_count": None,
    "rtp_loss_run_max_packets": "packets",
    "burst_density_ratio": "1",
    "gap_density_ratio": "1",
    "burst_duration_mean_s": "s",
    "gap_duration_mean_s": "s",
    "late_discard_ratio": "1",
    "interarrival_jitter_mean_s": "s",
    "interarrival_jitter_max_s": "s",
    "interarrival_jitter_last_s": "s",
    "pdv_p95_s": "s",
    "pdv_p99_s": "s",
    "round_trip_delay_min_s": "s",
    "round_trip_delay_median_s": "s",
    "dscp_received": None,
    "send_lateness_max_s": "s",
    "r_factor": "1",
    "mos_cqe": "1",
}

TEXT_MAX = 256  # characters kept of any text that a peer wrote
SILENCE_AFTER_S = 1.0  # a report this long after our first packet would have told of it
QUALITY_PACKETS_MIN = 50  # a second of speech: below, one lost packet decides the estimate
_DIGITS = 9
_SOURCES_MAX = 8


@dataclass(frozen=True)
class CallEnding:
    """All that is left of a call."""

    call: Call
    ports: MediaPorts
    wrong_sources: Counter[str]
    failure: NetworkFailure | None
    parameters: CallParameters
    login: CallLogin


class MediaAccount:
    """The media of an answered call, direction by direction."""

    def __init__(
        self, observe: Observer, method: Passport, ending: CallEnding, media: AgreedMedia
    ) -> None:
        self._observe = observe
        self._call, self._ports, self._agreed = ending.call, ending.ports, media
        self._session = ending.ports.session
        self._parameters = ending.parameters
        self._found = self._session.main_stream(media.remote.address)
        self._stream = self._found[1] if self._found else None
        self._is_echo = self._stream is not None and self._stream.ssrc == self._session.ssrc
        self._method = {**method, "codec": media.codec.name, "media_direction": media.direction}
        self._round_trips_s, self._round_trip_source = self._round_trips()

    def observations(self) -> Iterator[Observation]:
        yield from self._addresses()
        yield from self._sent()
        if self._is_echo:
            yield from self._stream_facts("round-trip")
        else:
            yield from self._stream_facts("return")
        yield from self._forward()
        yield from self._round_trip()

    def _addresses(self) -> Iterator[Observation]:
        session, remote = self._session, self._agreed.remote
        strangers = session.strangers(remote.address)
        if self._found is None:
            matched, source = None, None
        else:
            matched, source = self._found[0] == remote, str(self._found[0])
        yield self._seen("media_address_matched", matched, announced=str(remote), source=source)
        yield self._observe(
            "rtp_wrong_source_count",
            strangers.total(),
            method={**self._method, "sources": tuple(strangers)[:_SOURCES_MAX]},
        )
        others = session.other_streams(remote.address)
        yield self._observe(
            "rtp_foreign_ssrc_count",
            others.total(),
            method={
                **self._method,
                "ssrcs": tuple(f"0x{ssrc:08x}" for ssrc in list(others)[:_SOURCES_MAX]),
            },
        )
        yield self._seen(
            "rtp_malformed_count", session.malformed_count, unread=session.unread_count
        )
        errors = self._ports.errors
        first = errors[0].reason[:TEXT_MAX] if errors else None
        yield self._seen("media_error_count", len(errors), first=first)
        yield self._seen("rtcp_packets_received", len(session.rtcp_received_s))

    def _sent(self) -> Iterator[Observation]:
        late_s = self._ports.lateness_s
        yield self._seen(
            "rtp_packets_sent",
            len(self._session.sent_s),
            direction="forward",
            ssrc=f"0x{self._session.ssrc:08x}",
            dscp=self._parameters.dscp,
            skipped=self._ports.skipped,
        )
        if self._ports.withheld:
            yield self._seen(
                "rtp_packets_withheld",
                self._ports.withheld,
                direction="forward",
                announced=str(self._agreed.remote),
            )
        if late_s:
            yield self._seen(
                "send_lateness_max_s", round(max(late_s), _DIGITS), samples=len(late_s)
            )
        far = self._session.far_sender
        if far is not None:
            yield self._seen(
                "rtp_packets_sent", far.packet_count, direction="return", source="RTCP",
                ssrc=f"0x{far.ssrc:08x}",
            )  # fmt: skip

    def _stream_facts(self, direction: str) -> Iterator[Observation]:
        """What came in: the far end's own stream, or our packets that it sent back."""
        stream = self._stream
        if stream is None:
            yield self._seen("rtp_packets_received", 0, direction=direction)
            yield self._observe(
                "dscp_received",
                None,
                failure=Failure.TIMEOUT,
                method={**self._method, "direction": direction},
            )
            return
        passport: dict[str, Scalar] = {
            **_plain(self._method),
            "direction": direction,
            "ssrc": f"0x{stream.ssrc:08x}",
        }  # fmt: skip
        answered_s = self._call.answered_s or 0.0
        early = self._session.packets_before(answered_s, self._agreed.remote.address)
        yield self._observe("early_media_packets_received", early, method=passport)
        transits = self._transits(stream)
        received = [transit is not None for transit in transits]
        loss = loss_statistics(received)
        runs = burst_gap(received)
        for name, count in (
            ("rtp_packets_expected", loss.sent),
            ("rtp_packets_received", len(stream.arrivals)),
            ("rtp_packets_duplicated", stream.duplicate_count),
            ("rtp_packets_lost", loss.lost),
            ("rtp_packets_reordered", stream.reordered_count),
            ("rtp_loss_run_count", int(loss.run_count)),
            ("rtp_loss_run_max_packets", loss.run_max),
        ):
            yield self._observe(name, count, samples=loss.sent, method=passport)
        yield self._observe(
            "packet_loss_ratio",
            loss.ratio,
            samples=loss.sent,
            interval=loss.interval,
            method={**passport, "n_effective": loss.n_effective},
        )
        yield self._observe("packet_loss_burst_ratio", loss.burst_ratio, method=passport)
        for name, value in (
            ("burst_density_ratio", runs.burst_density),
            ("gap_density_ratio", runs.gap_density),
            ("burst_duration_mean_s", _seconds(runs.burst_mean_packets)),
            ("gap_duration_mean_s", _seconds(runs.gap_mean_packets)),
        ):
            yield self._observe(name, value, method={**passport, "definition": "RFC 3611"})
        yield from self._variation(stream, transits, passport)
        yield from self._mark(stream, passport)
        yield from self._quality(transits, passport)

    def _transits(self, stream: RtpStream) -> list[float | None]:
        """By packet in the order of sending: from our own sending if it is an echo."""
        if not self._is_echo:
            return stream.transits_s()
        first = stream.first_of_each
        # the far end copied our 16 bits: the numbers without wraps are ours modulo 65,536
        arrived = {number & 0xFFFF: arrival.received_s for number, arrival in first.items()}
        return [
            None if (at_s := arrived.get(number & 0xFFFF)) is None else at_s - sent_s
            for number, sent_s in self._session.sent_s.items()
        ]

    def _variation(
        self,
        stream: RtpStream,
        transits: Sequence[float | None],
        passport: Mapping[str, Scalar],
    ) -> Iterator[Observation]:
        jitter = interarrival_jitter(
            [arrival.timestamp % (1 << 32) for arrival in stream.arrivals],
            [arrival.received_s for arrival in stream.arrivals],
            clock_rate_hz=CLOCK_HZ,
        )
        if jitter is not None:
            variant = {**passport, "variant": jitter.variant}
            for name, value_s in (
                ("interarrival_jitter_mean_s", jitter.mean_s),
                ("interarrival_jitter_max_s", jitter.max_s),
            ):
                yield self._observe(
                    name, round(value_s, _DIGITS), samples=jitter.samples, method=variant
                )
        above = pdv_s(transits)
        for name, share in (("pdv_p95_s", 0.95), ("pdv_p99_s", 0.99)):
            if above:
                value_s = round(percentile(above, share), _DIGITS)
                defined = {**passport, "definition": "RFC 5481"}
                yield self._observe(name, value_s, samples=len(above), method=defined)

    def _mark(self, stream: RtpStream, passport: Mapping[str, Scalar]) -> Iterator[Observation]:
        if not stream.dscps:
            return
        ((value, _),) = stream.dscps.most_common(1)
        method: dict[str, Scalar | Sequence[Scalar]] = {
            **passport, "dscp": self._parameters.dscp if self._is_echo else None,
        }  # fmt: skip
        if len(stream.dscps) > 1:
            method["values"] = tuple(sorted(stream.dscps))
        yield self._observe("dscp_received", value, samples=stream.dscps.total(), method=method)

    def _quality(
        self, transits: Sequence[float | None], passport: Mapping[str, Scalar]
    ) -> Iterator[Observation]:
        """R of what a telephone with a fixed buffer would have made of these packets."""
        answered = [transit for transit in transits if transit is not None]
        reason = None
        if len(transits) < QUALITY_PACKETS_MIN:
            reason = f"fewer than {QUALITY_PACKETS_MIN} packets"
        elif not answered:
            reason = "no packet came"
        elif not self._round_trips_s:
            reason = "no round trip was measured"
        if reason is not None:
            for name in ("r_factor", "mos_cqe"):
                yield self._observe(name, None, method={**passport, "reason": reason})
            return
        buffer_s = JITTER_BUFFER_S * (2 if self._is_echo else 1)  # an echo passes two buffers' ways
        latest_s = min(answered) + buffer_s
        in_time = [transit is not None and transit <= latest_s for transit in transits]
        heard = loss_statistics(in_time)
        late = len(answered) - sum(in_time)
        yield self._observe(
            "late_discard_ratio",
            late / len(transits),
            samples=len(transits),
            method={**passport, "jitter_buffer_s": buffer_s},
        )
        yield from self._estimate(
            heard.ratio, heard.burst_ratio, heard.interval, heard.sent, passport
        )

    def _estimate(
        self,
        loss_ratio: float,
        burst_ratio: float | None,
        interval: Interval,
        samples: int,
        passport: Mapping[str, Scalar],
    ) -> Iterator[Observation]:
        quality = estimate(
            one_way_delay_s=min(self._round_trips_s) / 2,
            loss_ratio=loss_ratio,
            burst_ratio=burst_ratio,
            codec=self._agreed.codec.scored_as,
            ptime_s=PTIME_S,
        )
        method: dict[str, Scalar | Sequence[Scalar]] = {
            **passport,
            **quality.passport,
            "codec": self._agreed.codec.scored_as,
            "one_way_delay": f"half the least round trip by {self._round_trip_source}",
            "loss_low": interval[0],
        }
        if quality.reason:
            method["reason"] = quality.reason
        for name, value in (("r_factor", quality.r_factor), ("mos_cqe", quality.mos_cqe)):
            yield self._observe(name, value, samples=samples, method=method)

    def _forward(self) -> Iterator[Observation]:
        """What the far end reports of our packets."""
        session = self._session
        method: dict[str, Scalar | Sequence[Scalar]] = {
            **self._method, "direction": "forward", "source": "RTCP",
        }  # fmt: skip
        if not session.sent_s:
            return
        started_s = min(session.sent_s.values())
        if not session.reports:
            told = [at for at in session.rtcp_received_s if at > started_s + SILENCE_AFTER_S]
            if told:
                reason = "the far end reports, and of no packet of ours"
                count: int | None = 0
            else:
                reason, count = "no report of the far end came", None
            yield self._observe("rtp_packets_received", count, method={**method, "reason": reason})
            return
        last = session.reports[-1]
        lost = max(0, min(last.expected, last.block.cumulative_lost))
        for name, number in (
            ("rtp_packets_expected", last.expected),
            ("rtp_packets_received", last.expected - lost),
            ("rtp_packets_lost", lost),
        ):
            yield self._observe(name, number, samples=last.expected, method=method)
        if last.expected:
            yield self._observe(
                "packet_loss_ratio",
                lost / last.expected,
                samples=last.expected,
                interval=wilson(lost, last.expected),
                method=method,
            )
        jitter_s = round(last.block.jitter / CLOCK_HZ, _DIGITS)
        yield self._observe("interarrival_jitter_last_s", jitter_s, method=method)
        if last.expected >= QUALITY_PACKETS_MIN and self._round_trips_s:
            # how the losses cluster, and what came too late, is not reported
            yield from self._estimate(
                lost / last.expected,
                None,
                wilson(lost, last.expected),
                last.expected,
                {"direction": "forward", **_plain(self._method)},
            )

    def _round_trips(self) -> tuple[list[float], str]:
        if self._is_echo and self._stream is not None:
            echoed = [transit for transit in self._transits(self._stream) if transit is not None]
            return echoed, "echoed RTP"
        if self._session.round_trips_s:
            return self._session.round_trips_s, "RTCP"
        bye_s = self._call.bye_round_trip_s
        if bye_s is not None:
            return [bye_s], "SIP (BYE)"
        return [], "nothing"

    def _round_trip(self) -> Iterator[Observation]:
        if not self._round_trips_s:
            return
        delay = summary(self._round_trips_s)
        for name, value_s in (
            ("round_trip_delay_min_s", delay.min_s),
            ("round_trip_delay_median_s", delay.median_s),
        ):
            yield self._seen(
                name,
                round(value_s, _DIGITS),
                samples=delay.samples,
                direction="round-trip",
                source=self._round_trip_source,
            )

    def _seen(
        self, name: str, value: Scalar, samples: int | None = None, **method: Scalar
    ) -> Observation:
        return self._observe(name, value, samples=samples, method={**self._method, **method})


def _plain(method: Passport) -> dict[str, Scalar]:
    return {
        key: value
        for key, value in method.items()
        if value is None or isinstance(value, str | int | float)
    }


def _seconds(packets: float | None) -> float | None:
    return None if packets is None else round(packets * PTIME_S, _DIGITS)
