"""When a site's SIP servers were late or refused, as our own questions found them, round by round.

A question that the path may have lost says nothing of the server, and a server that is away says
nothing of how it serves.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from nethealth.diagnosis.evidence import Round
from nethealth.diagnosis.lan import Lan, overlap
from nethealth.diagnosis.moments import ran_at
from nethealth.diagnosis.resending import path_of
from nethealth.diagnosis.sip import SipFault, sip_fault
from nethealth.diagnosis.text import counted
from nethealth.model.observation import Observation

BEFORE_S = 1800.0
SLOW_TIMES = 5.0  # of what a quarter of all answers need at the most
SLOW_LEAST_S = 0.2
_LONGEST_S = 120.0  # a check of a SIP server, with all its servers' timers
_NAMES = (
    "sip_status_code", "sip_transmission_count", "sip_response_delay_s",
    "sip_last_copy_response_delay_s",
)  # fmt: skip


@dataclass(frozen=True)
class Strain:
    """Rounds of OPTIONS by when they ran: those at fault within a span and before, and others."""

    within: tuple[Round, ...]
    asked_within: int
    before: tuple[Round, ...]
    well_before: bool
    well_after: bool

    @property
    def words(self) -> str:
        many = f"{len(self.within)} of {counted(self.asked_within, 'round')}"
        return f"were answered late or refused in {many}"

    @property
    def seen(self) -> tuple[Observation, ...]:
        return tuple(
            seen
            for one in (*self.within, *self.before)
            for name in _NAMES
            for seen in one.all(name)
        )


@dataclass(frozen=True)
class _Asked:
    one: Round
    ran: tuple[datetime, datetime]
    fault: SipFault | None
    delay_s: float | None


class Servers:
    """The SIP servers of a site and every round in which they were asked, in the order of time."""

    def __init__(self, lan: Lan) -> None:
        self._lossy = path_of(lan.evidence, lan.hosts).lossy
        self._asked = sorted(
            (
                _Asked(one, ran, sip_fault(one), one.number("sip_response_delay_s"))
                for host in lan.hosts
                for series in host.of("sip")
                for one in series.rounds
                if (ran := ran_at(lan.evidence, one)) is not None
            ),
            key=lambda asked: (asked.ran, asked.one.check.id),
        )
        self._begins = [asked.ran[0] for asked in self._asked]
        self._slow_s = _slow_s(self._asked)

    def strain(self, span: tuple[datetime, datetime]) -> Strain | None:
        """What they did in a span of time; None where none was asked then."""
        earliest = span[0] - timedelta(seconds=BEFORE_S)
        first = bisect_left(self._begins, earliest - timedelta(seconds=_LONGEST_S))
        within, before = [], []
        count, well_before, well_after = 0, False, False
        for asked in self._asked[first:]:
            if asked.ran[0] > span[1]:
                well_after = self._well(asked)
                if well_after:
                    break
            elif overlap(asked.ran, span):
                count += 1
                within += [asked.one] if self._overloaded(asked) or self._silent(asked) else []
            elif asked.ran[1] >= earliest:
                before += [asked.one] if self._overloaded(asked) else []
                well_before |= self._well(asked)
        if not count:
            return None
        return Strain(tuple(within), count, tuple(before), well_before, well_after)

    def _overloaded(self, asked: _Asked) -> bool:
        if asked.delay_s is not None and asked.delay_s >= self._slow_s:
            return True
        fault = asked.fault
        resent = fault is not None and fault.resent and self._lossy
        return fault is not None and fault.code == "sip-overload" and not resent

    def _silent(self, asked: _Asked) -> bool:
        return asked.fault is not None and asked.fault.code == "sip-down" and not self._lossy

    def _well(self, asked: _Asked) -> bool:
        return asked.fault is None and not self._overloaded(asked)


def _slow_s(asked: Sequence[_Asked]) -> float:
    """From which delay on an answer is slow: by what the same servers need when they are quick.

    By the quicker quarter, since a run that was made in times of trouble holds mostly slow ones.
    """
    delays = sorted(one.delay_s for one in asked if one.fault is None and one.delay_s is not None)
    return max(SLOW_LEAST_S, SLOW_TIMES * delays[len(delays) // 4]) if delays else inf
