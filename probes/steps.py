"""Steps that the probes share: a name to one address, and a wait that has an end."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from nethealth.model.check import Family
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Scalar
from nethealth.model.ports import NetworkFailure
from nethealth.model.probe import Completion, Env, Observer
from probes.addresses import ip_version

RESOLUTION_UNITS: dict[str, str | None] = {"resolution_time_s": "s"}

_ADDRESSES_MAX = 32
_T = TypeVar("_T")


@dataclass(frozen=True)
class Resolution:
    """The one address that is measured; `failure` in its place if there is none."""

    address: str = ""
    observations: tuple[Observation, ...] = ()
    failure: NetworkFailure | None = None
    passport: Mapping[str, Scalar] = field(default_factory=dict)  # for every later observation


async def resolve_one(host: str, family: Family | None, env: Env, observe: Observer) -> Resolution:
    """The resolver's first address; nothing is observed of a host that is numeric already."""
    started_s = env.clock.monotonic_s()
    try:
        addresses = await env.network.resolve(host, family)
    except NetworkFailure as failure:
        unresolved = observe(
            "resolution_time_s", None, failure=failure.failure, method={"name": host}
        )
        return Resolution(observations=(unresolved,), failure=failure)
    ended_s = env.clock.monotonic_s()
    address = addresses[0]
    passport: Mapping[str, Scalar] = {"address": address, "ip_version": ip_version(address)}
    if addresses == (host,):
        return Resolution(address, passport=passport)
    resolved = observe(
        "resolution_time_s",
        ended_s - started_s,
        samples=1,
        method={"name": host, "addresses": addresses[:_ADDRESSES_MAX]},
    )
    return Resolution(address, (resolved,), passport=passport)


async def within(timeout_s: float, step: Awaitable[_T], doing: str) -> _T:
    """`step`, which fails with TIMEOUT if it takes longer."""
    try:
        async with asyncio.timeout(max(0.0, timeout_s)):
            return await step
    except TimeoutError:
        raise NetworkFailure(
            Failure.TIMEOUT, f"{doing}: not done within {timeout_s:.3g} s"
        ) from None


def failed(failure: NetworkFailure) -> Completion:
    """The end of a check that `failure` stopped."""
    return Completion(Outcome.FAILED, failure.failure, failure.reason)


def not_run(reason: str) -> Completion:
    """The end of a check before anything was sent."""
    return Completion(Outcome.NOT_RUN, reason=reason)
