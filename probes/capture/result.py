"""What reading captures gives back: values that need no numpy to be taken over."""

from dataclasses import dataclass

from nethealth.model.observation import Observation
from nethealth.model.probe import Completion
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


@dataclass(frozen=True, slots=True)
class CaptureRead:
    """All that was found in the files, and how far each could be read."""

    files: tuple[FileRead, ...]
    observations: tuple[Observation, ...]
    completion: Completion
