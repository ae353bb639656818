"""Marks that hops quote, and large packets that vanish."""

from nethealth.model.finding import Severity, Verdict
from tests.diagnosis.build import healthy
from tests.diagnosis.paths import black_hole, route


def test_the_hop_at_which_a_mark_is_changed_is_named() -> None:
    finding = route(healthy(), "mill-a", (46, 46, 0, 0, None)).only("dscp-bleached:mill-a")
    assert (finding.severity, finding.verdict) == (Severity.WARNING, Verdict.DEMONSTRATED)
    assert "DSCP 46 (EF)" in finding.statement
    assert "whole as it reaches hop 2 (192.0.2.2)" in finding.statement
    assert "changed as it reaches hop 3 (192.0.2.3)" in finding.statement
    assert "between hop 2 (192.0.2.2) as it sends on and hop 3" in finding.action


def test_a_hop_that_quotes_nothing_leaves_the_change_between_its_neighbours() -> None:
    finding = route(healthy(), "mill-a", (46, None, None, 8)).only("dscp-bleached:mill-a")
    assert "whole as it reaches hop 1 (192.0.2.1)" in finding.statement
    assert "DSCP 8" in finding.statement
    assert "changed as it reaches hop 4" in finding.statement


def test_a_mark_that_the_first_hop_does_not_see_has_no_hop_to_blame() -> None:
    finding = route(healthy(), "mill-a", (0, 0)).only("dscp-bleached:mill-a")
    assert "already as it reaches hop 1 (192.0.2.1), the first that tells" in finding.statement


def test_an_odd_quotation_on_a_way_that_keeps_the_mark_is_nothing() -> None:
    assert route(healthy(), "mill-a", (46, 0, 46)).findings() == ()
    assert route(healthy(), "mill-a", (46, 46)).findings() == ()
    assert route(healthy(), "mill-a", (None, None)).findings() == ()
    assert route(healthy(), "mill-a", (8, 0), sent=0).findings() == ()  # nothing was asked to hold


def test_hosts_behind_one_bleaching_hop_are_one_finding() -> None:
    scene = healthy()
    for host in ("mill-a", "mill-b"):
        route(scene, host, (46, 0, 0))
    assert "Mill House" in scene.only("dscp-bleached:mill").statement


def test_a_route_that_reached_its_target_shows_that_it_is_up() -> None:
    scene = route(healthy().silent("mill-a"), "mill-a", (46, 46))
    assert scene.findings() == ()


def test_a_black_hole_says_what_passes_and_where_it_ends() -> None:
    finding = black_hole(healthy(), "mill-a").only("path-mtu-black-hole:mill-a")
    assert (finding.severity, finding.verdict) == (Severity.WARNING, Verdict.DEMONSTRATED)
    assert "more than 1400 octets" in finding.statement
    assert "10 of 10 of 1400 octets were answered, 0 of 10 of 1401" in finding.statement
    assert "Hop 2 (192.0.2.2) is the last that they reach; hop 3 (192.0.2.3)" in finding.statement
    assert finding.refutations[0].result == "10 of 10"


def test_a_black_hole_on_a_path_that_loses_everything_half_the_time_is_not_told() -> None:
    # 5 of 10 is 24 % to 76 %, 0 of 10 at most 28 %: the intervals touch.
    finding = black_hole(healthy(), "mill-a", small=5, last=None).only("path-mtu-black-hole:mill-a")
    assert (finding.severity, finding.verdict) == (Severity.INFO, Verdict.INSUFFICIENT_DATA)


def test_a_limit_that_was_reported_is_nothing() -> None:
    scene = healthy().check(
        "mill-a", "path-mtu", {"path_mtu_bytes": 1400, "path_mtu_black_hole": False}
    )
    assert scene.findings() == ()
