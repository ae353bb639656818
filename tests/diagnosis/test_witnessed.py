"""SIP helpers, short bindings and fragment droppers, and what only looks like them."""

import pytest

from nethealth.model.failure import Failure
from nethealth.model.finding import Severity, Verdict
from tests.diagnosis.build import Scene, healthy
from tests.diagnosis.witnessed import BLOCKED, REWRITTEN, alg, nat, no_witness


def inside() -> Scene:
    """A vantage at the mill, whose reflectors stand elsewhere."""
    scene = healthy()
    scene.vantage_site = "mill"
    return scene.site("mill").ping("gateway:mill")


def test_a_helper_on_one_port_is_demonstrated_with_its_octets() -> None:
    finding = alg(inside(), "dc-witness", {"udp": REWRITTEN}).only("sip-alg:mill")
    assert (finding.severity, finding.verdict) == (Severity.WARNING, Verdict.DEMONSTRATED)
    assert (finding.site, finding.asset) == ("mill", None)
    assert "OPTIONS by UDP and INVITE by UDP to port 5060" in finding.statement
    assert "Via sent-by and Contact host" in finding.statement
    assert 'left as "Via: SIP/2.0/UDP 10.0.0.5:4000"' in finding.statement
    results = {one.test: one.result for one in finding.refutations}
    assert results["Do the same octets to another port arrive unchanged?"] == "yes, in 2 of 2 cases"
    other = results["Do the other transport and method show it too?"]
    assert other == "not all: INVITE by TCP and OPTIONS by TCP arrived as sent"
    raw = [one for one in finding.evidence if one.startswith("dc-witness:sip-alg/")]
    assert len(raw) >= 8


def test_what_is_changed_on_every_port_is_supported_and_without_a_control_suggestive() -> None:
    both = alg(inside(), "dc-witness", {"udp": ("rewritten", "changed")}).only("sip-alg:mill")
    assert both.verdict is Verdict.SUPPORTED
    assert any("proxy" in one for one in both.alternatives)
    alone = alg(inside(), "dc-witness", {"udp": ("rewritten", "missing")}).only("sip-alg:mill")
    assert alone.verdict is Verdict.SUGGESTIVE


@pytest.mark.parametrize("translated", [True, False])
def test_plain_translation_is_nothing(translated: bool) -> None:
    assert alg(inside(), "dc-witness", translated=translated).findings() == ()


def test_a_control_port_that_datagrams_do_not_reach_is_nothing_by_itself() -> None:
    shut = {"udp": ("not seen", "missing")}
    assert alg(inside(), "dc-witness", shut).findings() == ()
    assert alg(inside(), "dc-witness", {"udp": (None, "missing")}).findings() == ()


@pytest.mark.parametrize("transports", [("udp",), ("udp", "tcp")])
def test_a_blocked_port_is_information_and_no_rewriting(transports: tuple[str, ...]) -> None:
    finding = alg(inside(), "dc-witness", dict.fromkeys(transports, BLOCKED)).only("sip-alg:mill")
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.INSUFFICIENT_DATA)
    assert "is blocked" in finding.statement
    assert "rewrites SIP is therefore not known" in finding.statement


def test_rewriting_outweighs_a_transport_that_is_blocked() -> None:
    finding = alg(inside(), "dc-witness", {"udp": BLOCKED, "tcp": REWRITTEN}).only("sip-alg:mill")
    assert finding.verdict is Verdict.DEMONSTRATED
    assert "by TCP" in finding.statement


def test_no_witness_says_nothing_of_sip_or_bindings() -> None:
    scene = no_witness(inside().ping("dc-witness"), "dc-witness", "sip-alg", "nat")
    (finding,) = scene.findings()
    assert finding.code == "instrument-limited"
    assert "whether SIP is rewritten on the way there is not known" in finding.statement
    assert "how long bindings last on the way there is not known" in finding.statement


def test_a_silent_host_is_down_and_nothing_else() -> None:
    scene = no_witness(inside().silent("dc-witness").ping("dc-web"), "dc-witness", "sip-alg")
    assert scene.only("host-down:dc-witness").asset == "dc-witness"


def test_without_a_site_of_the_vantage_it_is_said_of_the_reflector() -> None:
    finding = alg(healthy(), "dc-witness", {"udp": REWRITTEN}).only("sip-alg:dc-witness")
    assert (finding.site, finding.asset) == ("dc", "dc-witness")


