"""A STAMP sender and a reflector joined in memory, over a path whose every loss is known."""

from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.protocol.reflector_peers import closed_networks
from nethealth.protocol.stamp import Counting, Rejection, StampSession
from nethealth.protocol.stamp_reflector import (
    EXPIRY_S,
    SESSIONS_OF_A_PEER_MAX,
    Arrived,
    Reflector,
    Refusal,
)
from nethealth.wire.stamp import (
    CLASS_OF_SERVICE,
    ClassOfService,
    ErrorEstimate,
    ReflectedPacket,
    SenderPacket,
    Tlv,
    ntp_of_unix_ns,
    stamped,
)

EPOCH_NS = 1_795_000_000 * 10**9
FREE = ErrorEstimate.of(0.001, synchronised=False)
OFFSET_S = 5.0  # how far the reflector's clock is ahead


def session(octets: int = 172) -> StampSession:
    return StampSession(
        ssid=77, epoch_ns=EPOCH_NS, error_estimate=FREE, octets=octets, dscp=46, timeout_s=2.0
    )


def reflector(rate: float = 10_000, allow: str = "198.18.0.0/24") -> Reflector:
    return Reflector([ip_network(allow)], rate, FREE)


@dataclass
class Path:
    """10 ms there, 1 ms at the reflector, 20 ms back."""

    sender: StampSession = field(default_factory=session)
    far: Reflector = field(default_factory=reflector)
    now_s: float = 100.0

    def there(self, packet: bytes, sent_s: float, *, dscp: int = 46, port: int = 4000) -> bytes:
        """The packet reaches the reflector; what it answers."""
        arrived_s = sent_s + 0.010
        reflection = self.far.reflect(
            Arrived(packet, "198.18.0.2", port, arrived_s, self.stamp(arrived_s), 60, dscp << 2)
        )
        assert reflection is not None, self.far.refused
        stamped(reflection.packet, self.stamp(arrived_s + 0.001))
        return bytes(reflection.packet)

    @staticmethod
    def stamp(at_s: float) -> int:
        return ntp_of_unix_ns(EPOCH_NS + round((at_s + OFFSET_S) * 1e9))

    def trip(self, fate: str = "ok", *, delay_s: float = 0.031) -> None:
        """One packet: `ok`, lost `there`, lost on the way `back`, or doubled in either."""
        self.now_s += 0.02
        packet = self.sender.packet(self.now_s)
        answers = []
        if fate != "there":
            answers.append(self.there(packet, self.now_s))
        if fate == "doubled there":
            answers.append(self.there(packet, self.now_s))
        if fate == "doubled back":
            answers *= 2
        for answer in answers if fate != "back" else ():
            self.sender.received(answer, self.now_s + delay_s, ttl=57, dscp=46)


def test_delay_is_without_the_reflectors_own_time() -> None:
    path = Path()
    path.trip()
    (answer,) = path.sender.answers()
    assert answer is not None
    assert answer.raw_s == pytest.approx(0.031)
    assert answer.residence_s == pytest.approx(0.001, abs=1e-8)
    assert answer.delay_s == pytest.approx(0.030, abs=1e-8)
    assert answer.forward_s == pytest.approx(0.010 + OFFSET_S, abs=1e-8)
    assert answer.return_s == pytest.approx(0.020 - OFFSET_S, abs=1e-8)
    assert (answer.dscp_forward, answer.dscp_return) == (46, 46)
    assert path.sender.ttls == {57: 1}


def test_an_answer_has_the_size_of_its_packet() -> None:
    for octets in (56, 172, 1400):
        path = Path(session(octets))
        packet = path.sender.packet(100.0)
        assert len(packet) == octets
        assert len(path.there(packet, 100.0)) == octets


def test_loss_is_told_by_direction() -> None:
    path = Path()
    for fate in ("ok", "there", "there", "ok", "back", "ok", "there", "back", "ok", "back"):
        path.trip(fate)
    assert path.sender.counting is Counting.STATEFUL
    directions = path.sender.directions()
    assert directions is not None
    assert (directions.forward.sent, directions.forward.lost) == (9, 3)
    assert (directions.back.sent, directions.back.lost) == (6, 2)
    assert directions.undetermined == 1
    assert directions.forward.passed is not None
    assert directions.forward.passed[:4] == (True, False, False, True)


@given(st.lists(st.sampled_from(["ok", "there", "back"]), min_size=1, max_size=60))
def test_the_sums_are_those_of_the_path(fates: list[str]) -> None:
    path = Path()
    for fate in fates:
        path.trip(fate)
    directions = path.sender.directions()
    if "ok" not in fates:
        assert directions is None
        assert path.sender.counting is Counting.UNKNOWN
        return
    assert directions is not None
    known = fates[: len(fates) - fates[::-1].index("ok")]
    assert directions.forward.lost == known.count("there")
    assert directions.back.lost == known.count("back")
    assert directions.undetermined == len(fates) - len(known)
    assert directions.forward.sent == len(known)
    for way in (directions.forward, directions.back):
        assert way.passed is not None
        assert (len(way.passed), way.passed.count(False)) == (way.sent, way.lost)


