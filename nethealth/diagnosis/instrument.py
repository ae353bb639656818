"""What the measuring machine could not do, or may have spoilt."""

from collections import Counter
from collections.abc import Iterator, Mapping

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host
from nethealth.diagnosis.queueing import misplaced_queues
from nethealth.diagnosis.text import counted, listing, milliseconds, reason_of
from nethealth.model.check import ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Finding

# What is not known where a reflector does not answer.
_LOST: Mapping[ProbeKind, str] = {
    "stamp": "no direction was measured there",
    "coexistence": "no direction was measured there",
    "sip-alg": "whether SIP is rewritten on the way there is not known",
    "nat": "how long bindings last on the way there is not known",
}
LAG_MOST_S = 0.05  # a loop that was later than this may have dated a packet late


def instrument_limits(evidence: Evidence) -> Iterator[Finding]:
    """One `instrument-limited` for the vantage, if anything of the run is limited by it."""
    limits = [
        *_not_run(evidence),
        *_no_way_out(evidence),
        *_reflectors(evidence),
        *_spoilt(evidence),
        *misplaced_queues(evidence),
    ]
    if limits:
        yield draft(
            evidence,
            "instrument-limited",
            evidence.vantage_place,
            f"{evidence.vantage_place.name} limits this run: {'; '.join(limits)}.",
            missing=("what these checks would have shown",),
        )


def _not_run(evidence: Evidence) -> Iterator[str]:
    # Nothing is sent in a blackout window because the inventory says so, and that is no fault.
    reasons = Counter(
        (check.outcome is Outcome.NOT_RUN, check.probe, reason_of(check.reason))
        for check in evidence.unmeasured
        if not (check.reason or "").startswith("blackout")
    )
    for (not_run, probe, reason), count in sorted(reasons.items()):
        how = "could not run" if not_run else "broke off"
        yield f"{counted(count, f'{probe} check')} {how} ({reason})"


def _no_way_out(evidence: Evidence) -> Iterator[str]:
    hosts = [host.place.name for host in evidence.hosts if _never_left(host)]
    if hosts:
        yield f"no packet to {listing(hosts)} left it, since it has no way there"


def _reflectors(evidence: Evidence) -> Iterator[str]:
    """A reflector is part of the instrument: one that is silent where its host is not."""
    for host in evidence.hosts:
        if host.silent and host.pings:
            continue
        for series in host.of(*_LOST):
            last = series.rounds[-1].check if series.rounds else None
            if last and last.failure not in {None, Failure.RESOLVE, Failure.UNREACHABLE}:
                yield (
                    f"the reflector at {host.place.name} gave no answer that counts, so that "
                    f"{_LOST[series.probe]} ({reason_of(last.reason)})"
                )


def _never_left(host: Host) -> bool:
    pings = (one for series in host.of("ping") for one in series.rounds)
    unreachable = any(one.check.failure is Failure.UNREACHABLE for one in pings)
    return unreachable and not host.pings and not host.answered


def _spoilt(evidence: Evidence) -> Iterator[str]:
    instrument = evidence.record.run.instrument
    overflow = instrument.socket_overflow_count or 0
    if overflow > 0:
        yield (
            f"{counted(overflow, 'packet')} arrived and were dropped at its own sockets, so that "
            "as many of the lost ones may be its own"
        )
    lag_s = instrument.loop_lag_p99_s or 0.0
    measured_delay = any(
        one.number("round_trip_delay_median_s") is not None
        for host in evidence.hosts
        for one in host.pings
    )
    if lag_s > LAG_MOST_S and measured_delay:
        yield (
            f"it was late by {milliseconds(lag_s)} or more for 1 % of the time, "
            "and delays may be too long"
        )
