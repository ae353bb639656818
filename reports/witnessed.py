"""What the checks by a reflector's witness gave, in words."""

from collections.abc import Mapping, Sequence

from nethealth.model.observation import Observation
from reports.words import count, listed, observed, percent, seconds

Seen = Mapping[str, Sequence[Observation]]
Lines = list[tuple[str, str]]

_MEANT = {
    "rewritten": "rewritten",
    "blocked": "blocked",
    "not seen": "arrives as sent (which proves no absence of a helper)",
}


def sip_alg(seen: Seen) -> Lines:
    """By verdict, then which parts, plain translation, and the sizes that arrive."""
    lines: Lines = []
    by_verdict: dict[str, list[str]] = {}
    for one in _last(seen, "sip_alg_seen"):
        word = _MEANT.get(str(one.value), "no data: neither copy arrived")
        by_verdict.setdefault(word, []).append(
            f"{_text(one, 'sip_method')} by {_text(one, 'transport').upper()}"
        )
    if by_verdict:
        text = "; ".join(f"{word}: {listed(ways, 4)}" for word, ways in by_verdict.items())
        lines.append(("SIP", text))
    parts = dict.fromkeys(
        part for one in _last(seen, "sip_rewritten_parts") for part in _list(one, "parts")
    )
    if parts:
        lines.append(("rewritten parts", listed(list(parts), 10)))
    lines += _translated(_last(seen, "nat_source_translated"))
    for dont_fragment, label in ((False, "in fragments"), (True, "unfragmented")):
        sizes = [
            f"{observed(one)} to port {_text(one, 'port')}"
            for one in _last(seen, "sip_size_arrived_max_bytes")
            if one.method.get("dont_fragment") is dont_fragment
        ]
        if sizes:
            lines.append((f"largest {label}", "; ".join(sizes)))
    return lines


def nat(seen: Seen) -> Lines:
    """Translation, mapping, filtering, and how long a binding lasts."""
    lines = _translated(_last(seen, "nat_translated"))
    for name, label in (("nat_mapping", "mapping"), ("nat_filtering", "filtering")):
        for one in _last(seen, name)[-1:]:
            missing = _text(one, "missing")
            lines.append(
                (label, observed(one) + (f"; not told apart: {missing}" if missing else ""))
            )
    for one in _last(seen, "nat_port_preserved_ratio")[-1:]:
        if isinstance(one.value, int | float):
            ports = count(one.samples or 0, "port")
            lines.append(("own port kept", f"{percent(one.value)} of {ports}"))
    for one in _last(seen, "nat_binding_lifetime_s")[-1:]:
        lines.append(("binding", _lifetime(one)))
    return lines


def _lifetime(one: Observation) -> str:
    if not isinstance(one.value, int | float):
        return observed(one)
    lost = one.method.get("lost_after_s")
    if isinstance(lost, int | float):
        agree = f"{_text(one, 'lost_count')} of {_text(one, 'lost_of')}"
        return (
            f"there after {seconds(one.value)} of silence, gone after {seconds(lost)} "
            f"({agree} bindings agree)"
        )
    return f"there after {seconds(one.value)} of silence, the longest tried"


def _translated(found: Sequence[Observation]) -> Lines:
    for one in found[-1:]:
        way = f"{_text(one, 'local')} as {_text(one, 'source')}"
        return [("translated", f"yes: {way}" if one.value is True else "no")]
    return []


def _last(seen: Seen, name: str) -> Sequence[Observation]:
    """What the last round saw under this name."""
    found = seen.get(name, ())
    return [one for one in found if one.check == found[-1].check]


def _text(one: Observation, key: str) -> str:
    value = one.method.get(key)
    return "" if value is None or not isinstance(value, str | int | float) else str(value)[:100]


def _list(one: Observation, key: str) -> list[str]:
    value = one.method.get(key)
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [str(part)[:40] for part in value]
