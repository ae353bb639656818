"""A stretch of history by check: when it ran, how it ended, and what it measured, in columns.

A year of many assets is tens of millions of values, so that one value is no object: a column is an
`array` of the standard library, which numpy reads in place (`numpy.frombuffer`) and plain Python
reads as a sequence. Nothing is ever filled in: what was not measured is NaN.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isfinite, nan
from statistics import median_low

from nethealth.model.check import ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Scalar

# What is kept in columns: the numbers that are followed over time. The rest is in the raw rows.
PERIOD_NAMES: tuple[str, ...] = (
    "packets_sent_count",
    "packet_loss_ratio",
    "packet_loss_burst_ratio",
    "round_trip_delay_median_s",
    "one_way_delay_median_s",
    "pdv_p99_s",
    "r_factor",
    "sip_response_delay_s",
    "sip_status_code",
    "tcp_connect_time_s",
    "dns_response_time_s",
    "http_first_byte_time_s",
    "http_status_code",
    "certificate_days_to_expiry",
    "temperature_celsius",
)
# Of a passport, what tells one series from another.
SERIES_KEYS = ("direction", "hop", "interface", "dscp", "sensor", "mib", "place")
GAP_STEPS = 2  # this many usual steps without a check that ran are a gap

SUMMED = ":history"  # a check that is itself the sum of a history
_LAST_S = 2**32 - 1
_OUTCOMES = tuple(Outcome)
_FAILURES: tuple[Failure | None, ...] = (None, *Failure)
_FAILURES_MOST = 16


def state_of(outcome: Outcome, failure: Failure | None) -> int:
    """How a check ended, as one octet: 16 times the outcome and the failure, in their order."""
    return _FAILURES_MOST * _OUTCOMES.index(outcome) + _FAILURES.index(failure)


def ended(state: int) -> tuple[Outcome, Failure | None]:
    """The inverse of `state_of`."""
    outcome, failure = divmod(state, _FAILURES_MOST)
    return _OUTCOMES[outcome], _FAILURES[failure]


NOT_RUN_LEAST = state_of(Outcome.NOT_RUN, None)  # states from here on sent nothing


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which the check did not run."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The values of one statistic (`array("f")`), one for each time; NaN where there was none.

    `method` holds only what tells series apart, such as `direction` or `interface`.
    """

    name: str
    unit: str | None
    method: Mapping[str, Scalar]
    values: "array[float]"

    @property
    def known(self) -> int:
        """How many values there are."""
        return sum(value == value for value in self.values)  # noqa: PLR0124  (NaN is not itself)


