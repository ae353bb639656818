"""How much longer than the quickest the packets of each stream took, as histograms.

Bins are an eighth of an octave, so that a percentile is known to within 13 % of itself however
long the stream; the memory is a fixed number of counts for each.
"""

import numpy as np
import numpy.typing as npt

from nethealth.passive.columns import Ints

_FIRST_NS = 8192  # all that is less is as good as nothing
BINS = 192  # up to a quarter of an hour
FRACTION_BITS = 49  # of a float's 52: what is left over are the exponent and three bits
BASE = int(np.float64(_FIRST_NS).view(np.int64)) >> FRACTION_BITS
RESOLUTION = 1 / 8


class Variation:
    """One histogram for each stream that was begun, by `row`."""

    def __init__(self) -> None:
        self.counts = np.zeros((0, BINS), np.int64)

    def rows(self, count: int) -> Ints:
        """So many new ones."""
        begin = len(self.counts)
        self.counts = np.concatenate([self.counts, np.zeros((count, BINS), np.int64)])
        return np.arange(begin, begin + count)

    def add(self, rows: Ints, begins: Ints, above_ns: Ints, counted: npt.NDArray[np.bool_]) -> None:
        """Times above the quickest, in segments of `rows` (one each) that begin at `begins`."""
        # A float's own bits are its logarithm, near enough: exponent, then the first of its digits.
        exponent = np.maximum(above_ns, 1).astype(np.float64).view(np.int64) >> FRACTION_BITS
        bins = np.minimum(np.maximum(exponent - BASE + 1, 0), BINS - 1)
        sizes = np.diff(begins, append=len(above_ns))
        place = np.repeat(np.arange(len(begins)) * BINS, sizes) + bins
        counts = np.bincount(place[counted], minlength=len(begins) * BINS)
        self.counts[rows] += counts.reshape(-1, BINS)

    def quantile_s(self, row: int, share: float) -> float | None:
        """The upper edge of the bin that the quantile lies in; None for a stream of nothing."""
        running = np.cumsum(self.counts[row])
        if not running[-1]:
            return None
        index = int(np.searchsorted(running, share * running[-1]))
        edge = np.int64((index + BASE) << FRACTION_BITS).view(np.float64)
        return float(edge) / 1e9
