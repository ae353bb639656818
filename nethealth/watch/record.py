"""A watch as a record has it: one check of each kind, whose observations span all rounds.

The names are those of the probes; `method.rounds` says over how many rounds they were gathered.
"""

from collections.abc import Iterator, Mapping, Sequence

from nethealth.model.check import CheckResult
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Interval, Observation, Scalar
from nethealth.quality.delay import median_interval
from nethealth.watch.options import SipHistory
from nethealth.watch.path import PathHistory
from nethealth.watch.state import Watch, Watched
from nethealth.watch.streams import EchoHistory, StampHistory
from nethealth.watch.view import Delay, HopLine, WayLine

UNITS: Mapping[str, str | None] = {
    "hop_address": None,
    "hop_reply_ratio": "1",
    "hop_packet_loss_ratio": "1",
    "hop_round_trip_delay_median_s": "s",
    "hop_dscp_quoted": None,
    "route_length_hops": "hops",
    "route_reached": None,
    "packets_sent_count": "packets",
    "packets_received_count": "packets",
    "packets_lost_count": "packets",
    "packet_loss_ratio": "1",
    "packet_loss_burst_ratio": "1",
    "packet_loss_run_max_packets": "packets",
    "round_trip_delay_min_s": "s",
    "round_trip_delay_median_s": "s",
    "round_trip_delay_p95_s": "s",
    "round_trip_delay_max_s": "s",
    "pdv_p95_s": "s",
    "pdv_p99_s": "s",
    "dscp_received": None,
    "r_factor": "1",
    "mos_cqe": "1",
    "sip_status_code": None,
    "sip_response_delay_s": "s",
    "sip_server": None,
}
_DIGITS = 9
HALF_THE_LEAST = "half the least round trip"
_NEVER = "the watch ended before a round of it was over"
_Method = dict[str, Scalar | Sequence[Scalar]]


def results(watch: Watch) -> tuple[CheckResult, ...]:
    """How each check ended: completed if any of its rounds did, else as the last one.

    One of which no round was over in time was broken off; if that is so of all, nothing was run.
    """
    any_finished = any(one.finished for one in watch.watched)
    return tuple(_result(one, broken_off=any_finished) for one in watch.watched)


def observations(watch: Watch, now: float) -> tuple[Observation, ...]:
    """All that is known at `now`, in seconds since the run's start."""
    return tuple(seen for one in watch.watched for seen in _Account(one, now).observations())


def _result(one: Watched, *, broken_off: bool) -> CheckResult:
    check, last = one.check, one.last
    outcome: Outcome
    failure: Failure | None
    if last is None:
        outcome = Outcome.FAILED if broken_off else Outcome.NOT_RUN
        failure, reason = Failure.INTERRUPTED, _NEVER
    elif one.completed:
        outcome, failure, reason = Outcome.COMPLETED, None, ""
    else:
        outcome, failure, reason = last.outcome, last.failure, last.reason or ""
    return CheckResult(
        check.id, check.probe, check.council, check.site, check.asset, check.target,
        outcome, failure, reason or None, one.started_s, one.finished_s,
    )  # fmt: skip


