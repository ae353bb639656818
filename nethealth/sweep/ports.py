"""What a sweep hands its results to: a sink that keeps them, a watcher that shows them."""

from collections.abc import Sequence
from typing import Protocol

from nethealth.model.check import Check, CheckResult
from nethealth.model.observation import Observation


class Sink(Protocol):
    """Keeps each finished check; called from the event loop, so it must return at once."""

    def append(self, result: CheckResult, observations: Sequence[Observation]) -> None: ...


class Watcher(Protocol):
    """Told of every check as it starts and ends; one that never starts only ends."""

    def started(self, check: Check) -> None: ...
    def finished(self, result: CheckResult) -> None: ...