@dataclass(frozen=True, slots=True, eq=False)
class CheckPeriod:
    """One check from one vantage over a stretch of time, oldest first.

    `check` is the id without its round. `times_s`: `array("I")`, when each execution began, in
    whole seconds since 1970 UTC. `states`: `array("B")`, how it ended (`ended`). All columns are as
    long as `times_s`.
    """

    vantage: str
    council: str | None
    site: str | None
    asset: str | None
    probe: ProbeKind
    check: str
    target: str  # as it last was
    times_s: "array[int]"
    states: "array[int]"
    columns: tuple[Column, ...] = ()

    @property
    def checks(self) -> int:
        """How often the check was due, those that were not run included."""
        return len(self.times_s)

    @property
    def ran(self) -> int:
        """How often something was sent."""
        return sum(state < NOT_RUN_LEAST for state in self.states)

    def column(self, name: str, **method: Scalar) -> Column | None:
        """The first column of this name whose passport has these values (absent is null)."""
        return next(
            (
                one
                for one in self.columns
                if one.name == name
                and all(one.method.get(key) == value for key, value in method.items())
            ),
            None,
        )

    def endings(self) -> Iterator[tuple[datetime, Outcome, Failure | None]]:
        """When and how each execution ended; for short periods, since each is an object."""
        for time_s, state in zip(self.times_s, self.states, strict=True):
            yield (moment(time_s), *ended(state))

    def step_s(self) -> int | None:
        """The usual time from one check that ran to the next; None with fewer than two."""
        steps = [later - earlier for earlier, later in pairwise(self._ran_s())]
        return median_low(steps) if steps else None

    def gaps(self, since: datetime, until: datetime) -> tuple[Gap, ...]:
        """Where nothing was measured for more than GAP_STEPS usual steps, the ends included."""
        start_s, end_s = int(since.timestamp()), int(until.timestamp())
        step_s = self.step_s() or end_s - start_s
        marks = [start_s, *self._ran_s(), end_s]
        return tuple(
            Gap(moment(earlier), moment(later))
            for earlier, later in pairwise(marks)
            if later - earlier > GAP_STEPS * step_s
        )

    def between(self, since: datetime, until: datetime) -> "CheckPeriod":
        """The same check from `since` on and before `until`."""
        first = bisect_left(self.times_s, since.timestamp())
        last = bisect_left(self.times_s, until.timestamp())
        return CheckPeriod(
            self.vantage, self.council, self.site, self.asset, self.probe, self.check, self.target,
            self.times_s[first:last], self.states[first:last],
            tuple(
                Column(one.name, one.unit, one.method, one.values[first:last])
                for one in self.columns
            ),
        )  # fmt: skip

    def in_order(self) -> "CheckPeriod":
        """Oldest first, where runs were stored in another order than they were made."""
        if all(earlier <= later for earlier, later in pairwise(self.times_s)):
            return self
        order = sorted(range(len(self.times_s)), key=self.times_s.__getitem__)
        return CheckPeriod(
            self.vantage, self.council, self.site, self.asset, self.probe, self.check, self.target,
            array("I", map(self.times_s.__getitem__, order)),
            array("B", map(self.states.__getitem__, order)),
            tuple(
                Column(one.name, one.unit, one.method,
                       array("f", map(one.values.__getitem__, order)))
                for one in self.columns
            ),
        )  # fmt: skip

    def _ran_s(self) -> list[int]:
        return [
            time_s
            for time_s, state in zip(self.times_s, self.states, strict=True)
            if state < NOT_RUN_LEAST
        ]


def joined(parts: Sequence[CheckPeriod]) -> CheckPeriod:
    """Checks that are one, such as those of an asset that was renamed; by the last one's name."""
    times_s: array[int] = array("I")
    states: array[int] = array("B")
    columns: dict[str, Column] = {}
    for part in parts:
        for one in part.columns:
            key = repr((one.name, one.unit, sorted(one.method.items(), key=str)))
            whole = columns.setdefault(key, Column(one.name, one.unit, one.method, array("f")))
            whole.values.extend([nan] * (len(times_s) - len(whole.values)))
            whole.values.extend(one.values)
        times_s.extend(part.times_s)
        states.extend(part.states)
    for whole in columns.values():
        whole.values.extend([nan] * (len(times_s) - len(whole.values)))
    last = parts[-1]
    return CheckPeriod(
        last.vantage, last.council, last.site, last.asset, last.probe, last.check, last.target,
        times_s, states, tuple(columns.values()),
    ).in_order()  # fmt: skip


def moment(time_s: float) -> datetime:
    """Seconds since 1970 as a time."""
    return datetime.fromtimestamp(time_s, UTC)


def began_s(started: datetime, after_s: float | None) -> int:
    """When an execution began, in whole seconds since 1970; the run's start if it says nothing."""
    if after_s is not None and isfinite(after_s) and abs(after_s) < 1e9:
        started += timedelta(seconds=after_s)
    return seconds_of(started)


def seconds_of(moment: datetime) -> int:
    """A time as a column holds it, the nearest that it can hold."""
    return min(max(0, int(moment.timestamp())), _LAST_S)


def packable(value: Scalar) -> float | None:
    """What a column holds of a value: a number, NaN for null, None for what is no number."""
    if value is None:
        return nan
    if isinstance(value, bool | str):
        return None
    return float(value) if -3e38 < value < 3e38 else nan  # beyond, a column cannot hold it
