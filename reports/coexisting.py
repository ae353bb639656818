"""The figures of a load beside voice: what both classes met, and how many calls fit."""

from collections.abc import Mapping, Sequence
from math import isfinite

from nethealth.model.observation import Observation
from reports.escape import clip
from reports.words import number, seconds

Seen = Mapping[str, Sequence[Observation]]
Lines = list[tuple[str, str]]

PHASES = ("download", "upload")
_WAYS = {"download": "forward", "upload": "return"}


def coexistence(seen: Seen) -> Lines:
    """A line for each load, one for what each class met, and one for the calls."""
    lines: Lines = []
    for phase in PHASES:
        lines += _load(seen, phase)
    return lines


def _load(seen: Seen, phase: str) -> Lines:
    ended = _one(seen, "load_ended_by", phase=phase)
    if ended is None:
        return []
    rate = _one(seen, "load_rate_bps", phase=phase)
    carried = _float(rate.value) if rate else None
    if rate is None or carried is None:
        return [(phase, clip(str(ended.value), 300))]
    asked = _float(rate.method.get("asked_bps"))
    text = f"{_mbps(carried)} of {_mbps(asked)} asked; ended by: {clip(str(ended.value), 300)}"
    lines: Lines = [(phase, text)]
    waits = [
        f"DSCP {mark} {'+' if wait >= 0 else ''}{seconds(wait)}"
        for mark in _marks(seen)
        if (wait := _wait(seen, phase, mark)) is not None
    ]
    if waits:
        lines.append((f"wait beside the {phase}", ", ".join(waits)))
    calls = _calls(seen, phase)
    if calls:
        lines.append((f"calls that fit, {phase}", calls))
    return lines


def _marks(seen: Seen) -> list[int]:
    marks = [one.method.get("dscp") for one in seen.get("packets_sent_count", ())]
    return sorted({mark for mark in marks if isinstance(mark, int)}, reverse=True)


def _wait(seen: Seen, phase: str, mark: int) -> float | None:
    found = _one(seen, "queueing_delay_median_s", phase=phase, dscp=mark, direction=_WAYS[phase])
    return _float(found.value) if found is not None else None


def _calls(seen: Seen, phase: str) -> str:
    return "; ".join(
        f"{one.method.get('codec')} {one.method.get('bound')} {number(calls)} "
        f"by {one.method.get('basis')}"
        for one in seen.get("calls_fit_count", ())
        if one.method.get("phase") == phase and (calls := _float(one.value)) is not None
    )


def _one(seen: Seen, name: str, **method: object) -> Observation | None:
    return next(
        (
            one
            for one in seen.get(name, ())
            if all(one.method.get(key) == value for key, value in method.items())
        ),
        None,
    )


def _mbps(bits_per_s: float | None) -> str:
    return "no known rate" if bits_per_s is None else f"{bits_per_s / 1e6:.1f} Mbit/s"


def _float(value: object) -> float | None:
    """The value, if it is a finite number to reckon with."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None
