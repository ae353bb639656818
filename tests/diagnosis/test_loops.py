"""Loops, storms and trees in captures, and telephones without power that send all back."""

from dataclasses import replace
from typing import Any

from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture, event, series
from tests.diagnosis.devices import machine, read, telephone

STORM = [0, 30, 90_000, 90_000, 90_000]  # in bins of ten seconds
CALM_TREE: list[Fact] = [
    ("stp_bpdu_count", 300, {"kind": "rstp"}), ("stp_topology_change_count", 0, {}),
]  # fmt: skip


def repeated(run: int, repeats: int = 200_000) -> list[Fact]:
    return [
        ("frame_repeat_run_max_packets", run, {"mac": "3c:00:00:00:00:42", "t_s": 30.0}),
        ("frame_repeat_count", repeats, {"samples": 270_000, "window_s": 0.25}),
    ]


def stormy(*more: Fact) -> list[Fact]:
    source: Fact = (
        "broadcast_source_packet_count", 90_000,
        {"mac": "3c:00:00:00:00:42", "sources": 40, "packets_of_all": 270_030},
    )  # fmt: skip
    return [series("broadcast_per_bin_max", STORM), source, *more]


def hall(*facts: Fact) -> Scene:
    return capture(Scene().site("hall"), "hall", *facts, lasts_s=50)


def named(scene: Scene) -> dict[str, Finding]:
    return {each.code: each for each in scene.findings()}


# What a capture shows by itself


def test_a_storm_in_a_capture_and_who_sends_most_of_it() -> None:
    found = named(hall(*stormy(*repeated(1, 0)), *CALM_TREE))
    assert set(found) == {"broadcast-storm"}
    storm = found["broadcast-storm"]
    assert (storm.verdict, storm.severity) == (Verdict.DEMONSTRATED, Severity.WARNING)
    assert "Up to 9000 broadcasts a second" in storm.statement
    assert "3c:00:00:00:00:42 sent 90000 of 270030" in storm.statement
    assert storm.refutations[0].result == "no: nothing told of it"
    assert f"{storm.from_:%M:%S} {storm.to:%M:%S}" == "00:20 00:50"


def test_broadcasts_below_the_limit_are_none() -> None:
    """4,900 in ten seconds are 490 a second, and the limit is 500."""
    assert not hall(series("broadcast_per_bin_max", [4900] * 5)).findings()


def test_a_frame_that_goes_round_is_a_loop_and_nobodys_yet() -> None:
    loop = named(hall(*stormy(*repeated(400)), *CALM_TREE))["phone-loop"]
    assert (loop.verdict, loop.severity) == (Verdict.SUGGESTIVE, Severity.INFO)
    assert loop.direction is Direction.UNDETERMINED
    assert "at which ports" in loop.missing[0]


def test_a_mirror_shows_each_frame_twice() -> None:
    assert "phone-loop" not in named(hall(*stormy(*repeated(2)), *CALM_TREE))


def test_a_loop_while_the_tree_is_at_work_is_the_trees() -> None:
    root: Fact = ("stp_root_change_count", 2, {"roots": ["8000:a", "8000:b"], "t_s": 20.0})
    found = named(hall(*stormy(*repeated(400)), CALM_TREE[0], root))
    assert found["phone-loop"].verdict is Verdict.CONTRADICTED
    assert found["spanning-tree-change"].verdict is Verdict.DEMONSTRATED
    assert "8000:a and 8000:b" in found["spanning-tree-change"].statement


def test_a_tree_that_changes_five_times_and_one_that_changes_once() -> None:
    bpdus: Fact = ("stp_bpdu_count", 300, {"kind": "stp"})
    # The flag stands for some 35 s after each change: four bins, and then silence.
    once = [15, 20, 20, 10, 0, 0, 0, 0, 0, 0]
    changes = named(hall(bpdus, series("stp_topology_change_per_bin_max", once * 5)))
    assert changes["spanning-tree-change"].verdict is Verdict.DEMONSTRATED
    assert "changed 5 times" in changes["spanning-tree-change"].statement
    change = named(hall(bpdus, series("stp_topology_change_per_bin_max", once)))
    assert change["spanning-tree-change"].verdict is Verdict.INSUFFICIENT_DATA
    assert not hall(*CALM_TREE).findings()


