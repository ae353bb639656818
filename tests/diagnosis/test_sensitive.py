"""Telephones that fall off when broadcasts rise, and what else takes both at once."""

from dataclasses import replace

from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture, event, series

# An hour in bins of a minute, with 800 broadcasts a second in the 21st to 25th: a storm from 1200 s
# to 1500 s, and three minutes more until a server misses a telephone.
STORM = series("broadcast_per_bin_max", [600] * 20 + [48_000] * 5 + [600] * 35, bin_s=60.0)


def lost(scene: Scene, *at_s: float) -> Scene:
    for moment in at_s:
        event(scene, "registration-lost", moment, "hall")
    return scene


def hall(*more: Fact) -> Scene:
    return capture(Scene().site("hall"), "hall", STORM, *more, lasts_s=3600)


def asked(scene: Scene, host: str, lost_count: int, at_s: float = 1300.0) -> Scene:
    """A host that answers its echo requests, or not all, in the storm."""
    scene.ping(host, lost=lost_count, sent=200)
    scene.checks[-1] = replace(scene.checks[-1], started_s=at_s, finished_s=at_s + 40)
    return scene


def the(scene: Scene) -> Finding:
    (found,) = [each for each in scene.findings() if each.code == "broadcast-sensitive-phones"]
    return found


def test_telephones_are_lost_in_the_storm_and_computers_are_not() -> None:
    found = the(asked(lost(hall(), 1260, 1300, 1350, 1600), "hall-web", 0))
    assert (found.id, found.severity) == ("broadcast-sensitive-phones:hall", Severity.INFO)
    assert (found.verdict, found.direction) == (
        Verdict.SUGGESTIVE, Direction.NETWORK_TO_TELEPHONY,
    )  # fmt: skip
    assert "4 registrations of telephones at Hall House were lost in 1 storm" in found.statement
    assert found.refutations[0].result == "no: 0 of 200 echo requests to others were lost, 0 %"
    assert "nethealth experiment" in found.missing[1]
    assert {"e1", "e2", "e3", "e4"} <= set(found.evidence)


def test_computers_that_suffer_too_make_it_no_matter_of_telephones() -> None:
    found = the(asked(lost(hall(), 1260, 1300, 1350), "hall-web", 20))
    assert (found.verdict, found.direction) == (Verdict.CONTRADICTED, Direction.UNDETERMINED)


def test_telephones_that_are_lost_first_broadcast_when_they_come_back() -> None:
    found = the(lost(hall(), 1100, 1150, 1190, 1260, 1300, 1350))
    assert found.verdict is Verdict.CONTRADICTED
    assert found.refutations[1].result == "yes: 3 were lost just before a storm"


def test_a_tree_that_is_at_work_cuts_off_both() -> None:
    root: Fact = ("stp_root_change_count", 1, {"roots": ["a", "b"], "t_s": 1200.0})
    found = the(lost(hall(("stp_bpdu_count", 1800, {}), root), 1260, 1300, 1350))
    assert found.verdict is Verdict.CONTRADICTED


def test_telephones_that_are_lost_all_day_long() -> None:
    """Three in 480 s of storm, and twelve in some 3,300 calm seconds: less than twice as often."""
    calm = [at * 100.0 for at in range(12)]
    scene = lost(hall(), 1260, 1300, 1350, *(at for at in calm if at < 1000 or at > 2000))
    assert not [each for each in scene.findings() if each.code == "broadcast-sensitive-phones"]


def test_telephones_that_are_lost_while_nobody_watched() -> None:
    scene = lost(capture(Scene().site("hall"), "hall", STORM, lasts_s=3600, from_s=-90_000),
                 1260, 1300, 1350)  # fmt: skip
    assert {each.code for each in scene.findings()} == {"broadcast-storm"}