def test_of_two_reflectors_that_differ_the_one_is_named() -> None:
    scene = alg(inside(), "dc-witness", {"udp": REWRITTEN})
    alg(scene, "quay-witness")
    assert scene.ids() == ["sip-alg:dc-witness"]
    alg(both := alg(inside(), "dc-witness", {"udp": REWRITTEN}), "quay-w", {"udp": REWRITTEN})
    assert both.ids() == ["sip-alg:mill"]


def test_of_a_repeated_check_one_round_is_no_fault_and_two_are() -> None:
    scene = alg(alg(inside(), "dc-witness", {"udp": REWRITTEN}), "dc-witness")
    assert scene.findings() == ()
    scene = alg(scene, "dc-witness", {"udp": REWRITTEN})
    assert alg(scene, "dc-witness", {"udp": REWRITTEN}).ids() == ["sip-alg:mill"]


def test_a_lying_reflector_is_no_rewriting() -> None:
    scene = inside().ping("dc-witness").failing("dc-witness", "sip-alg", Failure.PROTOCOL)
    assert [one.code for one in scene.findings()] == ["instrument-limited"]


def test_fragments_that_vanish_are_a_black_hole_of_their_own() -> None:
    finding = alg(inside(), "dc-witness", largest=1472).only("path-mtu-black-hole:mill:fragments")
    assert (finding.severity, finding.verdict) == (Severity.WARNING, Verdict.DEMONSTRATED)
    assert (finding.site, finding.asset) == ("mill", None)
    assert "SIP requests of 1600 octets or more" in finding.statement
    # 0 of 12 packets: two sizes, three copies, two ports; 4 sizes arrived at both: 8 of 8
    results = {one.test: one.result for one in finding.refutations}
    assert results["Was each larger one sent more than once?"].startswith("yes: 12 packets")
    assert "8 sizes up to 1472 octets" in results["Do smaller requests arrive at the same time?"]


def test_what_is_too_large_only_where_nobody_may_fragment_is_as_it_should_be() -> None:
    assert alg(inside(), "dc-witness", unfragmented=1300).findings() == ()


def test_requests_lost_by_chance_are_no_black_hole() -> None:
    scene = alg(inside(), "dc-witness")
    # 1300 is missing and 2800 arrived
    for index, seen in enumerate(scene.observations):
        if seen.name == "sip_size_arrived_max_bytes" and seen.method["dont_fragment"] is False:
            method = {**seen.method, "sizes_arrived": (1200, 2800), "sizes_missing": (1300,)}
            scene.observations[index] = type(seen)(
                seen.id, seen.check, seen.name, seen.value, t_s=seen.t_s, method=method
            )
    assert scene.findings() == ()


def test_a_short_binding_is_demonstrated_by_several_that_agree() -> None:
    finding = nat(inside(), "dc-witness", 30.0, 42.0).only("nat-binding-short:mill")
    assert (finding.severity, finding.verdict) == (Severity.WARNING, Verdict.DEMONSTRATED)
    assert "after 30 s of silence it was still there, after 42 s it was gone" in finding.statement
    assert "section 4.3, REQ-5" in finding.statement
    assert "every 15 s" in finding.action
    assert finding.refutations[0].result.startswith("4 of 4 bindings")
    assert "4 of 4 were answered" in finding.refutations[1].result


def test_a_filter_that_translates_nothing_forgets_too() -> None:
    finding = nat(inside(), "dc-witness", 30.0, 42.0, translated=False).only(
        "nat-binding-short:mill"
    )
    assert "stateful filter" in finding.statement


@pytest.mark.parametrize(
    ("survived_s", "lost_s"),
    [(150.0, None), (120.0, 150.0), (10.0, None), (90.0, 150.0)],
    ids=["all there", "longer than required", "not tried for long", "the bound lies between"],
)
def test_what_is_not_shown_to_be_short_is_nothing(survived_s: float, lost_s: float | None) -> None:
    assert nat(inside(), "dc-witness", survived_s, lost_s).findings() == ()


@pytest.mark.parametrize(
    ("lost", "lost_of", "reopened"), [(1, 1, 1), (3, 4, 3), (4, 4, 0)],
    ids=["one binding", "they disagree", "the way itself failed"],
)  # fmt: skip
def test_what_could_be_loss_is_information(lost: int, lost_of: int, reopened: int) -> None:
    finding = nat(
        inside(), "dc-witness", 30.0, 42.0, lost=lost, lost_of=lost_of, reopened=reopened
    ).only("nat-binding-short:mill")
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.INSUFFICIENT_DATA)
