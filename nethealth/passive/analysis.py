"""What an analysis of a capture is: fed the packets run by run, and asked at the end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from nethealth.model.failure import Failure
from nethealth.model.observation import Interval, Passport, Scalar
from nethealth.passive.packets import Packets

Units = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Fact:
    """What will be an observation of the capture, under the same names.

    `time_ns`: since 1970, the moment that the fact belongs to; None for the capture as a whole.
    The unit stands in the analysis's own `UNITS`, the passport common to the capture is added
    when the fact is written.
    """

    name: str
    value: Scalar
    samples: int | None = None
    interval: Interval | None = None
    failure: Failure | None = None
    method: Passport = field(default_factory=dict)
    time_ns: int | None = None


class Analyser(Protocol):
    """One analysis. Its state is bounded, however long the capture."""

    def feed(self, packets: Packets) -> None:
        """Take the next packets of the timeline; they must not be kept beyond the call."""

    def finish(self) -> Iterator[Fact]:
        """What was found; asked once, after the last packet of the last file."""
