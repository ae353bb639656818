"""What reading captures gives back: values that need no numpy to be taken over."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nethealth.model.completion import Completion
from nethealth.model.observation import Observation
from nethealth.passive.interface import Interface


@dataclass(frozen=True, slots=True)
class FileRead:
    """How far one file was read. `reason`: why not to its end; None if it was.

    `octets` that were whole, unpacked; where `reason` is given it is the place of the fault.
    """

    name: str
    packets: int = 0
    octets: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    time_digits: int = 6
    interfaces: tuple[Interface, ...] = ()
    reason: str | None = None


# The fields of an `Observation`, in their order.
Row = tuple[Any, ...]


@dataclass(frozen=True)
class CaptureRead:
    """All that was found in the files, and how far each could be read.

    It comes from another process: thousands of observations go as plain rows, in a tenth of the
    time that they would take one by one.
    """

    files: tuple[FileRead, ...]
    rows: list[Row]
    completion: Completion

    @cached_property
    def observations(self) -> tuple[Observation, ...]:
        return tuple(Observation(*row) for row in self.rows)
