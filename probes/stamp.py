"""stamp: loss, delay and marks of a voice-shaped stream to a reflector, each direction apart."""

import asyncio
from collections.abc import AsyncIterator

from nethealth.model.check import Check, StampParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation
from nethealth.model.ports import NetworkFailure, TimedDatagram, TimedNetwork
from nethealth.model.probe import Completion, Env, Observer, Probe
from nethealth.protocol.stamp import Rejection, StampSession
from nethealth.wire.stamp import ErrorEstimate
from probes.clock_state import clock_state
from probes.stamp_account import UNITS, Ended, account
from probes.steps import failed, not_run, resolve_one

DEADLINE_MARGIN_S = 0.5
READ_GRACE_S = 0.05  # an answer counts by the kernel's stamp; leave the loop time to read it
_SLOTS_S = 0.1  # how often the stream takes its packets' slots at the site's pacer
_UNKNOWN_ERROR_S = 1.0


async def probe(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """A stream on the run's send timer, every packet awaited equally long; then what came of it.

    It ends by itself before the check's deadline. Cut short by the user, it hands over what is
    known of the packets whose wait was over.
    """
    parameters = check.parameters
    if not isinstance(parameters, StampParameters):
        raise TypeError(f"{check.id}: not the parameters of a stamp check")
    if not isinstance(env.network, TimedNetwork):
        yield not_run("this network keeps no send timer")
        return
    end_s = env.clock.monotonic_s() + check.deadline_s - DEADLINE_MARGIN_S
    observe = Observer(check, env, UNITS)
    resolution = await resolve_one(parameters.host, parameters.family, env, observe)
    for observation in resolution.observations:
        yield observation
    if resolution.failure is not None:
        yield failed(resolution.failure)
        return
    stream = _Stream(resolution.address, parameters, env, end_s)
    cut_short: asyncio.CancelledError | None = None
    try:
        await stream.run(env.network)
    except NetworkFailure as failure:
        yield observe("packets_sent_count", 0, failure=failure.failure, method=resolution.passport)
        yield failed(failure)
        return
    except asyncio.CancelledError as cancelled:
        cut_short = cancelled
        stream.session.forget_unfinished(env.clock.monotonic_s())
    if stream.session.sent_count:
        passport = {**resolution.passport, "port": parameters.port}
        for observation in account(observe, passport, parameters, stream.ended()):
            yield observation
    if cut_short is not None:
        raise cut_short
    yield stream.completion()


class _Stream:
    """The packets themselves: sent on time, awaited, and booked in `session`."""

    def __init__(self, address: str, parameters: StampParameters, env: Env, end_s: float) -> None:
        now_s = env.clock.monotonic_s()
        clock = clock_state()
        error_s = _UNKNOWN_ERROR_S if clock.error_s is None else clock.error_s
        # The wall clock once: a step of it later would be taken for a delay.
        epoch_ns = round((env.clock.wall_utc().timestamp() - env.clock.monotonic_s()) * 1e9)
        timeout_s = min(parameters.timeout_s, max(0.0, end_s - now_s) / 2)
        self.session = StampSession(
            ssid=env.random.randrange(1, 1 << 16),
            epoch_ns=epoch_ns,
            error_estimate=ErrorEstimate.of(error_s, synchronised=bool(clock.synchronised)),
            octets=parameters.payload_bytes,
            dscp=parameters.dscp,
            timeout_s=timeout_s,
        )
        self._remote = Endpoint(address, parameters.port)
        self._parameters = parameters
        self._env = env
        sending_s = end_s - timeout_s - READ_GRACE_S - now_s - parameters.interval_s
        self._count = min(parameters.count, max(0, int(sending_s / parameters.interval_s)))
        self._failures: dict[str, tuple[NetworkFailure, int]] = {}
        self._timer_errors_s: list[float] = []
        self._unsendable_count = 0
        self._arrived = asyncio.Event()

    async def run(self, network: TimedNetwork) -> None:
        """Send and await; NetworkFailure if nothing could be sent at all."""
        if not self._count:
            raise NetworkFailure(Failure.TIMEOUT, "no time is left to send in")
        flow = network.open_timed(
            self._remote, self._deliver, self._fail, dscp=self._parameters.dscp
        )
        interval_s = self._parameters.interval_s
        slots = asyncio.create_task(self._take_slots())
        try:
            await flow.run(self.session.packet, self.session.unsent, self._count, interval_s)
            await self._drain()
        finally:
            slots.cancel()
            flow.close()
            self._timer_errors_s = flow.timer_errors_s
            self._unsendable_count = flow.unsendable_count
        if not self.session.sent_count:
            raise self._first_failure() or NetworkFailure(
                Failure.UNREACHABLE, f"to {self._remote}: nothing could be sent"
            )

    def ended(self) -> Ended:
        failures = [(failure.reason, count) for failure, count in self._failures.values()]
        return Ended(self.session, self._timer_errors_s, self._unsendable_count, failures)

    def completion(self) -> Completion:
        """Completed with an answer; else the most telling of what came in its place."""
        if any(self.session.answers()) or self.session.late_count:
            return Completion(Outcome.COMPLETED)
        failure = self._first_failure()
        if failure is not None:
            return failed(failure)
        rejected = self.session.rejected
        said = f"no answer that can be believed from {self._remote}"
        if (
            rejected[Rejection.WRONG_SOURCE]
            and rejected.total() == rejected[Rejection.WRONG_SOURCE]
        ):
            return Completion(Outcome.FAILED, Failure.WRONG_SOURCE, f"{said}: only from elsewhere")
        if rejected:
            reasons = ", ".join(f"{count} {why}" for why, count in sorted(rejected.items()))
            return Completion(Outcome.FAILED, Failure.PROTOCOL, f"{said}: {reasons}")
        return Completion(
            Outcome.FAILED, Failure.TIMEOUT,
            f"{self._remote}: none of {self.session.sent_count} packets was answered within "
            f"{self.session.timeout_s:.3g} s",
        )  # fmt: skip

    def _deliver(self, datagram: TimedDatagram) -> None:
        self.session.received(
            datagram.data,
            datagram.received_s,
            from_peer=datagram.source == self._remote,
            ttl=datagram.ttl,
            dscp=datagram.dscp,
        )
        self._arrived.set()

    def _fail(self, failure: NetworkFailure) -> None:
        known, count = self._failures.get(failure.reason, (failure, 0))
        if count or len(self._failures) < 32:  # anybody can forge errors from ever new sources
            self._failures[failure.reason] = (known, count + 1)

    def _first_failure(self) -> NetworkFailure | None:
        return next((failure for failure, _ in self._failures.values()), None)

    async def _drain(self) -> None:
        """Until every packet is answered, or the wait of the last one is over."""
        try:
            async with asyncio.timeout(self.session.timeout_s + READ_GRACE_S):
                while self.session.unanswered_count:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return

    async def _take_slots(self) -> None:
        """Take the packets' slots as they leave, so that the site's other checks give way."""
        each = max(1, round(_SLOTS_S / self._parameters.interval_s))
        for first in range(0, self._count, each):
            started_s = self._env.clock.monotonic_s()
            packets = min(each, self._count - first)
            await self._env.pacer.wait(packets)
            await self._env.clock.sleep_until(started_s + packets * self._parameters.interval_s)


STAMP = Probe("stamp", probe, UNITS)
