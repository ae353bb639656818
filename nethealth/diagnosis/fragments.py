"""Large SIP requests that vanish because somebody on the way drops fragments."""

from collections.abc import Iterator, Sequence

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place, Round
from nethealth.diagnosis.near import placed
from nethealth.diagnosis.rounds import persistent
from nethealth.diagnosis.text import counted, listing
from nethealth.model.finding import Finding, Refutation, Verdict
from nethealth.model.observation import Observation
from nethealth.quality.loss import wilson

_NAME = "sip_size_arrived_max_bytes"


def fragments_dropped(evidence: Evidence) -> Iterator[Finding]:
    """`path-mtu-black-hole` of each place from which only requests that fit one packet arrive."""
    found: dict[str, tuple[Host, Round]] = {}
    measured = []
    for host in evidence.hosts:
        for series in host.of("sip-alg"):
            if any(one.first(_NAME) for one in series.rounds):
                measured.append(host)
            faults = persistent(series.rounds, _dropped)
            if faults:
                found[host.place.key] = (host, faults[-1][0])
    shown = [host for host, _ in found.values()]
    for place, hosts in placed(evidence, shown, measured).values():
        key = Place(f"{place.key}:fragments", place.name, place.council, place.site, place.asset)
        yield _finding(evidence, key, [found[host.place.key] for host in hosts])


def _dropped(one: Round) -> tuple[int, int] | None:
    """The largest size that arrived and the smallest above it of which nothing did.

    Of requests that anybody may fragment: where nobody may, not to arrive is as it should be.
    """
    largest, missing = 0, set[int]()
    for seen in _fragmentable(one):
        largest = max([largest, *_sizes(seen, "sizes_arrived")])
        missing |= set(_sizes(seen, "sizes_missing"))
    above = [size for size in missing if size > largest]
    return (largest, min(above)) if largest and above and len(above) == len(missing) else None


def _fragmentable(one: Round) -> list[Observation]:
    """What is known of requests that may be fragmented, of the ports where any arrived."""
    return [
        seen
        for seen in one.all(_NAME)
        if seen.method.get("dont_fragment") is False and _sizes(seen, "sizes_arrived")
    ]


def _finding(evidence: Evidence, place: Place, shown: Sequence[tuple[Host, Round]]) -> Finding:
    one = shown[-1][1]
    largest, failing = _dropped(one) or (0, 0)
    seen = _fragmentable(one)
    small = sum(len(_sizes(each, "sizes_arrived")) for each in seen)
    # Each size that is missing was sent in all its copies; of one that arrived, one is known.
    large = sum(len(_sizes(each, "sizes_missing")) * _copies(each) for each in seen)
    clear = wilson(small, small)[0] > wilson(0, large)[1] if small and large else False
    whole = [
        max(_sizes(each, "sizes_arrived"), default=0)
        for each in one.all(_NAME)
        if each.method.get("dont_fragment") is True
    ]
    return draft(
        evidence,
        "path-mtu-black-hole",
        place,
        f"SIP requests of {failing} octets or more from {evidence.vantage_place.name} to "
        f"{listing([host.place.name for host, _ in shown], 3)} vanish, those of up to {largest} "
        "arrive: somebody on the way drops fragments. Large INVITEs are lost, and short questions "
        "never show it.",
        rounds=[each for _, each in shown],
        seen=[each for _, round_ in shown for each in round_.all(_NAME)],
        verdict=Verdict.DEMONSTRATED if clear else Verdict.INSUFFICIENT_DATA,
        action="Let fragments of UDP through, or send SIP by TCP or TLS, as RFC 3261 (section "
        "18.1.1) asks of requests larger than 1,300 octets.",
        refutations=(
            Refutation(
                "Do smaller requests arrive at the same time?",
                f"yes: {counted(small, 'size')} up to {largest} octets",
            ),
            Refutation(
                "Was each larger one sent more than once?",
                f"yes: {counted(large, 'packet')} in all, and none arrived",
            ),
            Refutation(
                "What arrives where nobody may fragment?",
                f"requests of up to {max(whole)} octets" if any(whole) else "not measured",
            ),
        ),
        missing=("a capture on both sides of each firewall on the way",),
        alternatives=("a limit on the size of SIP messages in a helper on the way",),
    )


def _sizes(seen: Observation, key: str) -> list[int]:
    value = seen.method.get(key)
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [one for one in value if isinstance(one, int) and not isinstance(one, bool)]


def _copies(seen: Observation) -> int:
    copies = seen.method.get("copies")
    return copies if isinstance(copies, int) and 0 < copies < 100 else 1
