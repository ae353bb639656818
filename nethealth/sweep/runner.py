"""A sweep: every planned check started in its slot, held to its deadline, and accounted for."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from nethealth.model.accounts import Accounts
from nethealth.model.check import Check, CheckResult, CoexistenceParameters, SipParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure, Outcome
from nethealth.model.inventory import SweepSettings
from nethealth.model.observation import Observation
from nethealth.model.ports import Clock, Network
from nethealth.model.probe import Catalogue, Completion, Env, Need
from nethealth.model.pseudonym import Names, Revealed
from nethealth.model.record import Instrument
from nethealth.sweep.meters import Meters
from nethealth.sweep.one import GRACE_S, Ending, run_one
from nethealth.sweep.pacer import SitePacer
from nethealth.sweep.ports import Sink, Watcher
from nethealth.sweep.schedule import host_of, schedule

# Starts that fall this far behind are put off, not made up for: catching up would be a burst.
LATE_S = 0.1
SINK_SLOW_S = 0.05


@dataclass(frozen=True, slots=True)
class SweepSummary:
    """All that a sweep did: results in the order of the plan, observations in that of results."""

    results: tuple[CheckResult, ...]
    observations: tuple[Observation, ...]
    instrument: Instrument
    interrupted: bool
    observed_s: float
    rounds: int = 1


async def run_checks(
    checks: Sequence[Check],
    catalogue: Catalogue,
    *,
    clock: Clock,
    network: Network,
    random: Random,
    settings: SweepSettings,
    sink: Sink,
    watcher: Watcher,
    stop: asyncio.Event,
    start_s: float,
    unavailable: Mapping[Need, str],
    forbidden: Callable[[Check], str | None],
    running_most: int = 500,
    spread_s: float = 0.0,
    meters: Meters | None = None,
    secrets: Mapping[str, str] | None = None,
    accounts: Accounts | None = None,
    name_servers: tuple[Endpoint, ...] = (),
    names: Names | None = None,
) -> SweepSummary:
    """Run `checks` and return one result for each of them, however the run ends.

    `start_s` is the run's start on `clock`. `unavailable` gives reason and cure of each need that
    this machine lacks; `forbidden` the reason why a check may not be sent now, or null: it is
    asked before the sweep and again at the check's start. `running_most` keeps the process below
    its limit of open files (`sockets_allowed`); starts are paced, never windowed, below it.
    `spread_s` slows the starts so that they fill that time. `stop` ends the run early. `secrets`,
    `accounts`, `name_servers` and `names` are handed to the probes; `accounts` lives as long as the
    run, and without `names` nobody's name is hidden.
    Raises ValueError if two checks have one id.
    """
    if len({check.id for check in checks}) != len(checks):
        raise ValueError("two checks of one plan have the same id")
    sweep = _Sweep(
        catalogue=catalogue, clock=clock, network=network, random=random, settings=settings,
        sink=sink, watcher=watcher, stop=stop, start_s=start_s, unavailable=unavailable,
        forbidden=forbidden, running_most=running_most, meters=meters or Meters(),
        secrets=secrets or {}, accounts=accounts, name_servers=name_servers,
        names=names or Revealed(),
    )  # fmt: skip
    began_s = clock.monotonic_s()
    await sweep.run(checks, spread_s)
    endings = [sweep.endings[check.id] for check in checks]
    return SweepSummary(
        results=tuple(result for result, _ in endings),
        observations=tuple(seen for _, observations in endings for seen in observations),
        instrument=sweep.meters.instrument(network.statistics),
        interrupted=stop.is_set(),
        observed_s=round(clock.monotonic_s() - began_s, 6),
    )


@dataclass(kw_only=True)
class _Sweep:
    catalogue: Catalogue
    clock: Clock
    network: Network
    random: Random
    settings: SweepSettings
    sink: Sink | None
    watcher: Watcher
    stop: asyncio.Event
    start_s: float
    unavailable: Mapping[Need, str]
    forbidden: Callable[[Check], str | None]
    running_most: int
    meters: Meters
    secrets: Mapping[str, str] = field(repr=False)
    accounts: Accounts | None
    name_servers: tuple[Endpoint, ...]
    names: Names
    endings: dict[str, tuple[CheckResult, tuple[Observation, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.running_most)
        self._tasks: list[asyncio.Task[None]] = []
        self._cuts: set[asyncio.Future[None]] = set()
        self._sip_turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._envs: dict[str | None, Env] = {}

    async def run(self, checks: Sequence[Check], spread_s: float) -> None:
        to_start = [check for check in checks if not self._refuse(check)]
        loads = [one for one in to_start if isinstance(one.parameters, CoexistenceParameters)]
        quiet = [check for check in to_start if check not in loads]
        starts = schedule(quiet, self.settings.site_starts_per_s, spread_s=spread_s)
        lag = asyncio.create_task(self.meters.watch_loop(self.clock))
        stopping = asyncio.create_task(self.stop.wait())
        feeding = asyncio.create_task(self._feed(starts, loads))
        try:
            await asyncio.wait({feeding, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if self.stop.is_set():
                feeding.cancel()
                for cut in tuple(self._cuts):
                    cut.set_result(None)
            await asyncio.wait({feeding})
            await asyncio.gather(*self._tasks)
            if not feeding.cancelled():
                feeding.result()
            for check in checks:
                if check.id not in self.endings:
                    self._not_started(check)
        finally:
            for task in (lag, stopping, feeding, *self._tasks):
                task.cancel()

    def _refuse(self, check: Check) -> bool:
        """Whether the check cannot be sent, which is then its result."""
        probe = self.catalogue.get(check.probe)
        if probe is None:
            reason: str | None = f"this version has no probe of kind {check.probe}"
        else:
            lacking = [self.unavailable[need] for need in probe.needs if need in self.unavailable]
            reason = "; ".join(lacking) or self.forbidden(check)
        if reason is None:
            return False
        self._end(check, Ending(Completion(Outcome.NOT_RUN, None, reason), ()))
        return True

    def _not_started(self, check: Check) -> None:
        completion = Completion(
            Outcome.NOT_RUN, Failure.INTERRUPTED, "interrupted before it started"
        )
        self._end(check, Ending(completion, ()))

    async def _feed(self, starts: Sequence[tuple[float, Check]], loads: Sequence[Check]) -> None:
        """Start each check in its slot; loads when all others are over, which they would disturb.

        One load at a time: those of two sites may meet on the vantage's own line.
        """
        base_s = self.clock.monotonic_s()
        for offset_s, check in starts:
            due_s = base_s + offset_s
            await self.clock.sleep_until(due_s)
            if self._places.locked():
                self.meters.note(f"starts waited: {self.running_most} checks ran at once")
            else:
                self.meters.send_timer_error_s.add(max(0.0, self.clock.monotonic_s() - due_s))
            await self._places.acquire()
            late_s = self.clock.monotonic_s() - due_s
            if late_s > LATE_S:
                base_s += late_s
            self._tasks.append(asyncio.create_task(self._attend(check)))
        if self._tasks:
            await asyncio.wait(self._tasks)
        for check in loads:
            await self._places.acquire()
            task = asyncio.create_task(self._attend(check))
            self._tasks.append(task)
            await asyncio.wait({task})

    async def _attend(self, check: Check) -> None:
        try:
            if isinstance(check.parameters, SipParameters):
                async with self._sip_turns[host_of(check)]:
                    await self._run(check)
            else:
                await self._run(check)
        finally:
            self._places.release()

    async def _run(self, check: Check) -> None:
        if self.stop.is_set():
            self._not_started(check)
            return
        if self._refuse(check):
            return
        self.watcher.started(check)
        started_s = self.clock.monotonic_s()
        cut: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._cuts.add(cut)
        try:
            env = self._env(check.site)
            ending = await run_one(check, self.catalogue[check.probe], env, cut)
        finally:
            self._cuts.discard(cut)
        if ending.left_behind is not None:
            self.meters.note(f"{check.id}: did not stop within {GRACE_S:g} s of being told to")
        self._end(check, ending, started_s)

    def _env(self, site: str | None) -> Env:
        if site not in self._envs:
            pacer = SitePacer(
                self.clock, self.settings.site_packets_per_s, self.meters.send_timer_error_s
            )
            self._envs[site] = Env(
                self.clock, self.network, self.random, pacer, self.start_s,
                self.secrets, self.accounts, self.name_servers, self.names,
            )  # fmt: skip
        return self._envs[site]

    def _end(self, check: Check, ending: Ending, started_s: float | None = None) -> None:
        completion = ending.completion
        if completion.outcome is Outcome.NOT_RUN:
            started_s = None
        reason = completion.reason
        if reason is None and completion.outcome is not Outcome.COMPLETED:
            reason = str(completion.failure or completion.outcome)
        result = CheckResult(
            check.id, check.probe, check.council, check.site, check.asset, check.target,
            completion.outcome, completion.failure, reason,
            None if started_s is None else round(started_s - self.start_s, 6),
            None if started_s is None else round(self.clock.monotonic_s() - self.start_s, 6),
        )  # fmt: skip
        self.endings[check.id] = (result, ending.observations)
        self.watcher.finished(result)
        self._keep(result, ending.observations)

    def _keep(self, result: CheckResult, observations: tuple[Observation, ...]) -> None:
        if self.sink is None:
            return
        began_s = self.clock.monotonic_s()
        try:
            self.sink.append(result, observations)
        except Exception as error:  # noqa: BLE001 - no fault of the sink may cost the run
            self.meters.note(f"from {result.id} on, checks were not stored as they ended: {error}")
            self.sink = None
        if self.clock.monotonic_s() - began_s > SINK_SLOW_S:
            self.meters.note("storing a check held up the measuring")
