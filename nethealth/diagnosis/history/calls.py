"""How many calls a site had at once, from its call records."""

from collections.abc import Iterable

import numpy as np

from nethealth.diagnosis.attribution.days import Floats
from nethealth.diagnosis.history.frame import Frame
from nethealth.model.observation import Event

_STEP_S = 60


def calls_at_once(events: Iterable[Event], frame: Frame) -> Floats:
    """The mean number of calls in progress, by bin; NaN on days of which no record tells.

    From events `call-start` and `call-end`, looked at once a minute. Nothing pairs the two, so
    that calls which were in progress before the first record count from there on.
    """
    known = list(events)
    starts, ends = (
        np.sort(np.asarray([one.time.timestamp() for one in known if one.kind == kind]))
        for kind in ("call-start", "call-end")
    )
    mean = np.full(frame.bins, np.nan)
    if not len(starts) or not len(ends):
        return mean
    moments = np.arange(frame.since_s, frame.until_s, _STEP_S)
    busy = starts.searchsorted(moments, "right") - ends.searchsorted(moments, "right")
    busy = busy - min(int(busy.min()), 0)
    told = np.concatenate([starts, ends]).astype(np.int64)
    told = told[(told >= frame.since_s) & (told < frame.until_s)]
    days = np.unique(frame.day_of(frame.bin_of(told)[0]))
    bins, kept = frame.bin_of(moments)
    kept &= np.isin(frame.day_of(bins), days)
    looked = np.bincount(bins[kept], minlength=frame.bins)
    summed = np.bincount(bins[kept], busy[kept], minlength=frame.bins)
    some = looked > 0
    mean[some] = summed[some] / looked[some]
    return mean
