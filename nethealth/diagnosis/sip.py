"""What an answer to OPTIONS means, or its absence.

By RFC 3261, section 11, the code is the one that an INVITE would get, but vendors differ: any
answer shows a living stack, and only some codes say that it does not serve.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Round, decisive_first, number
from nethealth.diagnosis.failures import SAYING
from nethealth.diagnosis.resending import Path, path_of
from nethealth.diagnosis.rounds import persistent
from nethealth.diagnosis.text import counted, milliseconds, reason_of
from nethealth.model.failure import Failure
from nethealth.model.finding import Finding, FindingCode, Refutation, Verdict
from nethealth.model.observation import Observation

_SEEN = (
    "sip_status_code",
    "sip_transmission_count",
    "sip_retry_after_s",
    "sip_malformed_reply_count",
    "sip_foreign_reply_count",
    "sip_wrong_source_count",
    "sip_response_delay_s",
    "sip_last_copy_response_delay_s",
    "sip_authenticated",
    "sip_registration_status_code",
    "sip_target_outcome",
    "tcp_connect_time_s",
    "tls_handshake_time_s",
)
# Of several servers of one domain the worst is told.
_WORST_FIRST: Sequence[FindingCode] = ("sip-down", "sip-overload", "sip-malformed", "sip-auth")
_ANSWERED_FOR = frozenset({408, 502, 504})  # somebody on the way answered in its place


@dataclass(frozen=True, slots=True)
class SipFault:
    """A code with the words that follow the host's name, and the copies that were sent.

    `resent` where copies were needed, and `last_copy_s` how long after the last the answer came.
    """

    code: FindingCode
    saying: str
    copies: int = 0
    resent: bool = False
    last_copy_s: float | None = None


def sip_findings(evidence: Evidence) -> Iterator[Finding]:
    """One finding for each host whose SIP is not plainly up, by its latest fault."""
    everyone = _servers(evidence.hosts)
    for host in evidence.hosts:
        for series in host.of("sip"):
            faults = persistent(series.rounds, sip_fault)
            if faults:
                one, fault = faults[-1]
                resent = sum(each.resent for _, each in faults)
                how_often = (
                    f" In {len(faults)} of {len(series.rounds)} rounds it was at fault."
                    if len(series.rounds) > 1
                    else ""
                )
                path = path_of(evidence, _on_the_path(evidence, host))
                lost = _lost_on_the_path(path, fault) and (
                    not fault.resent
                    or len(series.rounds) == 1
                    or path.may_have_struck(resent, len(series.rounds))
                )
                yield _finding(
                    evidence, host, one, fault, how_often=how_often,
                    others=_others(everyone, host), path=path, lost=lost,
                )  # fmt: skip


def sip_fault(one: Round) -> SipFault | None:
    """What one check says of the server, or of those of a domain: None where all are alive."""
    targets = _targets(one)
    if not targets:
        return _fault(one)
    faults = [(target, fault) for target, part in targets if (fault := _fault(part, named=True))]
    if not faults:
        return None
    target, fault = min(faults, key=lambda each: _WORST_FIRST.index(each[1].code))
    of = f"{len(faults)} of the {counted(len(targets), 'server')} of its domain are at fault"
    return replace(fault, saying=f"{fault.saying} at {target[:100]} ({of})")


def _targets(one: Round) -> list[tuple[str, Round]]:
    """A round for each server that NAPTR and SRV named, with how it ended there."""
    seen: dict[str, list[Observation]] = {}
    for each in one.observations:
        target = each.method.get("target")
        if isinstance(target, str):
            seen.setdefault(target, []).append(each)
    parts = []
    for target, observations in seen.items():
        ends = [each for each in observations if each.name == "sip_target_outcome"]
        reason = ends[-1].method.get("reason") if ends else None
        check = replace(
            one.check,
            failure=ends[-1].failure if ends else one.check.failure,
            reason=reason if isinstance(reason, str) else None,
        )
        parts.append((target, Round(check, tuple(observations))))
    return parts


def _status(one: Round) -> int | None:
    """The last status code: what came to credentials stands behind the challenge."""
    codes = [code for seen in one.all("sip_status_code") if (code := number(seen)) is not None]
    return int(codes[-1]) if codes else None


def _fault(one: Round, *, named: bool = False) -> SipFault | None:
    """`named`: by a record of the domain, so that a name without an address is its fault too."""
    status = _status(one)
    if status is not None:
        return _status_fault(one, status)
    failure = one.check.failure
    if failure is None or (failure is Failure.RESOLVE and not named):
        return None
    if failure is Failure.AUTH:
        return SipFault("sip-auth", "refused the credentials that it was given")
    if failure is Failure.WRONG_SOURCE or _count(one, "sip_wrong_source_count"):
        return SipFault("sip-malformed", SAYING[Failure.WRONG_SOURCE])
    malformed = _count(one, "sip_malformed_reply_count")
    foreign = _count(one, "sip_foreign_reply_count")
    if malformed:
        replies = counted(malformed, "reply", "replies")
        return SipFault("sip-malformed", f"sent {replies} that no parser can read")
    if foreign:
        return SipFault(
            "sip-malformed",
            f"sent {counted(foreign, 'reply', 'replies')} to another question than was asked "
            "(wrong branch or CSeq)",
        )
    if failure is Failure.PROTOCOL:
        return SipFault("sip-malformed", SAYING[failure])
    return SipFault(
        "sip-down",
        f"{SAYING[failure]} ({reason_of(one.check.reason)})",
        copies=_count(one, "sip_transmission_count") if failure is Failure.TIMEOUT else 0,
    )


def _status_fault(one: Round, status: int) -> SipFault | None:
    shown = f"{status} {_phrase(one)}".strip()
    if status in _ANSWERED_FOR:
        return SipFault(
            "sip-down",
            f"was not reached: a server on the way answered {shown} in its place, so that the way "
            "to that server is good and the rest is not",
        )
    if status == 503:
        retry_s = one.number("sip_retry_after_s")
        wait = f" and asks to be left alone for {retry_s:.0f} s" if retry_s is not None else ""
        return SipFault("sip-overload", f"does not serve: it answers {shown}{wait}")
    if status == 505:
        return SipFault("sip-down", f"does not speak SIP/2.0: it answers {shown}")
    if status == 500:
        return SipFault("sip-overload", f"is degraded: it answers {shown}")
    copies = _count(one, "sip_transmission_count")
    if copies > 1:
        return SipFault(
            "sip-overload",
            f"answered ({shown}) only after the question was sent {copies} times",
            copies=copies,
            resent=True,
            last_copy_s=one.number("sip_last_copy_response_delay_s"),
        )
    return _auth_fault(one, status, shown)


def _auth_fault(one: Round, status: int, shown: str) -> SipFault | None:
    """What became of the credentials, of which the first refusal in a run is the last."""
    if one.flag("sip_authenticated") is False:
        return SipFault(
            "sip-auth",
            f"is alive and refused the credentials that are configured: it answered {shown}, and "
            "the account was not tried again",
        )
    if status in {401, 407}:
        login = one.first("sip_authenticated")
        why = reason_of(str(login.method["reason"])) if login and "reason" in login.method else ""
        return SipFault(
            "sip-auth",
            f"is alive and asks for credentials: it answers {shown}" + (f" ({why})" if why else ""),
        )
    registration = one.number("sip_registration_status_code")
    if registration in {401, 403, 407}:
        return SipFault(
            "sip-auth",
            f"is alive and did not register the test account: it answered {registration:.0f}",
        )
    return None


def _phrase(one: Round) -> str:
    seen = one.all("sip_status_code")
    phrase = seen[-1].method.get("reason_phrase") if seen else None
    return str(phrase)[:80] if phrase else ""


def _count(one: Round, name: str) -> int:
    return int(one.number(name) or 0)


def _finding(
    evidence: Evidence,
    host: Host,
    one: Round,
    fault: SipFault,
    *,
    how_often: str,
    others: str,
    path: Path,
    lost: bool,
) -> Finding:
    return draft(
        evidence,
        fault.code,
        host.place,
        f"The SIP server {host.place.name} {fault.saying}.{how_often}",
        rounds=[one],
        seen=decisive_first([one], ("sip_transmission_count", *_SEEN) if fault.resent else _SEEN),
        # A question that the path lost is sent again too: the server need not be slow.
        verdict=Verdict.INSUFFICIENT_DATA if lost else Verdict.DEMONSTRATED,
        refutations=(
            Refutation("Does the host answer echo requests?", _ping(host)),
            Refutation("Do other SIP servers answer?", others),
            Refutation(
                "Does the path lose packets, so that a copy was needed?", _lossy(path, fault)
            )
            if fault.resent
            else Refutation("Was it the first copy of the question that counted?", _first(one)),
        ),
        missing=("a second vantage, to tell a filter on the way from a server that is down",)
        if fault.code == "sip-down"
        else (),
        alternatives=_ALTERNATIVES[fault.code],
    )


_ALTERNATIVES: dict[str, tuple[str, ...]] = {
    "sip-down": (
        "a server that by its settings answers no OPTIONS from strangers",
        "a filter on the way",
        "a transport or port in the inventory that is out of date",
    ),
    "sip-overload": (
        "a server that was taken out of service on purpose",
        "a question or answer that the path lost",
        "a limit on how often one address may ask",
    ),
    "sip-malformed": (
        "a router that rewrites SIP on the way",
        "another program on that port",
        "a server with several addresses that answers from the wrong one",
    ),
    "sip-auth": (
        "a server that asks everybody for credentials, as many do",
        "a password that was changed on the server alone",
    ),
}


def _ping(host: Host) -> str:
    if not host.pings:
        return "not measured"
    received = sum(one.received for one in host.pings)
    answered = f"{received} of {counted(host.packets_sent, 'echo request')} answered"
    return f"yes: {answered}" if received else f"no: {answered}"


def _others(everyone: tuple[int, int], host: Host) -> str:
    answered, asked = (all_ - own for all_, own in zip(everyone, _servers([host]), strict=True))
    return f"{answered} of {asked} do" if asked else "no other was asked"


def _servers(hosts: Sequence[Host]) -> tuple[int, int]:
    """How many SIP servers gave an answer, and how many were asked."""
    answers = [
        any(_status(one) is not None for one in series.rounds)
        for host in hosts
        for series in host.of("sip")
        if series.rounds
    ]
    return sum(answers), len(answers)


def _on_the_path(evidence: Evidence, host: Host) -> Sequence[Host]:
    """The host itself and all others of its site: they share the way to it."""
    return evidence.sites[host.place.site] if host.place.site else (host,)


def _lost_on_the_path(path: Path, fault: SipFault) -> bool:
    """Whether the loss of the path accounts for the copies; of silence, for all of them."""
    if fault.resent:
        return path.may_have_lost(fault.copies - 1, fault.last_copy_s)
    return fault.copies > 0 and path.lossy and path.may_have_lost(fault.copies)


def _lossy(path: Path, fault: SipFault) -> str:
    if path.loss is None:
        return "not measured"
    said = f"{path.loss.lost} of {counted(path.loss.sent, 'echo request')} lost"
    if fault.last_copy_s is None:
        return said
    return f"{said}, and the answer came {milliseconds(fault.last_copy_s)} after the last copy"


def _first(one: Round) -> str:
    delay_s = one.number("sip_response_delay_s")
    if delay_s is not None:
        return f"yes: answered after {milliseconds(delay_s)}"
    copies = _count(one, "sip_transmission_count")
    return f"{counted(copies, 'copy', 'copies')} sent" if copies else "not recorded"
