"""SIP that does not arrive as it was sent, told from plain address translation and from a filter.

Only our own reflector can tell: a helper that rewrites requests mends their answers, so that no
telephone and no ordinary server sees it.
"""

from collections.abc import Iterator, Sequence

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place, Round
from nethealth.diagnosis.near import placed
from nethealth.diagnosis.rounds import persistent
from nethealth.diagnosis.text import counted, listing
from nethealth.model.finding import Finding, Refutation, Verdict
from nethealth.model.observation import Observation

_PARTS_MOST = 8
_LINE_MOST = 100


def sip_rewritten(evidence: Evidence) -> Iterator[Finding]:
    """`sip-alg` of each place whose SIP arrives rewritten; where it is blocked, that nobody knows.

    "Not seen" is no finding and no proof: a helper may look only at other ports, or later.
    """
    found: dict[str, tuple[Host, Round]] = {}
    blocked: dict[str, tuple[Host, Round]] = {}
    measured = []
    for host in evidence.hosts:
        for series in host.of("sip-alg"):
            if any(_told(one) for one in series.rounds):
                measured.append(host)
            rewritten = persistent(series.rounds, lambda one: _cases(one, "rewritten") or None)
            shut = persistent(series.rounds, lambda one: _cases(one, "blocked") or None)
            if rewritten:
                found[host.place.key] = (host, rewritten[-1][0])
            elif shut:
                blocked[host.place.key] = (host, shut[-1][0])
    for place, hosts in placed(evidence, [host for host, _ in found.values()], measured).values():
        yield _finding(evidence, place, [found[host.place.key] for host in hosts])
    if not found:
        shown = [host for host, _ in blocked.values()]
        for place, hosts in placed(evidence, shown, measured).values():
            yield _blocked(evidence, place, [blocked[host.place.key] for host in hosts])


def _told(one: Round) -> bool:
    return any(seen.value is not None for seen in one.all("sip_alg_seen"))


def _cases(one: Round, value: str) -> tuple[Observation, ...]:
    return tuple(seen for seen in one.all("sip_alg_seen") if seen.value == value)


def _finding(evidence: Evidence, place: Place, shown: Sequence[tuple[Host, Round]]) -> Finding:
    one = shown[-1][1]
    cases = _cases(one, "rewritten")
    controls = {seen.method.get("control") for seen in cases}
    verdict = (
        Verdict.DEMONSTRATED
        if "unchanged" in controls
        else Verdict.SUPPORTED
        if "changed" in controls
        else Verdict.SUGGESTIVE
    )
    parts = _parts(one)
    beside = {
        Verdict.DEMONSTRATED: "The same octets to another port arrive unchanged.",
        Verdict.SUPPORTED: "The same octets to another port are changed as well.",
    }.get(verdict, "The same octets to another port did not arrive, so nothing could be compared.")
    return draft(
        evidence,
        "sip-alg",
        place,
        f"SIP from {evidence.vantage_place.name} to {_names(shown)} is rewritten on its way: "
        f"{_ways(cases)} to port {_port(one)} arrived with another "
        f"{listing(parts, _PARTS_MOST) or 'content'}.{_example(one)} {beside}",
        rounds=[each for _, each in shown],
        seen=[
            seen
            for _, each in shown
            for name in ("sip_alg_seen", "sip_rewritten_parts", "sip_request_arrived")
            for seen in each.all(name)
        ],
        verdict=verdict,
        refutations=_refutations(one, cases),
        missing=("the configuration of the routers and firewalls on the way",),
        alternatives=(
            "a session border controller on the way that is meant to rewrite SIP",
            "a reflector that does not tell the truth",
            *(
                ("a proxy for all that goes out, whatever the port",)
                if verdict is Verdict.SUPPORTED
                else ()
            ),
        ),
    )


def _refutations(one: Round, cases: Sequence[Observation]) -> tuple[Refutation, ...]:
    same = [seen for seen in cases if seen.method.get("control") == "unchanged"]
    untouched = sorted({_way(seen) for seen in one.all("sip_alg_seen") if seen.value == "not seen"})
    translated = [seen for seen in one.all("nat_source_translated") if seen.value is True]
    return (
        Refutation(
            "Do the same octets to another port arrive unchanged?",
            f"yes, in {len(same)} of {counted(len(cases), 'case')}" if same else "no",
        ),
        Refutation(
            "Is it no more than address translation?",
            ("the source is translated too, " if translated else "the source is not translated, ")
            + "and that alone changes no octet of a request",
        ),
        Refutation(
            "Do the other transport and method show it too?",
            f"not all: {listing(untouched)} arrived as sent" if untouched else "yes, all of them",
        ),
    )


def _blocked(evidence: Evidence, place: Place, shown: Sequence[tuple[Host, Round]]) -> Finding:
    one = shown[-1][1]
    cases = _cases(one, "blocked")
    return draft(
        evidence,
        "sip-alg",
        place,
        f"Port {_port(one)} of {_names(shown)} is blocked for {_ways(cases)} from "
        f"{evidence.vantage_place.name}: nothing arrived there, and the same octets to another "
        "port did. Whether anything on the way rewrites SIP is therefore not known.",
        rounds=[each for _, each in shown],
        seen=[
            seen
            for _, each in shown
            for name in ("sip_alg_seen", "sip_request_arrived")
            for seen in each.all(name)
        ],
        verdict=Verdict.INSUFFICIENT_DATA,
        action=f"Let port {_port(one)} through to the reflector while it is measured.",
        refutations=(
            Refutation("Do the same octets to another port arrive?", f"yes, in {len(cases)} cases"),
        ),
        missing=("any request at that port, as it arrives",),
        alternatives=("a firewall that lets SIP go to the telephone provider alone, as it should",),
    )


def _names(shown: Sequence[tuple[Host, Round]]) -> str:
    return listing([host.place.name for host, _ in shown], 3)


def _way(seen: Observation) -> str:
    transport = str(seen.method.get("transport", "")).upper()[:8]
    return f"{str(seen.method.get('sip_method', 'SIP'))[:16]} by {transport}"


def _ways(cases: Sequence[Observation]) -> str:
    return listing(list(dict.fromkeys(_way(seen) for seen in cases)))


def _port(one: Round) -> str:
    for seen in one.all("sip_request_arrived"):
        if seen.method.get("role") == "sip":
            return str(seen.method.get("port"))[:8]
    return "5060"


def _parts(one: Round) -> list[str]:
    """The parts that were rewritten, of all cases, in order."""
    found: dict[str, None] = {}
    for seen in one.all("sip_rewritten_parts"):
        for part in _texts(seen, "parts"):
            found[part[:40]] = None
    return list(found)


def _example(one: Round) -> str:
    """The first line that differs, as it was sent and as it arrived."""
    for seen in one.all("sip_rewritten_parts"):
        for sent, received in zip(_texts(seen, "sent"), _texts(seen, "received"), strict=False):
            if sent and received:
                return f' It left as "{sent[:_LINE_MOST]}" and came as "{received[:_LINE_MOST]}".'
    return ""


def _texts(seen: Observation, key: str) -> list[str]:
    value = seen.method.get(key)
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [part for part in value if isinstance(part, str)]
