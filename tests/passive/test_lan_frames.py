"""Floods, loops, and frames to nobody; each with its innocent look-alike."""

import pytest

from nethealth.passive.lan_frames import FramesAnalysis
from nethealth.passive.lan_repeats import RepeatsAnalysis
from tests.passive.packet_frames import MAC_A, MAC_B, ethernet, ipv4, udp
from tests.passive.run import MS, S, facts, method, value, values

BROADCAST = "ff:ff:ff:ff:ff:ff"
PAGING = "01:00:5e:40:00:01"
MAC_C = "02:00:00:00:00:0c"


def broadcast(identification: int, source: str = MAC_A, vlan: int | None = None) -> bytes:
    packet = ipv4(udp(b"who is there" * 4), identification=identification)
    tags = [(0x8100, vlan)] if vlan else []
    return ethernet(packet, source=source, destination=BROADCAST, tags=tags)


def unicast(source: str, destination: str) -> bytes:
    return ethernet(ipv4(udp(b"x" * 30)), source=source, destination=destination)


def test_kinds_sources_and_the_busiest_second() -> None:
    frames = [(index * 10 * MS, broadcast(index)) for index in range(100)]
    frames += [(S + index * 100 * MS, broadcast(index, MAC_B)) for index in range(10)]
    frames += [
        (2 * S + index, ethernet(ipv4(udp(b"page")), destination=PAGING)) for index in (1, 2)
    ]
    frames += [(3 * S, unicast(MAC_A, MAC_B))]
    found = facts(FramesAnalysis(), frames, pieces=4)
    assert values(found, "link_packet_count", "kind") == {
        "unicast": 1, "multicast": 2, "broadcast": 110,
    }  # fmt: skip
    assert value(found, "broadcast_packets_per_s_max") == 100
    assert value(found, "multicast_packets_per_s_max") == 2
    assert values(found, "broadcast_source_packet_count", "mac") == {MAC_A: 100, MAC_B: 10}


def test_unicast_to_an_address_that_never_speaks() -> None:
    frames = [(index * MS, unicast(MAC_A, MAC_C)) for index in range(5)]
    frames += [(10 * MS, unicast(MAC_A, MAC_B)), (11 * MS, unicast(MAC_B, MAC_A))]
    found = facts(FramesAnalysis(), frames, pieces=3)
    assert value(found, "unknown_unicast_packet_count") == 5
    assert method(found, "unknown_unicast_packet_count")["destinations"] == 3
    assert values(found, "unknown_unicast_destination_packet_count", "mac") == {MAC_C: 5}


def test_who_speaks_later_was_not_unknown() -> None:
    frames = [(0, unicast(MAC_A, MAC_C)), (60 * S, unicast(MAC_C, MAC_A))]
    found = facts(FramesAnalysis(), frames, pieces=2)
    assert value(found, "unknown_unicast_packet_count") == 0


def test_series_leave_empty_bins_out() -> None:
    frames = [(0, broadcast(1)), (25 * S, broadcast(2)), (26 * S, broadcast(3))]
    found = facts(FramesAnalysis(bin_s=10), frames)
    series = method(found, "broadcast_per_bin_max")
    assert series["bin_offsets"] == [0, 2]
    assert series["bin_counts"] == [1, 2]
    assert value(found, "broadcast_per_bin_max") == 2


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_a_loop_is_the_same_frame_again_and_again(pieces: int) -> None:
    frames = [(index * MS, broadcast(77)) for index in range(50)]
    found = facts(RepeatsAnalysis(), frames, pieces)
    assert value(found, "frame_repeat_count") == 49
    assert value(found, "frame_repeat_run_max_packets") == 50
    assert method(found, "frame_repeat_run_max_packets")["mac"] == MAC_A
    assert values(found, "frame_repeat_source_count", "mac") == {MAC_A: 49}


def test_a_busy_talker_is_no_loop() -> None:
    frames = [(index * MS, broadcast(index)) for index in range(50)]
    assert value(facts(RepeatsAnalysis(), frames), "frame_repeat_count") == 0


def test_a_frame_repeated_every_second_is_no_loop() -> None:
    frames = [(index * S, broadcast(77)) for index in range(50)]
    assert value(facts(RepeatsAnalysis(), frames), "frame_repeat_count") == 0


def test_a_mirror_port_makes_runs_of_two() -> None:
    frames = [
        (index * 10 * MS + copy * 1000, broadcast(index)) for index in range(20) for copy in (0, 1)
    ]
    found = facts(RepeatsAnalysis(), frames, pieces=3)
    assert value(found, "frame_repeat_count") == 20
    assert value(found, "frame_repeat_run_max_packets") == 2


def test_another_vlan_is_another_frame() -> None:
    frames = [(0, broadcast(7, vlan=10)), (MS, broadcast(7, vlan=20))]
    assert value(facts(RepeatsAnalysis(), frames), "frame_repeat_count") == 0
