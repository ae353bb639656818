"""A world without waiting: an event loop whose time jumps to the next timer, and scripted doors."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from nethealth.model.check import (
    Check,
    CheckResult,
    ProbeKind,
    ProbeMethod,
    SipParameters,
    TcpParameters,
)
from nethealth.model.endpoint import Endpoint
from nethealth.model.inventory import SweepSettings
from nethealth.model.observation import Observation
from nethealth.model.ports import (
    Clock,
    DatagramChannel,
    EchoEvent,
    EchoFlow,
    NetworkStatistics,
    ProbeChannel,
    ProbeEvent,
    StreamChannel,
)
from nethealth.model.probe import Catalogue, Completion, Env, Need, Probe
from nethealth.sweep import Meters, Sink, SweepSummary, Watcher, run_checks

T = TypeVar("T")
WHEN = datetime(2026, 11, 22, 19, 3, 55, tzinfo=UTC)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Never sleeps: when nothing is ready, its clock moves on to the next timer."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        loop = self

        class Jumping(selectors.SelectSelector):
            def select(
                self, timeout: float | None = None
            ) -> list[tuple[selectors.SelectorKey, int]]:
                if timeout is None:
                    raise RuntimeError("everything waits for something that will never come")
                loop.now_s += max(0.0, timeout)
                return super().select(0)

        super().__init__(Jumping())

    def time(self) -> float:
        return self.now_s


class LoopClock:
    """The running loop's own time, virtual or real."""

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()

    def wall_utc(self) -> datetime:
        return WHEN + timedelta(seconds=self.monotonic_s())

    async def sleep_until(self, monotonic_s: float) -> None:
        await asyncio.sleep(max(0.0, monotonic_s - self.monotonic_s()))


class NoNetwork:
    """A network that no probe of these tests may use."""

    def __init__(self) -> None:
        self.statistics = NetworkStatistics()

    async def resolve(self, host: str, family: object = None) -> tuple[str, ...]:
        raise AssertionError("nothing is sent here")

    async def open_datagram(self, remote: Endpoint, *, dscp: int = 0) -> DatagramChannel:
        raise AssertionError("nothing is sent here")

    async def open_stream(self, remote: Endpoint, *, dscp: int = 0) -> StreamChannel:
        raise AssertionError("nothing is sent here")

    def open_echo(
        self, address: str, deliver: Callable[[EchoEvent], None], *, dscp: int, payload_bytes: int
    ) -> EchoFlow:
        raise AssertionError("nothing is sent here")

    def open_probe(
        self,
        remote: Endpoint,
        method: ProbeMethod,
        deliver: Callable[[ProbeEvent], None],
        *,
        dscp: int = 0,
        dont_fragment: bool = False,
    ) -> ProbeChannel:
        raise AssertionError("nothing is sent here")

    async def close(self) -> None:
        return None


def virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def tcp(name: str, site: str | None = "hall", host: str | None = None, **more: Any) -> Check:
    """A check of kind tcp; its own host unless told."""
    target = host or f"{name}.example"
    return Check(name, "tcp", "scdc", site, name, target, TcpParameters(target, 80), **more)


def sip(name: str, host: str, **more: Any) -> Check:
    parameters = SipParameters(f"sip:{host}", host, 5060)
    return Check(name, "sip", "scdc", "hall", name, host, parameters, **more)


@dataclass
class Book:
    """Sink and watcher that remember, with the moment of each."""

    kept: list[tuple[CheckResult, tuple[Observation, ...]]] = field(default_factory=list)
    starts_s: dict[str, float] = field(default_factory=dict)
    ends_s: dict[str, float] = field(default_factory=dict)

    def append(self, result: CheckResult, observations: Sequence[Observation]) -> None:
        self.kept.append((result, tuple(observations)))

    def started(self, check: Check) -> None:
        self.starts_s[check.id] = asyncio.get_running_loop().time()

    def finished(self, result: CheckResult) -> None:
        self.ends_s[result.id] = asyncio.get_running_loop().time()


Script = Callable[[Check, Env], AsyncIterator[Observation | Completion]]


def catalogue(script: Script, *needs: Need) -> Catalogue:
    """The script as the probe of kinds tcp and sip."""
    kinds: tuple[ProbeKind, ...] = ("tcp", "sip")
    return {kind: Probe(kind, script, {}, needs) for kind in kinds}


def seen(check: Check, number: int = 1, value: float = 0.001) -> Observation:
    """One observation of the check."""
    return Observation(f"{check.id}/{number}", check.id, "tcp_connect_time_s", value, "s")


def taking(seconds: float) -> Script:
    """A probe that takes that long and sees one thing."""

    async def probe(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
        await env.clock.sleep_until(env.clock.monotonic_s() + seconds)
        yield seen(check)

    return probe


async def run_once(
    checks: Sequence[Check],
    probes: Catalogue,
    network: NoNetwork,
    *,
    stop: asyncio.Event,
    meters: Meters,
    spread_s: float,
    sink: Sink,
    watcher: Watcher,
) -> SweepSummary:
    """`run_checks` in this world, with sink and watcher of the caller's own."""
    clock: Clock = LoopClock()
    return await run_checks(
        checks, probes, clock=clock, network=network, random=Random(1), settings=SweepSettings(),
        sink=sink, watcher=watcher, stop=stop, start_s=clock.monotonic_s(), unavailable={},
        forbidden=lambda check: None, spread_s=spread_s, meters=meters,
    )  # fmt: skip


async def sweep(
    checks: Sequence[Check],
    script: Script,
    book: Book | None = None,
    *,
    needs: tuple[Need, ...] = (),
    settings: SweepSettings | None = None,
    stop: asyncio.Event | None = None,
    unavailable: Mapping[Need, str] | None = None,
    forbidden: Callable[[Check], str | None] = lambda check: None,
    running_most: int = 500,
    spread_s: float = 0.0,
    meters: Meters | None = None,
    network: NoNetwork | None = None,
    probes: Catalogue | None = None,
) -> SweepSummary:
    """`run_checks` in this world, from now on."""
    clock: Clock = LoopClock()
    memory = book or Book()
    return await run_checks(
        checks,
        catalogue(script, *needs) if probes is None else probes,
        clock=clock,
        network=network or NoNetwork(),
        random=Random(1),
        settings=settings or SweepSettings(),
        sink=memory,
        watcher=memory,
        stop=stop or asyncio.Event(),
        start_s=clock.monotonic_s(),
        unavailable=unavailable or {},
        forbidden=forbidden,
        running_most=running_most,
        spread_s=spread_s,
        meters=meters,
    )
