"""Name servers that give no answer or a wrong one, and names that give no address."""

from collections.abc import Iterator, Sequence

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Round, decisive_first
from nethealth.diagnosis.failures import SAYING
from nethealth.diagnosis.resending import path_of
from nethealth.diagnosis.rounds import persistent
from nethealth.diagnosis.text import counted, listing, reason_of
from nethealth.model.failure import Failure
from nethealth.model.finding import Finding, Refutation, Verdict

_SEEN = ("dns_response_code", "dns_answer_expected", "dns_answer_count", "dns_response_time_s")
_CODES = {
    "NXDOMAIN": "says that the name does not exist (NXDOMAIN)",
    "SERVFAIL": "could not find out (SERVFAIL)",
    "REFUSED": "refuses to answer (REFUSED)",
}


def name_failures(evidence: Evidence) -> Iterator[Finding]:
    """`dns-failure` of each server that was asked, and of names that were to be resolved."""
    well = {host: _answered_well(host) for host in evidence.hosts}
    everywhere = sum(well.values())
    for host in evidence.hosts:
        faults = [
            (series.id, *found[-1])
            for series in host.of("dns")
            if (found := persistent(series.rounds, answer_fault))
        ]
        if faults:
            yield _server(evidence, host, faults, everywhere - well[host])
    yield from _unresolved(evidence)


def answer_fault(one: Round) -> str | None:
    """What is wrong with one answer of a name server, or None."""
    failure = one.check.failure
    if failure is Failure.RESOLVE:
        return None
    code = one.word("dns_response_code")
    if code is None:
        return SAYING.get(failure) if failure else None
    if code != "NOERROR":
        return _CODES.get(code, f"answers {code[:32]}")
    if one.flag("dns_answer_expected") is False:
        return f"gives a wrong answer{_answers(one)}"
    if one.number("dns_answer_count") == 0 and one.flag("dns_answer_expected") is None:
        return "has no record of the type that was asked for"
    return None


def _answers(one: Round) -> str:
    for seen in one.observations:
        answers = seen.method.get("answers")
        if isinstance(answers, Sequence) and not isinstance(answers, str) and answers:
            return f": {listing([str(answer)[:80] for answer in answers], 3)}"
    return ""


def _server(
    evidence: Evidence, host: Host, faults: Sequence[tuple[str, Round, str]], elsewhere: int
) -> Finding:
    told: dict[str, list[str]] = {}
    for _, one, fault in faults:
        told.setdefault(fault, []).append(_question(one))
    said = "; ".join(f"asked for {listing(names, 3)}, it {fault}" for fault, names in told.items())
    questions = len(host.of("dns"))
    return draft(
        evidence,
        "dns-failure",
        host.place,
        f"The name server {host.place.name} fails {len(faults)} of "
        f"{counted(questions, 'question')}: {said}.",
        rounds=[one for _, one, _ in faults],
        seen=decisive_first([one for _, one, _ in faults], _SEEN),
        verdict=_verdict(evidence, host, [one for _, one, _ in faults]),
        refutations=(
            Refutation(
                "Does the same server answer other questions?",
                f"{questions - len(faults)} of {counted(questions, 'question')} answered well",
            ),
            Refutation(
                "Do other name servers answer?", f"{counted(elsewhere, 'question')} answered well"
            ),
            Refutation("Is the host reachable otherwise?", _reachable(host)),
        ),
        alternatives=(
            "a name or an expected answer in the inventory that is out of date",
            "a server that answers differently inside and outside",
        ),
    )


def _answered_well(host: Host) -> int:
    """How many questions the host, as a name server, answered well."""
    return sum(
        not persistent(series.rounds, answer_fault) for series in host.of("dns") if series.rounds
    )


def _verdict(evidence: Evidence, host: Host, failed: Sequence[Round]) -> Verdict:
    """A question goes out once: one that the path lost looks like a server that is silent.

    As many as failed are weighed against all that were asked, in every round.
    """
    site = host.place.site
    path = path_of(evidence, evidence.sites[site] if site else (host,))
    if any(one.check.failure is not Failure.TIMEOUT for one in failed):
        return Verdict.DEMONSTRATED
    asked = [one for series in host.of("dns") for one in series.rounds]
    silent = sum(one.check.failure is Failure.TIMEOUT for one in asked)
    if path.may_have_struck(silent, len(asked)):
        return Verdict.INSUFFICIENT_DATA
    return Verdict.DEMONSTRATED


def _question(one: Round) -> str:
    """The name within `dns:name@server`."""
    return one.check.target.removeprefix("dns:").rpartition("@")[0] or one.check.target


def _reachable(host: Host) -> str:
    received = sum(one.received for one in host.pings)
    if not host.pings:
        return "not measured by ping"
    return f"{received} of {counted(host.packets_sent, 'echo request')} answered"


def _unresolved(evidence: Evidence) -> Iterator[Finding]:
    failed = {
        host: found
        for host in evidence.hosts
        if (found := [one for one in host.rounds if _nameless(one)])
    }
    resolved = any(
        one.number("resolution_time_s") is not None
        for host in evidence.hosts
        for one in host.rounds
    )
    listed = [host for host in failed if host.place.site is not None]
    if len(listed) > 1 and not resolved:
        rounds = [one for host in listed for one in failed[host]]
        yield draft(
            evidence,
            "dns-failure",
            evidence.vantage_place,
            f"No name could be resolved at {evidence.vantage_place.name}: "
            f"{counted(len(listed), 'host')} could not be measured for it.",
            rounds=rounds,
            seen=[one.first("resolution_time_s") for one in rounds],
            refutations=(Refutation("Was any name resolved in this run?", "no"),),
            alternatives=("names in the inventory that do not exist",),
        )
        listed = []
    for host, rounds in failed.items():
        if host in listed or host.place.site is None:
            yield _unknown_name(evidence, host, rounds, resolved=resolved)


def _nameless(one: Round) -> bool:
    """Whether the host's own name gave no address; a redirect's name comes after an answer."""
    return one.check.failure is Failure.RESOLVE and not one.answered


def _unknown_name(
    evidence: Evidence, host: Host, rounds: Sequence[Round], *, resolved: bool
) -> Finding:
    # A target typed by hand may be a slip of the pen; a name in the inventory was meant.
    lone = host.place.site is None
    return draft(
        evidence,
        "dns-failure",
        host.place,
        f"The name of {host.place.name} gave no address ({reason_of(rounds[-1].check.reason)}), "
        "so that nothing of it was measured.",
        rounds=rounds,
        seen=[one.first("resolution_time_s") for one in rounds],
        verdict=Verdict.INSUFFICIENT_DATA if lone else Verdict.DEMONSTRATED,
        refutations=(
            Refutation("Was any other name resolved in this run?", "yes" if resolved else "no"),
        ),
        alternatives=("a name that is spelt wrongly",),
    )
