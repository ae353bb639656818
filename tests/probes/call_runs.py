"""One run of the call probe on the real network, and what it said."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from nethealth.model.check import CallCodec, CallParameters, Check, SipTransport
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Scalar
from nethealth.model.probe import Completion, Env
from nethealth.sweep import RunAccounts
from probes.call import CALL
from probes.call_account import UNITS
from probes.net import SystemClock, SystemNetwork
from tests.probes.sip_runs import NoPacer

PASSWORD_ENV = "CALL_PASSWORD"


@dataclass(frozen=True)
class Said:
    """What a call gave; `value` finds one observation by its name and the keys of its method."""

    observations: tuple[Observation, ...]
    completion: Completion | None

    def find(self, name: str, **method: Scalar) -> list[Observation]:
        return [
            one
            for one in self.observations
            if one.name == name and all(one.method.get(key) == method[key] for key in method)
        ]

    def one(self, name: str, **method: Scalar) -> Observation:
        found = self.find(name, **method)
        assert len(found) == 1, f"{name} {method}: {found} of {[o.name for o in self.observations]}"
        return found[0]

    def value(self, name: str, **method: Scalar) -> Scalar:
        return self.one(name, **method).value

    def number(self, name: str, **method: Scalar) -> float:
        found = self.value(name, **method)
        assert isinstance(found, int | float)
        return found

    @property
    def end(self) -> tuple[Outcome, Failure | None]:
        assert self.completion is not None
        return self.completion.outcome, self.completion.failure


def parameters(
    port: int,
    *,
    host: str = "127.0.0.1",
    user: str = "echo@",
    transport: SipTransport = "udp",
    duration_s: float = 1.0,
    ring_timeout_s: float = 5.0,
    codecs: tuple[CallCodec, ...] = ("PCMA", "PCMU"),
    username: str | None = None,
) -> CallParameters:
    name = f"[{host}]" if ":" in host else host
    return CallParameters(
        f"sip:{user}{name}:{port}", host, port, transport, duration_s, ring_timeout_s, codecs,
        username=username, password_env=username and PASSWORD_ENV,
    )  # fmt: skip


async def place(
    asked: CallParameters,
    *,
    deadline_s: float = 30.0,
    cut_after_s: float | None = None,
    ca_file: Path | None = None,
    password: str = "",
    accounts: RunAccounts | None = None,
) -> Said:
    """Make the call; `cut_after_s`: cancel the probe's task then, as a deadline does."""
    clock = SystemClock()
    network = SystemNetwork(clock, str(ca_file) if ca_file else None)
    env = Env(
        clock, network, Random(1), NoPacer(), clock.monotonic_s(),
        {PASSWORD_ENV: password} if password else {}, accounts or RunAccounts(),
    )  # fmt: skip
    check = Check("pbx:call", "call", None, None, None, asked.uri, asked, deadline_s)
    observations: list[Observation] = []
    completions: list[Completion] = []

    async def consume() -> None:
        async for item in CALL.run(check, env):
            if isinstance(item, Completion):
                completions.append(item)
            else:
                assert not completions, "nothing follows the completion"
                observations.append(item)

    task = asyncio.create_task(consume())
    try:
        await asyncio.wait({task}, timeout=cut_after_s)
        task.cancel()
        await asyncio.wait({task}, timeout=1.0)  # the grace of the sweep
        assert task.done(), "it did not stop"
        if not task.cancelled():
            task.result()
    finally:
        await network.close()
    for one in observations:
        assert one.unit == UNITS[one.name]
        if one.name != "resolution_time_s":
            assert {"address", "ip_version"} <= one.method.keys(), one.name
    return Said(tuple(observations), completions[0] if completions else None)


def shown(said: Said) -> Mapping[str, Scalar]:
    """For a failing test: names with their direction, and values."""
    return {f"{one.name} {one.method.get('direction', '')}": one.value for one in said.observations}
