"""The figures of one place, by day and over the whole period, from the columns of its checks."""

import hashlib
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nethealth.diagnosis.over_period.calendar import Calendar, Integers
from nethealth.diagnosis.over_period.intervals import share_interval
from nethealth.model.check import ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.period import NOT_RUN_LEAST, CheckPeriod, Column, ended
from nethealth.model.period_report import Daily, Figure, Place

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NAMES = ("packet_loss_ratio", "round_trip_delay_median_s", "r_factor")  # the columns that are read
_ASKING: frozenset[ProbeKind] = frozenset({"ping", "tcp", "dns", "http", "sip", "call", "stamp"})
_STREAMS: tuple[ProbeKind, ...] = ("ping", "stamp")
_SPEECH: tuple[ProbeKind, ...] = ("call", "stamp", "ping")  # the best basis first
_SAYS_NOTHING = {Failure.INTERRUPTED, Failure.RESOLVE}  # as `nethealth.model.measured` has it
_NOTHING = 1e-9
_DIGITS = 6  # of a figure: more would differ with the order in which a machine adds


def _states(wanted: "Iterable[int]") -> Bools:
    table = np.zeros(256, dtype=np.bool_)
    table[list(wanted)] = True
    return table


_KNOWN = [
    state for state in range(len(Outcome) * 16) if state % 16 <= len(Failure)
]  # every octet that `state_of` gives
_MEASURED = _states(
    state for state in _KNOWN if state < NOT_RUN_LEAST and ended(state)[1] not in _SAYS_NOTHING
)
_ANSWERED = _states(state for state in _KNOWN if ended(state) == (Outcome.COMPLETED, None))


@dataclass(frozen=True, slots=True)
class Sample:
    """What one check, or several of one place together, gave; all by local day.

    `loss_ratio`, `delay` and `speech` are days and values of the checks that have them.
    """

    due: int
    hours: Integers  # numbers of the hours in which anything was measured, each once
    measured: Integers  # checks, by day
    asked: Integers  # of these, those that availability counts
    answered: Integers
    loss_ratio: tuple[Integers, Floats]
    delay: tuple[Integers, Floats]
    speech: dict[ProbeKind, tuple[Integers, Floats]]


def sample(check: CheckPeriod, days: Calendar) -> Sample:
    """One check over the period."""
    times = np.frombuffer(check.times_s, dtype=np.uint32).astype(np.int64)
    states = np.frombuffer(check.states, dtype=np.uint8)
    day = days.day_of(times)
    inside = (day >= 0) & (day < len(days.days))
    measured = inside & _MEASURED[states]
    answered = measured & _ANSWERED[states]
    losses = _values(check, "packet_loss_ratio") if check.probe in _STREAMS else []
    for values in losses:
        answered &= ~(values >= 1)  # it ran to its end, and nothing came back
    asking = check.probe in _ASKING
    hours = np.unique(days.hour_of(times[measured], day[measured]))
    count = len(days.days)

    def counted(which: Bools) -> Integers:
        return np.bincount(day[which], minlength=count).astype(np.int64)

    delays = _values(check, "round_trip_delay_median_s") if check.probe in _STREAMS else []
    speech = _values(check, "r_factor") if check.probe in _SPEECH else []
    none = np.zeros(count, dtype=np.int64)
    return Sample(
        due=int(inside.sum()),
        hours=hours,
        measured=counted(measured),
        asked=counted(measured) if asking else none,
        answered=counted(answered) if asking else none,
        loss_ratio=_known(day, losses, answered),
        delay=_known(day, delays, measured),
        speech={check.probe: found} if (found := _known(day, speech, measured))[0].size else {},
    )


def together(samples: Sequence[Sample]) -> Sample:
    """Several checks of one place as one; ValueError for none."""
    if not samples:
        raise ValueError("no checks")
    probes = {probe for one in samples for probe in one.speech}
    return Sample(
        due=sum(one.due for one in samples),
        hours=np.unique(np.concatenate([one.hours for one in samples])),
        measured=_sum([one.measured for one in samples]),
        asked=_sum([one.asked for one in samples]),
        answered=_sum([one.answered for one in samples]),
        loss_ratio=_joined([one.loss_ratio for one in samples]),
        delay=_joined([one.delay for one in samples]),
        speech={
            probe: _joined([one.speech[probe] for one in samples if probe in one.speech])
            for probe in sorted(probes)
        },
    )


def place(
    found: Sample,
    days: Calendar,
    identity: tuple[str | None, str | None, str | None],
    sha256: str,
) -> Place:
    """The figures of a place; `identity`: council, site, and asset or None for the whole site."""
    basis, speech = _speech(found)
    count = len(days.days)
    hour_days = np.searchsorted(np.cumsum(days.hours), found.hours, side="right")
    council, site, asset = identity
    return Place(
        council=council,
        site=site,
        asset=asset,
        due=found.due,
        measured=int(found.measured.sum()),
        hours=len(found.hours),
        availability=_share(found.answered.astype(float), found.asked.astype(float)),
        loss=_share(*_lost(found, count)),
        delay_median_s=_quantile(found.delay[1], 0.5),
        delay_p95_s=_quantile(found.delay[1], 0.95),
        r_factor_median=_quantile(speech[1], 0.5),
        r_factor_p5=_quantile(speech[1], 0.05),
        r_basis=basis,
        daily=Daily(
            hours=tuple(int(n) for n in np.bincount(hour_days, minlength=count)),
            checks=tuple(int(n) for n in found.asked),
            answered=tuple(int(n) for n in found.answered),
            loss_ratio=_rounded_all(by_day(found, "packet_loss_ratio", count)),
            delay_median_s=_rounded_all(by_day(found, "round_trip_delay_median_s", count)),
            delay_p95_s=_rounded_all(by_day(found, "round_trip_delay_p95_s", count)),
            r_factor_median=_rounded_all(by_day(found, "r_factor", count)),
            r_factor_p5=_rounded_all(quantiles_by_day(speech, 0.05, count)),
        ),
        sha256=sha256,
    )


