"""One measuring run from plan to judged record: the part that check, sweep and demo share."""

import asyncio
import gc
import math
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from secrets import token_hex

import click

from nethealth import __version__
from nethealth.cli.devices import OnlyDue, hourly_tables, past_values
from nethealth.cli.progress import Progress
from nethealth.model.check import CallParameters, Check, CheckResult, secret_names
from nethealth.model.inventory import Inventory
from nethealth.model.observation import Event, Observation
from nethealth.model.ports import Clock, Network
from nethealth.model.privacy import Privacy
from nethealth.model.probe import Need
from nethealth.model.pseudonym import Names, Revealed
from nethealth.model.record import Pacing, Record, Run, RunKind, Settings, Tool
from nethealth.plan import active as in_blackout
from nethealth.store import Store, StoreError
from nethealth.sweep import (
    RunAccounts,
    SweepSummary,
    run_checks,
    run_rounds,
    sockets_allowed,
    wait_until,
)
from probes import CATALOG
from probes.clock_state import clock_state
from probes.icmp_socket import why_unavailable
from probes.name_servers import system_name_servers
from probes.net import SystemClock, SystemNetwork

Once = Callable[..., Awaitable[SweepSummary]]  # `run_checks` with what a run has bound
Driver = Callable[[Once, Clock, asyncio.Event, float], Awaitable[SweepSummary]]
Networks = Callable[[Clock, random.Random], AbstractAsyncContextManager[Network]]


@dataclass(frozen=True, slots=True)
class Rounds:
    """A steady stream in place of one sweep."""

    every_s: float
    for_s: float


def _say_stopping() -> None:
    click.echo("nethealth: stopping, with what was measured; again to stop at once", err=True)


@dataclass(frozen=True, slots=True)
class Order:
    """What to measure, and how the run is to be known.

    `drive` takes the place of the one sweep or the rounds: it is handed `run_checks`, the clock,
    the event that stops the run, and the run's start. `stopping` is called by the first signal.
    """

    kind: RunKind
    inventory: Inventory
    checks: tuple[Check, ...]
    title: str | None = None
    rounds: Rounds | None = None
    start_offset_s: float | None = None
    progress: bool = True
    seed: int | None = None
    names: Names = Revealed()
    privacy: Privacy | None = None
    drive: Driver | None = None
    drive_interval_s: float | None = None
    stopping: Callable[[], None] = _say_stopping


@asynccontextmanager
async def system_network(clock: Clock, _: random.Random) -> AsyncIterator[Network]:
    network = SystemNetwork(clock)
    try:
        yield network
    finally:
        await network.close()


class _StoreSink:
    """Hands each finished check of one run to the store."""

    def __init__(self, store: Store | None, run: str) -> None:
        self._store = store
        self._run = run

    def append(self, result: CheckResult, observations: Sequence[Observation]) -> None:
        if self._store is not None:
            self._store.append(self._run, result, observations)


def measure(order: Order, store: Store | None, networks: Networks = system_network) -> Record:
    """Run the order; the judged record, however the run ended. What was measured is also stored.

    The first SIGINT or SIGTERM ends the run cleanly with what it has; a second ends the process.
    """
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        return runner.run(_measure(order, store, networks))


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  (the extra `fast`)
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _measure(order: Order, store: Store | None, networks: Networks) -> Record:
    clock = SystemClock()
    stop = asyncio.Event()
    _listen(stop, order.stopping)
    offset_s = order.start_offset_s
    if offset_s is not None:
        await wait_until(clock, clock.monotonic_s() + offset_s, stop)
    record = _opening(order, clock)
    if store is not None:
        store = _begun(store, record)
        record = replace(record, past=past_values(store, order.checks, record.run.started))
    generator = random.Random(order.seed)
    start_s = clock.monotonic_s()
    secrets = _secrets(order.checks)
    async with networks(clock, generator) as network:
        with Progress(_total(order), shown=order.progress) as progress:
            once = partial(
                run_checks,
                catalogue=CATALOG,
                clock=clock,
                network=network,
                random=generator,
                settings=order.inventory.sweep,
                sink=_StoreSink(store, record.run.id),
                watcher=progress,
                stop=stop,
                start_s=start_s,
                unavailable=_unavailable(order.checks, networks),
                forbidden=_forbidden(order.inventory, clock, secrets),
                running_most=sockets_allowed(),
                secrets=secrets,
                accounts=RunAccounts(),
                # A simulated network has no name servers, and the real ones are not to be asked.
                name_servers=system_name_servers() if networks is system_network else (),
                names=order.names,
            )
            due = OnlyDue(once, clock, hourly_tables(store, order.checks, clock))
            if order.drive is not None:
                summary = await order.drive(due, clock, stop, start_s)
            elif order.rounds is None:
                summary = await due(order.checks)
            else:
                summary = await run_rounds(
                    order.checks,
                    due,
                    every_s=order.rounds.every_s,
                    for_s=order.rounds.for_s,
                    clock=clock,
                    stop=stop,
                )
    # What was measured is kept to the end: to look there for garbage again and again, and once more
    # when the process ends, keeps the user waiting.
    gc.freeze()
    record = _closing(order, record, summary, clock, clock.monotonic_s() - start_s)
    if store is not None:
        try:
            store.finish(record)
        except StoreError as error:
            click.echo(f"nethealth: the run is not in the history: {error}", err=True)
    return record


