"""Loss and poor voice under the fault of the LAN that explains them, and what it does not."""

from nethealth.model.finding import Finding, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture, group, known
from tests.diagnosis.devices import read, telephone

NO_QUERIER: Fact = ("igmp_querier_count", 0, {"queriers": []})


def paging(scene: Scene, from_s: float = 0.0) -> Scene:
    known(scene.site("hall"), "hall-pbx", "pbx", "198.18.2.10")
    page = group("239.192.0.1", "198.18.2.10", [1500] * 60)
    return capture(scene, "hall", *page, NO_QUERIER, from_s=from_s)


def by_code(scene: Scene) -> dict[str, Finding]:
    return {each.code: each for each in scene.findings()}


def lossy(scene: Scene, site: str = "hall") -> Scene:
    return scene.ping(f"{site}-a", lost=40, sent=200).ping(f"{site}-b", lost=40, sent=200)


def test_loss_of_the_site_in_that_time_is_a_symptom() -> None:
    found = by_code(lossy(paging(Scene())))
    flood, loss = found["multicast-flood"], found["packet-loss"]
    assert flood.verdict is Verdict.SUPPORTED
    assert flood.symptoms == (loss.id,)
    assert all("other times" not in each.test for each in flood.refutations)


def test_loss_at_another_time_speaks_against_it() -> None:
    found = by_code(lossy(paging(Scene(), from_s=-86_400)))
    flood = found["multicast-flood"]
    assert flood.symptoms == ()
    assert flood.refutations[-1].result == (
        f"yes: {found['packet-loss'].id}, 2026-11-22 19:00 to 2026-11-22 19:00 UTC"
    )


def test_loss_of_another_site_is_none_of_it() -> None:
    flood = by_code(lossy(paging(Scene()), "mill"))["multicast-flood"]
    assert flood.symptoms == ()
    assert all("other times" not in each.test for each in flood.refutations)


def test_the_storm_of_a_loop_is_its_symptom() -> None:
    rates: list[Fact] = [
        (f"interface_{way}_broadcast_per_s", 40_000.0, {"interface": name})
        for name in ("Gi0/1", "Gi0/2")
        for way in ("in", "out")
    ]
    speeds: list[Fact] = [
        ("interface_speed_bps", 1e8, {"interface": name}) for name in ("Gi0/1", "Gi0/2")
    ]
    still: Fact = ("spanning_tree_changes_count", 40, {})
    scene = read(Scene().site("hall"), "hall-switch", *rates, *speeds, still, telephone("Gi0/1"))
    found = by_code(lossy(scene))
    assert found["broadcast-storm"].symptoms == (found["packet-loss"].id,)
    assert found["phone-loop"].verdict is Verdict.SUPPORTED
    assert found["phone-loop"].symptoms == (
        "broadcast-storm:hall-switch", found["packet-loss"].id,
    )  # fmt: skip


# Duplex by captures


def cdp(mac: str, duplex: str, is_telephone: bool = False) -> Fact:
    return (
        "neighbour_device", "x",
        {"protocol": "cdp", "mac": mac, "duplex": duplex, "telephone": is_telephone,
         "half_duplex": duplex == "half"},
    )  # fmt: skip


PHONE, SWITCH = "00:1b:54:aa:bb:01", "00:11:22:00:00:07"


def test_a_capture_tells_the_duplex_of_the_other_end() -> None:
    """The port counts broken frames at full duplex; its telephone says half, in a capture."""
    gi7 = {"interface": "Gi0/7"}
    broken: list[Fact] = [
        ("ethernet_duplex", "full", gi7),
        ("ethernet_fcs_errors_per_s", 5.0, {**gi7, "samples": 50}),
    ]
    scene = read(Scene().site("hall"), "hall-switch", *broken, telephone("Gi0/7", PHONE))
    alone = by_code(scene)["duplex-mismatch"]
    assert alone.verdict is Verdict.INSUFFICIENT_DATA
    capture(scene, "hall", cdp(PHONE, "half", is_telephone=True))
    found = by_code(scene)["duplex-mismatch"]
    assert found.verdict is Verdict.SUPPORTED
    assert found.refutations[1].result == "no: it says half"
    assert "capture/2" in found.evidence


def test_two_ends_of_a_link_that_differ_in_a_capture_are_a_hint() -> None:
    scene = capture(Scene().site("hall"), "hall", cdp(PHONE, "half", True), cdp(SWITCH, "full"))
    found = by_code(scene)["duplex-mismatch"]
    assert found.verdict is Verdict.SUGGESTIVE
    assert f"{SWITCH} says full and {PHONE} says half" in found.statement


def test_ends_that_agree_and_ends_of_several_links_are_none() -> None:
    assert not capture(
        Scene().site("hall"), "hall", cdp(PHONE, "full", True), cdp(SWITCH, "full")
    ).findings()
    three = (cdp(PHONE, "half", True), cdp(SWITCH, "full"), cdp("00:11:22:00:00:08", "full"))
    assert not capture(Scene().site("hall"), "hall", *three).findings()
