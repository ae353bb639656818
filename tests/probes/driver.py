"""Runs one probe over real sockets and holds what it said."""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Any

from nethealth.model.check import Check, Parameters, ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Scalar
from nethealth.model.probe import Completion, Env
from probes import CATALOG
from probes.net import SystemClock, SystemNetwork


class NoPacing:
    """Every slot is free."""

    async def wait(self, packets: int = 1) -> None:
        assert packets > 0


@dataclass(frozen=True)
class Seen:
    """The observations in order, and the end."""

    observations: tuple[Observation, ...]
    end: Completion

    def only(self, name: str, **method: Scalar) -> Observation:
        """The one observation of that name (and, where given, those method entries)."""
        found = [
            each
            for each in self.observations
            if each.name == name and all(each.method[key] == method[key] for key in method)
        ]
        assert len(found) == 1, f"{len(found)} of {name} {method} in {self.names()}"
        return found[0]

    def value(self, name: str, **method: Scalar) -> Any:
        return self.only(name, **method).value

    def names(self) -> list[str]:
        return [each.name for each in self.observations]

    def failed(self, failure: Failure) -> bool:
        """Whether the check failed so, with a reason for a person."""
        return (
            self.end.outcome is Outcome.FAILED
            and self.end.failure is failure
            and bool(self.end.reason)
        )

    def completed(self) -> bool:
        return self.end == Completion(Outcome.COMPLETED)


async def observe(kind: ProbeKind, parameters: Parameters, *, ca_file: str | None = None) -> Seen:
    """Run the catalogue's probe of `kind`; the rules that hold for every probe are checked here."""
    clock = SystemClock()
    network = SystemNetwork(clock, ca_file)
    env = Env(clock, network, Random(20_261_122), NoPacing(), clock.monotonic_s())
    check = Check("a:b", kind, None, None, None, "a target", parameters)
    observations: list[Observation] = []
    end = None
    try:
        async for item in CATALOG[kind].run(check, env):
            assert end is None, "nothing may follow the completion"
            if isinstance(item, Completion):
                end = item
            else:
                observations.append(item)
    finally:
        await network.close()
    for each in observations:
        if each.name != "resolution_time_s":
            assert each.method["address"]
            assert each.method["ip_version"] in (4, 6)
    return Seen(tuple(observations), end or Completion(Outcome.COMPLETED))


def drive(kind: ProbeKind, parameters: Parameters, *, ca_file: str | None = None) -> Seen:
    return asyncio.run(observe(kind, parameters, ca_file=ca_file))
