"""Marks of priority (DSCP) that do not arrive as they were sent, and the hop that changes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place, Round, number
from nethealth.diagnosis.rounds import persistent
from nethealth.diagnosis.text import counted, listing
from nethealth.model.finding import Finding, Refutation
from nethealth.model.observation import Observation

_NAMES = {46: "EF", 34: "AF41", 26: "AF31", 24: "CS3", 40: "CS5"}


@dataclass(frozen=True, slots=True)
class _Quoted:
    """What one hop said of the mark; `address` may be a stranger's words."""

    hop: int
    address: str
    dscp: int

    def __str__(self) -> str:
        return f"hop {self.hop} ({self.address[:64]})"


@dataclass(frozen=True, slots=True)
class _Change:
    """A mark as sent, the last hop that saw it whole (None if none did) and those after it."""

    sent: int
    kept: tuple[_Quoted, ...]
    changed: tuple[_Quoted, ...]

    @property
    def where(self) -> tuple[str | None, str]:
        return (self.kept[-1].address if self.kept else None, self.changed[0].address)


@dataclass(frozen=True, eq=False)
class _Case:
    host: Host
    one: Round
    change: _Change


def marks_changed(evidence: Evidence) -> Iterator[Finding]:
    """`dscp-bleached` where a trace shows it: once for all hosts of a site with the same hop."""
    for place, hosts in evidence.groups:
        cases = [
            _Case(host, *found[-1])
            for host in hosts
            for series in host.of("route")
            if (found := persistent(series.rounds, mark_change))
        ]
        if len({case.change.where for case in cases}) == 1:
            whole = place if len({case.host.place.key for case in cases}) > 1 else None
            yield _finding(evidence, whole or cases[0].host.place, cases)
        else:
            for case in cases:
                yield _finding(evidence, case.host.place, [case])


def mark_change(one: Round) -> _Change | None:
    """Where one trace shows the mark changed for good; None where it is whole at the last hop.

    A hop in between that quotes another mark than hops after it has only changed its quotation.
    """
    addresses = {_hop(seen): seen.value for seen in one.all("hop_address")}
    quoted, sent = [], 0
    for seen in one.all("hop_dscp_quoted"):
        hop, dscp, asked = _hop(seen), number(seen), seen.method.get("dscp")
        if hop is not None and dscp is not None and isinstance(asked, int):
            quoted.append(_Quoted(hop, str(addresses.get(hop)), int(dscp)))
            sent = asked
    quoted.sort(key=lambda one: one.hop)
    if not quoted or quoted[-1].dscp == sent or not sent:
        return None
    first = max((index + 1 for index, one in enumerate(quoted) if one.dscp == sent), default=0)
    return _Change(sent, tuple(quoted[:first]), tuple(quoted[first:]))


def _hop(seen: Observation) -> int | None:
    hop = seen.method.get("hop")
    return hop if isinstance(hop, int) else None


def _finding(evidence: Evidence, place: Place, cases: Sequence[_Case]) -> Finding:
    change = cases[0].change
    where = (
        f"It is whole as it reaches {change.kept[-1]} and changed as it reaches {change.changed[0]}"
        if change.kept
        else f"It is changed already as it reaches {change.changed[0]}, the first that tells"
    )
    targets = [case.host.place.name for case in cases]
    to = place.name if len(cases) == 1 else f"{place.name} ({listing(targets, 3)})"
    left = sorted({one.dscp for one in change.changed})
    return draft(
        evidence,
        "dscp-bleached",
        place,
        f"Packets to {to} lose their mark on the way: sent with {_mark(change.sent)}, "
        f"they travel on with {listing([_mark(dscp) for dscp in left])}. {where}.",
        rounds=[case.one for case in cases],
        seen=[seen for case in cases for seen in case.one.all("hop_dscp_quoted")],
        action=f"It is done between {change.kept[-1]} as it sends on and {change.changed[0]} as it "
        "receives."
        if change.kept
        else "",
        refutations=(
            Refutation(
                "Is the mark whole before that?",
                f"yes, at {counted(len(change.kept), 'hop')}" if change.kept else "no hop tells",
            ),
            Refutation(
                "Is it whole again further on?",
                f"no: {counted(len(change.changed), 'hop')} from there on quote another",
            ),
        ),
        missing=("the mark on the way back, which needs a reflector at the site",),
        alternatives=("a provider whose contract has no classes of service",),
    )


def _mark(dscp: int) -> str:
    return f"DSCP {dscp} ({_NAMES[dscp]})" if dscp in _NAMES else f"DSCP {dscp}"
