"""What one capture of a record saw: its counts, its series over time, and when it was taken.

The names are those of `docs/probes/capture*.md`. A rule asks for what it needs and gets None or
nothing where the capture has none of it: an absent count is no count of zero.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from nethealth.diagnosis.evidence import Evidence, Host, Round, number
from nethealth.diagnosis.moments import capture_start, moment_of
from nethealth.model.observation import Observation

_BINS_MOST = 20_000  # a series has at most half of it; more is a damaged record
_LASTS_MOST_S = 1e9
_BIN_S = (1e-6, 1e6)  # shorter than the clock's step, or longer: a damaged record


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a series that is not empty."""

    from_: datetime
    to: datetime
    count: float

    @property
    def per_s(self) -> float:
        return self.count / (self.to - self.from_).total_seconds()


@dataclass(frozen=True, eq=False)
class Capture:
    """One check of kind `capture` that was read, in part at the least."""

    evidence: Evidence
    host: Host
    round: Round

    def all(self, name: str, **method: object) -> tuple[Observation, ...]:
        """Every observation of this name whose `method` agrees with what is asked for."""
        return tuple(
            seen
            for seen in self.round.all(name)
            if all(seen.method.get(key) == value for key, value in method.items())
        )

    def first(self, name: str, **method: object) -> Observation | None:
        return next(iter(self.all(name, **method)), None)

    def count(self, name: str, **method: object) -> float | None:
        """The sum of the values of this name; None where there is none."""
        values = [value for seen in self.all(name, **method) if (value := number(seen)) is not None]
        return sum(values) if values else None

    @cached_property
    def started(self) -> datetime | None:
        """The time of its first packet."""
        found = (capture_start(seen) for seen in self.round.observations)
        return next((moment for moment in found if moment is not None), None)

    @cached_property
    def lasted_s(self) -> float | None:
        """From its first packet to its last; None where it does not say."""
        lasted_s = self.count("capture_duration_s")
        return lasted_s if lasted_s is not None and 0 <= lasted_s < _LASTS_MOST_S else None

    @property
    def span(self) -> tuple[datetime, ...]:
        """Its beginning and its end, as far as they are known: both, the beginning, or none."""
        if self.started is None:
            return ()
        if self.lasted_s is None:
            return (self.started,)
        return self.started, self.started + timedelta(seconds=self.lasted_s)

    def moment(self, seen: Observation) -> datetime | None:
        return moment_of(self.evidence, seen)

    def bins(self, name: str, **method: object) -> tuple[Bin, ...]:
        """The series of this name, each bin that is not empty, in the order of time."""
        return tuple(
            sorted(
                (one for seen in self.all(name, **method) for one in self._bins(seen)),
                key=lambda one: (one.from_, one.count),
            )
        )

    def _bins(self, seen: Observation) -> Iterator[Bin]:
        began, width_s = self.moment(seen), bin_width_s(seen)
        offsets, counts = numbers(seen, "bin_offsets"), numbers(seen, "bin_counts")
        if not counts:  # of registrations every bin is listed
            counts = numbers(seen, "requests")
            offsets = tuple(float(number) for number in range(len(counts)))
        if began is None or width_s is None:
            return
        for offset, count in zip(offsets[:_BINS_MOST], counts, strict=False):
            if 0 <= offset * width_s < _LASTS_MOST_S:
                from_ = began + timedelta(seconds=offset * width_s)
                yield Bin(from_, from_ + timedelta(seconds=width_s), count)


def captures(evidence: Evidence) -> Iterator[Capture]:
    """Every capture of the record that was read, in the order of their checks."""
    for host in evidence.hosts:
        for series in host.of("capture"):
            for one in series.rounds:
                yield Capture(evidence, host, one)


def bin_width_s(seen: Observation) -> float | None:
    """How long each bin of a series lasts; None where it does not say, or cannot be."""
    found = seen.method.get("bin_s")
    if not isinstance(found, int | float) or not _BIN_S[0] <= found < _BIN_S[1]:
        return None
    return found


def numbers(seen: Observation, key: str) -> tuple[float, ...]:
    """A list of numbers of a passport; what is none is left out."""
    found = seen.method.get(key)
    if not isinstance(found, Sequence) or isinstance(found, str):
        return ()
    return tuple(
        float(each)
        for each in found
        if isinstance(each, int | float) and not isinstance(each, bool) and abs(each) < 1e15
    )


def words(seen: Observation, key: str) -> tuple[str, ...]:
    """A list of texts of a passport; what is none is left out."""
    found = seen.method.get(key)
    if not isinstance(found, Sequence) or isinstance(found, str):
        return ()
    return tuple(each for each in found if isinstance(each, str))


def whole(seen: Observation | None, key: str) -> int | None:
    """A count of a passport; None where it is none."""
    found = None if seen is None else seen.method.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else None
