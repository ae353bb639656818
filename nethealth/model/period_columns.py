"""Values to the columns of a period, one execution of a check after the other.

The same columns as the store keeps packed, from raw observations: of records in files, or to hold
what is packed against what it was packed from.
"""

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import nan

from nethealth.model.check import ProbeKind
from nethealth.model.observation import Passport, Scalar
from nethealth.model.period import PERIOD_NAMES, SERIES_KEYS, CheckPeriod, Column, packable

Identity = tuple[str, str | None, str | None, str | None, ProbeKind, str]
Values = Iterable[tuple[str, str | None, Passport, Scalar]]  # name, unit, method and value

_NAMES = frozenset(PERIOD_NAMES)
_LOADED = ("download", "upload")  # beside a load of our own a line is not as its users find it


@dataclass(slots=True)
class _Check:
    target: str = ""
    times_s: "array[int]" = field(default_factory=lambda: array("I"))
    states: "array[int]" = field(default_factory=lambda: array("B"))
    columns: "dict[tuple[str, str | None, str], array[float]]" = field(default_factory=dict)


class Gathered:
    """Columns while they grow; `identity` is vantage, council, site, asset, probe and check."""

    def __init__(self) -> None:
        self._checks: dict[Identity, _Check] = {}

    def add(self, identity: Identity, target: str, time_s: int, state: int, values: Values) -> None:
        """One execution; `check` in the identity is without its round."""
        check = self._checks.setdefault(identity, _Check())
        check.target = target
        done: set[tuple[str, str | None, str]] = set()
        for name, unit, method, value in values:
            if name not in _NAMES or method.get("phase") in _LOADED:
                continue
            number = packable(value)
            key = (name, unit, series_of(method))
            if number is None or key in done:  # the first of its kind speaks for the check
                continue
            done.add(key)
            column = check.columns.setdefault(key, array("f"))
            column.extend([nan] * (len(check.times_s) - len(column)))
            column.append(number)
        check.times_s.append(time_s)
        check.states.append(state)

    def periods(self) -> Iterator[CheckPeriod]:
        """By council, site, asset and check, null first; oldest first within a check."""
        for identity in sorted(self._checks, key=_order):
            vantage, council, site, asset, probe, check = identity
            found = self._checks[identity]
            columns = []
            for (name, unit, method), values in found.columns.items():
                values.extend([nan] * (len(found.times_s) - len(values)))
                columns.append(Column(name, unit, json.loads(method), values))
            yield CheckPeriod(
                vantage, council, site, asset, probe, check, found.target,
                found.times_s, found.states, tuple(columns),
            ).in_order()  # fmt: skip


def series_of(method: Mapping[str, object]) -> str:
    """What of a passport tells one series from another, as JSON."""
    kept = {key: method[key] for key in SERIES_KEYS if method.get(key) is not None}
    return json.dumps(kept, separators=(",", ":"), sort_keys=True)


def _order(identity: Identity) -> tuple[str, ...]:
    vantage, council, site, asset, _, check = identity
    return (council or "", site or "", asset or "", check, vantage)
