"""What switches and gateways show of their links, with the innocent causes that look alike."""

from typing import Any

import pytest

from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene, healthy
from tests.diagnosis.captured import known
from tests.diagnosis.devices import Fact, before, counted, machine, read, telephone

GI7: dict[str, Any] = {"interface": "Gi0/7"}
SPEED: Fact = ("interface_speed_bps", 100e6, GI7)


def the(scene: Scene, finding_id: str) -> Finding:
    found = [finding for finding in scene.findings() if finding.id == finding_id]
    assert len(found) == 1, scene.ids()
    return found[0]


def port(duplex: str, late: float, fcs: float, *more: Fact) -> Scene:
    """Port Gi0/7 with late collisions and FCS errors, in each second between two readings."""
    return read(
        healthy(), "hall-switch", SPEED, ("ethernet_duplex", duplex, GI7),
        *counted("ethernet_late_collisions", 900, late, **GI7),
        *counted("ethernet_fcs_errors", 900, fcs, **GI7), *more,
    )  # fmt: skip


# Duplex


def test_a_half_duplex_port_with_late_collisions() -> None:
    found = the(port("half", 2.0, 0.0, telephone("Gi0/7")), "duplex-mismatch:hall-switch:Gi0/7")
    assert (found.verdict, found.severity) == (Verdict.SUPPORTED, Severity.WARNING)
    assert found.direction is Direction.TELEPHONY_TO_NETWORK
    assert "20 late collisions" in found.statement
    assert found.refutations[0].result == "no: 20 came late"


def test_the_same_with_a_server_at_the_port_is_no_telephony() -> None:
    found = the(port("half", 2.0, 0.0, machine("Gi0/7")), "duplex-mismatch:hall-switch:Gi0/7")
    assert found.direction is Direction.NOT_TELEPHONY


def test_nobody_said_what_is_at_the_port() -> None:
    found = the(port("half", 2.0, 0.0), "duplex-mismatch:hall-switch:Gi0/7")
    assert found.direction is Direction.UNDETERMINED
    assert found.missing == ("the duplex of the other end",)


def test_a_bad_cable_breaks_frames_and_makes_no_collision_late() -> None:
    found = the(port("full", 0.0, 5.0), "duplex-mismatch:hall-switch:Gi0/7")
    assert (found.verdict, found.severity) == (Verdict.INSUFFICIENT_DATA, Severity.INFO)
    assert found.direction is Direction.UNDETERMINED
    assert "a bad cable" in found.statement


def test_a_bad_cable_between_two_ends_at_full_duplex() -> None:
    found = the(
        port("full", 0.0, 5.0, machine("Gi0/7", "full")), "duplex-mismatch:hall-switch:Gi0/7"
    )
    assert found.verdict is Verdict.CONTRADICTED
    assert found.severity is Severity.INFO


def test_the_full_end_of_a_mismatch_is_known_by_its_neighbour() -> None:
    found = the(
        port("full", 0.0, 5.0, machine("Gi0/7", "half")), "duplex-mismatch:hall-switch:Gi0/7"
    )
    assert found.verdict is Verdict.SUPPORTED
    assert found.refutations[1].result == "no: it says half"


@pytest.mark.parametrize("frames", [0.0, 0.5])
def test_a_port_that_is_well_and_one_with_five_broken_frames(frames: float) -> None:
    assert port("full", 0.0, frames).findings() == ()


def test_old_errors_that_do_not_grow_are_past() -> None:
    scene = read(healthy(), "hall-switch", SPEED, ("ethernet_duplex", "full", GI7),
                 *counted("ethernet_fcs_errors", 70_000, **GI7))  # fmt: skip
    before(scene, "hall-switch", 10, "uptime_s", 90_000.0 - 600)
    before(scene, "hall-switch", 10, "ethernet_fcs_errors_count", 70_000, **GI7, bits=32)
    assert scene.findings() == ()


