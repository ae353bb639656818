"""Large packets that vanish on the way while nobody says that they are too large."""

from collections.abc import Iterator

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Round, number
from nethealth.diagnosis.rounds import persistent
from nethealth.model.finding import Finding, Refutation, Verdict
from nethealth.quality.loss import wilson


def path_mtu_black_holes(evidence: Evidence) -> Iterator[Finding]:
    """`path-mtu-black-hole` of each host that larger packets do not reach."""
    for host in evidence.hosts:
        for series in host.of("path-mtu"):
            faults = persistent(series.rounds, _black_hole)
            if faults:
                one, sizes = faults[-1]
                yield _finding(evidence, host, one, sizes)


def _black_hole(one: Round) -> tuple[int, int] | None:
    """The largest size that passes and the smallest that vanishes."""
    found = one.first("path_mtu_bytes")
    passing = one.number("path_mtu_bytes")
    failing = found.method.get("failing_bytes") if found else None
    if one.flag("path_mtu_black_hole") is not True or passing is None:
        return None
    return int(passing), failing if isinstance(failing, int) else int(passing) + 1


def _finding(evidence: Evidence, host: Host, one: Round, sizes: tuple[int, int]) -> Finding:
    passing, failing = sizes
    small, large = (_answered(one, size) for size in sizes)
    clear = _interval(small)[0] > _interval(large)[1]
    compared = (
        f" {_share(small)} of {passing} octets were answered, {_share(large)} of {failing}."
        if small and large
        else ""
    )
    reported = one.all("path_mtu_reporter")
    return draft(
        evidence,
        "path-mtu-black-hole",
        host.place,
        f"Packets of more than {passing} octets to {host.place.name} vanish, and no router says "
        f"that they are too large.{compared}{_where(one)}",
        rounds=[one],
        seen=[
            seen
            for seen in one.observations
            if seen.name.startswith("path_mtu_") or seen.name == "packet_reply_ratio"
        ],
        verdict=Verdict.DEMONSTRATED if clear else Verdict.INSUFFICIENT_DATA,
        refutations=(
            Refutation("Do small packets pass at the same time?", _share(small)),
            Refutation(
                "Did any router report a packet as too large?",
                f"yes, {str(reported[0].value)[:64]}, and smaller ones vanish all the same"
                if reported
                else "no",
            ),
        ),
        missing=("a large transfer over TCP, which would hang where this is what people meet",),
        alternatives=(
            "a filter that drops large echo requests and nothing else",
            "a black hole on the way back, for the answers",
        ),
    )


def _answered(one: Round, size: int) -> tuple[int, int] | None:
    """Packets of that size answered, and sent."""
    for seen in one.all("packet_reply_ratio"):
        ratio = number(seen)
        if seen.method.get("packet_bytes") == size and ratio is not None and seen.samples:
            sent = max(1, seen.samples)
            return min(sent, max(0, round(ratio * sent))), sent
    return None


def _interval(answered: tuple[int, int] | None) -> tuple[float, float]:
    return wilson(*answered) if answered else (0.0, 1.0)


def _share(answered: tuple[int, int] | None) -> str:
    return f"{answered[0]} of {answered[1]}" if answered else "not compared"


def _where(one: Round) -> str:
    last = one.first("path_mtu_last_hop")
    if last is None or not isinstance(last.value, str):
        return ""
    method = last.method
    beyond = (
        f"; hop {method.get('next_hop')} ({str(method.get('next_address'))[:64]}) answers only "
        "smaller ones"
        if "next_address" in method
        else ""
    )
    return f" Hop {method.get('hop')} ({last.value[:64]}) is the last that they reach{beyond}."
