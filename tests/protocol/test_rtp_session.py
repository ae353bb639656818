"""Our end of the media: what is sent, what is believed, and the arithmetic of reports."""

from random import Random

import pytest

from nethealth.model.check import CallCodec
from nethealth.model.endpoint import Endpoint
from nethealth.protocol.call_media import FORMATS
from nethealth.protocol.rtp_session import STREAMS_MAX, RtpSession
from nethealth.protocol.rtp_stream import RtpStream
from nethealth.wire.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    encode_rtcp,
    parse_rtcp,
)
from nethealth.wire.rtp import RtpPacket, parse_rtp

FAR = Endpoint("192.0.2.1", 6000)
STRANGER = Endpoint("192.0.2.9", 6000)


def session() -> RtpSession:
    return RtpSession(Random(5).getrandbits, wall_s=1_700_000_000.0)


def stream(*numbers: int, at_s: list[float] | None = None) -> RtpStream:
    made = RtpStream(1)
    for index, number in enumerate(numbers):
        received_s = at_s[index] if at_s else number * 0.02
        made.take(RtpPacket(8, number % 65536, number * 160 % 2**32, 1, b"x"), received_s, 46)
    return made


def test_the_packets_are_one_stream() -> None:
    own = session()
    packets = []
    for slot in range(3):
        packet = own.packet(FORMATS["PCMA"], slot)
        own.sent(packet, slot * 0.02)
        packets.append(parse_rtp(packet.encode()))
    assert [one.marker for one in packets] == [True, False, False]
    assert len({one.ssrc for one in packets}) == 1
    assert [one.sequence - packets[0].sequence for one in packets] == [0, 1, 2]
    assert [(one.timestamp - packets[0].timestamp) % 2**32 for one in packets] == [0, 160, 320]


@pytest.mark.parametrize(
    ("codec", "octets"), [("PCMA", 160), ("PCMU", 160), ("G722", 160), ("G729", 20)]
)
def test_a_payload_is_of_20_ms(codec: CallCodec, octets: int) -> None:

    assert len(FORMATS[codec].payload) == octets


def test_the_tone_is_a_tone() -> None:
    """Decoded by the formulas of G.711 section 2, the eight octets are one period of 1000 Hz."""

    def a_law(octet: int) -> int:
        octet ^= 0x55
        exponent, mantissa = (octet >> 4) & 7, octet & 15
        value = (mantissa * 2 + 33) << (exponent - 1) if exponent else mantissa * 2 + 1
        return value if octet & 0x80 else -value

    def mu_law(octet: int) -> int:
        octet ^= 0xFF
        value = ((((octet & 15) * 2) + 33) << ((octet >> 4) & 7)) - 33
        return -value if octet & 0x80 else value

    for frame, law in ((FORMATS["PCMA"].frame, a_law), (FORMATS["PCMU"].frame, mu_law)):
        samples = [law(octet) for octet in frame]
        small, large = sorted({abs(sample) for sample in samples})
        signs = [sample > 0 for sample in samples]
        assert signs in ([False] * 4 + [True] * 4, [True] * 4 + [False] * 4)
        assert [abs(sample) == large for sample in samples] == [False, True, True, False] * 2
        # sin(67.5°) / sin(22.5°), to within the steps of the law
        assert large / small == pytest.approx(2.414, rel=0.03)


def test_counts_over_a_wrap() -> None:
    seen = stream(65533, 65534, 65536, 65535, 65535, 65539)
    assert list(seen.numbers()) == [65533, 65534, 65535, 65536, 65537, 65538, 65539]
    assert len(seen.first_of_each) == 5
    assert seen.duplicate_count == 1
    assert seen.reordered_count == 1
    assert [transit is None for transit in seen.transits_s()] == [
        False, False, False, False, True, True, False,
    ]  # fmt: skip


def test_a_leap_is_no_loss() -> None:
    seen = stream(1, 2, 30_000, 3)
    assert seen.out_of_step_count == 1
    assert list(seen.numbers()) == [1, 2, 3]


def test_jitter_is_that_of_the_handbook() -> None:
    """RFC 3550: 0, 2, 3.875, 5.6328, 7.2808 units for these arrivals (the handbook's vector)."""
    at_s = [0.005, 0.025, 0.049, 0.065, 0.089, 0.105]
    seen = stream(0, 1, 2, 3, 4, 5, at_s=at_s)
    assert seen.report(0, 0).jitter == 7


