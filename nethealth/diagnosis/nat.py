"""Bindings of a translator or firewall that are forgotten sooner than RFC 4787 allows."""

from collections.abc import Iterator, Sequence

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place, Round, number
from nethealth.diagnosis.near import placed
from nethealth.diagnosis.rounds import persistent
from nethealth.diagnosis.text import counted, listing
from nethealth.model.finding import Finding, Refutation, Verdict

REQUIRED_S = 120.0  # RFC 4787 section 4.3, REQ-5
AGREEING_LEAST = 2  # bindings: one alone may have lost its words by chance


def short_bindings(evidence: Evidence) -> Iterator[Finding]:
    """`nat-binding-short` of each place whose bindings are gone after less than two minutes."""
    found: dict[str, tuple[Host, Round]] = {}
    measured = []
    for host in evidence.hosts:
        for series in host.of("nat"):
            if any(one.number("nat_binding_lifetime_s") is not None for one in series.rounds):
                measured.append(host)
            faults = persistent(series.rounds, _lost_after_s)
            if faults:
                found[host.place.key] = (host, faults[-1][0])
    shown = [host for host, _ in found.values()]
    for place, hosts in placed(evidence, shown, measured).values():
        yield _finding(evidence, place, [found[host.place.key] for host in hosts])


def _lost_after_s(one: Round) -> float | None:
    """The silence after which no binding was left, if it is one that a binding has to survive."""
    seen = one.first("nat_binding_lifetime_s")
    if seen is None or number(seen) is None:
        return None
    lost_s = _number(seen.method.get("lost_after_s"))
    return lost_s if lost_s is not None and 0 < lost_s <= REQUIRED_S else None


def _finding(evidence: Evidence, place: Place, shown: Sequence[tuple[Host, Round]]) -> Finding:
    one = shown[-1][1]
    seen = one.first("nat_binding_lifetime_s")
    survived_s, lost_s = one.number("nat_binding_lifetime_s") or 0.0, _lost_after_s(one) or 0.0
    lost, tried, reopened, closed = (
        int(_number(seen.method.get(key)) or 0) if seen else 0
        for key in ("lost_count", "lost_of", "reopened_count", "reopened_of")
    )
    sure = lost >= AGREEING_LEAST and lost == tried and reopened > 0
    translated = one.flag("nat_translated")
    what = "address translator" if translated else "stateful filter"
    return draft(
        evidence,
        "nat-binding-short",
        place,
        f"The {what} between {evidence.vantage_place.name} and "
        f"{listing([host.place.name for host, _ in shown], 3)} forgets a UDP binding too soon: "
        f"after {survived_s:.3g} s of silence it was still there, after {lost_s:.3g} s it was "
        "gone. "
        "RFC 4787 (section 4.3, REQ-5) asks for no less than 120 s and recommends 300 s. A "
        "telephone that is silent for longer cannot be called.",
        rounds=[each for _, each in shown],
        seen=[
            observation
            for _, each in shown
            for name in ("nat_binding_lifetime_s", "nat_binding_alive_ratio", "nat_translated")
            for observation in each.all(name)
        ],
        verdict=Verdict.DEMONSTRATED if sure else Verdict.INSUFFICIENT_DATA,
        action=f"Until then let telephones send a keep-alive at least every {_half(survived_s)} s."
        if survived_s
        else "",
        refutations=(
            Refutation(
                "Do several bindings agree?",
                f"{lost} of {counted(tried, 'binding')} silent for {lost_s:.3g} s or longer were "
                "gone",
            ),
            Refutation(
                "Did the way as such still work?",
                f"yes: {reopened} of {closed} were answered at once when they were opened again"
                if reopened
                else "not shown: none was answered when it was opened again",
            ),
            Refutation(
                "Is the address translated at all?",
                "not known"
                if translated is None
                else "yes"
                if translated
                else "no: a filter keeps the same sort of state",
            ),
        ),
        missing=("bindings that carry more traffic, which some keep for longer",),
        alternatives=(
            "a table of bindings that is full, and drops the oldest",
            "a filter before the reflector, at its own site",
        ),
    )


def _half(survived_s: float) -> str:
    return f"{survived_s / 2:.3g}"


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
