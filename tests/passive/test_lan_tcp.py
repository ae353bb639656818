"""Segments written by hand: what was sent again, what only stands twice, what was overtaken."""

import pytest

from nethealth.passive.analysis import Fact
from nethealth.passive.lan_tcp import TcpAnalysis
from tests.passive.packet_frames import ethernet, ipv4, tcp
from tests.passive.run import MS, S, facts, value

Segment = tuple[int, bytes]
SYN, FIN, RST, ACK = 2, 1, 4, 16


def segment(
    time_ns: int,
    sequence: int,
    payload: bytes = b"",
    *,
    identification: int = 0,
    flags: int = ACK,
    vlan: int | None = None,
    ttl: int = 64,
    window: int = 1000,
    back: bool = False,
    acknowledgement: int = 0,
) -> Segment:
    ends = ("198.18.0.2", "198.18.0.1") if back else ("198.18.0.1", "198.18.0.2")
    ports = (80, 40000) if back else (40000, 80)
    inside = tcp(
        payload, *ports, sequence=sequence & 0xFFFFFFFF, flags=flags, window=window,
        acknowledgement=acknowledgement,
    )  # fmt: skip
    packet = ipv4(
        inside, 6, source=ends[0], destination=ends[1], identification=identification, ttl=ttl
    )
    return time_ns, ethernet(packet, tags=[(0x8100, vlan)] if vlan else [])


def found(*segments: Segment, pieces: int = 1) -> list[Fact]:
    return facts(TcpAnalysis(), segments, pieces)


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_data_sent_again_after_a_timeout(pieces: int) -> None:
    result = found(
        segment(0, 1000, b"a" * 100, identification=1),
        segment(1 * MS, 1100, b"b" * 100, identification=2),
        segment(300 * MS, 1000, b"a" * 100, identification=3),
        pieces=pieces,
    )
    assert value(result, "tcp_retransmission_count") == 1
    assert value(result, "tcp_data_segment_count") == 3
    assert value(result, "tcp_mirror_copy_count") == 0


@pytest.mark.parametrize("pieces", [1, 2, 4])
def test_a_mirror_ports_second_copy_is_none(pieces: int) -> None:
    result = found(
        segment(0, 1000, b"a" * 100, identification=7),
        segment(10_000, 1000, b"a" * 100, identification=7),
        segment(1 * MS, 1100, b"b", identification=8),
        segment(1 * MS + 9_000, 1100, b"b", identification=8),
        pieces=pieces,
    )
    assert value(result, "tcp_retransmission_count") == 0
    assert value(result, "tcp_mirror_copy_count") == 2


def test_the_same_segment_on_a_second_vlan_is_none() -> None:
    result = found(
        segment(0, 1000, b"a" * 100, identification=7, vlan=10),
        segment(40_000, 1000, b"a" * 100, identification=7, vlan=20, ttl=63),
    )
    assert value(result, "tcp_retransmission_count") == 0
    assert value(result, "tcp_mirror_copy_count") == 1


def test_without_an_identification_only_what_comes_at_once_is_a_copy() -> None:
    result = found(
        segment(0, 1000, b"a" * 100),
        segment(1 * MS, 1000, b"a" * 100),
        segment(200 * MS, 1000, b"a" * 100),
    )
    assert value(result, "tcp_mirror_copy_count") == 1
    assert value(result, "tcp_retransmission_count") == 1


