"""DHCP scopes that have no address left, and whose leases they hold.

A telephone that learns its voice VLAN only after it has taken a lease in the data VLAN takes two,
and keeps both. That empties a scope; so do guests who come and go, and a server that is away or a
stranger's looks much the same from the client. Who holds the leases tells them apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from nethealth.diagnosis.capture import Capture, whole
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, number
from nethealth.diagnosis.lan import Lan, surest
from nethealth.diagnosis.text import counted, percent
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Event, Observation

UNMET_LEAST = 3  # clients without a lease: one or two may be broken, or filtered
UNMET_RATIO = 0.1
OF_PHONES = 0.5  # of the leases seen
OF_OTHERS = 0.2  # less is held by telephones: whoever fills the scope, they do not
NEAR = timedelta(hours=1)  # how far a server's word may be from the capture
_NO_LEASES = "dhcp-no-leases"


def dhcp_exhaustions(places: Sequence[Lan]) -> Iterator[Finding]:
    """One `dhcp-exhaustion` for each scope that gives no more leases, else for each site."""
    yield from surest(_all(places))


def _all(places: Sequence[Lan]) -> Iterator[Finding]:
    for lan in places:
        evidence = lan.evidence
        told = lan.happened(_NO_LEASES)
        scopes = [scope for capture in lan.captures for scope in _scopes(capture, told)]
        for scope in scopes:
            yield _finding(evidence, lan, scope)
        if told and not any(scope.told for scope in scopes):
            yield _of_server(evidence, lan, told)


@dataclass(frozen=True, eq=False)
class _Scope:
    """One VLAN, or one relay, with clients that got no lease in it."""

    capture: Capture
    fact: Observation
    told: tuple[Event, ...]

    def _of(self, key: str) -> int:
        return max(0, whole(self.fact, key) or 0)

    @property
    def name(self) -> str:
        relay, vlan = self.fact.method.get("relay"), self.fact.method.get("vlan")
        if isinstance(relay, str):
            return relay
        return "untagged" if vlan is None else f"vlan-{vlan}"

    @property
    def asked(self) -> int:
        return int(number(self.fact) or 0)

    @property
    def phones_leased(self) -> int:
        return self._of("phones_leased")

    @property
    def leased(self) -> int:
        return self.phones_leased + self._of("others_leased")

    @property
    def unmet(self) -> int:
        return self.asked - self.leased

    @property
    def unmet_of_both(self) -> bool:
        """Whether telephones and others alike went without: no filter by kind of device."""
        phones = self._of("phones") - self.phones_leased
        return phones >= 2 and self.unmet - phones >= 2

    @property
    def twice(self) -> int:
        return self._of("phones_leased_elsewhere_too")

    @property
    def refused(self) -> int:
        return self._of("phones_refused") + self._of("others_refused")

    @property
    def phone_ratio(self) -> float:
        return self.phones_leased / max(self.leased, 1)

    @property
    def servers(self) -> int | None:
        found = self.capture.count("dhcp_server_count")
        return None if found is None else int(found)

    @property
    def answered(self) -> bool:
        kinds = ("OFFER", "ACK", "NAK")
        answers = (self.capture.count("dhcp_message_count", message_type=kind) for kind in kinds)
        return self.leased > 0 or any(answers)


def _scopes(capture: Capture, told: Sequence[Event]) -> Iterator[_Scope]:
    span = capture.span
    near = tuple(
        event for event in told if span and span[0] - NEAR <= event.time <= span[-1] + NEAR
    )
    for fact in capture.all("dhcp_scope_client_count"):
        scope = _Scope(capture, fact, near)
        if scope.unmet >= max(UNMET_LEAST, UNMET_RATIO * scope.asked):
            yield scope


def _finding(evidence: Evidence, lan: Lan, scope: _Scope) -> Finding:
    verdict, direction = _judged(scope)
    seen = [
        scope.fact,
        scope.capture.first("dhcp_server_count"),
        scope.capture.first("dhcp_unanswered_client_count"),
        *scope.told,
        *scope.capture.all("dhcp_message_count"),
    ]
    held = (
        f"; of the {counted(scope.leased, 'lease')} that were seen, telephones hold "
        f"{scope.phones_leased}, and {scope.twice} of them one elsewhere too"
        if scope.leased
        else ", and nobody else was given one"
    )
    return draft(
        evidence,
        "dhcp-exhaustion",
        lan.at(scope.name),
        f"{counted(scope.unmet, 'client')} of {scope.asked} got no lease in the scope of "
        f"{scope.name} at {lan.place.name}{held}.",
        times=scope.capture.span,
        seen=seen,
        verdict=verdict,
        direction=direction,
        refutations=_refutations(scope),
        missing=(
            *(() if scope.told else ("the server's log, or how many leases it has left",)),
            "whose leases fill the scope, from the server: a capture sees those alone that were "
            "given meanwhile",
        ),
        alternatives=(
            "a server that serves those alone whom it knows",
            "guests who come and go faster than leases end",
            "a second server that nobody meant to be there",
        ),
    )  # fmt: skip


def _judged(scope: _Scope) -> tuple[Verdict, Direction]:
    if not scope.answered:
        return Verdict.CONTRADICTED, Direction.UNDETERMINED
    strangers = scope.refused > 0 and (scope.servers or 0) > 1
    if strangers and not scope.told:
        return Verdict.CONTRADICTED, Direction.UNDETERMINED
    sure = bool(scope.told) or scope.unmet_of_both
    if not sure or strangers or scope.leased < UNMET_LEAST:
        return Verdict.SUGGESTIVE, Direction.UNDETERMINED
    if scope.phone_ratio < OF_OTHERS:
        return Verdict.SUPPORTED, Direction.NOT_TELEPHONY
    if scope.phone_ratio >= OF_PHONES and scope.twice >= OF_PHONES * scope.phones_leased:
        return Verdict.SUPPORTED, Direction.TELEPHONY_TO_NETWORK
    return Verdict.SUGGESTIVE, Direction.UNDETERMINED


def _refutations(scope: _Scope) -> tuple[Refutation, ...]:
    strangers = f"{scope.servers} answer, and {counted(scope.refused, 'client')} were refused"
    return (
        Refutation(
            "Is the server away?",
            "no: it answers" if scope.answered else "yes: no server answered anybody",
        ),
        Refutation(
            "Do two servers answer against each other?",
            "unknown: the capture does not say who answered" if scope.servers is None
            else f"they may: {strangers}" if scope.servers > 1 and scope.refused
            else f"no: {strangers}",
        ),
        Refutation(
            "Do others than telephones hold the leases?",
            f"telephones hold {percent(scope.phone_ratio)} of those seen" if scope.leased
            else "unknown: none was given",
        ),
        Refutation(
            "Have these telephones their lease here alone, as in a scope of their own?",
            f"{scope.twice} of {scope.phones_leased} hold another elsewhere",
        ),
        Refutation(
            "Does the server itself say that it has none left?",
            f"yes: {counted(len(scope.told), 'message')}" if scope.told
            else "nothing of it stands in the record",
        ),
        Refutation(
            "Is one kind of device turned away alone, as by a filter?",
            "no: telephones and others alike" if scope.unmet_of_both else "it may be",
        ),
    )  # fmt: skip


def _of_server(evidence: Evidence, lan: Lan, told: Sequence[Event]) -> Finding:
    return draft(
        evidence,
        "dhcp-exhaustion",
        lan.place,
        f"A DHCP server of {lan.place.name} said {counted(len(told), 'time')} that it had no "
        "lease to give.",
        times=[event.time for event in told],
        seen=told,
        verdict=Verdict.SUGGESTIVE,
        direction=Direction.UNDETERMINED,
        refutations=(
            Refutation("Do others than telephones hold the leases?", "unknown: no capture tells"),
        ),
        missing=("whose leases they are: the server's list of leases, or a capture of DHCP",),
        alternatives=("guests who come and go faster than leases end", "a scope that is too small"),
    )  # fmt: skip
