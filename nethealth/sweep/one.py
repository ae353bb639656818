"""One check from its start to its end, whatever its probe does."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from nethealth.model.check import Check
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation
from nethealth.model.ports import NetworkFailure
from nethealth.model.probe import Completion, Env, Probe

GRACE_S = 1.0  # what a probe that was told to stop may take to close its sockets
_REASON_LENGTH_MOST = 200


@dataclass(frozen=True, slots=True)
class Ending:
    """How a check ended and what it had seen by then.

    `left_behind` is the probe's task where it did not stop within GRACE_S of being told to.
    """

    completion: Completion
    observations: tuple[Observation, ...]
    left_behind: asyncio.Task[Completion] | None = None


async def run_one(check: Check, probe: Probe, env: Env, cut: asyncio.Future[None]) -> Ending:
    """Run the probe until it ends, its deadline passes, or `cut` is resolved."""
    observations: list[Observation] = []
    began_s = env.clock.monotonic_s()
    task = asyncio.create_task(_consume(check, probe, env, observations))
    either: set[asyncio.Future[Any]] = {task, cut}
    try:
        await asyncio.wait(either, timeout=check.deadline_s, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        task.cancel()  # `wait` leaves what it waited for running
        raise
    if task.done():
        return Ending(_completion_of(task), tuple(observations))
    if cut.done():
        took_s = env.clock.monotonic_s() - began_s
        completion = Completion(
            Outcome.FAILED, Failure.INTERRUPTED, f"interrupted after {took_s:.1f} s"
        )
    else:
        completion = Completion(
            Outcome.FAILED, Failure.TIMEOUT, f"stopped at its deadline of {check.deadline_s:g} s"
        )
    task.cancel()
    await asyncio.wait({task}, timeout=GRACE_S)
    return Ending(completion, tuple(observations), None if task.done() else task)


async def _consume(
    check: Check, probe: Probe, env: Env, observations: list[Observation]
) -> Completion:
    steps = probe.run(check, env)
    try:
        async for step in steps:
            if isinstance(step, Completion):
                return step
            observations.append(step)
    finally:
        if isinstance(steps, AsyncGenerator):
            await steps.aclose()
    return Completion(Outcome.COMPLETED)


def _completion_of(task: asyncio.Task[Completion]) -> Completion:
    if task.cancelled():
        return Completion(Outcome.FAILED, None, "internal error: the probe cancelled itself")
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, NetworkFailure):
        return Completion(Outcome.FAILED, error.failure, _bounded(error.reason))
    return Completion(
        Outcome.FAILED, None, _bounded(f"internal error: {type(error).__name__}: {error}")
    )


def _bounded(reason: str) -> str:
    first, *_ = reason.splitlines() or [""]
    return first[:_REASON_LENGTH_MOST]
