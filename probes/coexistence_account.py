"""What both streams say of each phase, what the load did to them, and how many calls fit."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nethealth.model.check import LOAD_SHARE_MAX, CoexistenceParameters
from nethealth.model.observation import Interval, Observation, Scalar
from nethealth.model.probe import Observer
from nethealth.quality.bandwidth import CALL_CODECS, FORMULA, call_rate_bps, calls_fit
from nethealth.quality.delay import median_interval, pdv_s, percentile
from nethealth.quality.emodel import JITTER_BUFFER_S, estimate
from nethealth.quality.loss import loss_statistics
from probes.coexistence_guard import Pinged
from probes.coexistence_load import LoadRun
from probes.coexistence_streams import INTERVAL_S, PAYLOAD_OCTETS, Fate, Stream, Window
from probes.steps import RESOLUTION_UNITS

UNITS: dict[str, str | None] = {
    **RESOLUTION_UNITS,
    "packets_sent_count": "packets",
    "packets_received_count": "packets",
    "packets_lost_count": "packets",
    "packet_loss_ratio": "1",
    "packet_loss_burst_ratio": "1",
    "packet_loss_run_max_packets": "packets",
    "round_trip_delay_min_s": "s",
    "round_trip_delay_median_s": "s",
    "round_trip_delay_p99_s": "s",
    "pdv_p99_s": "s",
    "queueing_delay_median_s": "s",
    "queueing_delay_p99_s": "s",
    "queueing_delay_class_ratio": "1",
    "dscp_received": None,
    "r_factor": "1",
    "mos_cqe": "1",
    "load_rate_bps": "bit/s",
    "load_duration_s": "s",
    "load_ended_by": None,
    "guard_round_trip_delay_median_s": "s",
    "guard_packet_loss_ratio": "1",
    "calls_fit_count": "calls",
    "send_timer_error_p99_s": "s",
}

Direction = Literal["forward", "return", "round-trip"]
BEFORE = "before"
QUALITY_PACKETS_MIN = 10
WAY: Mapping[str, Direction] = {"download": "forward", "upload": "return"}
WAIT_LEAST_S = 0.001  # below, a ratio of two waits is one of noise
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Ended:
    """A check that is over: its phases in order, the first of them `before`."""

    streams: Sequence[Stream]  # the marked one first
    windows: Sequence[Window]
    loads: Mapping[str, LoadRun | str]  # by phase; a text says why there was none
    pinged: Sequence[Pinged]


def account(
    observe: Observer,
    passport: Mapping[str, Scalar],
    parameters: CoexistenceParameters,
    ended: Ended,
) -> Iterator[Observation]:
    """Every observation of the phases that were gone through."""
    parts = _Account(observe, passport, parameters, ended)
    for window in ended.windows:
        for stream in ended.streams:
            yield from parts.of_stream(window, stream)
        yield from parts.of_guards(window)
    for stream in ended.streams:
        yield from parts.marks(stream)
        yield parts.timer(stream)
    for phase, load in ended.loads.items():
        yield from parts.of_load(phase, load)
        yield from parts.calls(phase, load)


class _Account:
    def __init__(
        self,
        observe: Observer,
        passport: Mapping[str, Scalar],
        parameters: CoexistenceParameters,
        ended: Ended,
    ) -> None:
        self._observe = observe
        self._passport = passport
        self._parameters = parameters
        self._ended = ended
        self._fates = {stream.dscp: stream.fates() for stream in ended.streams}
        self._idle = ended.windows[0]

    def of_stream(self, window: Window, stream: Stream) -> Iterator[Observation]:
        fates = self._in(window, stream)
        method: dict[str, Scalar] = {
            **self._passport,
            "phase": window.phase,
            "dscp": stream.dscp,
            "timeout_s": self._parameters.timeout_s,
        }
        answered = [fate for fate in fates if fate.answer is not None]
        yield self._observe(
            "packets_sent_count",
            len(fates),
            method={**method, "interval_s": INTERVAL_S, "payload_bytes": PAYLOAD_OCTETS},
        )
        yield self._observe("packets_received_count", len(answered), method=method)
        for direction, passed in _passed(fates).items():
            yield from self._loss({**method, "direction": direction}, passed)
        yield from self._round_trip(method, fates)
        for direction in ("round-trip", "forward", "return"):
            way: dict[str, Scalar] = {**method, "direction": direction}
            delays_s = _delays(fates, direction)
            above_s = pdv_s(delays_s)
            if above_s:
                yield self._observe(
                    "pdv_p99_s",
                    round(percentile(above_s, 0.99), _DIGITS),
                    samples=len(above_s),
                    method={**way, "definition": "RFC 5481"},
                )
            if window is not self._idle:
                yield from self._queueing(way, delays_s, self._idle_s(stream, direction))
            yield from self._quality(way, fates, stream)

    def of_guards(self, window: Window) -> Iterator[Observation]:
        for one in self._ended.pinged:
            delays_s = one.delays_s(window)
            known = [delay for delay in delays_s if delay is not None]
            method: dict[str, Scalar] = {
                **self._passport, "phase": window.phase, "guard": one.name,
                "guard_address": one.address or one.host, "reason": one.why_not,
            }  # fmt: skip
            yield self._observe(
                "guard_round_trip_delay_median_s",
                round(percentile(known, 0.5), _DIGITS) if known else None,
                samples=len(known),
                interval=median_interval(known),
                method=method,
            )
            if delays_s:
                loss = loss_statistics([delay is not None for delay in delays_s])
                yield self._observe(
                    "guard_packet_loss_ratio", loss.ratio, samples=loss.sent,
                    interval=loss.interval, method=method,
                )  # fmt: skip

    def marks(self, stream: Stream) -> Iterator[Observation]:
        answers = [fate.answer for fate in self._fates[stream.dscp] if fate.answer is not None]
        there = Counter(a.dscp_forward for a in answers if a.dscp_forward is not None)
        back = Counter(a.dscp_return for a in answers if a.dscp_return is not None)
        refused = any(answer.dscp_refused for answer in answers)
        expected = stream.dscp if there and not refused else None
        for direction, seen, more in (
            ("forward", there, {}),
            ("return", back, {"expected": expected}),
        ):
            if seen:
                ((value, _),) = seen.most_common(1)
                yield self._observe(
                    "dscp_received", value, samples=seen.total(),
                    method={
                        **self._passport, "dscp": stream.dscp, "direction": direction, **more
                    },
                )  # fmt: skip

    def timer(self, stream: Stream) -> Observation:
        errors_s = list(stream.timer_errors_s)
        return self._observe(
            "send_timer_error_p99_s",
            round(percentile(errors_s, 0.99), _DIGITS) if errors_s else None,
            samples=len(errors_s),
            method={**self._passport, "dscp": stream.dscp},
        )

    def of_load(self, phase: str, load: LoadRun | str) -> Iterator[Observation]:
        method = self._load_method(phase)
        if isinstance(load, str):
            yield self._observe("load_rate_bps", None, method={**method, "reason": load})
            yield self._observe("load_ended_by", f"not begun: {load}", method=method)
            return
        rate_bps = load.rate_bps
        yield self._observe(
            "load_rate_bps",
            None if rate_bps is None else round(rate_bps),
            method={**method, "tcp_octets": load.octets},
        )
        yield self._observe("load_duration_s", round(load.end_s - load.start_s, 6), method=method)
        yield self._observe("load_ended_by", load.ended, method=method)
        yield from self._class_ratio(phase)

    def calls(self, phase: str, load: LoadRun | str) -> Iterator[Observation]:
        """How many calls one direction holds: as declared, and as far as the load has shown."""
        method = self._load_method(phase)
        six = self._passport["ip_version"] == 6
        declared_bps = self._declared_bps(phase)
        rate_bps = None if isinstance(load, str) else load.rate_bps
        # A load that disturbed nobody leaves at least its room; one that its guard had to end has
        # found the end of the room.
        bound = {"time": "at least", "guard": "at most"}.get(
            "" if isinstance(load, str) else load.by
        )
        for codec in CALL_CODECS:
            of_codec: dict[str, Scalar] = {
                **method,
                "codec": codec.name,
                "wire_rate_bps": call_rate_bps(codec.speech_octets, six=six),
                "formula": FORMULA,
            }
            yield self._observe(
                "calls_fit_count",
                calls_fit(declared_bps, codec.speech_octets, six=six),
                method={**of_codec, "basis": "declared rate", "bound": "at most"},
            )
            if rate_bps is not None and bound is not None:
                yield self._observe(
                    "calls_fit_count",
                    calls_fit(rate_bps, codec.speech_octets, six=six),
                    method={
                        **of_codec,
                        "basis": "measured load",
                        "bound": bound,
                    },
                )

    def _loss(self, method: Mapping[str, Scalar], passed: Sequence[bool]) -> Iterator[Observation]:
        if not passed:
            return
        loss = loss_statistics(passed)
        yield self._observe("packets_lost_count", loss.lost, samples=loss.sent, method=method)
        yield self._observe(
            "packet_loss_ratio",
            loss.ratio,
            samples=loss.sent,
            interval=loss.interval,
            method={**method, "n_effective": loss.n_effective},
        )
        if loss.burst_ratio is not None and loss.run_max:
            yield self._observe(
                "packet_loss_burst_ratio", loss.burst_ratio, samples=loss.sent, method=method
            )
            yield self._observe(
                "packet_loss_run_max_packets", loss.run_max, samples=loss.sent, method=method
            )

    def _round_trip(
        self, method: Mapping[str, Scalar], fates: Sequence[Fate]
    ) -> Iterator[Observation]:
        known = _known(_delays(fates, "round-trip"))
        interval = median_interval(known) if known else None
        for name, share, between in (
            ("round_trip_delay_min_s", 0.0, None),
            ("round_trip_delay_median_s", 0.5, interval),
            ("round_trip_delay_p99_s", 0.99, None),
        ):
            yield self._observe(
                name,
                round(percentile(known, share), _DIGITS) if known else None,
                samples=len(known),
                interval=between,
                method={**method, "direction": "round-trip"},
            )

    def _queueing(
        self,
        method: Mapping[str, Scalar],
        delays_s: Sequence[float | None],
        idle: tuple[float, Interval] | None,
    ) -> Iterator[Observation]:
        """How much longer than on the idle line: of two clocks this is free of their offset."""
        known = _known(delays_s)
        interval = median_interval(known) if known else None
        if idle is None or interval is None:
            return
        usual_s, (low_s, high_s) = idle
        yield self._observe(
            "queueing_delay_median_s",
            round(percentile(known, 0.5) - usual_s, _DIGITS),
            samples=len(known),
            interval=(interval[0] - high_s, interval[1] - low_s),
            method=method,
        )
        yield self._observe(
            "queueing_delay_p99_s",
            round(percentile(known, 0.99) - usual_s, _DIGITS),
            samples=len(known),
            method=method,
        )

    def _quality(
        self, method: Mapping[str, Scalar], fates: Sequence[Fate], stream: Stream
    ) -> Iterator[Observation]:
        """Of a call that was up before the load: its buffer was set on the idle line."""
        direction = str(method["direction"])
        ways = _passed(fates)
        passed = ways.get(direction)
        if direction == "round-trip" and len(ways) > 1:
            return  # each direction speaks for itself
        idle = self._in(self._idle, stream)
        round_trips = _known(_delays(idle, "round-trip") + _delays(fates, "round-trip"))
        if not passed or len(passed) < QUALITY_PACKETS_MIN or not round_trips:
            return
        buffers = 2 if direction == "round-trip" else 1
        least_s = min(_known(_delays(idle, direction) + _delays(fates, direction)), default=0.0)
        deadline_s = least_s + buffers * JITTER_BUFFER_S
        discards = sum(delay > deadline_s for delay in _known(_delays(fates, direction)))
        loss = loss_statistics(passed)
        missed = min(loss.sent, loss.lost + discards)
        quality = estimate(
            one_way_delay_s=min(round_trips) / 2,
            loss_ratio=missed / loss.sent,
            burst_ratio=loss.burst_ratio,
        )
        passport: dict[str, Scalar | Sequence[Scalar]] = {
            **method,
            **quality.passport,
            "one_way_delay": "half the least round trip",
            "late_discard_count": discards,
        }
        for name, value in (("r_factor", quality.r_factor), ("mos_cqe", quality.mos_cqe)):
            yield self._observe(name, value, samples=len(passed), method=passport)

    def _class_ratio(self, phase: str) -> Iterator[Observation]:
        """The marked packets' queueing as a share of the others': 1 where nothing favours them."""
        window = next((one for one in self._ended.windows if one.phase == phase), None)
        if window is None:
            return
        waits: list[float] = []
        for stream in self._ended.streams:
            idle = self._idle_s(stream, WAY[phase])
            known = _known(_delays(self._in(window, stream), WAY[phase]))
            if idle is not None and known:
                waits.append(percentile(known, 0.5) - idle[0])
        if len(waits) == 2 and waits[1] > WAIT_LEAST_S:
            yield self._observe(
                "queueing_delay_class_ratio",
                waits[0] / waits[1],
                method={
                    **self._load_method(phase),
                    "dscp": self._ended.streams[0].dscp,
                    "against_dscp": self._ended.streams[1].dscp,
                },
            )

    def _load_method(self, phase: str) -> dict[str, Scalar]:
        parameters = self._parameters
        asked = parameters.download_bps if phase == "download" else parameters.upload_bps
        return {
            **self._passport,
            "phase": phase,
            "direction": WAY[phase],
            "asked_bps": asked,
            "asked_s": parameters.load_s,
            "declared_bps": self._declared_bps(phase),
            "cap_share": LOAD_SHARE_MAX,
            "guard_delay_s": parameters.guard_delay_s,
            "guard_loss_ratio": parameters.guard_loss_ratio,
        }

    def _declared_bps(self, phase: str) -> float:
        download = phase == "download"
        return self._parameters.declared_down_bps if download else self._parameters.declared_up_bps

    def _in(self, window: Window, stream: Stream) -> list[Fate]:
        return self._fates[stream.dscp][stream.places(window)]

    def _idle_s(self, stream: Stream, direction: str) -> tuple[float, Interval] | None:
        """Median of the idle line and its interval."""
        known = _known(_delays(self._in(self._idle, stream), direction))
        interval = median_interval(known) if known else None
        return None if interval is None else (percentile(known, 0.5), interval)


def _passed(fates: Sequence[Fate]) -> dict[str, list[bool]]:
    """Which packets passed each way; the round trip alone where no direction can be told."""
    forward = [fate.forward for fate in fates if fate.forward is not None]
    back = [fate.back for fate in fates if fate.back is not None]
    both = [fate.answer is not None for fate in fates]
    told = {"forward": forward, "return": back} if forward else {}
    return {**told, "round-trip": both}


def _delays(fates: Sequence[Fate], direction: str) -> list[float | None]:
    answers = [fate.answer for fate in fates]
    if direction == "forward":
        return [answer.forward_s if answer else None for answer in answers]
    if direction == "return":
        return [answer.return_s if answer else None for answer in answers]
    return [answer.delay_s if answer else None for answer in answers]


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]