def test_doubled_packets_are_no_loss_and_no_gain() -> None:
    path = Path()
    for fate in ("ok", "doubled there", "ok", "there", "doubled back", "back", "ok"):
        path.trip(fate)
    assert path.sender.duplicate_count == 2
    directions = path.sender.directions()
    assert directions is not None
    assert (directions.forward.lost, directions.back.lost) == (1, 1)


def test_a_reflector_that_copies_our_numbers_tells_no_direction() -> None:
    path = Path()
    for number in range(1, 6):
        packet = path.sender.packet(100.0 + number)
        answer = bytearray(path.there(packet, 100.0 + number))
        answer[:4] = number.to_bytes(4, "big")
        if number != 3:
            path.sender.received(bytes(answer), 100.04 + number)
    assert path.sender.counting is Counting.STATELESS
    assert path.sender.directions() is None
    assert path.sender.answers()[2] is None


@pytest.mark.parametrize("counter", [9, 2**32 - 1, 1])
def test_a_counter_that_cannot_be_gives_no_direction(counter: int) -> None:
    # Three were sent: 9 is too many; 1 is the second packet's own.
    path = Path()
    path.trip()
    path.trip()
    packet = path.sender.packet(101.0)
    answer = bytearray(path.there(packet, 101.0))
    answer[:4] = counter.to_bytes(4, "big")
    path.sender.received(bytes(answer), 101.04)
    assert path.sender.counting is Counting.UNKNOWN
    assert path.sender.directions() is None


def test_a_reply_that_lies_is_counted_by_its_lie() -> None:
    path = Path()
    packet = path.sender.packet(100.0)
    answer = path.there(packet, 100.0)

    def patched(at: int, octets: bytes) -> bytes:
        return answer[:at] + octets + answer[at + len(octets) :]

    path.sender.received(answer, 100.03, from_peer=False)
    path.sender.received(answer[:40], 100.03)
    path.sender.received(patched(14, b"\0\1"), 100.03)
    path.sender.received(patched(24, b"\0\0\0\5"), 100.03)
    path.sender.received(patched(28, bytes(8)), 100.03)
    path.sender.received(patched(36, b"\xff\xff"), 100.03)
    assert path.sender.rejected == {
        Rejection.WRONG_SOURCE: 1,
        Rejection.MALFORMED: 1,
        Rejection.WRONG_SSID: 1,
        Rejection.UNKNOWN_SEQUENCE: 1,
        Rejection.WRONG_TIMESTAMP: 2,
    }
    assert path.sender.answers() == (None,)
    path.sender.received(patched(14, b"\0\0"), 100.031)  # of before RFC 8972
    assert path.sender.answers()[0] is not None


def test_replayed_answers_change_nothing() -> None:
    path = Path()
    path.trip()
    first = path.sender.answers()
    answer = path.there(SenderPacket.parse(bytes(path.sender.packet(101.0))).build(), 101.0)
    path.sender.received(answer, 101.031)
    before = path.sender.answers()
    for _ in range(100):
        path.sender.received(answer, 101.9)
    assert path.sender.answers() == before
    assert before[0] == first[0]
    assert path.sender.duplicate_count == 100


@pytest.mark.parametrize("own_s", [0.5, -0.5])
def test_impossible_time_stamps_give_no_delay(own_s: float) -> None:
    path = Path()
    packet = path.sender.packet(100.0)
    answer = bytearray(path.there(packet, 100.0))
    stamped(answer, path.stamp(100.010 + own_s))
    path.sender.received(bytes(answer), 100.031)
    (seen,) = path.sender.answers()
    assert seen is not None
    assert (seen.delay_s, seen.forward_s, seen.return_s) == (None, None, None)
    assert path.sender.implausible_count == 1


def test_late_is_not_in_time() -> None:
    path = Path()
    path.trip(delay_s=2.5)
    assert path.sender.answers() == (None,)
    assert path.sender.late_count == 1
    path.trip()
    path.sender.forget_unfinished(path.now_s + 1)
    assert path.sender.sent_count == 0


def test_an_oversized_or_foreign_tlv_gives_no_mark() -> None:
    path = Path()
    packet = path.sender.packet(100.0)
    answer = ReflectedPacket.parse(path.there(packet, 100.0))
    for tail in (
        b"\0\4\xff\xff" + bytes(200),
        Tlv(CLASS_OF_SERVICE, ClassOfService(46, 0).build()).build(),  # U: as TWAMP copies it
        Tlv(CLASS_OF_SERVICE, b"\0" * 8, 0).build(),
    ):
        path.sender.received(answer.build()[:44] + tail, 100.03)
        (seen,) = path.sender.answers()
        assert seen is not None
        assert seen.dscp_forward is None
        path = Path()
        packet = path.sender.packet(100.0)
        answer = ReflectedPacket.parse(path.there(packet, 100.0))


