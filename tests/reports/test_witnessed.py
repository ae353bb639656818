"""The figures of sip-alg and nat, as an engineer reads them."""

from collections.abc import Sequence

from nethealth.model.failure import Failure
from nethealth.model.observation import Observation, Passport, Scalar
from reports.witnessed import Lines, Seen, nat, sip_alg


def seen(*facts: tuple[str, Scalar, Passport]) -> Seen:
    found: dict[str, list[Observation]] = {}
    for number, (name, value, method) in enumerate(facts):
        units = {"_bytes": "bytes", "_ratio": "1", "_s": "s"}
        unit = next((units[end] for end in units if name.endswith(end)), None)
        failure = Failure.TIMEOUT if value is None else None
        found.setdefault(name, []).append(
            Observation(
                f"a/{number}", "a", name, value, unit, samples=4, failure=failure, method=method
            )
        )
    return found


def line(lines: Lines, label: str) -> str:
    (text,) = [text for one, text in lines if one == label]
    return text


def ways(verdicts: Sequence[str | None]) -> list[tuple[str, Scalar, Passport]]:
    each = (("udp", "OPTIONS"), ("udp", "INVITE"), ("tcp", "OPTIONS"), ("tcp", "INVITE"))
    return [
        ("sip_alg_seen", verdict, {"transport": transport, "sip_method": method})
        for verdict, (transport, method) in zip(verdicts, each, strict=True)
    ]


def test_each_verdict_is_told_with_its_ways_and_absence_is_never_claimed() -> None:
    lines = sip_alg(seen(*ways(["rewritten", "not seen", "blocked", None])))
    text = line(lines, "SIP")
    assert "rewritten: OPTIONS by UDP" in text
    assert "arrives as sent (which proves no absence of a helper): INVITE by UDP" in text
    assert "blocked: OPTIONS by TCP" in text
    assert "no data: neither copy arrived: INVITE by TCP" in text


def test_the_rewritten_parts_translation_and_sizes_are_told() -> None:
    lines = sip_alg(
        seen(
            *ways(["rewritten"] * 4),
            ("sip_rewritten_parts", "Via sent-by", {"parts": ("Via sent-by", "SDP c=")}),
            ("nat_source_translated", True, {"local": "10.0.0.5:1", "source": "192.0.2.7:9"}),
            ("sip_size_arrived_max_bytes", 1472, {"dont_fragment": False, "port": 5060}),
            ("sip_size_arrived_max_bytes", None, {"dont_fragment": True, "port": 5060}),
        )
    )
    assert line(lines, "rewritten parts") == "Via sent-by and SDP c="
    assert line(lines, "translated") == "yes: 10.0.0.5:1 as 192.0.2.7:9"
    assert line(lines, "largest in fragments") == "1,472 bytes to port 5060"
    assert line(lines, "largest unfragmented") == "no data (no answer) to port 5060"


def test_a_binding_is_told_with_its_bounds_and_those_that_agree() -> None:
    told: Passport = {"lost_after_s": 42.0, "lost_count": 4, "lost_of": 4}
    lines = nat(seen(("nat_binding_lifetime_s", 30.0, told)))
    assert line(lines, "binding") == (
        "there after 30.0 s of silence, gone after 42.0 s (4 of 4 bindings agree)"
    )
    lines = nat(seen(("nat_binding_lifetime_s", 150.0, {"lost_after_s": None})))
    assert line(lines, "binding") == "there after 150 s of silence, the longest tried"
    assert line(nat(seen(("nat_binding_lifetime_s", None, {}))), "binding") == (
        "no data (no answer)"
    )


def test_what_one_address_cannot_tell_is_said() -> None:
    missing = "a second address"
    lines = nat(
        seen(
            ("nat_translated", False, {"local": "10.0.0.5:1", "source": "10.0.0.5:1"}),
            ("nat_mapping", "not port-dependent", {"missing": missing}),
            ("nat_port_preserved_ratio", 0.25, {}),
        )
    )
    assert line(lines, "translated") == "no"
    assert line(lines, "mapping") == f"not port-dependent; not told apart: {missing}"
    assert line(lines, "own port kept") == "25.0 % of 4 ports"


def test_hostile_values_break_nothing() -> None:
    odd: tuple[tuple[str, Scalar, Passport], ...] = (
        ("sip_alg_seen", "x" * 900, {"transport": None, "sip_method": 7}),
        ("sip_rewritten_parts", None, {"parts": "no list"}),
        ("nat_binding_lifetime_s", float("nan"), {"lost_after_s": "later"}),
        ("nat_port_preserved_ratio", "all", {}),
    )
    assert sip_alg(seen(*odd))
    assert nat(seen(*odd))
