"""Counts over time in a bounded number of bins: where they run out, the bins become wider."""

from collections import Counter

BINS_MAX = 720
FIRST_WIDTH_S = 1


class Bins:
    """Counts events by time; widths double as the span grows, so no event is ever lost."""

    def __init__(self) -> None:
        self.width_s = FIRST_WIDTH_S
        self._counts: Counter[int] = Counter()
        self._low: int | None = None  # the first bin and the last
        self._high = 0

    @property
    def total(self) -> int:
        return sum(self._counts.values())

    @property
    def most(self) -> int:
        """The highest count of one bin; 0 without any event."""
        return max(self._counts.values(), default=0)

    def add(self, time_ns: int, count: int = 1) -> None:
        index = time_ns // (self.width_s * 1_000_000_000)
        self._counts[index] += count
        self._low = index if self._low is None else min(self._low, index)
        self._high = max(self._high, index)
        while self._high - self._low >= BINS_MAX:
            self._widen()

    def series(self, width_s: int | None = None) -> tuple[int, list[int]]:
        """The start in ns since 1970, and the counts one after the other, empty bins included.

        `width_s`: at least so wide, to be set beside another series.
        """
        while width_s is not None and self.width_s < width_s:
            self._widen()
        if self._low is None:
            return 0, []
        start_ns = self._low * self.width_s * 1_000_000_000
        return start_ns, [self._counts[index] for index in range(self._low, self._high + 1)]

    def _widen(self) -> None:
        self.width_s *= 2
        wider: Counter[int] = Counter()
        for index, count in self._counts.items():
            wider[index // 2] += count
        self._counts = wider
        if self._low is not None:
            self._low, self._high = self._low // 2, self._high // 2
