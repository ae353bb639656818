"""Ports and web services that do not serve, and certificates that run out."""

from collections.abc import Iterator
from math import floor

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Round, decisive_first, number
from nethealth.diagnosis.failures import SAYING
from nethealth.diagnosis.rounds import persistent
from nethealth.diagnosis.text import counted, listing, reason_of
from nethealth.model.failure import Failure
from nethealth.model.finding import Effect, Finding, Refutation
from nethealth.model.observation import Observation

_SEEN = (
    "http_status_code",
    "http_status_expected",
    "http_body_matched",
    "tcp_connect_time_s",
    "tls_handshake_time_s",
    "http_first_byte_time_s",
    "http_total_time_s",
)


def services_down(evidence: Evidence) -> Iterator[Finding]:
    """`service-down` of each host, whichever of its ports and pages fail."""
    for host in evidence.hosts:
        asked = [series for series in host.of("tcp", "http") if series.rounds]
        faults = [
            (found[-1], len(found), len(series.rounds))
            for series in asked
            if (found := persistent(series.rounds, service_fault))
        ]
        if not faults:
            continue
        said = [
            f"{one.check.target} {fault}{_how_often(count, rounds)}"
            for (one, fault), count, rounds in faults
        ]
        failed = [one for (one, _), _, _ in faults]
        yield draft(
            evidence,
            "service-down",
            host.place,
            f"{host.place.name} does not serve: {listing(said)}.",
            rounds=failed,
            seen=decisive_first(failed, _SEEN),
            refutations=(
                Refutation("Is the host up?", _is_up(host, failed)),
                Refutation(
                    "Do its other services answer?",
                    f"{len(asked) - len(faults)} of {counted(len(asked), 'service')} answered well",
                ),
            ),
            alternatives=(
                "a firewall that lets only others in",
                "maintenance that was announced",
                "an address, port or expected answer in the inventory that is out of date",
            ),
        )


def service_fault(one: Round) -> str | None:
    """What is wrong with one connection or page, or None.

    A certificate that does not hold is no fault here: the page was served, and what is wrong
    with the certificate stands in the report as the fact that it is.
    """
    failure = one.check.failure
    if failure is Failure.RESOLVE:
        return "redirects to a name that gave no address" if one.answered else None
    if failure is not None:
        return f"{SAYING[failure]} ({reason_of(one.check.reason)})"
    status = one.number("http_status_code")
    expected = one.flag("http_status_expected")
    if status is not None and (expected is False or (expected is None and status >= 500)):
        wanted = ", which is not what the inventory expects" if expected is False else ""
        return f"answers with status {status:.0f}{wanted}"
    if one.flag("http_body_matched") is False:
        return "serves a page without the text that the inventory expects"
    return None


def expiring_certificates(evidence: Evidence) -> Iterator[Finding]:
    """`certificate-expiry` of each host, by the certificate that runs out first.

    It speaks of dates alone: a chain or name that does not hold is not judged by it.
    """
    threshold = evidence.record.settings.thresholds.certificate_days
    for host in evidence.hosts:
        seen = [
            (days, observation, one)
            for series in host.series
            for one in series.rounds[-1:]
            for observation in one.all("certificate_days_to_expiry")
            if (days := number(observation)) is not None and days < threshold
        ]
        if not seen:
            continue
        days, observation, one = min(seen, key=lambda found: (found[0], found[1].id))
        when = (
            f"ran out {counted(floor(-days), 'day')} ago"
            if days < 0
            else f"runs out in {counted(floor(days), 'day')}"
        )
        yield draft(
            evidence,
            "certificate-expiry",
            host.place,
            f"The certificate of {host.place.name}{_subject(observation)} {when}; "
            f"the limit is {counted(threshold, 'day')}.",
            rounds=[one],
            seen=[observation for _, observation, _ in seen],
            refutations=(
                Refutation("Is the clock of the measuring machine right?", _clock(evidence)),
            ),
            alternatives=("a renewal that is under way",),
            effect=Effect(estimate=days),
        )


def _how_often(count: int, rounds: int) -> str:
    return "" if rounds == 1 else f", in {count} of {rounds} rounds"


def _is_up(host: Host, failed: list[Round]) -> str:
    if any(one.answered for one in host.pings):
        return "yes: it answers echo requests"
    if any(one.answered for one in host.rounds if one not in failed):
        return "yes: it answers other questions"
    if any(one.answered for one in failed):
        return "yes: the failed connection itself was answered"
    return "nothing else of it was measured, or answered"


def _subject(observation: Observation) -> str:
    subject = observation.method.get("subject")
    return f" ({str(subject)[:80]})" if subject else ""


def _clock(evidence: Evidence) -> str:
    clock = evidence.record.run.clock
    if clock.synchronised is None:
        return "not known"
    return "its clock is synchronised" if clock.synchronised else "its clock is not synchronised"