def test_reordering_is_told_by_direction() -> None:
    path = Path()
    sent = [(path.sender.packet(100 + n / 50), 100 + n / 50) for n in range(4)]
    answers = [path.there(*sent[n]) for n in (0, 2, 1, 3)]  # there: 2 overtakes 1
    for index, answer in enumerate(answers):
        path.sender.received(answer, 100.2 + index / 100)
    assert path.sender.reordered() == (1, 1, 0)
    directions = path.sender.directions()
    assert directions is not None
    assert (directions.forward.lost, directions.back.lost) == (0, 0)


def test_the_reflector_answers_only_whom_it_may() -> None:
    far = reflector(allow="198.18.0.0/24")
    packet = session().packet(100.0)
    assert far.reflect(Arrived(packet, "198.18.0.2", 1, 100.0, 1, 64)) is not None
    for address in ("198.18.1.2", "2001:db8::1", "fe80::1%eth0"):
        assert far.reflect(Arrived(packet, address, 1, 100.0, 1, 64)) is None
    assert far.reflect(Arrived(packet[:43], "198.18.0.2", 1, 100.0, 1, 64)) is None
    assert far.refused == {Refusal.NOT_ALLOWED: 3, Refusal.NO_STAMP: 1}


def test_the_reflector_keeps_each_peer_to_its_rate() -> None:
    far = reflector(rate=10)
    packet = session().packet(100.0)

    def answered(peer: str, at_s: float) -> int:
        return sum(
            far.reflect(Arrived(packet, peer, 1, at_s, 1, 64)) is not None for _ in range(50)
        )

    assert answered("198.18.0.2", 100.0) == 10
    assert answered("198.18.0.3", 100.0) == 10
    assert answered("198.18.0.2", 100.5) == 5
    assert answered("198.18.0.2", 1000.0) == 10


def test_sessions_are_bounded_and_expire() -> None:
    far = reflector(rate=1e6)
    packet = session().packet(100.0)
    ports = range(1, SESSIONS_OF_A_PEER_MAX + 50)
    answered = [
        far.reflect(Arrived(packet, "198.18.0.2", port, 100.0, 1, 64)) is not None for port in ports
    ]
    assert sum(answered) == far.session_count == SESSIONS_OF_A_PEER_MAX
    assert far.refused[Refusal.NO_ROOM] == 49
    assert far.reflect(Arrived(packet, "198.18.0.3", 1, 100.0, 1, 64)) is not None
    later_s = 100.0 + EXPIRY_S + 1
    again = far.reflect(Arrived(packet, "198.18.0.2", 1, later_s, 1, 64))
    assert again is not None
    assert ReflectedPacket.parse(bytes(again.packet)).sequence_number == 0
    assert far.session_count == 1


def test_tlvs_are_answered_as_the_rfc_says() -> None:
    far = reflector()
    sent = SenderPacket(
        1, 2, FREE, 3,
        (Tlv(CLASS_OF_SERVICE, ClassOfService(10).build()), Tlv(3, bytes(4)), Tlv(2, b"abcd"),
         Tlv(CLASS_OF_SERVICE, b"\0")),
        b"\x80\1\xff\xff",
    )  # fmt: skip
    answer = far.reflect(Arrived(sent.build(), "198.18.0.2", 1, 100.0, 1, 64, 46 << 2 | 1))
    assert answer is not None
    assert answer.dscp == 10
    packet = ReflectedPacket.parse(bytes(answer.packet))
    marks, times, location, broken = packet.tlvs
    assert ClassOfService.parse(marks.value) == ClassOfService(10, 46, ecn=1)
    assert (marks.flags, times.flags, times.value) == (0, 0, bytes((5, 2, 5, 2)))
    assert (location.flags, location.value) == (0x80, b"abcd")
    assert broken.flags == 0x40
    assert packet.rest == b"\xc0\1\xff\xff"


@given(st.binary(max_size=200))
def test_no_datagram_is_answered_with_more_octets(data: bytes) -> None:
    answer = reflector().reflect(Arrived(data, "198.18.0.2", 1, 100.0, 1, 64))
    assert answer is None or len(answer.packet) == len(data)


@given(st.binary(max_size=200))
def test_no_datagram_breaks_the_sender(data: bytes) -> None:
    sender = session()
    sender.packet(100.0)
    sender.received(data, 100.1)
    assert sender.answers() == (None,)


@pytest.mark.parametrize(
    "networks",
    [["0.0.0.0/0"], ["::/0"], ["0.0.0.0/1", "128.0.0.0/1"], ["2000::/3"], ["10.0.0.0/7"]],
)
def test_a_reflector_open_to_the_world_is_refused(networks: list[str]) -> None:
    with pytest.raises(ValueError, match="open to the world"):
        closed_networks([ip_network(one) for one in networks])


def test_ones_own_networks_are_allowed() -> None:
    closed_networks([ip_network(one) for one in ("10.0.0.0/8", "fc00::/7", "198.18.0.2/32")])
    with pytest.raises(ValueError, match="no network"):
        closed_networks([])