def _begun(store: Store, record: Record) -> Store | None:
    try:
        store.begin(record)
    except StoreError as error:
        click.echo(f"nethealth: going on without history: {error}", err=True)
        return None
    return store


def _listen(stop: asyncio.Event, stopping: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()

    def first(number: signal.Signals) -> None:
        stopping()
        stop.set()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, first, number)


def _total(order: Order) -> int:
    if order.rounds is None:
        return len(order.checks)
    rounds = order.rounds

    def times(check: Check) -> int:
        own_s = check.parameters.every_s if isinstance(check.parameters, CallParameters) else 0.0
        return max(1, math.ceil(rounds.for_s / max(rounds.every_s, own_s)))

    return sum(map(times, order.checks))


def _unavailable(checks: Sequence[Check], networks: Networks) -> dict[Need, str]:
    """Reason and cure of each need of these checks that this machine lacks."""
    needs = {
        need for check in checks if check.probe in CATALOG for need in CATALOG[check.probe].needs
    }
    lacking: dict[Need, str] = {}
    # A simulated network answers echo itself; the machine's sockets do not matter to it.
    if "icmp_socket" in needs and networks is system_network:
        reason = why_unavailable(4)
        if reason is not None:
            lacking["icmp_socket"] = reason
    if "reflector" in needs and networks is not system_network:
        lacking["reflector"] = "a simulated network has no reflector with a witness"
    return lacking


def _secrets(checks: Sequence[Check]) -> dict[str, str]:
    """The values of the variables that these checks name; those unset or empty are left out."""
    names = {name for check in checks for name in secret_names(check.parameters)}
    return {name: value for name in names if (value := os.environ.get(name))}


def _forbidden(
    inventory: Inventory, clock: Clock, secrets: Mapping[str, str]
) -> Callable[[Check], str | None]:
    kinds = {asset.id: asset.kind for asset in inventory.asset}

    def why(check: Check) -> str | None:
        unset = [name for name in secret_names(check.parameters) if name not in secrets]
        if unset:
            plural = "s" if len(unset) > 1 else ""
            return f"the environment variable{plural} {', '.join(unset)} must hold a secret first"
        kind = kinds.get(check.asset or "", "reflector")
        needs = CATALOG[check.probe].needs if check.probe in CATALOG else ()
        if "reflector" in needs and kind != "reflector":
            return (
                f"{check.asset} is of kind {kind}, and this is asked only of our own reflector: "
                "run `nethealth reflect --sip-port 5060` on a host outside, and give it an asset "
                'of kind = "reflector"'
            )
        if check.site is None or not inventory.blackout:
            return None
        now = clock.wall_utc()
        # Also at its deadline: a check must not run on into the window.
        for moment in (now, now + timedelta(seconds=check.deadline_s)):
            if in_blackout(inventory.blackout, check.site, moment, inventory.vantage.timezone):
                return f"blackout window of {check.site}: nothing is sent to it now"
        return None

    return why


def _opening(order: Order, clock: Clock) -> Record:
    started = clock.wall_utc()
    sweep = order.inventory.sweep
    return Record(
        tool=Tool(version=__version__),
        run=Run(
            id=f"{started:%Y%m%dT%H%M%SZ}-{token_hex(3)}",
            kind=order.kind,
            vantage=order.inventory.vantage.id,
            started=started,
            title=order.title,
            clock=clock_state(),
            pacing=Pacing(
                site_packets_per_s=sweep.site_packets_per_s,
                site_starts_per_s=sweep.site_starts_per_s,
                start_offset_s=order.start_offset_s,
                round_interval_s=order.rounds.every_s if order.rounds else order.drive_interval_s,
            ),
            privacy=order.privacy,
        ),
        inventory=order.inventory,
        settings=Settings(thresholds=order.inventory.thresholds, sweep=sweep),
    )


def _closing(
    order: Order, opened: Record, summary: SweepSummary, clock: Clock, took_s: float
) -> Record:
    finished = clock.wall_utc()
    # How far the wall clock moved against the monotonic one while we measured.
    step_s = (finished - opened.run.started).total_seconds() - took_s
    run = replace(
        opened.run,
        finished=finished,
        interrupted=summary.interrupted,
        clock=replace(opened.run.clock, step_s=round(step_s, 3)),
        pacing=replace(
            opened.run.pacing, rounds=summary.rounds, observed_s=round(summary.observed_s, 3)
        ),
        instrument=summary.instrument,
    )
    events = (
        (Event(f"{run.id}:interrupted", finished, "interrupted", source="nethealth"),)
        if summary.interrupted
        else ()
    )
    record = replace(
        opened,
        run=run,
        checks=summary.results,
        observations=summary.observations,
        events=events,
    )
    # Not before the first packet has left: it takes a while to load.
    from nethealth.diagnosis import judge  # noqa: PLC0415

    return replace(record, findings=judge(record))
