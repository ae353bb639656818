"""ping: does the host answer, how long does a round trip take, and how many packets get lost?"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from statistics import fmean

from nethealth.model.check import Check, PingParameters
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Scalar
from nethealth.model.ports import EchoEvent, EchoFlow, NetworkFailure
from nethealth.model.probe import Completion, Env, Observer, Probe
from nethealth.protocol.echo import EchoSession, Status
from nethealth.quality.delay import ipdv_s, median_interval, pdv_s, percentile, summary
from nethealth.quality.emodel import JITTER_BUFFER_S, Quality, estimate
from nethealth.quality.loss import loss_statistics
from probes.steps import RESOLUTION_UNITS, failed, resolve_one

UNITS: dict[str, str | None] = {
    **RESOLUTION_UNITS,
    "packets_sent_count": "packets",
    "packets_received_count": "packets",
    "packet_loss_ratio": "1",
    "packet_loss_burst_ratio": "1",
    "packet_loss_run_max_packets": "packets",
    "duplicate_count": "packets",
    "late_reply_count": "packets",
    "icmp_error_count": "packets",
    "round_trip_delay_min_s": "s",
    "round_trip_delay_median_s": "s",
    "round_trip_delay_p95_s": "s",
    "round_trip_delay_max_s": "s",
    "ipdv_abs_mean_s": "s",
    "pdv_p95_s": "s",
    "pdv_p99_s": "s",
    "reply_ttl": None,
    "dscp_received": None,
    "r_factor": "1",
    "mos_cqe": "1",
}

QUALITY_PACKETS_MIN = 10  # below, one lost packet alone decides the estimate
DEADLINE_MARGIN_S = 0.5
# An answer counts by the kernel's stamp, not by when we read it: leave a busy loop time to read.
READ_GRACE_S = 0.05
_DIGITS = 9  # of a second


async def probe(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """Echo requests at fixed moments, every one awaited equally long; then what came of them.

    It ends by itself before the check's deadline. Cut short by the user, it hands over what is
    known of the packets whose wait was over.
    """
    parameters = check.parameters
    if not isinstance(parameters, PingParameters):
        raise TypeError(f"{check.id}: not the parameters of a ping check")
    end_s = env.clock.monotonic_s() + check.deadline_s - DEADLINE_MARGIN_S
    observe = Observer(check, env, UNITS)
    resolution = await resolve_one(parameters.host, parameters.family, env, observe)
    for observation in resolution.observations:
        yield observation
    if resolution.failure is not None:
        yield failed(resolution.failure)
        return
    exchange = _Exchange(resolution.address, parameters, env, end_s)
    cut_short: asyncio.CancelledError | None = None
    try:
        await exchange.run()
    except NetworkFailure as failure:
        yield observe("packets_sent_count", 0, failure=failure.failure, method=resolution.passport)
        yield failed(failure)
        return
    except asyncio.CancelledError as cancelled:
        cut_short = cancelled
        exchange.session.forget_unfinished(env.clock.monotonic_s())
    if exchange.session.statuses():
        method = {**resolution.passport, "timeout_s": exchange.session.timeout_s}
        for observation in _Account(observe, method, parameters, exchange).observations():
            yield observation
    elif cut_short is None:
        reason = f"no packet could be sent within the deadline of {check.deadline_s:g} s"
        yield observe("packets_sent_count", 0, method=resolution.passport)
        yield Completion(Outcome.FAILED, Failure.TIMEOUT, reason)
    if cut_short is not None:
        raise cut_short


class _Exchange:
    """The packets themselves: sent on time, awaited, and booked in `session`."""

    def __init__(self, address: str, parameters: PingParameters, env: Env, end_s: float) -> None:
        # A wait longer than half of what is left would leave no time to send in.
        timeout_s = min(parameters.timeout_s, max(0.0, end_s - env.clock.monotonic_s()) / 2)
        self.session = EchoSession(address, timeout_s)
        self.unsendable_count = 0
        self._parameters = parameters
        self._env = env
        self._last_send_s = end_s - timeout_s - READ_GRACE_S
        self._arrived = asyncio.Event()

    async def run(self) -> None:
        """Send and await; NetworkFailure if the very first packet cannot be sent."""
        parameters = self._parameters
        flow = self._env.network.open_echo(
            self.session.address,
            self._deliver,
            dscp=parameters.dscp,
            payload_bytes=parameters.payload_bytes,
        )
        try:
            await self._before(self._last_send_s, self._send_all(flow))
            await self._drain()
        finally:
            flow.close()
        self.session.expire(self._env.clock.monotonic_s())

    def _deliver(self, event: EchoEvent) -> None:
        self.session.received(event)
        self._arrived.set()

    async def _send_all(self, flow: EchoFlow) -> None:
        clock, pacer, parameters = self._env.clock, self._env.pacer, self._parameters
        start_s = clock.monotonic_s()
        for sequence in range(parameters.count):
            await clock.sleep_until(start_s + sequence * parameters.interval_s)
            await pacer.wait()
            try:
                sent_s = flow.send(sequence)
            except NetworkFailure:
                # Before the first packet this is a missing route; after it, a route that went.
                if not self.session.statuses():
                    raise
                self.unsendable_count += 1
            else:
                self.session.sent(sequence, sent_s)

    async def _drain(self) -> None:
        while (until_s := self.session.awaited_until_s) is not None:
            self._arrived.clear()
            if not await self._before(until_s + READ_GRACE_S, self._arrived.wait()):
                return

    async def _before(self, deadline_s: float, step: Awaitable[object]) -> bool:
        """Whether `step` ended before the deadline, at which it is cancelled."""
        try:
            async with asyncio.timeout(max(0.0, deadline_s - self._env.clock.monotonic_s())):
                await step
        except TimeoutError:
            return False
        return True


class _Account:
    """The observations that an exchange gives, once it is over."""

    def __init__(
        self, observe: Observer, method: Mapping[str, Scalar], parameters: PingParameters,
        exchange: _Exchange,
    ) -> None:  # fmt: skip
        self._observe = observe
        self._method = method
        self._parameters = parameters
        self._unsendable_count = exchange.unsendable_count
        self._session = exchange.session
        self._delays_s = exchange.session.round_trip_delays_s()
        self._answered_s = [delay for delay in self._delays_s if delay is not None]

    def observations(self) -> Iterator[Observation]:
        yield from self._counts()
        yield from self._loss()
        yield from self._errors()
        yield from self._delay()
        yield from self._variation()
        yield self._commonest("reply_ttl", self._session.ttls)
        yield self._commonest("dscp_received", self._session.dscps, dscp=self._parameters.dscp)
        yield from self._quality()

    def _counts(self) -> Iterator[Observation]:
        late = self._session.statuses().count(Status.LATE)
        yield self._seen(
            "packets_sent_count",
            len(self._delays_s),
            asked=self._parameters.count,
            unsendable=self._unsendable_count,
            interval_s=self._parameters.interval_s,
            payload_bytes=self._parameters.payload_bytes,
            dscp=self._parameters.dscp,
        )
        yield self._seen("packets_received_count", len(self._answered_s))
        yield self._seen("duplicate_count", self._session.duplicate_count)
        yield self._seen("late_reply_count", late)

    def _loss(self) -> Iterator[Observation]:
        loss = loss_statistics([delay is not None for delay in self._delays_s])
        yield self._observe(
            "packet_loss_ratio",
            loss.ratio,
            samples=loss.sent,
            interval=loss.interval,
            method={**self._method, "n_effective": loss.n_effective},
        )
        if loss.burst_ratio is None:
            why = "every packet was lost" if loss.lost else "no packet was lost"
            yield self._seen("packet_loss_burst_ratio", None, reason=why)
        else:
            yield self._seen("packet_loss_burst_ratio", loss.burst_ratio, samples=loss.sent)
        yield self._seen("packet_loss_run_max_packets", loss.run_max, samples=loss.sent)

    def _errors(self) -> Iterator[Observation]:
        for kind, count in self._session.errors.items():
            yield self._seen(
                "icmp_error_count",
                count,
                icmp_type=kind.icmp_type,
                icmp_code=kind.icmp_code,
                source=kind.source,
            )

    def _delay(self) -> Iterator[Observation]:
        if not self._answered_s:
            for statistic in ("min", "median", "p95", "max"):
                yield self._unanswered(f"round_trip_delay_{statistic}_s")
            return
        delay = summary(self._answered_s)
        median_between = median_interval(self._answered_s)
        for name, value_s, interval in (
            ("round_trip_delay_min_s", delay.min_s, None),
            ("round_trip_delay_median_s", delay.median_s, median_between),
            ("round_trip_delay_p95_s", delay.p95_s, None),
            ("round_trip_delay_max_s", delay.max_s, None),
        ):
            yield self._observe(
                name,
                round(value_s, _DIGITS),
                samples=delay.samples,
                interval=interval,
                method=self._method,
            )

    def _variation(self) -> Iterator[Observation]:
        if not self._answered_s:
            for name in ("ipdv_abs_mean_s", "pdv_p95_s", "pdv_p99_s"):
                yield self._unanswered(name)
            return
        between = [abs(difference) for difference in ipdv_s(self._delays_s)]
        if between:
            mean_s = round(fmean(between), _DIGITS)
            yield self._seen("ipdv_abs_mean_s", mean_s, samples=len(between), definition="RFC 3393")
        else:
            yield self._seen("ipdv_abs_mean_s", None, reason="no two neighbours were answered")
        above = pdv_s(self._delays_s)
        for name, share in (("pdv_p95_s", 0.95), ("pdv_p99_s", 0.99)):
            value_s = round(percentile(above, share), _DIGITS)
            yield self._seen(name, value_s, samples=len(above), definition="RFC 5481")

    def _quality(self) -> Iterator[Observation]:
        quality, reason = self._estimate()
        method: dict[str, Scalar | Sequence[Scalar]] = {
            **(quality.passport if quality else {}),
            "one_way_delay": "half the round trip",
        }
        if reason:
            method["reason"] = reason
        for name, value in (
            ("r_factor", quality.r_factor if quality else None),
            ("mos_cqe", quality.mos_cqe if quality else None),
        ):
            yield self._observe(
                name, value, samples=len(self._delays_s), method={**self._method, **method}
            )

    def _estimate(self) -> tuple[Quality | None, str | None]:
        if len(self._delays_s) < QUALITY_PACKETS_MIN:
            return None, f"fewer than {QUALITY_PACKETS_MIN} packets were sent"
        if not self._answered_s:
            return None, "no packet was answered"
        # One way is half of the round trip throughout: what half of the variation would carry
        # past a call's jitter buffer would be discarded there, which to the ear is loss.
        latest_s = min(self._answered_s) + 2 * JITTER_BUFFER_S
        heard = loss_statistics(
            [delay is not None and delay <= latest_s for delay in self._delays_s]
        )
        quality = estimate(
            one_way_delay_s=summary(self._answered_s).median_s / 2,
            loss_ratio=heard.ratio,
            burst_ratio=heard.burst_ratio,
        )
        return quality, quality.reason

    def _commonest(self, name: str, values: Counter[int], **method: Scalar) -> Observation:
        if not values:
            return self._unanswered(name)
        ((value, _),) = values.most_common(1)
        others = sorted(values) if len(values) > 1 else None
        passport: dict[str, Scalar | Sequence[Scalar]] = {**self._method, **method}
        if others:
            passport["values"] = others
        return self._observe(name, value, samples=values.total(), method=passport)

    def _unanswered(self, name: str) -> Observation:
        return self._observe(name, None, samples=0, failure=Failure.TIMEOUT, method=self._method)

    def _seen(
        self, name: str, value: float | None, samples: int | None = None, **method: Scalar
    ) -> Observation:
        return self._observe(name, value, samples=samples, method={**self._method, **method})


PING = Probe("ping", probe, UNITS, needs=("icmp_socket",))