# A capture beside a switch


def switch(scene: Scene) -> Scene:
    """Two ports of 1 Gb/s that take in 9,000 a second and send as many: two machines could."""
    rates: list[Fact] = [
        (f"interface_{way}_broadcast_per_s", 9000.0, {"interface": name})
        for name in ("Gi0/1", "Gi0/2")
        for way in ("in", "out")
    ]
    return read(scene, "hall-switch", *rates, ("spanning_tree_changes_count", 40, {}),
                telephone("Gi0/1"))  # fmt: skip


def test_a_capture_shows_that_frames_come_back_at_the_ports_of_a_switch() -> None:
    alone = named(switch(Scene().site("hall")))["phone-loop"]
    assert alone.verdict is Verdict.SUGGESTIVE
    found = named(switch(hall(*stormy(*repeated(400)), *CALM_TREE)))
    loop = found["phone-loop"]
    assert (loop.id, loop.verdict) == ("phone-loop:hall-switch", Verdict.SUPPORTED)
    assert loop.direction is Direction.TELEPHONY_TO_NETWORK
    assert loop.refutations[1].result == ("no: a capture shows the same frame 400 times in a row")
    assert "capture/4" in loop.evidence


def test_a_capture_of_the_storm_that_shows_each_frame_once_refutes_the_loop() -> None:
    loop = named(switch(hall(*stormy(*repeated(1, 0)), *CALM_TREE)))["phone-loop"]
    assert (loop.verdict, loop.direction) == (Verdict.CONTRADICTED, Direction.UNDETERMINED)


def test_a_capture_of_another_day_says_nothing_of_it() -> None:
    scene = capture(Scene().site("hall"), "hall", *repeated(400), from_s=-86_400, lasts_s=50)
    found = named(switch(scene))["phone-loop"]
    assert (found.id, found.verdict) == ("phone-loop:hall-switch", Verdict.SUGGESTIVE)


# Telephones without power


def rates(into: float, out: float, port: str = "Gi0/7") -> list[Fact]:
    return [
        ("interface_in_broadcast_per_s", into, {"interface": port}),
        ("interface_out_broadcast_per_s", out, {"interface": port}),
    ]


def learned(*macs: str, port: str = "Gi0/7") -> Fact:
    where: dict[str, Any] = {"interface": port, "addresses": list(macs)}
    return "forwarding_port_address_count", len(macs), where


UPLINK: Fact = (
    "neighbour_name", "core",
    {"interface": "Gi0/1", "chassis": "00:11:22:00:00:01", "capabilities": ["bridge", "router"]},
)  # fmt: skip


def echoing(*more: Fact, neighbour: Fact | None = None, changes: int = 40) -> Scene:
    """A reading in which Gi0/7 is calm, and one an hour later in which it echoes 60 a second."""
    scene = read(
        Scene().site("hall"), "hall-switch", *rates(0.3, 60.0), *rates(50.0, 12.0, "Gi0/1"),
        telephone("Gi0/7") if neighbour is None else neighbour, UPLINK,
        ("spanning_tree_changes_count", 40, {}),
    )  # fmt: skip
    return read(
        scene, "hall-switch", *rates(60.0, 60.0), *rates(50.0, 72.0, "Gi0/1"), UPLINK,
        learned("00:11:22:00:00:01", "3c:00:00:00:00:42"),
        ("spanning_tree_changes_count", changes, {}), *more, start_s=3601.0,
        uptime_s=93_600.0,
    )  # fmt: skip


def power(scene: Scene) -> Finding:
    return named(scene)["phone-power-loop"]


def test_a_telephone_that_sends_all_back_since_the_mains_failed() -> None:
    found = power(event(echoing(), "mains-failure", 3000, "hall"))
    assert found.id == "phone-power-loop:hall-switch:Gi0/7"
    assert (found.verdict, found.severity) == (Verdict.SUPPORTED, Severity.WARNING)
    assert found.direction is Direction.TELEPHONY_TO_NETWORK
    assert "60 broadcasts a second, as many as it sends out" in found.statement
    assert "the mains failed about then (mains-failure)" in found.statement
    assert "e1" in found.evidence


