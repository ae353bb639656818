"""What a finished STAMP stream says: the observations of the probe `stamp`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nethealth.model.check import StampParameters
from nethealth.model.failure import Failure
from nethealth.model.observation import Observation, Scalar
from nethealth.model.probe import Observer
from nethealth.protocol.stamp import Counting, StampSession, Way
from nethealth.quality.delay import median_interval, pdv_s, percentile, summary
from nethealth.quality.emodel import JITTER_BUFFER_S, Quality, estimate
from nethealth.quality.loss import LossStatistics, from_burst_ratio, loss_statistics
from probes.steps import RESOLUTION_UNITS

UNITS: dict[str, str | None] = {
    **RESOLUTION_UNITS,
    "packets_sent_count": "packets",
    "packets_received_count": "packets",
    "packets_lost_count": "packets",
    "packet_loss_ratio": "1",
    "packet_loss_burst_ratio": "1",
    "packet_loss_run_max_packets": "packets",
    "duplicate_count": "packets",
    "late_reply_count": "packets",
    "reordered_count": "packets",
    "rejected_reply_count": "packets",
    "icmp_error_count": "packets",
    "round_trip_delay_min_s": "s",
    "round_trip_delay_median_s": "s",
    "round_trip_delay_p95_s": "s",
    "round_trip_delay_max_s": "s",
    "reflector_residence_median_s": "s",
    "one_way_delay_median_s": "s",
    "pdv_p95_s": "s",
    "pdv_p99_s": "s",
    "dscp_received": None,
    "reply_ttl": None,
    "reflector_counting": None,
    "send_timer_error_p99_s": "s",
    "r_factor": "1",
    "mos_cqe": "1",
}

Direction = Literal["forward", "return", "round-trip"]
QUALITY_PACKETS_MIN = 10  # below, one lost packet alone decides the estimate
CLOCK_ERROR_SHARE_MAX = 0.1  # of the delay that two clocks are to measure
_DIGITS = 9  # of a second


@dataclass(frozen=True, slots=True)
class Ended:
    """A stream that is over."""

    session: StampSession
    timer_errors_s: Sequence[float]
    unsendable_count: int
    icmp_errors: Sequence[tuple[str, int]]  # in words, and how many


def account(
    observe: Observer, passport: Mapping[str, Scalar], parameters: StampParameters, ended: Ended
) -> Iterator[Observation]:
    """Every observation of a stream of which at least one packet was sent."""
    method = {**passport, "timeout_s": ended.session.timeout_s, "dscp": parameters.dscp}
    yield from _Account(observe, method, parameters, ended).observations()


class _Account:
    def __init__(
        self,
        observe: Observer,
        method: Mapping[str, Scalar],
        parameters: StampParameters,
        ended: Ended,
    ) -> None:
        self._observe = observe
        self._method = method
        self._parameters = parameters
        self._ended = ended
        self._session = ended.session
        self._answers = ended.session.answers()
        self._in_time = [answer for answer in self._answers if answer is not None]
        self._directions = ended.session.directions()

    def observations(self) -> Iterator[Observation]:
        yield from self._counts()
        yield from self._loss()
        yield from self._order()
        yield from self._distrusted()
        yield from self._delay()
        yield from self._one_way()
        yield from self._variation()
        yield from self._marks()
        yield self._timer()
        yield from self._quality()

    def _counts(self) -> Iterator[Observation]:
        session = self._session
        yield self._seen(
            "packets_sent_count",
            session.sent_count,
            asked=self._parameters.count,
            unsendable=self._ended.unsendable_count,
            interval_s=self._parameters.interval_s,
            payload_bytes=self._parameters.payload_bytes,
        )
        yield self._seen("packets_received_count", len(self._in_time))
        yield self._seen("duplicate_count", session.duplicate_count)
        yield self._seen("late_reply_count", session.late_count)
        counting = session.counting
        if self._in_time or session.late_count:
            yield self._observe("reflector_counting", str(counting), method=self._method)
        else:
            yield self._unanswered("reflector_counting")

    def _loss(self) -> Iterator[Observation]:
        both = loss_statistics([answer is not None for answer in self._answers])
        yield from self._loss_of("round-trip", both)
        directions = self._directions
        if directions is None:
            for direction in ("forward", "return"):
                for name in ("packets_lost_count", "packet_loss_ratio"):
                    yield self._seen(
                        name, None, direction=direction, reason=self._why_no_direction()
                    )
            return
        yield from self._loss_of("forward", _statistics(directions.forward))
        yield from self._loss_of("return", _statistics(directions.back))
        # Of what was lost after the last answer no later one can tell the direction.
        yield self._seen("packets_lost_count", directions.undetermined, direction="undetermined")

    def _loss_of(self, direction: Direction, loss: LossStatistics) -> Iterator[Observation]:
        method = {**self._method, "direction": direction}
        yield self._observe("packets_lost_count", loss.lost, samples=loss.sent, method=method)
        yield self._observe(
            "packet_loss_ratio",
            loss.ratio,
            samples=loss.sent,
            interval=loss.interval,
            method={**method, "n_effective": loss.n_effective},
        )
        if loss.burst_ratio is not None:
            yield self._observe(
                "packet_loss_burst_ratio", loss.burst_ratio, samples=loss.sent, method=method
            )
            if loss.run_max:
                yield self._observe(
                    "packet_loss_run_max_packets", loss.run_max, samples=loss.sent, method=method
                )

    def _why_no_direction(self) -> str:
        if not self._in_time and not self._session.late_count:
            return "no packet was answered"
        if self._session.counting is Counting.STATELESS:
            return "the reflector copies our sequence numbers: it does not count by itself"
        return "the reflector's sequence numbers cannot be a count of this stream"

    def _order(self) -> Iterator[Observation]:
        both, forward, back = self._session.reordered()
        for direction, count in (("round-trip", both), ("forward", forward), ("return", back)):
            if count is not None:
                yield self._seen("reordered_count", count, direction=direction)

    def _distrusted(self) -> Iterator[Observation]:
        for why, count in sorted(self._session.rejected.items()):
            yield self._seen("rejected_reply_count", count, reason=str(why))
        if self._session.implausible_count:
            yield self._seen(
                "rejected_reply_count",
                self._session.implausible_count,
                reason="impossible time stamps: answered, but of no delay",
            )
        for words, count in self._ended.icmp_errors:
            yield self._seen("icmp_error_count", count, reason=words)

    def _delay(self) -> Iterator[Observation]:
        delays_s = [delay for answer in self._in_time if (delay := answer.delay_s) is not None]
        if not delays_s:
            for statistic in ("min", "median", "p95", "max"):
                yield self._undelayed(f"round_trip_delay_{statistic}_s")
            return
        summed = summary(delays_s)
        residences_s = [a.residence_s for a in self._in_time if a.residence_s is not None]
        method: dict[str, Scalar] = {
            **self._method,
            "reflector_time": "taken off" if residences_s else "not stated, so contained",
        }
        between = median_interval(delays_s)
        for name, value_s, interval in (
            ("round_trip_delay_min_s", summed.min_s, None),
            ("round_trip_delay_median_s", summed.median_s, between),
            ("round_trip_delay_p95_s", summed.p95_s, None),
            ("round_trip_delay_max_s", summed.max_s, None),
        ):
            yield self._observe(
                name,
                round(value_s, _DIGITS),
                samples=summed.samples,
                interval=interval,
                method=method,
            )
        if residences_s:
            yield self._seen(
                "reflector_residence_median_s",
                round(percentile(residences_s, 0.5), _DIGITS),
                len(residences_s),
            )

    def _one_way(self) -> Iterator[Observation]:
        for direction, values in (("forward", self._forward_s()), ("return", self._return_s())):
            known = [value for value in values if value is not None]
            middle_s = percentile(known, 0.5) if known else None
            error_s, reason = self._clock_error_s()
            if middle_s is None:
                reason = "the reflector states no time" if self._in_time else "no answer"
            elif reason is None and error_s > CLOCK_ERROR_SHARE_MAX * middle_s:
                reason = (
                    f"the two clocks may differ by {error_s * 1000:.3g} ms, which is not small "
                    "against the delay"
                )
            if reason is not None or middle_s is None:
                yield self._seen("one_way_delay_median_s", None, direction=direction, reason=reason)
            else:
                yield self._seen(
                    "one_way_delay_median_s",
                    round(middle_s, _DIGITS),
                    len(known),
                    direction=direction,
                    clock_error_s=error_s,
                )

    def _clock_error_s(self) -> tuple[float, str | None]:
        """The greatest difference of the two clocks, or why they cannot be compared."""
        own = self._session.error_estimate
        theirs = {answer.error_estimate for answer in self._in_time}
        if not own.synchronised:
            return 0.0, "the clock of this machine is not synchronised"
        if not all(one.synchronised for one in theirs):
            return 0.0, "the reflector's clock is not synchronised"
        if any(one.ptp for one in theirs):
            return 0.0, "the reflector counts PTP's time, which is not UTC"
        errors = [one.error_s for one in (own, *theirs)]
        if any(error is None for error in errors):
            return 0.0, "the reflector's error estimate says nothing"
        known = [error for error in errors if error is not None]
        return known[0] + max(known[1:], default=0.0), None

    def _variation(self) -> Iterator[Observation]:
        for direction, values in (
            ("round-trip", self._delays_s()),
            ("forward", self._forward_s()),
            ("return", self._return_s()),
        ):
            above = pdv_s(values)
            for name, share in (("pdv_p95_s", 0.95), ("pdv_p99_s", 0.99)):
                if above:
                    yield self._seen(
                        name,
                        round(percentile(above, share), _DIGITS),
                        len(above),
                        definition="RFC 5481",
                        direction=direction,
                    )
                elif direction == "round-trip":
                    yield self._undelayed(name, direction=direction)

    def _marks(self) -> Iterator[Observation]:
        asked = [answer for answer in self._in_time if answer.dscp_forward is not None]
        there = Counter(a.dscp_forward for a in asked if a.dscp_forward is not None)
        back = Counter(a.dscp_return for a in self._in_time if a.dscp_return is not None)
        refused = any(answer.dscp_refused for answer in asked)
        if there:
            yield self._commonest("dscp_received", there, direction="forward")
        else:
            reason = (
                "the reflector does not say (no Class of Service TLV)"
                if self._in_time
                else "no answer"
            )
            yield self._seen("dscp_received", None, direction="forward", reason=reason)
        if back:
            # What the answer should bear is known only of a reflector that took our request.
            expected = self._parameters.dscp if there and not refused else None
            yield self._commonest("dscp_received", back, direction="return", expected=expected)
        if self._session.ttls:
            yield self._commonest("reply_ttl", self._session.ttls)

    def _timer(self) -> Observation:
        errors_s = self._ended.timer_errors_s
        value_s = round(percentile(errors_s, 0.99), _DIGITS) if errors_s else None
        return self._seen("send_timer_error_p99_s", value_s, len(errors_s))

    def _quality(self) -> Iterator[Observation]:
        if self._directions is None:
            passed = [answer is not None for answer in self._answers]
            # Half of the variation on each way: what half of it would carry past the buffer.
            yield from self._score("round-trip", passed, _late(self._delays_s(), 2))
            return
        for direction, way, delays_s in (
            ("forward", self._directions.forward, self._forward_s()),
            ("return", self._directions.back, self._return_s()),
        ):
            received = way.passed or [True] * (way.sent - way.lost) + [False] * way.lost
            yield from self._score(direction, received, _late(delays_s, 1))

    def _score(
        self, direction: str, received: Sequence[bool], discards: int
    ) -> Iterator[Observation]:
        quality, reason = self._estimate(received, discards)
        method: dict[str, Scalar | Sequence[Scalar]] = {
            **self._method,
            **(quality.passport if quality else {}),
            "one_way_delay": "half the least round trip",
            "direction": direction,
            "late_discard_count": discards,
        }
        if reason:
            method["reason"] = reason
        for name, value in (
            ("r_factor", quality.r_factor if quality else None),
            ("mos_cqe", quality.mos_cqe if quality else None),
        ):
            yield self._observe(name, value, samples=len(received), method=method)

    def _estimate(
        self, received: Sequence[bool], discards: int
    ) -> tuple[Quality | None, str | None]:
        delays_s = [delay for delay in self._delays_s() if delay is not None]
        if len(received) < QUALITY_PACKETS_MIN:
            return None, f"fewer than {QUALITY_PACKETS_MIN} packets were sent"
        if not delays_s:
            return None, "no packet was answered"
        loss = loss_statistics(received)
        missed = min(loss.sent, loss.lost + discards)
        quality = estimate(
            one_way_delay_s=min(delays_s) / 2,
            loss_ratio=missed / loss.sent,
            burst_ratio=loss.burst_ratio,
        )
        return quality, quality.reason

    def _delays_s(self) -> list[float | None]:
        return [None if answer is None else answer.delay_s for answer in self._answers]

    def _forward_s(self) -> list[float | None]:
        return [None if answer is None else answer.forward_s for answer in self._answers]

    def _return_s(self) -> list[float | None]:
        return [None if answer is None else answer.return_s for answer in self._answers]

    def _commonest(self, name: str, values: Counter[int], **method: Scalar) -> Observation:
        ((value, _),) = values.most_common(1)
        passport: dict[str, Scalar | Sequence[Scalar]] = {**self._method, **method}
        if len(values) > 1:
            passport["values"] = sorted(values)
        return self._observe(name, value, samples=values.total(), method=passport)

    def _undelayed(self, name: str, **method: Scalar) -> Observation:
        if self._in_time:
            return self._seen(name, None, None, reason="its time stamps are impossible", **method)
        return self._unanswered(name, **method)

    def _unanswered(self, name: str, **method: Scalar) -> Observation:
        return self._observe(
            name, None, samples=0, failure=Failure.TIMEOUT, method={**self._method, **method}
        )

    def _seen(
        self, name: str, value: float | None, samples: int | None = None, **method: Scalar
    ) -> Observation:
        return self._observe(name, value, samples=samples, method={**self._method, **method})


def _statistics(way: Way) -> LossStatistics:
    if way.passed is not None:
        return loss_statistics(way.passed)
    return from_burst_ratio(way.sent, way.lost, None)


def _late(delays_s: Sequence[float | None], ways: int) -> int:
    """Packets that would come after a fixed buffer has played their moment."""
    return sum(above_s > ways * JITTER_BUFFER_S for above_s in pdv_s(delays_s))
