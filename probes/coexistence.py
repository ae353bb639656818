"""coexistence: voice and best effort side by side, before, beside and after a bounded load."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from nethealth.model.check import Check, CoexistenceParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Scalar
from nethealth.model.ports import LoadNetwork, NetworkFailure, TimedNetwork
from nethealth.model.probe import Completion, Env, Observer, Probe
from nethealth.wire.stamp import ErrorEstimate
from probes.clock_state import clock_state
from probes.coexistence_account import BEFORE, UNITS, Ended, account
from probes.coexistence_guard import Guard, Pinged
from probes.coexistence_load import LoadRefused, LoadRun, Phase, ask, payload_bps, run_load
from probes.coexistence_streams import INTERVAL_S, Stream, Window
from probes.steps import failed, not_run, resolve_one

DEADLINE_MARGIN_S = 0.5
BEST_EFFORT = 0
SETTLE_S = 1.0  # for the load's own queue to drain
_START_S = 0.1  # until both streams are under way
_SLOTS_S = 0.1
_UNKNOWN_ERROR_S = 1.0


async def probe(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """Both streams run through; the load comes and goes beside them, or ends at its guard's word.

    The load service is asked first whether it would serve the load: if not, nothing is sent.
    """
    parameters = check.parameters
    if not isinstance(parameters, CoexistenceParameters):
        raise TypeError(f"{check.id}: not the parameters of a coexistence check")
    if not (isinstance(env.network, TimedNetwork) and isinstance(env.network, LoadNetwork)):
        yield not_run("this network carries no load")
        return
    end_s = env.clock.monotonic_s() + check.deadline_s - DEADLINE_MARGIN_S
    observe = Observer(check, env, UNITS)
    resolution = await resolve_one(parameters.host, parameters.family, env, observe)
    for observation in resolution.observations:
        yield observation
    if resolution.failure is not None:
        yield failed(resolution.failure)
        return
    run = _Run(resolution.address, parameters, env, env.network, env.network)
    try:
        async with asyncio.timeout(max(0.0, end_s - env.clock.monotonic_s())):
            refused = await run.refused()
    except (NetworkFailure, TimeoutError) as failure:
        yield _unanswered(failure)
        return
    if refused is not None:
        yield not_run(refused)
        return
    cut_short: asyncio.CancelledError | None = None
    failure_met: NetworkFailure | None = None
    try:
        async with asyncio.timeout(max(0.0, end_s - env.clock.monotonic_s())):
            await run.run()
    except TimeoutError:
        failure_met = NetworkFailure(Failure.TIMEOUT, "its deadline came before its end")
    except NetworkFailure as failure:
        failure_met = failure
    except asyncio.CancelledError as cancelled:
        cut_short = cancelled
    passport = {**resolution.passport, "port": parameters.port}
    for observation in run.observations(observe, passport):
        yield observation
    if cut_short is not None:
        raise cut_short
    yield run.completion() if failure_met is None else failed(failure_met)


def _unanswered(failure: NetworkFailure | TimeoutError) -> Completion:
    if not isinstance(failure, NetworkFailure):
        return not_run("its deadline leaves no time to ask for a load")
    if failure.failure in (Failure.REFUSED, Failure.RESET):
        return not_run(
            f"{failure.reason}: no load is served there, or not to us; "
            "`nethealth reflect --load-port` serves it to the networks of --allow"
        )
    return failed(failure)


@dataclass(eq=False)
class _Run:
    """The streams, the guards and the loads of one check."""

    address: str
    parameters: CoexistenceParameters
    env: Env
    timed: TimedNetwork
    loads_on: LoadNetwork
    windows: list[Window] = field(default_factory=list)
    loads: dict[str, LoadRun | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        clock = clock_state()
        error_s = _UNKNOWN_ERROR_S if clock.error_s is None else clock.error_s
        wall_s, now_s = self.env.clock.wall_utc().timestamp(), self.env.clock.monotonic_s()
        self.streams: Sequence[Stream] = [
            Stream(
                Endpoint(self.address, self.parameters.port),
                dscp,
                self.parameters,
                ssid=self.env.random.randrange(1, 1 << 16),
                epoch_ns=round((wall_s - now_s) * 1e9),
                error_estimate=ErrorEstimate.of(error_s, synchronised=bool(clock.synchronised)),
            )
            for dscp in (self.parameters.dscp, BEST_EFFORT)
        ]
        self.pinged = [Pinged(name, host) for name, host in self.parameters.guards]
        self._service = Endpoint(self.address, self.parameters.load_port)

    @property
    def _phases(self) -> tuple[tuple[Phase, float], ...]:
        asked: tuple[tuple[Phase, float | None], ...] = (
            ("download", self.parameters.download_bps),
            ("upload", self.parameters.upload_bps),
        )
        return tuple((phase, bps) for phase, bps in asked if bps is not None)

    async def refused(self) -> str | None:
        """Why the load service would not serve this check."""
        six = ":" in self.address
        rate_bps = max(payload_bps(bps, six=six) for _, bps in self._phases)
        try:
            await ask(self.loads_on, self._service, rate_bps, self.parameters.load_s)
        except LoadRefused as refused:
            return str(refused)
        return None

    async def run(self) -> None:
        """All phases; NetworkFailure if the streams cannot be sent."""
        steps = (
            *(stream.run(self.timed, self._packets) for stream in self.streams),
            *(one.run(self.env) for one in self.pinged),
            self._take_slots(),
        )
        tasks = [asyncio.create_task(step) for step in steps]
        streaming = tasks[: len(self.streams)]
        conducting = asyncio.create_task(self._conduct())
        try:
            await asyncio.wait({conducting, *streaming}, return_when=asyncio.FIRST_COMPLETED)
            for task in streaming:
                if task.done():
                    task.result()  # a NetworkFailure: no packet could be sent
            await conducting
        finally:
            for task in (conducting, *tasks):
                task.cancel()
            for stream in self.streams:
                stream.close(self.env.clock.monotonic_s())
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(conducting, *tasks, return_exceptions=True)

    def observations(
        self, observe: Observer, passport: Mapping[str, Scalar]
    ) -> Sequence[Observation]:
        if not self.windows:
            return ()
        ended = Ended(self.streams, self.windows, self.loads, self.pinged)
        return tuple(account(observe, passport, self.parameters, ended))

    def completion(self) -> Completion:
        """Completed where the streams were answered and each load was made or wisely left."""
        if not any(stream.answered_count for stream in self.streams):
            failures = [failure for stream in self.streams for failure in stream.failures]
            if failures:
                return failed(failures[0])
            return Completion(
                Outcome.FAILED, Failure.TIMEOUT,
                f"{self.address}: the reflector answered no packet of either stream, so that no "
                "load was made",
            )  # fmt: skip
        return Completion(Outcome.COMPLETED)

    @property
    def _packets(self) -> int:
        parameters = self.parameters
        loads_s = len(self._phases) * (parameters.load_s + 2 * SETTLE_S + 3.0)
        return round((parameters.before_s + parameters.after_s + loads_s + 5.0) / INTERVAL_S)

    async def _conduct(self) -> None:
        clock, parameters = self.env.clock, self.parameters
        await clock.sleep_until(clock.monotonic_s() + _START_S)
        idle = await self._idle_phase(BEFORE, parameters.before_s)
        await self._drain()
        if not all(stream.answered_count for stream in self.streams):
            return
        guard = Guard(self.streams, self.pinged, idle, parameters)
        for phase, bps in self._phases:
            now_s = clock.monotonic_s()
            trouble = guard.trouble_when_idle() or guard.trouble(now_s - SETTLE_S, now_s)
            if trouble is not None:
                self.loads[phase] = trouble
                continue
            try:
                load = await run_load(
                    self.loads_on, clock, self._service, phase, bps, parameters.load_s, guard
                )
            except LoadRefused as refused:
                self.loads[phase] = str(refused)
                continue
            except NetworkFailure as failure:
                self.loads[phase] = failure.reason
                continue
            self.loads[phase] = load
            self.windows.append(Window(phase, load.start_s, load.end_s))
            await clock.sleep_until(clock.monotonic_s() + SETTLE_S)
        await self._idle_phase("after", parameters.after_s)
        await self._drain()

    async def _idle_phase(self, phase: str, seconds: float) -> Window:
        start_s = self.env.clock.monotonic_s()
        window = Window(phase, start_s, start_s + seconds)
        await self.env.clock.sleep_until(window.end_s)
        self.windows.append(window)
        return window

    async def _drain(self) -> None:
        """Wait as long for the phase's last packets as for any other."""
        clock = self.env.clock
        await clock.sleep_until(clock.monotonic_s() + self.parameters.timeout_s)

    async def _take_slots(self) -> None:
        """Take the packets' slots as they leave, so that the site's other checks give way."""
        each = max(1, round(_SLOTS_S / INTERVAL_S))
        for _ in range(0, self._packets, each):
            started_s = self.env.clock.monotonic_s()
            await self.env.pacer.wait(each * len(self.streams) + len(self.pinged))
            await self.env.clock.sleep_until(started_s + each * INTERVAL_S)


COEXISTENCE = Probe("coexistence", probe, UNITS)
