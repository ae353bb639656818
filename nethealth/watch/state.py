"""The state of a watch: which rounds are awaited, and all that the finished ones have shown.

Rounds of one check may overlap, since a lost packet is awaited longer than the interval. They are
taken in by their numbers, so that neighbours in time are neighbours in the statistics.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from nethealth.model.check import (
    Check,
    CheckResult,
    PingParameters,
    RouteParameters,
    SipParameters,
    StampParameters,
)
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Passport
from nethealth.watch.options import SipHistory
from nethealth.watch.path import PathHistory
from nethealth.watch.streams import EchoHistory, StampHistory
from nethealth.watch.view import SipLine, View

REASON_MAX = 200
WAITING_MAX = 256  # rounds that wait for one before them; so many have never been under way
_PASSPORT = ("address", "ip_version", "timeout_s", "port", "transport", "method", "dscp")

History = PathHistory | EchoHistory | StampHistory | SipHistory


@dataclass
class Watched:
    """One check and its rounds."""

    check: Check
    history: History
    next_number: int = 1  # of the next round to begin
    expected: int = 1  # of the next round to take in
    waiting: dict[int, tuple[CheckResult, Sequence[Observation]]] = field(default_factory=dict)
    finished: int = 0
    completed: int = 0
    last: CheckResult | None = None
    started_s: float | None = None  # of the first round that sent something, in the run's seconds
    finished_s: float | None = None
    passport: Passport = field(default_factory=dict)


class Watch:
    """What is known so far; `now` are seconds since the run's start."""

    def __init__(self, target: str, checks: Sequence[Check], interval_s: float) -> None:
        self.paused = False
        self.resets_s: list[float] = []  # when the counts began anew
        self._closed = False
        self._target = target
        self._interval_s = interval_s
        self._watched = {check.id: Watched(check, _history(check)) for check in checks}

    @property
    def watched(self) -> tuple[Watched, ...]:
        return tuple(self._watched.values())

    def begin(self, check_id: str) -> int:
        """The number of the round of this check that begins now."""
        one = self._watched[check_id]
        one.next_number += 1
        return one.next_number - 1

    def take(
        self, check_id: str, number: int, result: CheckResult, observations: Sequence[Observation]
    ) -> None:
        """The end of a round, in whatever order they end; one from before a reset is passed over.

        A round that was cut short is none: nobody knows what would still have come.
        """
        one = self._watched[check_id]
        if number < one.expected or self._closed:
            return
        one.waiting[number] = result, observations
        if len(one.waiting) > WAITING_MAX:
            one.expected = min(one.waiting)
        while one.expected in one.waiting:
            self._count(one, *one.waiting.pop(one.expected))
            one.expected += 1

    def reset(self, now: float) -> None:
        """Forget all counts; rounds under way are forgotten too."""
        self.resets_s.append(now)
        for key, one in self._watched.items():
            self._watched[key] = Watched(
                one.check,
                _history(one.check),
                next_number=one.next_number,
                expected=one.next_number,
            )

    def forget_unfinished(self) -> None:
        """Count no round that is under way: this process stood still while it went on."""
        for one in self.watched:
            for number in sorted(one.waiting):
                self._count(one, *one.waiting.pop(number))
            one.expected = one.next_number

    def close(self) -> None:
        """Take in nothing more: what is shown now is what the record will say."""
        self._closed = True

    def view(self, now: float) -> View:
        """What is to be shown at `now`."""
        path = PathHistory()
        stream: tuple[Check, EchoHistory | StampHistory] | None = None
        sip: SipLine | None = None
        for one in self.watched:
            match one.history:
                case PathHistory() as path:
                    pass
                case SipHistory() as asked:
                    sip = asked.line()
                case EchoHistory() | StampHistory() as echoes:
                    stream = one.check, echoes
        addresses = [str(one.passport["address"]) for one in self.watched if one.passport]
        marks = [_dscp(one.check) for one in self.watched if one.check.probe == "route"]
        return View(
            target=self._target,
            address=addresses[0] if addresses else None,
            elapsed_s=now,
            since_reset_s=now - (self.resets_s[-1] if self.resets_s else 0.0),
            interval_s=self._interval_s,
            paused=self.paused,
            dscp=marks[0] if marks else None,
            path_rounds=path.rounds,
            path_reached=path.reached > 0,
            path_lengths=tuple(sorted(path.lengths)),
            hops=path.lines(),
            stream=stream[0].probe if stream else None,
            stream_rounds=stream[1].rounds if stream else 0,
            sent_dscp=_dscp(stream[0]) if stream else None,
            delay=stream[1].delay if stream else None,
            ways=stream[1].ways() if stream else (),
            sip=sip,
            faults=tuple(
                _fault(one.last) for one in self.watched if one.last and _troubled(one.last)
            ),
        )

    def _count(
        self, one: Watched, result: CheckResult, observations: Sequence[Observation]
    ) -> None:
        if result.failure is Failure.INTERRUPTED:
            return
        one.finished += 1
        one.completed += result.outcome is Outcome.COMPLETED
        one.last = result
        one.history.take(observations)
        if result.started_s is not None:
            one.started_s = result.started_s if one.started_s is None else one.started_s
            one.finished_s = result.finished_s
        for seen in observations:
            if "address" in seen.method:
                one.passport = {key: seen.method[key] for key in _PASSPORT if key in seen.method}


def _history(check: Check) -> History:
    match check.parameters:
        case RouteParameters():
            return PathHistory()
        case PingParameters():
            return EchoHistory()
        case StampParameters() as parameters:
            return StampHistory(parameters)
        case SipParameters():
            return SipHistory()
        case _:
            raise TypeError(f"{check.id}: no check of a watch")


def _dscp(check: Check) -> int | None:
    parameters = check.parameters
    if isinstance(parameters, RouteParameters | PingParameters | StampParameters):
        return parameters.dscp
    return None


def _troubled(result: CheckResult) -> bool:
    return result.outcome is not Outcome.COMPLETED


def _fault(result: CheckResult) -> str:
    reason = (result.reason or str(result.failure or result.outcome))[:REASON_MAX]
    return f"{result.probe}: {reason}"