@pytest.mark.parametrize(
    ("identifications", "late_ns", "again"),
    [
        ((1, 3, 2), 1 * MS, 0),  # sent before what came first
        ((1, 3, 2), 250 * MS, 0),  # however late
        ((1, 3, 4), 250 * MS, 1),
        ((1, 3, 4), 1 * MS, 1),  # a round trip within a building takes less
        ((0xFFFE, 0xFFFF, 1), 1 * MS, 1),  # they go round
        ((0, 0, 0), 1 * MS, 0),  # nothing told: by time
        ((0, 0, 0), 250 * MS, 1),
        ((900, 51_000, 20_000), 1 * MS, 0),  # random ones tell nothing
    ],
)
@pytest.mark.parametrize("pieces", [1, 3])
def test_a_gap_is_filled_by_what_was_overtaken_or_sent_again(
    identifications: tuple[int, int, int], late_ns: int, again: int, pieces: int
) -> None:
    first, second, third = identifications
    result = found(
        segment(0, 1000, b"a" * 100, identification=first),
        segment(1 * MS, 1200, b"c" * 100, identification=second),
        segment(1 * MS + late_ns, 1100, b"b" * 100, identification=third),
        pieces=pieces,
    )
    assert value(result, "tcp_retransmission_count") == again
    assert value(result, "tcp_out_of_order_count") == 1 - again


def test_a_gap_is_filled_once() -> None:
    result = found(
        segment(0, 1000, b"a" * 100, identification=1),
        segment(1 * MS, 1200, b"c" * 100, identification=3),
        segment(2 * MS, 1100, b"b" * 100, identification=2),
        segment(3 * MS, 1100, b"b" * 100, identification=9),
    )
    assert value(result, "tcp_out_of_order_count") == 1
    assert value(result, "tcp_retransmission_count") == 1


def test_sequence_numbers_go_round() -> None:
    start = 0xFFFFFFFF - 49
    result = found(
        segment(0, start, b"a" * 100, identification=1),
        segment(1 * MS, start + 100, b"b" * 100, identification=2),
        segment(400 * MS, start, b"a" * 100, identification=3),
        segment(401 * MS, start + 200, b"c" * 100, identification=4),
    )
    assert value(result, "tcp_retransmission_count") == 1


def test_a_keep_alive_is_no_data_sent_again() -> None:
    result = found(
        segment(0, 1000, b"a" * 100, identification=1),
        segment(45 * S, 1099, b"\0", identification=2),
        segment(90 * S, 1099, b"\0", identification=3),
    )
    assert value(result, "tcp_retransmission_count") == 0


def test_a_syn_sent_again_counts_by_itself_and_begins_anew() -> None:
    result = found(
        segment(0, 500, flags=SYN, identification=1),
        segment(1 * S, 500, flags=SYN, identification=2),
        segment(2 * S, 501, b"x" * 10, identification=3),
        segment(60 * S, 90_000, flags=SYN, identification=4),
        segment(61 * S, 90_001, b"y" * 10, identification=5),
        pieces=2,
    )
    assert value(result, "tcp_syn_retransmission_count") == 1
    assert value(result, "tcp_retransmission_count") == 0


def test_a_capture_that_begins_in_the_middle_says_nothing_of_before() -> None:
    result = found(segment(0, 5000, b"late"), segment(1 * MS, 5004, b"more"))
    assert value(result, "tcp_retransmission_count") == 0
    assert value(result, "tcp_out_of_order_count") == 0


def test_both_directions_have_their_own_numbers() -> None:
    result = found(
        segment(0, 1000, b"ask", identification=1),
        segment(1 * MS, 10, b"answer", identification=1, back=True),
        segment(2 * MS, 1003, b"ask", identification=2),
        segment(3 * MS, 16, b"answer", identification=2, back=True),
    )
    assert value(result, "tcp_retransmission_count") == 0


def test_a_closed_window_until_it_opens() -> None:
    result = found(
        segment(0, 1, window=100),
        segment(1 * S, 1, window=0),
        segment(2 * S, 1, window=0),
        segment(3500 * MS, 1, window=500),
        segment(4 * S, 1, window=0),
        segment(5 * S, 1, window=0, flags=RST | ACK),
        pieces=3,
    )
    assert value(result, "tcp_zero_window_count") == 3
    assert value(result, "tcp_zero_window_episode_count") == 2
    assert value(result, "tcp_zero_window_max_s") == 2.5
    assert value(result, "tcp_reset_count") == 1
