"""Frames for the silent: a switch that forgot them, and mirrors and clusters that look alike."""

from typing import Any

from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture
from tests.diagnosis.devices import counted, read

PAGER, LAMP = "00:08:5d:00:00:21", "00:08:5d:00:00:22"
TREE: list[Fact] = [("stp_bpdu_count", 300, {"kind": "rstp"}), ("stp_topology_change_count", 0, {})]


def unknown(
    packets: int = 4000, of: int = 100_000, silent: int = 2, destinations: int = 60,
    macs: tuple[str, ...] = (PAGER, LAMP),
) -> list[Fact]:  # fmt: skip
    return [
        (
            "unknown_unicast_packet_count", packets,
            {"samples": of, "silent_destinations": silent, "destinations": destinations},
        ),
        *(
            ("unknown_unicast_destination_packet_count", packets // len(macs), {"mac": mac})
            for mac in macs
        ),
    ]  # fmt: skip


def tables(scene: Scene, forwarded: tuple[str, ...], entries: int, *more: Fact) -> Scene:
    """A router that remembers both, and a switch with so many entries of which these are listed."""
    read(
        scene, "hall-router",
        *(("arp_entry", mac, {"ip": f"198.18.2.{at}"}) for at, mac in enumerate((PAGER, LAMP), 60)),
        kind="router",
    )  # fmt: skip
    ports: dict[str, Any] = {"interface": "Gi0/3", "addresses": list(forwarded)}
    return read(
        scene, "hall-switch", ("forwarding_entry_count", entries, {}),
        ("forwarding_port_address_count", len(forwarded), ports), *more,
    )  # fmt: skip


def hall(*facts: Fact) -> Scene:
    return capture(Scene().site("hall"), "hall", *facts)


def the(scene: Scene) -> Finding:
    (found,) = [each for each in scene.findings() if each.code == "unknown-unicast-flood"]
    return found


def test_a_router_remembers_what_the_switch_forgot() -> None:
    found = the(tables(hall(*unknown(), *TREE), ("3c:00:00:00:00:01",), 1))
    assert (found.id, found.severity) == ("unknown-unicast-flood:hall", Severity.WARNING)
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.NETWORK_TO_TELEPHONY)
    assert "4.0 % of the unicast frames" in found.statement
    assert f"An ARP table still holds {PAGER} and {LAMP}" in found.statement


def test_without_any_table_it_is_a_hint() -> None:
    found = the(hall(*unknown(), *TREE))
    assert (found.verdict, found.severity) == (Verdict.SUGGESTIVE, Severity.INFO)
    assert found.direction is Direction.UNDETERMINED


def test_a_table_of_which_only_a_part_is_listed_forgot_nothing() -> None:
    found = the(tables(hall(*unknown(), *TREE), ("3c:00:00:00:00:01",), 40))
    assert found.verdict is Verdict.SUGGESTIVE


def test_a_mirror_shows_frames_for_ports_that_the_switch_knows() -> None:
    found = the(tables(hall(*unknown(), *TREE), (PAGER, LAMP), 2))
    assert (found.verdict, found.direction) == (Verdict.CONTRADICTED, Direction.UNDETERMINED)


def test_a_tree_that_changed_empties_the_tables_by_itself() -> None:
    changed: list[Fact] = [TREE[0], ("stp_topology_change_count", 40, {})]
    found = the(tables(hall(*unknown(), *changed), ("3c:00:00:00:00:01",), 1))
    assert found.verdict is Verdict.SUGGESTIVE
    assert "40 messages" in found.refutations[1].result


def test_a_table_that_is_full_is_another_fault() -> None:
    full = counted("forwarding_learned_discards", 900, 3.0)
    found = the(tables(hall(*unknown(), *TREE), ("3c:00:00:00:00:01",), 1, *full))
    assert found.verdict is Verdict.CONTRADICTED
    assert "30 addresses could not be learned" in found.refutations[2].result


def test_a_cluster_that_is_flooded_on_purpose() -> None:
    assert the(hall(*unknown(macs=("02:bf:0a:01:02:03",)))).verdict is Verdict.CONTRADICTED


def test_a_mirror_of_one_direction_says_nothing() -> None:
    found = the(hall(*unknown(packets=90_000, silent=58)))
    assert (found.verdict, found.severity) == (Verdict.INSUFFICIENT_DATA, Severity.INFO)


def test_one_stream_that_was_recorded_one_way_is_none() -> None:
    assert not hall(*unknown(packets=3000, of=3000, silent=1, destinations=1)).findings()


def test_a_few_frames_to_a_device_that_is_gone() -> None:
    assert not hall(*unknown(packets=90, of=2000)).findings()
    assert not hall(*unknown(packets=900, of=200_000)).findings()
