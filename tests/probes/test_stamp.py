"""The stamp probe against our reflector, a TWAMP-Light one, and reflectors that lie."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from nethealth.model.check import StampParameters
from nethealth.model.failure import Failure
from tests.peers import reflector
from tests.probes.driver import Seen, drive, observe
from tests.probes.hostile import datagram_server

Answer = Callable[[bytes], list[tuple[bytes, str]]]
HERE = "127.0.0.1"


def free_port(address: str = HERE) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


def stream(address: str, port: int, **more: object) -> StampParameters:
    chosen = {"count": 40, "interval_s": 0.005, "timeout_s": 0.5, **more}
    return StampParameters(address, port, **chosen)  # type: ignore[arg-type]


@pytest.mark.parametrize(("address", "allow"), [(HERE, "127.0.0.0/8"), ("::1", "::1/128")])
def test_a_clean_path_to_our_reflector(tmp_path: Path, address: str, allow: str) -> None:
    port = free_port(address)
    with reflector.serving(tmp_path, address, port, allow):
        seen = drive("stamp", stream(address, port))
    assert seen.completed()
    assert seen.value("packets_sent_count") == seen.value("packets_received_count") == 40
    assert seen.value("reflector_counting") == "stateful"
    for direction in ("forward", "return", "round-trip"):
        loss = seen.only("packet_loss_ratio", direction=direction)
        assert (loss.value, loss.samples) == (0, 40)
        assert seen.value("pdv_p99_s", direction=direction) >= 0
    for direction in ("forward", "return"):
        assert seen.value("dscp_received", direction=direction) == 46
        score = seen.only("r_factor", direction=direction)
        assert isinstance(score.value, float)
        assert 90 < score.value < 93.3
        assert score.method["one_way_delay"] == "half the least round trip"
    assert 0 < seen.value("round_trip_delay_min_s") <= seen.value("round_trip_delay_median_s")
    assert seen.only("send_timer_error_p99_s").samples == 40
    assert "rejected_reply_count" not in seen.names()


def test_who_is_not_allowed_gets_no_answer(tmp_path: Path) -> None:
    port = free_port()
    with reflector.serving(tmp_path, HERE, port, "198.18.0.0/24") as process:
        seen = drive("stamp", stream(HERE, port, count=5, timeout_s=0.2))
        process.stop()
        assert "refused: 5 not allowed" in process.output()
    assert seen.failed(Failure.TIMEOUT)
    assert seen.value("packet_loss_ratio", direction="round-trip") == 1
    assert seen.value("packet_loss_ratio", direction="forward") is None


def test_a_closed_port_is_refused() -> None:
    seen = drive("stamp", stream(HERE, free_port(), count=5, timeout_s=0.2))
    assert seen.failed(Failure.REFUSED)
    assert seen.value("icmp_error_count") >= 1


def served(answer: Answer, **more: object) -> Seen:
    """The stream against a server that answers as told; it may answer from 127.0.0.2 too."""

    async def run() -> Seen:
        async with datagram_server(answer) as port:
            return await observe("stamp", stream(HERE, port, **more))

    return asyncio.run(run())


def twamp_light(query: bytes, *, octets: int = 41) -> bytes:
    """What a stateless TWAMP-Light reflector sends (RFC 5357 section 4.2.1): numbers copied."""
    return (
        query[:4] + b"\xed\0\x37\x80" + bytes(4) + query[12:14] + b"\0\0"
        + b"\xed\0\x37\x80" + bytes(4) + query[:14] + b"\0\0" + b"\xff" + query[14:]
    )[:octets]  # fmt: skip


@pytest.mark.parametrize("octets", [41, 172])
def test_twamp_light_gives_the_round_trip_and_no_direction(octets: int) -> None:
    seen = served(lambda query: [(twamp_light(query, octets=octets), HERE)])
    assert seen.completed()
    assert seen.value("reflector_counting") == "stateless"
    assert seen.value("packet_loss_ratio", direction="round-trip") == 0
    for direction in ("forward", "return"):
        loss = seen.only("packet_loss_ratio", direction=direction)
        assert loss.value is None
        assert "copies" in str(loss.method["reason"])
    assert seen.value("dscp_received", direction="forward") is None
    assert seen.only("dscp_received", direction="return").method["expected"] is None
    assert seen.only("r_factor").method["direction"] == "round-trip"


def test_loss_at_a_stateless_reflector_is_of_no_direction() -> None:
    seen = served(
        lambda query: [] if query[3] % 4 == 0 else [(twamp_light(query), HERE)], timeout_s=0.2
    )
    assert seen.value("packets_lost_count", direction="round-trip") == 10
    assert seen.value("packets_lost_count", direction="return") is None


def stateful(query: bytes, count: int) -> bytes:
    answer = twamp_light(query, octets=44)
    return count.to_bytes(4, "big") + answer[4:14] + query[14:16] + answer[16:]


def counting(lose: Callable[[int], str]) -> Answer:
    """A stateful reflector; `lose(number)` says `forward`, `return` or nothing."""
    count = 0

    def answer(query: bytes) -> list[tuple[bytes, str]]:
        nonlocal count
        fate = lose(int.from_bytes(query[:4], "big"))
        if fate == "forward":
            return []
        count += 1
        return [] if fate == "return" else [(stateful(query, count - 1), HERE)]

    return answer


def test_loss_of_each_direction_is_counted_exactly() -> None:
    fates = {3: "forward", 4: "forward", 10: "return", 20: "forward", 21: "return"}
    seen = served(counting(lambda number: fates.get(number, "")), timeout_s=0.2)
    assert seen.value("packets_lost_count", direction="forward") == 3
    assert seen.value("packets_lost_count", direction="return") == 2
    assert seen.value("packets_lost_count", direction="undetermined") == 0
    assert seen.only("packet_loss_ratio", direction="forward").samples == 40
    assert seen.only("packet_loss_ratio", direction="return").samples == 37
    assert seen.value("packet_loss_run_max_packets", direction="forward") == 2


def lying(change: Callable[[bytes], bytes], source: str = HERE) -> Answer:
    honest = counting(lambda number: "")
    return lambda query: [(change(octets), source) for octets, _ in honest(query)]


@pytest.mark.parametrize(
    ("answer", "failure", "reason"),
    [
        (lying(lambda a: a, "127.0.0.2"), Failure.WRONG_SOURCE, "wrong source"),
        (lying(lambda a: a[:14] + b"\1\1" + a[16:]), Failure.PROTOCOL, "wrong session identifier"),
        (lying(lambda a: a[:28] + bytes(8) + a[36:]), Failure.PROTOCOL,
         "time stamp that was not sent"),
        (lying(lambda a: a[:24] + b"\xff" * 4 + a[28:]), Failure.PROTOCOL,
         "number that was not sent"),
        (lying(lambda a: a[:40]), Failure.PROTOCOL, "malformed"),
    ],
)  # fmt: skip
def test_a_lie_is_classified_and_gives_no_number(
    answer: Answer, failure: Failure, reason: str
) -> None:
    seen = served(answer, count=12, timeout_s=0.2)
    assert seen.failed(failure)
    assert seen.value("rejected_reply_count", reason=reason) == 12
    for each in seen.observations:
        if each.name.startswith(("round_trip", "pdv", "one_way", "mos", "r_factor", "dscp")):
            assert each.value is None, each


def test_replays_and_an_oversized_tlv_change_nothing() -> None:
    first: list[bytes] = []
    honest = counting(lambda number: "")

    def answer(query: bytes) -> list[tuple[bytes, str]]:
        ((octets, source),) = honest(query)
        first.append(octets + b"\0\4\xff\xff" + bytes(900))
        return [(first[-1], source), (first[0], source)]

    seen = served(answer, count=12)
    assert seen.completed()
    assert seen.value("packets_received_count") == 12
    assert seen.value("duplicate_count") == 12
    assert seen.value("packet_loss_ratio", direction="forward") == 0
    assert seen.value("dscp_received", direction="forward") is None


def test_impossible_times_give_no_delay() -> None:
    # Receive stamp a second after the transmit stamp.
    seen = served(lying(lambda a: a[:19] + b"\x81" + a[20:]), count=12)
    assert seen.completed()
    assert seen.value("packets_received_count") == 12
    assert seen.value("round_trip_delay_median_s") is None
    assert seen.value("r_factor", direction="forward") is None