def test_a_report_is_of_what_came_since_the_last() -> None:
    seen = stream(10, 11, 13, 14)
    first = seen.report(7, 8)
    # 1 of 5 lost: 51 of 256
    assert (first.fraction_lost, first.cumulative_lost, first.highest_sequence) == (51, 1, 14)
    assert (first.last_sr, first.delay_since_last_sr) == (7, 8)
    seen.take(RtpPacket(8, 15, 2400, 1, b""), 1.0, None)
    assert (seen.report(0, 0).fraction_lost, seen.report(0, 0).cumulative_lost) == (0, 1)


def test_only_the_announced_address_is_the_far_end() -> None:
    own = session()
    for number in range(5):
        own.receive(RtpPacket(8, number, 0, 7, b"").encode(), FAR, 0.0, 46)
        own.receive(RtpPacket(8, number, 0, 7, b"").encode(), STRANGER, 0.0, 0)
        own.receive(RtpPacket(8, number + 50, 0, 7, b"").encode(), STRANGER, 0.0, 0)
    found = own.main_stream(FAR.address)
    assert found is not None
    assert found[0] == FAR
    assert len(found[1].arrivals) == 5
    assert found[1].dscps == {46: 5}
    assert own.strangers(FAR.address) == {"192.0.2.9:6000": 10}
    assert own.main_stream("192.0.2.3") is None


def test_what_a_flood_costs_is_bounded() -> None:
    own = session()
    for ssrc in range(1000):
        own.receive(RtpPacket(8, 1, 1, ssrc, b"").encode(), STRANGER, 0.0, None)
    assert len(own.streams) == STREAMS_MAX
    assert own.unread_count == 1000 - STREAMS_MAX
    own.receive(b"\x80", FAR, 0.0, None)
    assert own.malformed_count == 1
    for port in range(1000):
        own.receive_rtcp(b"", Endpoint("192.0.2.9", port), 0.0, FAR.address)
    assert own.rtcp_sources.total() == 16


def sending(count: int) -> RtpSession:
    own = session()
    for slot in range(count):
        own.sent(own.packet(FORMATS["PCMA"], slot), slot * 0.02)
    return own


def test_our_report() -> None:
    own = sending(50)
    own.receive(RtpPacket(8, 1, 160, 7, b"").encode(), FAR, 0.5, 46)
    sender, described, goodbye = parse_rtcp(own.report(1.0, FAR.address, leaving=True))
    assert isinstance(sender, SenderReport)
    assert (sender.ssrc, sender.packet_count, sender.octet_count) == (own.ssrc, 50, 8000)
    assert sender.ntp >> 32 == 1_700_000_001 + 2_208_988_800
    assert [block.ssrc for block in sender.reports] == [7]
    assert isinstance(described, SourceDescription)
    assert goodbye == Goodbye((own.ssrc,))
    assert isinstance(parse_rtcp(session().report(1.0, None))[0], ReceiverReport)


def far_report(own: RtpSession, highest: int, lost: int, last_sr: int, delay: int) -> bytes:
    block = ReportBlock(own.ssrc, 0, lost, highest, 0, last_sr, delay)
    return encode_rtcp([ReceiverReport(99, (block,))])


def test_the_round_trip_is_that_of_the_standards_example() -> None:
    """RFC 3550 section 6.4.1, figure 2: A = 0xb710:8000, LSR 0xb705:2000, DLSR 5.25 s: 6.125 s."""
    own = sending(1)
    at_s = (0xB710 + 0.5) - ((1_700_000_000 + 2_208_988_800) & 0xFFFF)
    at_s %= 65536
    own.receive_rtcp(far_report(own, 1, 0, 0xB7052000, 0x00054000), FAR, at_s, FAR.address)
    assert own.round_trips_s == [pytest.approx(6.125, abs=1e-4)]


def test_what_the_far_end_reports() -> None:
    own = sending(100)
    first = own.packet(FORMATS["PCMA"], 0).sequence - 100
    own.receive_rtcp(far_report(own, first + 89, 4, 0, 0), FAR, 2.0, FAR.address)
    (report,) = own.reports
    assert (report.expected, report.block.cumulative_lost) == (90, 4)
    assert own.round_trips_s == []
    own.receive_rtcp(far_report(own, first + 89, 4, 0, 0), STRANGER, 2.0, FAR.address)
    assert len(own.reports) == 1
    assert own.rtcp_sources == {"192.0.2.9:6000": 1}
