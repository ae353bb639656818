"""When a site's SIP servers were late or refused, as our own questions found them, round by round.

A question that the path may have lost says nothing of the server, and a server that is away says
nothing of how it serves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from statistics import median

from nethealth.diagnosis.evidence import Evidence, Round
from nethealth.diagnosis.lan import Lan, overlap
from nethealth.diagnosis.moments import ran_at
from nethealth.diagnosis.resending import path_of
from nethealth.diagnosis.sip import sip_fault
from nethealth.diagnosis.text import counted
from nethealth.model.observation import Observation

BEFORE_S = 1800.0
SLOW_TIMES = 5.0  # of the usual delay of an answer
SLOW_LEAST_S = 0.2
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


def strain_of(lan: Lan, span: tuple[datetime, datetime]) -> Strain | None:
    """What the servers of a site did in a span of time; None where none was asked then."""
    lossy = _loses(lan)
    rounds = _rounds(lan.evidence, lan)
    slow_s = _slow_s([one for one, ran in rounds if not overlap(ran, span)])
    within, before = [], []
    asked, well_before, well_after = 0, False, False
    earliest = span[0] - timedelta(seconds=BEFORE_S)
    for one, ran in rounds:
        fault = sip_fault(one)
        late_s = one.number("sip_response_delay_s")
        overloaded = (late_s is not None and late_s >= slow_s) or (
            fault is not None and fault.code == "sip-overload" and not (fault.resent and lossy)
        )
        if overlap(ran, span):
            asked += 1
            silent = fault is not None and fault.code == "sip-down" and not lossy
            within += [one] if overloaded or silent else []
        elif earliest <= ran[1] < span[0]:
            before += [one] if overloaded else []
            well_before |= fault is None and not overloaded
        elif ran[0] > span[1]:
            well_after |= fault is None and not overloaded
    if not asked:
        return None
    return Strain(tuple(within), asked, tuple(before), well_before, well_after)


def _rounds(evidence: Evidence, lan: Lan) -> list[tuple[Round, tuple[datetime, datetime]]]:
    found = [
        (one, ran)
        for host in lan.hosts
        for series in host.of("sip")
        for one in series.rounds
        if (ran := ran_at(evidence, one)) is not None
    ]
    return sorted(found, key=lambda pair: (pair[1], pair[0].check.id))


def _slow_s(others: Sequence[Round]) -> float:
    """From which delay on an answer is slow: by what the same servers need at other times."""
    delays = [
        delay_s
        for one in others
        if sip_fault(one) is None and (delay_s := one.number("sip_response_delay_s")) is not None
    ]
    return max(SLOW_LEAST_S, SLOW_TIMES * median(delays)) if delays else inf


def _loses(lan: Lan) -> bool:
    """Whether the way to the site loses packets, so that a copy says nothing of the server."""
    threshold = lan.evidence.record.settings.thresholds.loss
    return path_of(lan.hosts, threshold).lossy
