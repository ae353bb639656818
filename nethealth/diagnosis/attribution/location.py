"""The Hodges-Lehmann estimate: the median of all averages of two (Hodges and Lehmann 1963)."""

import numpy as np

from nethealth.diagnosis.attribution.days import Floats

_CELLS_MOST = 4_000_000


def hodges_lehmann(rows: Floats) -> Floats:
    """Of each row the median of its Walsh averages, a value with itself included.

    NaN in a row is left out; a row of nothing else gives NaN.
    """
    rows = np.atleast_2d(rows)
    count = rows.shape[1]
    if count == 0:
        return np.full(len(rows), np.nan)
    left, right = np.triu_indices(count)
    result = np.empty(len(rows))
    step = max(1, _CELLS_MOST // len(left))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        averages = (part[:, left] + part[:, right]) / 2
        whole = np.isfinite(averages).all(axis=1)
        found = np.full(len(part), np.nan)
        if whole.any():
            found[whole] = np.median(averages[whole], axis=1)
        for index in np.flatnonzero(~whole):
            kept = averages[index][np.isfinite(averages[index])]
            if kept.size:
                found[index] = np.median(kept)
        result[start : start + step] = found
    return result
