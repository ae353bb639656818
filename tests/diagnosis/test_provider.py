"""Loss that is the provider's, and loss that only looks so."""

from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.coexist import Beside, Story, coexistence
from tests.diagnosis.test_streams import stream

# 20 of 200 echo requests: Wilson 6.6 to 14.9 %; 0 of 600: 0 to 0.6 %.
LOSSY, CLEAN = 20, 0


def site(
    scene: Scene, name: str, upstream: str | None, lost: int, gateway: int | None = None
) -> Scene:
    scene.site(name, upstream)
    scene.ping(f"gateway:{name}", lost=lost if gateway is None else gateway, sent=200)
    return scene.ping(f"{name}-a", lost=lost, sent=200).ping(f"{name}-b", lost=lost, sent=200)


def by_id(scene: Scene) -> dict[str, Finding]:
    return {finding.id: finding for finding in scene.findings()}


def three(first: int, second: int, third: int) -> Scene:
    """Mill and quay of one provider, lock of another."""
    scene = site(site(Scene(), "mill", "Northline", first), "quay", "Northline", second)
    return site(scene, "lock", "Southline", third)


def test_all_sites_of_one_provider_lose_at_once_and_others_do_not() -> None:
    found = by_id(three(LOSSY, LOSSY, CLEAN))
    finding = found["provider-loss:Northline"]
    assert (finding.severity, finding.verdict) == (Severity.WARNING, Verdict.SUPPORTED)
    assert finding.direction is Direction.NOT_TELEPHONY
    assert finding.site is None
    assert "all 2 sites of Northline at once, and at no other" in finding.statement
    assert finding.symptoms == ("packet-loss:mill", "packet-loss:quay")
    assert set(found) == {finding.id, *finding.symptoms}
    results = {test.test: test.result for test in finding.refutations}
    assert results["Do sites of other providers lose packets at the same time?"] == (
        "no: Lock House 0 of 600"
    )
    assert "the gateway of Mill House lost 20 of 200" in results["Is it the inside of one site?"]


def test_a_vantage_that_loses_everywhere_blames_no_provider() -> None:
    assert not [one for one in by_id(three(LOSSY, LOSSY, LOSSY)) if one.startswith("provider")]


def test_a_provider_with_a_clean_site_is_not_to_blame() -> None:
    assert set(by_id(three(LOSSY, CLEAN, CLEAN))) == {"packet-loss:mill"}


def test_without_another_provider_to_compare_with_nobody_is_blamed() -> None:
    scene = site(site(Scene(), "mill", "Northline", LOSSY), "quay", "Northline", LOSSY)
    assert set(by_id(scene)) == {"packet-loss:mill", "packet-loss:quay"}


def test_sites_that_are_lossy_inside_are_not_the_providers() -> None:
    scene = site(Scene(), "mill", "Northline", LOSSY, gateway=0)
    scene = site(scene, "quay", "Northline", LOSSY, gateway=0)
    scene = site(scene, "lock", "Southline", CLEAN)
    assert not [one for one in by_id(scene) if one.startswith("provider")]


def test_streams_speak_of_the_direction() -> None:
    scene = three(LOSSY, LOSSY, CLEAN)
    for name in ("mill", "quay"):
        stream(scene, f"{name}-r", back=40)
    found = by_id(stream(scene, "lock-r"))
    assert found["provider-loss:Northline"].symptoms == ("packet-loss:mill", "packet-loss:quay")


def idle_loss(
    pdv_s: float = 0.002, rest: int = 25, gateway: int = LOSSY, lock: int = CLEAN
) -> Scene:
    """A line that loses a tenth of both classes before any load, and one of another site."""
    scene = site(Scene(), "mill", None, CLEAN, gateway=gateway)
    voice = Beside(0.0, lost=25, pdv_s=pdv_s)
    others = Beside(0.0, lost=rest, pdv_s=pdv_s)
    story = Story(idle_voice=voice, idle_rest=others, rate_bps=None, ended="not begun")
    return site(coexistence(scene, "mill-r", story), "lock", None, lock)


def test_an_idle_line_that_loses_both_classes_on_time() -> None:
    found = by_id(idle_loss())
    assert set(found) == {"provider-loss:mill", "packet-loss:mill"}
    finding = found["provider-loss:mill"]
    assert finding.direction is Direction.NOT_TELEPHONY
    assert finding.verdict is Verdict.SUPPORTED
    assert "while nothing of ours loads it" in finding.statement
    assert finding.symptoms == ("packet-loss:mill",)
    results = {test.test: test.result for test in finding.refutations}
    assert results["Does a full queue drop them?"].startswith("no: 99 of 100 that came were within")


def test_loss_with_delay_may_be_a_queue() -> None:
    assert set(by_id(idle_loss(pdv_s=0.05))) == {"packet-loss:mill"}


def test_loss_of_one_class_is_a_limit_of_that_class() -> None:
    assert set(by_id(idle_loss(rest=0))) == {"packet-loss:mill"}


def test_loss_behind_the_gateway_is_the_sites_own() -> None:
    assert set(by_id(idle_loss(gateway=0))) == {"packet-loss:mill"}


def test_loss_at_every_site_may_be_our_own() -> None:
    assert not [one for one in by_id(idle_loss(lock=LOSSY)) if one.startswith("provider")]