def test_errors_between_two_sweeps_are_counted() -> None:
    scene = read(healthy(), "hall-switch", SPEED, ("ethernet_duplex", "half", GI7),
                 *counted("ethernet_late_collisions", 1_030, **GI7))  # fmt: skip
    before(scene, "hall-switch", 10, "uptime_s", 90_000.0 - 602)
    before(scene, "hall-switch", 10, "ethernet_late_collisions_count", 1_000, **GI7, bits=32)
    found = the(scene, "duplex-mismatch:hall-switch:Gi0/7")
    assert found.verdict is Verdict.SUPPORTED
    assert "30 late collisions" in found.statement


def test_a_restart_between_two_sweeps_gives_no_errors() -> None:
    scene = read(healthy(), "hall-switch", SPEED, ("ethernet_duplex", "half", GI7),
                 *counted("ethernet_late_collisions", 30, **GI7), uptime_s=60.0)  # fmt: skip
    before(scene, "hall-switch", 10, "uptime_s", 90_000.0)
    before(scene, "hall-switch", 10, "ethernet_late_collisions_count", 10, **GI7, bits=32)
    assert not [each for each in scene.ids() if each.startswith("duplex-mismatch")]


# Lines and power


def line(slips: int, status: str = "no alarm", unavailable: int = 0) -> Scene:
    where: dict[str, Any] = {"line": "E1 0/0", "period": "day"}
    return read(
        healthy(), "hall-gateway",
        ("e1_controlled_slip_seconds_count", slips, where),
        ("e1_unavailable_seconds_count", unavailable, where),
        ("e1_line_status", status, {"line": "E1 0/0"}),
        ("e1_clock_source", "local", {"line": "E1 0/0"}),
        kind="gateway",
    )  # fmt: skip


def test_an_e1_that_slips_on_a_clean_line() -> None:
    found = the(line(1100), "clock-slip:hall-gateway:E1 0/0")
    assert (found.verdict, found.severity) == (Verdict.SUPPORTED, Severity.WARNING)
    assert found.direction is None  # neither disturbs the other
    assert "by its own clock (local)" in found.statement


@pytest.mark.parametrize(
    ("slips", "status", "unavailable"), [(1, "no alarm", 0), (90, "loss of signal", 40)]
)
def test_a_single_slip_and_a_line_that_fails(slips: int, status: str, unavailable: int) -> None:
    found = the(line(slips, status, unavailable), "clock-slip:hall-gateway:E1 0/0")
    assert (found.verdict, found.severity) == (Verdict.INSUFFICIENT_DATA, Severity.INFO)


def test_a_line_without_slips() -> None:
    assert line(0).findings() == ()


def supply(denied: float | None, used_w: int, classes: int, power_w: int = 370) -> Scene:
    """A supply that feeds 24 telephones of one class, and one that was denied."""
    fed = [
        ("poe_port_status", "delivering", {"poe_port": f"1/{at}", "class": classes})
        for at in range(1, 25)
    ]
    return read(
        healthy(), "hall-switch", *fed,
        ("poe_port_status", "searching", {"poe_port": "1/25", "class": classes}),
        ("poe_supply_power_w", power_w, {"supply": "1"}),
        ("poe_supply_consumption_w", used_w, {"supply": "1"}),
        ("poe_supply_status", "on", {"supply": "1"}),
        *counted("poe_port_denied", 42, denied, poe_port="1/25"),
    )  # fmt: skip


def test_a_supply_that_is_spent_on_classes_denies_a_telephone() -> None:
    # 24 times 15.4 W are 369.6 of 370 W, though 150 W flow.
    found = the(supply(0.5, 150, 0), "poe-budget:hall-switch")
    assert found.verdict is Verdict.SUPPORTED
    assert found.direction is Direction.NETWORK_TO_TELEPHONY
    assert "sets 370 W aside" in found.statement


def test_denials_though_power_is_left_have_another_cause() -> None:
    found = the(supply(0.5, 150, 1), "poe-budget:hall-switch")  # 24 times 4 W
    assert (found.verdict, found.severity) == (Verdict.INSUFFICIENT_DATA, Severity.INFO)


