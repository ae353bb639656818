"""Values to the columns of a period, one execution of a check after the other.

The same columns as the store keeps packed, from raw observations: of records in files, or to hold
what is packed against what it was packed from.
"""

import json
import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import nan

from nethealth.model.check import ProbeKind
from nethealth.model.observation import Passport, Scalar
from nethealth.model.period import (
    PERIOD_NAMES,
    SERIES_KEYS,
    SUMMED,
    CheckPeriod,
    Column,
    began_s,
    packable,
    state_of,
)
from nethealth.model.record import Record

Identity = tuple[str, str | None, str | None, str | None, ProbeKind, str]
Value = tuple[str, str | None, Passport, Scalar]  # name, unit, method and value
Series = tuple[str, str | None, str]  # name, unit, and `series_of` the method

_NAMES = frozenset(PERIOD_NAMES)
_LOADED = ("download", "upload")  # beside a load of our own a line is not as its users find it
_ROUND = re.compile(r"#\d{1,9}\Z")


@dataclass(slots=True)
class _Check:
    target: str = ""
    times_s: "array[int]" = field(default_factory=lambda: array("I"))
    states: "array[int]" = field(default_factory=lambda: array("B"))
    columns: "dict[Series, array[float]]" = field(default_factory=dict)


class Gathered:
    """Columns while they grow; `identity` is vantage, council, site, asset, probe and check."""

    def __init__(self) -> None:
        self._checks: dict[Identity, _Check] = {}

    def add(
        self, identity: Identity, target: str, time_s: int, state: int, values: Iterable[Value]
    ) -> None:
        """One execution; `check` in the identity is without its round."""
        check = self._checks.setdefault(identity, _Check())
        check.target = target
        for key, number in packed_of(values):
            column = check.columns.setdefault(key, array("f"))
            column.extend([nan] * (len(check.times_s) - len(column)))
            column.append(number)
        check.times_s.append(time_s)
        check.states.append(state)

    def add_run(
        self, record: Record, *, council: str | None = None, site: str | None = None
    ) -> None:
        """Every check of a record, or of a council or site; captures and sums are none."""
        seen: dict[str, list[Value]] = defaultdict(list)
        for one in record.observations:
            if one.name in _NAMES:
                seen[one.check].append((one.name, one.unit, one.method, one.value))
        for check in record.checks:
            if (
                check.probe == "capture"
                or check.id.endswith(SUMMED)
                or council not in (None, check.council)
                or site not in (None, check.site)
            ):
                continue
            self.add(
                (record.run.vantage, check.council, check.site, check.asset, check.probe,
                 _ROUND.sub("", check.id)),
                check.target,
                began_s(record.run.started, check.started_s),
                state_of(check.outcome, check.failure),
                seen.get(check.id, ()),
            )  # fmt: skip

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


def columns_of(record: Record) -> tuple[CheckPeriod, ...]:
    """The checks of a record as columns, in the order of `Gathered.periods`."""
    gathered = Gathered()
    gathered.add_run(record)
    return tuple(gathered.periods())


def packed_of(values: Iterable[Value]) -> Iterator[tuple[Series, float]]:
    """What columns hold of one execution; the first of its kind speaks for the check."""
    done: set[Series] = set()
    for name, unit, method, value in values:
        if name not in _NAMES or method.get("phase") in _LOADED:
            continue
        number = packable(value)
        if number is None:
            continue
        key = (name, unit, series_of(method))
        if key not in done:
            done.add(key)
            yield key, number


def series_of(method: Passport) -> str:
    """What of a passport tells one series from another, as JSON."""
    kept = {key: method[key] for key in SERIES_KEYS if method.get(key) is not None}
    return json.dumps(kept, separators=(",", ":"), sort_keys=True)


def _order(identity: Identity) -> tuple[str, ...]:
    vantage, council, site, asset, _, check = identity
    return (council or "", site or "", asset or "", check, vantage)
