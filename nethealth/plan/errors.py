"""What cannot be planned, all of it at once."""

from collections.abc import Sequence


class TargetError(ValueError):
    """Targets or options that name nothing measurable; `faults` holds a sentence for each."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)
