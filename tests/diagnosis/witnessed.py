"""What the probes of a reflector's witness would have said, for a scene."""

from collections.abc import Mapping

from nethealth.model.failure import Failure
from nethealth.model.observation import Passport, Scalar
from tests.diagnosis.build import Scene
from tests.diagnosis.paths import more

WAYS = tuple(
    (transport, method) for transport in ("udp", "tcp") for method in ("OPTIONS", "INVITE")
)
SIZES = (1200, 1300, 1400, 1472, 1600, 2800)
Verdict = tuple[str | None, str]  # of the SIP port's copy; what became of the control copy

UNSEEN: Verdict = ("not seen", "unchanged")
REWRITTEN: Verdict = ("rewritten", "unchanged")
BLOCKED: Verdict = ("blocked", "unchanged")


def alg(
    scene: Scene,
    host: str,
    verdicts: Mapping[str, Verdict] | None = None,
    *,
    translated: bool = True,
    largest: int = 2800,
    unfragmented: int = 1472,
) -> Scene:
    """A check; `verdicts` by transport, where they are not that nothing was seen."""
    scene.check(host, "sip-alg", {"witness_opening_time_s": 0.01})
    for transport, method in WAYS:
        verdict, control = (verdicts or {}).get(transport, UNSEEN)
        way: Passport = {"transport": transport, "sip_method": method}
        for role, port in (("sip", 5060), ("control", 8630)):
            here = verdict not in ("blocked", None) if role == "sip" else control != "missing"
            more(scene, "sip_request_arrived", here, {**way, "role": role, "port": port}, 1)
        more(scene, "sip_alg_seen", verdict, {**way, "control": control}, 1)
        if verdict == "rewritten":
            lines = {
                "parts": ("Via sent-by", "Contact host"),
                "sent": ("Via: SIP/2.0/UDP 10.0.0.5:4000", "Contact: <sip:n@10.0.0.5:4000>"),
                "received": ("Via: SIP/2.0/UDP 192.0.2.7:4000", "Contact: <sip:n@192.0.2.7:4000>"),
            }
            more(scene, "sip_rewritten_parts", "Via sent-by, Contact host", {**way, **lines}, 1)
    for transport in ("udp", "tcp"):
        more(scene, "nat_source_translated", translated, {"transport": transport}, 1)
    for dont_fragment, most in ((False, largest), (True, unfragmented)):
        for role in ("sip", "control"):
            told: Passport = {
                "dont_fragment": dont_fragment,
                "role": role,
                "copies": 3,
                "sizes_arrived": tuple(size for size in SIZES if size <= most),
                "sizes_missing": () if dont_fragment else tuple(s for s in SIZES if s > most),
                "sizes_unsendable": tuple(s for s in SIZES if s > most) if dont_fragment else (),
            }
            more(scene, "sip_size_arrived_max_bytes", most, told, 6)
    return scene


def nat(
    scene: Scene,
    host: str,
    survived_s: float,
    lost_s: float | None,
    *,
    lost: int = 4,
    lost_of: int = 4,
    reopened: int = 4,
    translated: bool | None = True,
) -> Scene:
    """A check whose bindings lived for so long, and were gone after `lost_s`."""
    facts: dict[str, Scalar | tuple[Scalar, Passport]] = {"witness_opening_time_s": 0.01}
    if translated is not None:
        facts["nat_translated"] = translated
    scene.check(host, "nat", facts)
    told: Passport = {
        "lost_after_s": lost_s,
        "lost_count": lost if lost_s else 0,
        "lost_of": lost_of if lost_s else 0,
        "reopened_count": reopened if lost_s else 0,
        "reopened_of": lost if lost_s else 0,
    }
    more(scene, "nat_binding_lifetime_s", survived_s, told, 20)
    return scene


def no_witness(scene: Scene, host: str, *kinds: str) -> Scene:
    """Its control port refuses, or is filtered."""
    for kind in kinds:
        assert kind in ("sip-alg", "nat")
        scene.failing(host, "sip-alg" if kind == "sip-alg" else "nat", Failure.TIMEOUT)
    return scene
