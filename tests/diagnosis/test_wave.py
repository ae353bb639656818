"""Telephones that fetch firmware together, computers that do, and lines that do not mind."""

from dataclasses import replace

from nethealth.model.finding import Direction, Finding, Severity, Verdict
from tests.diagnosis.build import Scene
from tests.diagnosis.captured import Fact, capture, event, known, series

CLIENTS = [f"198.18.2.{at}" for at in range(100, 120)]
IMAGE, BOOT = "SIP88xx.12-8-1-0001-455.loads", "pxelinux.0"
CONFIGURATION = "SEP0200C6120001.cnf.xml"


def wave(
    files: tuple[str, ...] = (CONFIGURATION, IMAGE), per_bin: int = 4500, frames: int = 10_000,
    clients: int = 20, server: str = "198.18.9.5",
) -> list[Fact]:  # fmt: skip
    """Blocks of 512 octets through twelve bins of ten seconds."""
    blocks = 12 * per_bin
    return [
        (
            "tftp_client_count", clients,
            {"clients": CLIENTS[:clients], "servers": [server]},
        ),
        ("tftp_data_packet_count", blocks, {}),
        ("tftp_data_octets", 512 * blocks, {"samples": blocks}),
        *(("tftp_file_request_count", 20, {"filename": each}) for each in files),
        series("tftp_data_per_bin_max", [0, *[per_bin] * 12, 0]),
        series("link_packet_per_bin_max", [100, *[frames] * 12, 100]),
    ]  # fmt: skip


def mill(*facts: Fact, down_mbps: float | None = 2.0) -> Scene:
    scene = Scene().site("mill")
    scene.sites["mill"] = replace(scene.sites["mill"], wan_down_mbps=down_mbps)
    return capture(scene, "mill", *facts, lasts_s=140) if facts else scene


def the(scene: Scene) -> Finding:
    (found,) = [each for each in scene.findings() if each.code == "firmware-wave"]
    return found


def test_telephones_that_fill_a_line_of_two_megabits() -> None:
    """4,500 blocks in 10 s of 512 + 50 octets: 450 x 562 x 8 = 2.02 Mbit/s on a line of 2."""
    found = the(mill(*wave()))
    assert (found.id, found.severity) == ("firmware-wave:mill", Severity.WARNING)
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.TELEPHONY_TO_NETWORK)
    assert "20 clients at Mill House" in found.statement
    assert "2.0 Mbit/s, 101.2 % of the site's line" in found.statement
    assert (found.to - found.from_).total_seconds() == 120
    assert f"{found.from_:%M:%S}" == "00:10"


def test_computers_that_start_from_the_network_are_no_telephony() -> None:
    found = the(mill(*wave((BOOT, "boot/bootmgr.exe"))))
    assert (found.verdict, found.direction) == (Verdict.SUPPORTED, Direction.NOT_TELEPHONY)


def test_clients_that_are_known_for_telephones_by_their_leases() -> None:
    leased: Fact = (
        "dhcp_phone_client_count", 20, {"vlan": 20, "macs": [], "leased_addresses": CLIENTS},
    )  # fmt: skip
    found = the(mill(*wave(("firmware.bin",)), leased))
    assert found.direction is Direction.TELEPHONY_TO_NETWORK


def test_files_and_clients_that_tell_nothing() -> None:
    found = the(mill(*wave(("firmware.bin",))))
    assert (found.verdict, found.severity) == (Verdict.SUGGESTIVE, Severity.INFO)
    assert found.direction is Direction.UNDETERMINED


def test_a_name_that_access_points_ask_for_too_tells_nothing() -> None:
    found = the(mill(*wave(("0004f2aabbcc.cfg",))))
    assert (found.verdict, found.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)


def test_a_line_with_room_to_spare_is_not_disturbed() -> None:
    found = the(mill(*wave(), down_mbps=100.0))
    assert (found.verdict, found.direction) == (Verdict.CONTRADICTED, Direction.UNDETERMINED)


def test_a_server_at_the_site_loads_no_line() -> None:
    found = the(known(mill(*wave(server="198.18.2.5")), "mill-files", "server", "198.18.2.5"))
    assert found.verdict is Verdict.CONTRADICTED
    assert found.refutations[2].result == "yes: mill-files"


def test_a_line_of_which_nobody_knows_the_rate() -> None:
    found = the(mill(*wave(), down_mbps=None))
    assert found.verdict is Verdict.SUGGESTIVE
    assert found.missing[0] == "the rate of the site's line"


def test_something_else_that_fills_the_line_meanwhile() -> None:
    """9,000 of 90,000 frames are blocks and acknowledgements: a tenth."""
    found = the(mill(*wave(frames=90_000)))
    assert (found.verdict, found.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)
    assert "10.0 % of the frames" in found.refutations[1].result


def test_two_telephones_that_were_switched_on() -> None:
    assert not mill(*wave(clients=2)).findings()


def test_a_servers_log_alone_is_a_hint() -> None:
    scene = mill()
    for at in range(12):
        event(scene, "tftp-load", 30.0 * at, "mill")
    found = the(scene)
    assert (found.verdict, found.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)
    assert "12 files" in found.statement


def test_loads_over_a_day_are_no_wave() -> None:
    scene = mill()
    for at in range(12):
        event(scene, "tftp-load", 3600.0 * at, "mill")
    assert not scene.findings()
