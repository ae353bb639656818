"""route: which routers lie on the way, how soon does each answer, and which one changes a mark?"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

from nethealth.model.check import Check, RouteParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Scalar
from nethealth.model.ports import NetworkFailure, ProbeChannel
from nethealth.model.probe import Completion, Env, Observer, Probe
from nethealth.protocol.route import Hop, Trace, path_loss_ratios, translated
from nethealth.quality.loss import loss_statistics
from probes.steps import RESOLUTION_UNITS, failed, resolve_one
from probes.tracing import Tracing
from probes.ttl_probe import TCP_WAIT_S

UNITS: dict[str, str | None] = {
    **RESOLUTION_UNITS,
    "hop_address": None,
    "hop_reply_ratio": "1",
    "hop_packet_loss_ratio": "1",
    "hop_round_trip_delay_median_s": "s",
    "hop_dscp_quoted": None,
    "hop_ecn_quoted": None,
    "route_length_hops": "hops",
    "route_reached": None,
    "route_nat_seen": None,
    "packet_loss_ratio": "1",
}

DEADLINE_MARGIN_S = 0.5
_DIGITS = 9  # of a second
_NO_QUOTE = "the quoted header is seen only through a raw socket (CAP_NET_RAW)"

_Passport = Mapping[str, Scalar | Sequence[Scalar]]


async def trace_route(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """One trace; interrupted or out of time, it hands over the hops that it knows."""
    parameters = check.parameters
    if not isinstance(parameters, RouteParameters):
        raise TypeError(f"{check.id}: not the parameters of a route check")
    end_s = env.clock.monotonic_s() + check.deadline_s - DEADLINE_MARGIN_S
    observe = Observer(check, env, UNITS)
    resolution = await resolve_one(parameters.host, parameters.family, env, observe)
    for observation in resolution.observations:
        yield observation
    if resolution.failure is not None:
        yield failed(resolution.failure)
        return
    serial = parameters.method == "tcp"
    trace = Trace(
        resolution.address.partition("%")[0],
        parameters.hops_max,
        parameters.queries,
        min(parameters.timeout_s, TCP_WAIT_S) if serial else parameters.timeout_s,
        serial=serial,
    )
    tracing = Tracing(trace, env, end_s)
    method: _Passport = {
        **resolution.passport,
        "method": parameters.method,
        "dscp": parameters.dscp,
        "timeout_s": trace.timeout_s,
    }
    if parameters.method != "icmp":
        method = {**method, "port": parameters.port}
    cut_short: asyncio.CancelledError | None = None
    finished = False
    try:
        channel = env.network.open_probe(
            Endpoint(resolution.address, parameters.port),
            parameters.method,
            tracing.deliver,
            dscp=parameters.dscp,
        )
        try:
            finished = await tracing.run(channel)
        finally:
            channel.close()
    except NetworkFailure as failure:
        yield observe("route_reached", None, failure=failure.failure, method=method)
        yield failed(failure)
        return
    except asyncio.CancelledError as cancelled:
        cut_short = cancelled
    for observation in _Account(observe, method, trace, channel, finished).observations():
        yield observation
    if cut_short is not None:
        raise cut_short
    if not finished and not trace.hops():
        yield Completion(Outcome.FAILED, Failure.TIMEOUT, "no hop answered before the deadline")


class _Account:
    """The observations that a trace gives."""

    def __init__(
        self,
        observe: Observer,
        method: _Passport,
        trace: Trace,
        channel: ProbeChannel,
        finished: bool,
    ) -> None:
        self._observe = observe
        self._method = method
        self._trace = trace
        self._channel = channel
        self._finished = finished
        self._hops = trace.hops()

    def observations(self) -> Iterator[Observation]:
        reached = self._trace.reached
        losses = path_loss_ratios(self._hops, reached)
        for hop, loss in zip(self._hops, losses, strict=True):
            yield from self._of_hop(hop, loss)
        yield self._length(reached)
        more: dict[str, Scalar] = {"finished": self._finished}
        if self._trace.unmatched_count:
            more["unmatched"] = self._trace.unmatched_count
        yield self._observe("route_reached", reached, method={**self._method, **more})
        yield self._nat()
        yield self._loss(reached)

    def _of_hop(self, hop: Hop, loss: float | None) -> Iterator[Observation]:
        method: dict[str, Scalar | Sequence[Scalar]] = {**self._method, "hop": hop.number}
        if not hop.answers:
            yield self._observe(
                "hop_address", None, samples=0, failure=Failure.TIMEOUT, method=method
            )
            yield self._observe("hop_reply_ratio", 0.0, samples=hop.sent, method=method)
            yield self._path_loss(hop, loss, method)
            return
        last = hop.answers[-1].event
        told: dict[str, Scalar | Sequence[Scalar]] = {**method, "answer": last.kind}
        if last.icmp_type is not None:
            told |= {"icmp_type": last.icmp_type, "icmp_code": last.icmp_code}
        if len(hop.addresses) > 1:
            told["addresses"] = hop.addresses
        answered = len(hop.answers)
        yield self._observe("hop_address", hop.addresses[0], samples=answered, method=told)
        yield self._observe("hop_reply_ratio", hop.reply_ratio, samples=hop.sent, method=method)
        yield self._path_loss(hop, loss, method)
        delay_s = hop.delay_median_s
        yield self._observe(
            "hop_round_trip_delay_median_s",
            None if delay_s is None else round(delay_s, _DIGITS),
            samples=answered,
            method=method,
        )
        yield from self._marks(hop, method)

    def _path_loss(self, hop: Hop, loss: float | None, method: _Passport) -> Observation:
        if loss is None:
            method = {**method, "reason": "nothing beyond this hop answers to compare with"}
        return self._observe("hop_packet_loss_ratio", loss, samples=hop.sent, method=method)

    def _marks(self, hop: Hop, method: _Passport) -> Iterator[Observation]:
        seen = [a.event.quoted_tos for a in hop.answers if a.event.quoted_tos is not None]
        names = ("hop_dscp_quoted", "hop_ecn_quoted")
        if not seen:
            why = "the answer quotes nothing" if self._channel.quotes else _NO_QUOTE
            for name in names:
                yield self._observe(name, None, method={**method, "reason": why})
            return
        for name, values in zip(
            names, ([tos >> 2 for tos in seen], [tos & 3 for tos in seen]), strict=True
        ):
            more = {"values": sorted(set(values))} if len(set(values)) > 1 else {}
            yield self._observe(name, values[-1], samples=len(seen), method={**method, **more})

    def _length(self, reached: bool) -> Observation:
        if reached:
            return self._observe("route_length_hops", self._hops[-1].number, method=self._method)
        return self._observe("route_length_hops", None, failure=self._why(), method=self._method)

    def _why(self) -> Failure:
        """Silence, or a router's word that there is no way."""
        return Failure.UNREACHABLE if self._trace.ended else Failure.TIMEOUT

    def _nat(self) -> Observation:
        local = self._channel.local
        for hop in self._hops:
            for answer in hop.answers:
                quoted = answer.event.quoted_source
                if quoted is not None and translated(answer.event, local):
                    method = {**self._method, "hop": hop.number, "quoted_source": str(quoted)}
                    return self._observe("route_nat_seen", True, method=method)
        if any(a.event.quoted_source is not None for hop in self._hops for a in hop.answers):
            return self._observe("route_nat_seen", False, method=self._method)
        why = "no answer quoted a header" if self._channel.quotes else _NO_QUOTE
        return self._observe("route_nat_seen", None, method={**self._method, "reason": why})

    def _loss(self, reached: bool) -> Observation:
        if not reached:
            return self._observe(
                "packet_loss_ratio", None, failure=self._why(), method=self._method
            )
        target = self._hops[-1]
        outcomes = [index < len(target.answers) for index in range(target.sent)]
        loss = loss_statistics(outcomes)
        return self._observe(
            "packet_loss_ratio",
            loss.ratio,
            samples=loss.sent,
            interval=loss.interval,
            method=self._method,
        )


ROUTE = Probe("route", trace_route, UNITS)