def test_denials_of_some_time_ago_are_a_hint() -> None:
    found = the(supply(None, 150, 0), "poe-budget:hall-switch")
    assert (found.verdict, found.severity) == (Verdict.SUGGESTIVE, Severity.INFO)


# Switching


def storm(*ports: tuple[str, float, float], changes: int = 0, more: tuple[Fact, ...] = ()) -> Scene:
    """Broadcast in and out of ports in a second; the tree changed so often in between."""
    facts: list[Fact] = [
        (f"interface_{way}_broadcast_per_s", rate, {"interface": name})
        for name, into, out in ports
        for way, rate in (("in", into), ("out", out))
    ]
    first: Fact = ("spanning_tree_changes_count", 17, {})
    scene = read(healthy(), "hall-switch", first, *facts, *more)
    last: Fact = ("spanning_tree_changes_count", 17 + changes, {})
    return read(scene, "hall-switch", last, *facts, *more, start_s=41.0, uptime_s=90_040.0)


def test_a_quiet_switch() -> None:
    assert storm(("Gi0/1", 20, 400), ("Gi0/2", 5, 400)).findings() == ()


def test_a_storm_is_above_the_limit_at_one_port() -> None:
    found = the(storm(("Gi0/1", 4000, 10), ("Gi0/2", 5, 4000)), "broadcast-storm:hall-switch")
    assert found.verdict is Verdict.DEMONSTRATED
    assert "Gi0/1 (4000 a second)" in found.statement
    assert "phone-loop:hall-switch" not in storm(("Gi0/1", 4000, 10), ("Gi0/2", 5, 4000)).ids()


def test_two_ports_that_echo_one_storm_under_a_quiet_tree() -> None:
    ports = (("Gi0/1", 40_000, 41_000), ("Gi0/2", 42_000, 40_500), ("Gi0/3", 2, 41_000))
    hint = the(storm(*ports), "phone-loop:hall-switch")
    assert (hint.verdict, hint.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)
    assert hint.severity is Severity.INFO
    # Of 148,810 of the shortest frames that 100 Mb/s carries in a second, more than a quarter.
    speeds: list[Fact] = [("interface_speed_bps", 1e8, {"interface": f"Gi0/{at}"}) for at in (1, 2)]
    seen = the(storm(*ports, more=(telephone("Gi0/2"), *speeds)), "phone-loop:hall-switch")
    assert (seen.verdict, seen.direction) == (Verdict.SUPPORTED, Direction.TELEPHONY_TO_NETWORK)
    assert "the same storm at Gi0/1 and Gi0/2" in seen.statement


def test_two_machines_that_each_send_a_storm_are_no_loop_unless_frames_come_back() -> None:
    ports = (("Gi0/1", 2000, 2100), ("Gi0/2", 2100, 2000), ("Gi0/3", 2, 4100))
    own: list[Fact] = [
        ("forwarding_port_address_count", 2, {
            "interface": f"Gi0/{at}",
            "addresses": ["00:1b:54:aa:bb:01", f"02:00:00:00:00:0{at}"],
        })
        for at in (1, 2)
    ]  # fmt: skip
    found = the(storm(*ports, more=(telephone("Gi0/2"), own[1])), "phone-loop:hall-switch")
    assert (found.verdict, found.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)
    # The telephone of port 2 was last heard at port 1.
    found = the(storm(*ports, more=(telephone("Gi0/2"), *own)), "phone-loop:hall-switch")
    assert (found.verdict, found.direction) == (
        Verdict.SUPPORTED, Direction.TELEPHONY_TO_NETWORK,
    )  # fmt: skip


def test_one_change_of_the_tree_refutes_no_loop() -> None:
    ports = (("Gi0/1", 40_000, 41_000), ("Gi0/2", 42_000, 40_500))
    many: Fact = ("forwarding_port_address_count", 60, {"interface": "Gi0/2", "addresses": []})
    scene = storm(*ports, changes=1, more=(telephone("Gi0/2"), many))
    assert the(scene, "phone-loop:hall-switch").verdict is Verdict.SUPPORTED