class _Account:
    """Numbers the observations of one check."""

    def __init__(self, one: Watched, now: float) -> None:
        self._one = one
        self._now = now
        self._count = 0
        self._method: _Method = dict(one.passport)

    def observations(self) -> Iterator[Observation]:
        history = self._one.history
        match history:
            case PathHistory():
                self._method["rounds"] = history.rounds
                yield from self._path(history)
            case EchoHistory():
                self._method["rounds"] = history.rounds
                yield from self._echoes(history)
            case StampHistory():
                self._method["rounds"] = history.rounds
                yield from self._stamp(history)
            case SipHistory():
                self._method["rounds"] = history.asked
                yield from self._sip(history)

    def _path(self, path: PathHistory) -> Iterator[Observation]:
        if not path.rounds:
            return
        lines = path.lines()
        for line in lines:
            yield from self._hop(path, line)
        more: _Method = {"lengths": sorted(path.lengths)} if len(path.lengths) > 1 else {}
        failure = None if path.reached else Failure.TIMEOUT
        yield self._seen("route_length_hops", path.end, failure=failure, method=more)
        more = {"reached": path.reached}
        yield self._seen("route_reached", path.reached > 0, path.rounds, method=more)

    def _hop(self, path: PathHistory, line: HopLine) -> Iterator[Observation]:
        hop: _Method = {"hop": line.number}
        last = path.last_answer(line.number)
        if line.addresses and last is not None:
            told = {key: last.method[key] for key in ("icmp_type", "icmp_code", "answer")
                    if key in last.method}  # fmt: skip
            several: _Method = {"addresses": line.addresses} if len(line.addresses) > 1 else {}
            method: _Method = {**hop, **told, **several}
            yield self._seen("hop_address", line.addresses[0], line.answered, method=method)
        else:
            yield self._seen("hop_address", None, 0, failure=Failure.TIMEOUT, method=hop)
        replied = line.answered / line.rounds
        yield self._seen("hop_reply_ratio", replied, line.rounds, method=hop)
        reason: _Method = {}
        if line.loss_ratio is None:
            reason = {"reason": "nothing beyond this hop answers to compare with"}
        yield self._seen(
            "hop_packet_loss_ratio", line.loss_ratio, line.rounds,
            interval=line.loss_interval, method={**hop, **reason},
        )  # fmt: skip
        if line.delay is not None:
            median_s, samples = line.delay.median_s, line.delay.samples
            yield self._seen("hop_round_trip_delay_median_s", median_s, samples, method=hop)
        if line.marks:
            several = {"values": sorted(line.marks)} if len(line.marks) > 1 else {}
            yield self._seen("hop_dscp_quoted", line.marks[0], method={**hop, **several})

    def _echoes(self, echoes: EchoHistory) -> Iterator[Observation]:
        series = echoes.series
        loss = series.loss()
        if loss is None:
            return
        yield self._seen("packets_sent_count", series.sent)
        yield self._seen("packets_received_count", series.answered)
        (way,) = echoes.ways()
        yield from self._loss(way, {})
        yield self._seen("packet_loss_run_max_packets", loss.run_max, loss.sent)
        # of a thinned sample the order statistics are no interval of the whole
        kept = series.delays.values
        whole = len(kept) == series.answered
        yield from self._delay(echoes.delay, median_interval(kept) if whole else None, {})
        yield from self._way(way, {}, one_way="half the round trip")

    def _stamp(self, stamp: StampHistory) -> Iterator[Observation]:
        ways = stamp.ways()
        whole = ways[0].loss
        if whole is None:
            return
        yield self._seen("packets_sent_count", whole.sent)
        yield self._seen("packets_received_count", whole.sent - whole.lost)
        yield from self._delay(stamp.delay, None, {"of": "medians of the rounds"})
        for way in ways:
            direction: _Method = {"direction": way.direction}
            if way.loss is None:
                method: _Method = {**direction, "reason": way.note or "no packet was answered"}
                for name in ("packets_lost_count", "packet_loss_ratio"):
                    yield self._seen(name, None, method=method)
                continue
            yield self._seen("packets_lost_count", way.loss.lost, way.loss.sent, method=direction)
            yield from self._loss(way, direction)
            yield from self._way(
                way, {**direction, "of": "median of the rounds"}, one_way=HALF_THE_LEAST
            )

    def _loss(self, way: WayLine, method: _Method) -> Iterator[Observation]:
        loss = way.loss
        if loss is None:
            return
        yield self._seen(
            "packet_loss_ratio", loss.ratio, loss.sent, interval=loss.interval,
            method={**method, "n_effective": loss.n_effective},
        )  # fmt: skip
        if loss.burst_ratio is not None:
            yield self._seen("packet_loss_burst_ratio", loss.burst_ratio, loss.sent, method=method)

    def _delay(
        self, delay: Delay | None, interval: Interval | None, method: _Method
    ) -> Iterator[Observation]:
        values = (
            ("min", delay.min_s if delay else None),
            ("median", delay.median_s if delay else None),
            ("p95", delay.p95_s if delay else None),
            ("max", delay.max_s if delay else None),
        )
        for name, value in values:
            yield self._seen(
                f"round_trip_delay_{name}_s",
                value,
                delay.samples if delay else 0,
                interval=interval if name == "median" else None,
                failure=None if delay else Failure.TIMEOUT,
                method=method,
            )

    def _way(self, way: WayLine, method: _Method, *, one_way: str) -> Iterator[Observation]:
        for name, value in (("pdv_p95_s", way.pdv_p95_s), ("pdv_p99_s", way.pdv_p99_s)):
            if value is not None:
                yield self._seen(name, value, method={**method, "definition": "RFC 5481"})
        if way.marks:
            several: _Method = {"values": sorted(way.marks)} if len(way.marks) > 1 else {}
            yield self._seen("dscp_received", way.marks[0], method={**method, **several})
        quality = way.quality
        if quality is None or way.loss is None:
            return
        passport: _Method = {**quality.passport, "one_way_delay": one_way}
        if quality.reason:
            passport["reason"] = quality.reason
        for name, value in (("r_factor", quality.r_factor), ("mos_cqe", quality.mos_cqe)):
            yield self._seen(name, value, way.loss.sent, method={**passport, **method})

    def _sip(self, sip: SipHistory) -> Iterator[Observation]:
        line = sip.line()
        if line is None or sip.last is None:
            return
        yield self._seen(
            "sip_status_code",
            line.code,
            line.asked,
            failure=sip.last.failure,
            method={
                "reason_phrase": line.phrase or None,
                "answered": line.answered,
                "values": line.codes,
            },
        )
        if line.delay is not None:
            yield self._seen("sip_response_delay_s", line.delay.median_s, line.delay.samples)
        if line.server is not None:
            yield self._seen("sip_server", line.server)

    def _seen(
        self,
        name: str,
        value: Scalar,
        samples: int | None = None,
        *,
        interval: Interval | None = None,
        failure: Failure | None = None,
        method: Mapping[str, Scalar | Sequence[Scalar]] | None = None,
    ) -> Observation:
        self._count += 1
        if isinstance(value, float):
            value = round(value, _DIGITS)
        return Observation(
            id=f"{self._one.check.id}/{self._count}",
            check=self._one.check.id,
            name=name,
            value=value,
            unit=UNITS[name],
            t_s=round(self._now, 6),
            samples=samples,
            interval=interval,
            failure=failure,
            method={**self._method, **(method or {})},
        )
