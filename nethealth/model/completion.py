"""How a probe ended, on its own: a process that reads captures loads nothing else of probes."""

from dataclasses import dataclass

from nethealth.model.failure import Failure, Outcome


@dataclass(frozen=True, slots=True)
class Completion:
    """How the probe ended; a probe that ends without one has completed."""

    outcome: Outcome
    failure: Failure | None = None
    reason: str | None = None
