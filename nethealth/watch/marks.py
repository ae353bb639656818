"""Marks of priority as they were seen, the latest first."""


class Marks:
    """Every DSCP that was seen, in bounded memory: there are 64."""

    def __init__(self) -> None:
        self._seen: dict[int, None] = {}

    def add(self, value: object) -> None:
        """The latest; what is no DSCP is none."""
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 63:
            self._seen.pop(value, None)
            self._seen[value] = None

    @property
    def values(self) -> tuple[int, ...]:
        return tuple(reversed(self._seen))
