"""Multicast that reaches every port: paging of an exchange, and the backup that looks like it."""

from dataclasses import replace

from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture, group, known, series
from tests.diagnosis.devices import read
from tests.diagnosis.devices import telephone as telephone_at

PBX, BACKUP = "198.18.2.10", "198.18.2.40"
PAGE = group("239.192.0.1", PBX, [0, 0, 1500, 1500, 1500, 0])  # 150 a second: three zones
NO_QUERIER: Fact = ("igmp_querier_count", 0, {"queriers": []})
A_QUERIER: Fact = ("igmp_querier_count", 1, {"queriers": ["198.18.2.1"], "vlans": [None]})


def the(scene: Scene) -> Finding:
    (found,) = [each for each in scene.findings() if each.code == "multicast-flood"]
    return found


def hall() -> Scene:
    scene = known(Scene().site("hall"), "hall-pbx", "pbx", PBX)
    return known(scene, "hall-backup", "server", BACKUP)


def test_paging_of_an_exchange_that_nobody_joined_and_nobody_asks_about() -> None:
    found = the(capture(hall(), "hall", *PAGE, NO_QUERIER))
    assert found.id == "multicast-flood:hall:198.18.2.10"
    assert (found.verdict, found.severity) == (Verdict.SUPPORTED, Severity.WARNING)
    assert found.direction is Direction.TELEPHONY_TO_NETWORK
    assert "up to 150 multicast packets a second to 239.192.0.1" in found.statement
    assert found.refutations[2].result == (
        "yes: the inventory has it as hall-pbx, a pbx; 100 % of it is RTP"
    )


def test_a_backup_by_multicast_floods_too_and_is_no_telephony() -> None:
    copy = group("239.255.7.7", BACKUP, [9000] * 6, rtp=False)
    found = the(capture(hall(), "hall", *copy, NO_QUERIER))
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.NOT_TELEPHONY)
    assert "no RTP" in found.statement


def test_a_server_that_sends_rtp_may_page_or_show_pictures() -> None:
    found = the(capture(hall(), "hall", *group("239.1.1.1", BACKUP, [2000] * 6), NO_QUERIER))
    assert (found.verdict, found.severity) == (Verdict.SUGGESTIVE, Severity.INFO)
    assert found.direction is Direction.UNDETERMINED
    assert "what 198.18.2.40 is" in found.missing[0]


def test_a_source_that_nobody_knows() -> None:
    found = the(capture(hall(), "hall", *group("239.1.1.1", "198.18.2.99", [2000] * 6), NO_QUERIER))
    assert (found.verdict, found.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)


def test_a_source_that_speaks_an_old_telephony_protocol_is_telephony() -> None:
    speaks: Fact = (
        "legacy_signalling_endpoint_packet_count", 80,
        {"protocol": "unistim", "address": "198.18.2.99", "packets_sent": 40},
    )  # fmt: skip
    page = group("239.1.1.1", "198.18.2.99", [2000] * 6)
    found = the(capture(hall(), "hall", *page, NO_QUERIER, speaks))
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.TELEPHONY_TO_NETWORK)


def test_the_sites_router_is_no_voice_gateway_by_its_kind() -> None:
    scene = known(hall(), "hall-router", "gateway", "198.18.2.1")
    scene.sites["hall"] = replace(scene.sites["hall"], gateway="198.18.2.1")
    page = group("239.1.1.1", "198.18.2.1", [2000] * 6)
    found = the(capture(scene, "hall", *page, NO_QUERIER))
    assert (found.verdict, found.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)


def test_a_label_of_age_is_no_sign() -> None:
    scene = hall()
    scene.assets["hall-backup"] = replace(scene.assets["hall-backup"], legacy=True, installed=1999)
    copy = group("239.255.7.7", BACKUP, [9000] * 6, rtp=False)
    assert the(capture(scene, "hall", *copy, NO_QUERIER)).direction is Direction.NOT_TELEPHONY


def test_one_stream_of_music_on_hold_is_no_flood_yet() -> None:
    music = group("239.192.0.2", PBX, [500] * 6)
    found = the(capture(hall(), "hall", *music, NO_QUERIER))
    assert (found.verdict, found.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)


def test_what_has_members_or_is_flooded_by_rule_is_no_finding() -> None:
    joined = group("239.192.0.1", PBX, [1500] * 6, members=12)
    ruled = group("224.0.0.251", PBX, [1500] * 6, by_rule=True)
    assert not capture(hall(), "hall", *joined, *ruled, A_QUERIER).findings()


def test_with_a_querier_the_port_may_be_a_mirror() -> None:
    found = the(capture(hall(), "hall", *PAGE, A_QUERIER))
    assert (found.verdict, found.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)
    assert "mirror" in found.refutations[1].result


def test_a_capture_that_is_too_short_to_miss_a_querier() -> None:
    found = the(capture(hall(), "hall", *PAGE, NO_QUERIER, lasts_s=60))
    assert found.verdict is Verdict.SUGGESTIVE


def switch(scene: Scene) -> Scene:
    """Four ports that send 150 a second, which come in at a fifth."""
    ports = [f"Gi0/{at}" for at in range(1, 5)]
    return read(
        scene, "hall-switch",
        *(("interface_out_multicast_per_s", 150.0, {"interface": each}) for each in ports),
        ("interface_in_multicast_per_s", 150.0, {"interface": "Gi0/9"}), telephone_at("Gi0/9"),
    )  # fmt: skip


def test_a_short_capture_and_a_switch_that_sends_it_everywhere_are_one_finding() -> None:
    found = the(capture(switch(hall()), "hall", *PAGE, NO_QUERIER, lasts_s=60))
    assert found.id == "multicast-flood:hall:198.18.2.10"
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.TELEPHONY_TO_NETWORK)
    assert any("4 ports of hall-switch" in each.result for each in found.refutations)


def test_every_port_of_the_switch_has_a_member() -> None:
    joined = group("239.192.0.1", PBX, [1500] * 6, members=4)
    found = the(capture(switch(hall()), "hall", *joined, A_QUERIER))
    assert found.id == "multicast-flood:hall-switch"
    assert (found.verdict, found.direction) == (Verdict.CONTRADICTED, Direction.UNDETERMINED)


def test_a_capture_of_nobody_knows_where_speaks_for_itself() -> None:
    scene = hall().site("depot")
    found = the(capture(scene, None, *PAGE, NO_QUERIER))
    assert (found.id, found.site) == ("multicast-flood:capture:198.18.2.10", None)
    assert found.direction is Direction.TELEPHONY_TO_NETWORK  # one asset alone has that address


def test_the_finding_is_of_the_time_of_the_capture() -> None:
    found = the(capture(hall(), "hall", *PAGE, NO_QUERIER, from_s=7200, lasts_s=300))
    assert (found.to - found.from_).total_seconds() == 300
    assert f"{found.from_:%H:%M}" == "21:00"


def test_series_of_a_scene_leave_out_what_is_empty() -> None:
    _, most, method = series("x", [0, 0, 3, 0, 5])
    assert (most, method["t_s"], method["bin_offsets"]) == (5, 20.0, [0, 2])