def by_day(found: Sample, outcome: str, count: int) -> Floats:
    """An outcome of a place on each of `count` days, NaN for a day without."""
    if outcome == "availability":
        return _ratio(found.answered.astype(float), found.asked.astype(float))
    if outcome == "packet_loss_ratio":
        return _ratio(*_lost(found, count))
    if outcome == "r_factor":
        return quantiles_by_day(_speech(found)[1], 0.5, count)
    return quantiles_by_day(found.delay, 0.5 if outcome.endswith("median_s") else 0.95, count)


def _lost(found: Sample, count: int) -> tuple[Floats, Floats]:
    """By day: the sum of the checks' loss, and of how many checks it is."""
    day, values = found.loss_ratio
    sums = np.bincount(day, weights=values, minlength=count).astype(float)
    return sums, np.bincount(day, minlength=count).astype(float)


def _speech(found: Sample) -> tuple[ProbeKind | None, tuple[Integers, Floats]]:
    """The best basis that there is, with its days and values."""
    basis = next((probe for probe in _SPEECH if probe in found.speech), None)
    return basis, _joined([]) if basis is None else found.speech[basis]


def _ratio(parts: Floats, wholes: Floats) -> Floats:
    """NaN where there is nothing to divide by."""
    found: Floats = np.divide(parts, wholes, out=np.full(len(wholes), np.nan), where=wholes > 0)
    return found


def quantiles_by_day(found: tuple[Integers, Floats], q: float, count: int) -> Floats:
    """The quantile of each day's values, between two by their distance; NaN for a day of none."""
    day, values = found
    order = np.lexsort((values, day))
    day, values = day[order], values[order]
    starts = np.searchsorted(day, np.arange(count), side="left")
    sizes = np.searchsorted(day, np.arange(count), side="right") - starts
    result = np.full(count, np.nan)
    some = sizes > 0
    if some.any():
        at = starts[some] + q * (sizes[some] - 1)
        low = np.floor(at).astype(np.int64)
        high = np.minimum(low + 1, starts[some] + sizes[some] - 1)
        result[some] = values[low] + (at - low) * (values[high] - values[low])
    return result


def digest(check: CheckPeriod) -> str:
    """SHA-256 of a check's columns: what they are of, then their octets, little-endian."""
    made = hashlib.sha256()
    head = [check.vantage, check.council, check.site, check.asset, check.probe, check.check]
    made.update(repr(head).encode())
    kept = [one for one in check.columns if one.name in NAMES]
    columns: list[tuple[str, array[int] | array[float]]] = [
        ("times", check.times_s),
        ("states", check.states),
        *sorted(
            ((f"{one.name} {sorted(one.method.items())!r}", one.values) for one in kept),
            key=lambda pair: pair[0],
        ),
    ]
    for name, values in columns:
        made.update(f"\n{name} {len(values)}\n".encode())
        made.update(_little(values))
    return made.hexdigest()


def _little(values: "array[int] | array[float]") -> bytes:
    """The octets of a column in the order that is the same on every machine."""
    if sys.byteorder == "little":
        return values.tobytes()
    turned = values[:]
    turned.byteswap()
    return turned.tobytes()


def digest_of(digests: Iterable[str]) -> str:
    """One SHA-256 for several, in their order."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def rounded(value: float) -> float | None:
    """Six significant digits; None for NaN, 0 for what only the order of adding has left."""
    if np.isnan(value):
        return None
    return 0.0 if abs(value) < _NOTHING else float(f"{value:.{_DIGITS}g}")


def _rounded_all(values: Floats) -> tuple[float | None, ...]:
    return tuple(rounded(float(value)) for value in values)


def _values(check: CheckPeriod, name: str) -> list[Floats]:
    """The columns of a name that are of the round trip, or where there are none of any way."""
    columns = [one for one in check.columns if one.name == name]
    whole = [one for one in columns if one.method.get("direction") in (None, "round-trip")]
    return [_floats(one) for one in whole or columns]


def _floats(column: Column) -> Floats:
    return np.frombuffer(column.values, dtype=np.float32).astype(np.float64)


def _known(day: Integers, columns: Sequence[Floats], which: Bools) -> tuple[Integers, Floats]:
    parts = [(day[kept], values[kept]) for values in columns
             for kept in [which & np.isfinite(values)]]  # fmt: skip
    return _joined(parts)


def _joined(parts: Sequence[tuple[Integers, Floats]]) -> tuple[Integers, Floats]:
    if not parts:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    return np.concatenate([day for day, _ in parts]), np.concatenate([one for _, one in parts])


def _sum(parts: Sequence[Integers]) -> Integers:
    return np.asarray(np.sum(parts, axis=0), dtype=np.int64)


def _share(parts: Floats, wholes: Floats) -> Figure:
    count = int(wholes.sum())
    if not count:
        return Figure(None, 0)
    interval = share_interval(parts, wholes)
    bounds = None if interval is None else tuple(rounded(bound) or 0.0 for bound in interval)
    share = rounded(float(parts.sum()) / count)
    return Figure(share, count, None if bounds is None else (bounds[0], bounds[1]))


def _quantile(values: Floats, q: float) -> Figure:
    if not values.size:
        return Figure(None, 0)
    return Figure(rounded(float(np.quantile(values, q))), int(values.size))
