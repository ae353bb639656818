"""Any number of values in bounded memory: exact ends, and quantiles of an even share of them."""

import math


class Sample:
    """Quantiles of any number of values in bounded memory.

    When full, every other kept value is dropped and from then on half as many are taken, so what
    is kept stays evenly spread over the whole run. The least and greatest values are exact.
    """

    def __init__(self, kept_most: int = 8192) -> None:
        self._kept: list[float] = []
        self._kept_most = kept_most
        self._step = 1
        self.count = 0  # of all values, kept or not
        self.least: float | None = None
        self.greatest: float | None = None

    @property
    def values(self) -> tuple[float, ...]:
        """What is kept, in the order in which it came."""
        return tuple(self._kept)

    def add(self, value: float) -> None:
        self.least = value if self.least is None else min(self.least, value)
        self.greatest = value if self.greatest is None else max(self.greatest, value)
        if self.count % self._step == 0:
            self._kept.append(value)
            if len(self._kept) == self._kept_most:
                del self._kept[1::2]
                self._step *= 2
        self.count += 1

    def quantile(self, share: float) -> float | None:
        """The nearest-rank quantile; null when nothing was added."""
        if not self._kept:
            return None
        return sorted(self._kept)[max(0, math.ceil(share * len(self._kept)) - 1)]