def test_a_supply_on_battery_tells_of_the_mains_too() -> None:
    """On battery for 900 s at 3602 s: since 2702 s, between the two readings."""
    scene = echoing()
    read(scene, "hall-ups", ("ups_output_source", "battery", {}), ("ups_on_battery_s", 900.0, {}),
         kind="sensor", start_s=3601.0)  # fmt: skip
    assert power(scene).verdict is Verdict.SUPPORTED


def test_no_word_of_the_mains_or_of_another_day() -> None:
    found = power(echoing())
    assert (found.verdict, found.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)
    assert "whether the mains failed there when it began" in found.missing
    other_day = power(event(echoing(), "mains-failure", 90_000, "hall"))
    assert other_day.verdict is Verdict.SUGGESTIVE


def test_two_devices_that_restart_together_tell_of_the_mains_and_one_does_not() -> None:
    one = event(echoing(), "restart", 3000, "hall", "hall-a")
    assert power(one).verdict is Verdict.SUGGESTIVE
    assert power(event(one, "restart", 3005, "hall", "hall-b")).verdict is Verdict.SUPPORTED


def test_a_switch_that_feeds_its_telephones_keeps_them_up() -> None:
    fed: Fact = ("poe_port_status", "delivering", {"poe_port": "1/7"})
    found = power(event(echoing(fed), "mains-failure", 3000, "hall"))
    assert found.verdict is Verdict.SUGGESTIVE


def test_a_tree_at_work_refutes_it() -> None:
    found = power(event(echoing(changes=60), "mains-failure", 3000, "hall"))
    assert found.verdict is Verdict.CONTRADICTED


def test_a_machine_at_the_port_is_no_telephone() -> None:
    scene = event(echoing(neighbour=machine("Gi0/7")), "mains-failure", 3000, "hall")
    assert "phone-power-loop" not in named(scene)


def test_the_port_that_most_of_it_comes_from_is_sent_it_back_and_is_no_second_one() -> None:
    """A flat network's uplink takes in 150 a second and is sent them again, with 12 of its own."""
    scene = read(
        Scene().site("hall"), "hall-switch", *rates(0.3, 160.0), *rates(150.0, 12.0, "Gi0/1"),
        telephone("Gi0/7"), UPLINK, ("spanning_tree_changes_count", 40, {}),
    )  # fmt: skip
    read(
        scene, "hall-switch", *rates(160.0, 161.0), *rates(150.0, 172.0, "Gi0/1"), UPLINK,
        learned("00:11:22:00:00:01"), ("spanning_tree_changes_count", 40, {}), start_s=3601.0,
        uptime_s=93_600.0,
    )  # fmt: skip
    assert power(event(scene, "mains-failure", 3000, "hall")).verdict is Verdict.SUPPORTED


def test_two_ports_that_echo_are_joined_and_no_relay() -> None:
    scene = event(echoing(*rates(55.0, 60.0, "Gi0/8")), "mains-failure", 3000, "hall")
    assert "phone-power-loop" not in named(scene)


def test_it_was_so_before_the_mains_failed() -> None:
    scene = read(
        Scene().site("hall"), "hall-switch", *rates(60.0, 60.0), telephone("Gi0/7"), UPLINK,
        learned("00:11:22:00:00:01"), ("spanning_tree_changes_count", 40, {}),
    )  # fmt: skip
    found = power(event(scene, "mains-failure", 1, "hall"))
    assert found.verdict is Verdict.SUGGESTIVE
    assert "a reading from before it began" in found.missing


def test_a_quiet_network_echoes_too_little_to_tell() -> None:
    scene = read(
        Scene().site("hall"), "hall-switch", *rates(2.0, 2.0), telephone("Gi0/7"),
        ("spanning_tree_changes_count", 40, {}),
    )  # fmt: skip
    assert not scene.findings()


def test_severity_of_a_hint_is_information_whatever_the_inventory_says() -> None:
    scene = replace(echoing(), severity={"phone-power-loop": Severity.CRITICAL})
    assert power(scene).severity is Severity.INFO
