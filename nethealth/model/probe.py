"""What a probe is: a function from a check to a stream of observations, and what it needs."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from nethealth.model.accounts import Accounts
from nethealth.model.check import Check, ProbeKind
from nethealth.model.completion import Completion
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.observation import Interval, Observation, Passport, Scalar
from nethealth.model.ports import Clock, Network, Pacer
from nethealth.model.pseudonym import Names, Revealed

Need = Literal["icmp_socket", "raw_socket", "tshark", "reflector"]


@dataclass(frozen=True, slots=True)
class Env:
    """All that a probe may touch of the world; `start_s` is the run's start on the same clock.

    `secrets` by the name of the variable that a check's `*_env` gives; with credentials a probe
    logs in only by a turn of `accounts`, and not at all where there is none.
    """

    clock: Clock
    network: Network
    random: Random
    pacer: Pacer
    start_s: float
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    accounts: Accounts | None = None
    name_servers: tuple[Endpoint, ...] = ()  # those that the system asks
    names: Names = Revealed()  # what an observation says in place of a person's name or number


ProbeFunction = Callable[[Check, Env], AsyncIterator[Observation | Completion]]


@dataclass(frozen=True, slots=True)
class Probe:
    """One entry of the catalogue."""

    kind: ProbeKind
    run: ProbeFunction
    units: Mapping[str, str | None]  # every observation it may make, with its unit
    needs: tuple[Need, ...] = ()


Catalogue = Mapping[ProbeKind, Probe]


class Observer:
    """Makes a check's observations: numbered `<check id>/<n>`, dated on the run's clock.

    `units` is the probe's own list of names; a name outside it is a KeyError, so that what the
    catalogue and the spec page say of a probe is all that it can say.
    """

    def __init__(self, check: Check, env: Env, units: Mapping[str, str | None]) -> None:
        self._check = check
        self._env = env
        self._units = units
        self._count = 0
        self.names = env.names

    def __call__(
        self,
        name: str,
        value: Scalar,
        *,
        samples: int | None = None,
        interval: Interval | None = None,
        failure: Failure | None = None,
        method: Passport | None = None,
        at_s: float | None = None,
    ) -> Observation:
        """One observation; `at_s` is monotonic (default: now)."""
        self._count += 1
        at = self._env.clock.monotonic_s() if at_s is None else at_s
        return Observation(
            id=f"{self._check.id}/{self._count}",
            check=self._check.id,
            name=name,
            value=value,
            unit=self._units[name],
            t_s=round(at - self._env.start_s, 6),
            samples=samples,
            interval=interval,
            failure=failure,
            method=method or {},
        )


__all__ = [
    "Catalogue",
    "Completion",
    "Env",
    "Need",
    "Observer",
    "Probe",
    "ProbeFunction",
]