def test_a_tree_at_work_refutes_the_loop() -> None:
    ports = (("Gi0/1", 40_000, 41_000), ("Gi0/2", 42_000, 40_500))
    scene = storm(*ports, changes=9, more=(telephone("Gi0/2"),))
    assert the(scene, "phone-loop:hall-switch").verdict is Verdict.CONTRADICTED
    assert the(scene, "spanning-tree-change:hall-switch").verdict is Verdict.DEMONSTRATED


def test_a_bundle_is_no_second_port_of_a_loop() -> None:
    ports = (("Gi0/1", 40_000, 41_000), ("Po1", 40_000, 41_000))
    kinds: tuple[Fact, ...] = (
        ("interface_status", "up", {"interface": "Gi0/1", "type": 6}),
        ("interface_status", "up", {"interface": "Po1", "type": 161}),
    )
    found = storm(*ports, more=(*kinds, telephone("Gi0/1"))).ids()
    assert "broadcast-storm:hall-switch" in found
    assert "phone-loop:hall-switch" not in found


def test_another_root_than_before() -> None:
    scene = read(healthy(), "hall-switch", ("spanning_tree_root", "8000.00:00:00:00:00:02", {}))
    before(scene, "hall-switch", 30, "spanning_tree_root", "8000.00:00:00:00:00:01")
    found = the(scene, "spanning-tree-change:hall-switch")
    assert (found.verdict, found.direction) == (Verdict.DEMONSTRATED, None)
    assert found.refutations[0].result == "no"


def test_one_recent_change_is_a_computer_switched_on() -> None:
    scene = read(healthy(), "hall-switch", ("spanning_tree_since_change_s", 120.0, {}))
    found = the(scene, "spanning-tree-change:hall-switch")
    assert (found.verdict, found.severity) == (Verdict.INSUFFICIENT_DATA, Severity.INFO)


def flood(*out: float, source: float) -> list[Fact]:
    facts: list[Fact] = [
        ("interface_out_multicast_per_s", rate, {"interface": f"Gi0/{at}"})
        for at, rate in enumerate(out, 1)
    ]
    return [*facts, ("interface_in_multicast_per_s", source, {"interface": "Gi0/9"})]


def test_the_same_multicast_out_of_every_port() -> None:
    scene = read(healthy(), "hall-switch", *flood(400, 401, 399, 400, source=400),
                 telephone("Gi0/9"))  # fmt: skip
    found = the(scene, "multicast-flood:hall-switch")
    assert (found.verdict, found.direction) == (
        Verdict.SUGGESTIVE, Direction.TELEPHONY_TO_NETWORK,
    )  # fmt: skip


def test_multicast_to_two_members_is_no_flood() -> None:
    assert read(healthy(), "hall-switch", *flood(400, 401, 2, 2, source=400)).findings() == ()


def edge(is_edge: bool, *more: Fact) -> Scene:
    return read(healthy(), "hall-switch", ("spanning_tree_port_edge", is_edge, GI7),
                ("spanning_tree_port_state", "learning", GI7), *more)  # fmt: skip


def test_a_telephone_at_a_port_that_is_no_edge_port() -> None:
    found = the(edge(False, telephone("Gi0/7")), "slow-port-start:hall-switch")
    assert (found.verdict, found.direction) == (
        Verdict.SUPPORTED, Direction.NETWORK_TO_TELEPHONY,
    )  # fmt: skip
    assert "Gi0/7 is starting now" in found.statement


def test_a_telephone_at_such_a_port_that_does_not_start_now() -> None:
    scene = read(healthy(), "hall-switch", ("spanning_tree_port_edge", False, GI7),
                 ("spanning_tree_port_state", "forwarding", GI7), telephone("Gi0/7"))  # fmt: skip
    assert the(scene, "slow-port-start:hall-switch").verdict is Verdict.SUGGESTIVE


def test_a_whole_tree_that_starts_says_nothing_of_a_telephones_port() -> None:
    uplink: Fact = ("spanning_tree_port_state", "listening", {"interface": "Gi0/1"})
    found = the(edge(False, telephone("Gi0/7"), uplink), "slow-port-start:hall-switch")
    assert found.verdict is Verdict.SUGGESTIVE
    assert found.refutations[1].result == "it may: Gi0/1 wait too"


def test_an_edge_port_and_an_uplink_are_as_they_should_be() -> None:
    assert edge(True, telephone("Gi0/7")).findings() == ()
    assert edge(False, machine("Gi0/7")).findings() == ()


# Owners of addresses


PHONE, SERVER, VRRP = "00:1b:54:aa:bb:01", "0a:00:00:00:00:05", "00:00:5e:00:01:07"


def owner(mac: str, address: str = "198.18.2.30") -> Fact:
    return "arp_entry", mac, {"ip": address, "interface": "vlan2"}


def test_two_tables_that_disagree_are_a_hint() -> None:
    scene = read(healthy(), "hall-router", owner(SERVER), kind="router")
    read(scene, "hall-core", owner(PHONE), telephone("Gi0/7"))
    found = the(scene, "address-conflict:hall:198.18.2.30")
    assert (found.verdict, found.severity) == (Verdict.SUGGESTIVE, Severity.INFO)
    assert found.direction is Direction.UNDETERMINED
    assert f"{PHONE} is a telephone's" in found.statement


def test_an_address_that_goes_and_comes_back_has_two_owners() -> None:
    scene = healthy()
    for at, mac in enumerate((SERVER, PHONE, SERVER)):
        read(scene, "hall-router", owner(mac), telephone("Gi0/7"), kind="router",
             start_s=1.0 + 3700 * at, uptime_s=90_000.0 + 3700 * at)  # fmt: skip
    found = the(scene, "address-conflict:hall:198.18.2.30")
    assert found.verdict is Verdict.SUPPORTED
    assert found.direction is Direction.UNDETERMINED  # nobody says whose it should be
    assert "whose address it is" in found.missing[0]
    found = the(known(scene, "hall-files", "server", "198.18.2.30"), found.id)
    assert found.direction is Direction.TELEPHONY_TO_NETWORK


def test_an_address_that_comes_back_after_half_a_day_may_be_leases_that_go_round() -> None:
    scene = healthy()
    for at, mac in enumerate((SERVER, PHONE, SERVER)):
        read(scene, "hall-router", owner(mac), kind="router",
             start_s=1.0 + 6 * 3600 * at, uptime_s=90_000.0 + 6 * 3600 * at)  # fmt: skip
    assert the(scene, "address-conflict:hall:198.18.2.30").verdict is Verdict.SUGGESTIVE


def test_an_address_that_moved_once_may_be_a_new_lease() -> None:
    scene = read(healthy(), "hall-router", owner(SERVER), kind="router")
    read(scene, "hall-router", owner(PHONE), kind="router", start_s=3701.0, uptime_s=93_700.0)
    assert the(scene, "address-conflict:hall:198.18.2.30").verdict is Verdict.SUGGESTIVE


def test_routers_that_share_an_address_and_one_that_answers_for_others() -> None:
    scene = read(healthy(), "hall-router", owner(VRRP), kind="router")
    read(scene, "hall-core", owner(SERVER))
    assert scene.findings() == ()
    scene = read(
        healthy(), "hall-router", *(owner(SERVER, f"198.18.2.{at}") for at in range(40, 60))
    )
    read(scene, "hall-core", owner(PHONE, "198.18.2.41"))
    assert scene.findings() == ()


def test_two_sites_may_have_the_same_private_addresses() -> None:
    scene = read(healthy(), "hall-router", owner(SERVER), kind="router")
    assert read(scene, "depot-router", owner(PHONE), kind="router").findings() == ()
