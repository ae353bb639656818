"""STAMP packets: the handbook's vector, scapy's codec in a process of its own, and any octets."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire import stamp
from nethealth.wire.errors import WireError
from nethealth.wire.stamp import (
    ClassOfService,
    ErrorEstimate,
    ReflectedPacket,
    SenderPacket,
    TimestampInformation,
    Tlv,
    nanoseconds,
    ntp_of_unix_ns,
    parse_tlvs,
)

_SCAPY = """
import json, sys
from scapy.contrib.stamp import (
    ErrorEstimate, STAMPSessionReflectorTestUnauthenticated as Reflected,
    STAMPSessionSenderTestUnauthenticated as Sender, STAMPTestTLV as Tlv)
ours = {name: bytes.fromhex(text) for name, text in json.load(sys.stdin).items()}
sent, back = Sender(ours["sender"]), Reflected(ours["reflected"])
NTP = 1 << 32
print(json.dumps({
    "sender": bytes(Sender(seq=7, ts=0xED003780 + 0.5, ssid=0x1234,
        err_estimate=ErrorEstimate(S=1, scale=22, multiplier=1),
        tlv_objects=[Tlv(flags=0x80, type=4, len=4, value=bytes.fromhex("b8000000"))])).hex(),
    "reflected": bytes(Reflected(seq=6, ts=0xED003781 + 0.25, ssid=0x1234,
        err_estimate=ErrorEstimate(S=1, scale=20, multiplier=9), ts_rx=0xED003781 + 0.125,
        seq_sender=7, ts_sender=0xED003780 + 0.5,
        err_estimate_sender=ErrorEstimate(S=1, scale=22, multiplier=1), ttl_sender=61,
        tlv_objects=[Tlv(flags=0, type=4, len=4, value=bytes.fromhex("ba800000"))])).hex(),
    "read": [sent.seq, sent.ssid, sent.err_estimate.S, sent.err_estimate.scale,
        sent.err_estimate.multiplier, [[int(t.flags), t.type, t.value.hex()]
        for t in sent.tlv_objects]],
    "read_back": [back.seq, back.seq_sender, back.ssid, back.ttl_sender,
        back.err_estimate.multiplier, back.err_estimate_sender.scale,
        float(back.ts) - float(back.ts_rx), len(back.tlv_objects)],
}))
"""
NEW_YEAR = ErrorEstimate.of(2**-10, synchronised=True)
HALF = 1 << 31
T1 = (0xED003780 << 32) + HALF
SENDER = SenderPacket(
    7, T1, NEW_YEAR, 0x1234, (Tlv(stamp.CLASS_OF_SERVICE, ClassOfService(46).build()),)
)
REFLECTED = ReflectedPacket(
    6, (0xED003781 << 32) + HALF // 2, ErrorEstimate(True, False, 20, 9), 0x1234,
    (0xED003781 << 32) + HALF // 4, 7, T1, NEW_YEAR, 61,
    (Tlv(stamp.CLASS_OF_SERVICE, ClassOfService(46, 40).build(), 0),),
)  # fmt: skip


@pytest.fixture(scope="module")
def scapy() -> dict[str, object]:
    ours = {"sender": SENDER.build().hex(), "reflected": REFLECTED.build().hex()}
    done = subprocess.run(
        (sys.executable, "-c", _SCAPY),
        input=json.dumps(ours), check=True, capture_output=True, text=True,
    )  # fmt: skip
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_handbooks_vector() -> None:
    moment = datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    timestamp = ntp_of_unix_ns(int(moment.timestamp() * 1e9))
    packet = SenderPacket(1, timestamp, NEW_YEAR).build()
    assert packet[:16] == bytes.fromhex("00000001 ed003780 80000000 9601 0000")
    assert packet[16:] == bytes(28)
    assert NEW_YEAR.error_s == 2**-10


def test_scapy_builds_the_same_packets(scapy: dict[str, object]) -> None:
    assert SENDER.build().hex() == scapy["sender"]
    assert REFLECTED.build().hex() == scapy["reflected"]
    assert SenderPacket.parse(bytes.fromhex(str(scapy["sender"]))) == SENDER
    assert ReflectedPacket.parse(bytes.fromhex(str(scapy["reflected"]))) == REFLECTED


def test_scapy_reads_ours(scapy: dict[str, object]) -> None:
    assert scapy["read"] == [7, 0x1234, 1, 22, 1, [[0x80, 4, "b8000000"]]]
    assert scapy["read_back"] == [6, 7, 0x1234, 61, 9, 22, 0.125, 1]


def test_a_twamp_light_answer_has_41_octets() -> None:
    whole = REFLECTED.build()
    answer = ReflectedPacket.parse(whole[:41])
    assert (answer.sender_ttl, answer.tlvs, answer.rest) == (61, (), b"")
    with pytest.raises(WireError, match="40 octets"):
        ReflectedPacket.parse(whole[:40])
    with pytest.raises(WireError, match="43 octets"):
        SenderPacket.parse(whole[:43])


def test_only_a_tlv_that_the_reflector_understood_is_believed() -> None:
    value = ClassOfService(46, 46).build()
    for flags in (stamp.UNRECOGNISED, stamp.MALFORMED, stamp.INTEGRITY_FAILED):
        packet = ReflectedPacket.parse(
            REFLECTED.build()[:44] + Tlv(stamp.CLASS_OF_SERVICE, value, flags).build()
        )
        assert len(packet.tlvs) == 1
        assert packet.tlv(stamp.CLASS_OF_SERVICE) is None
    found = REFLECTED.tlv(stamp.CLASS_OF_SERVICE)
    assert found is not None
    assert ClassOfService.parse(found.value) == ClassOfService(dscp1=46, dscp2=40)
    assert REFLECTED.tlv(stamp.EXTRA_PADDING) is None


def test_unknown_tlvs_are_kept_and_what_is_none_is_the_rest() -> None:
    known = Tlv(200, b"abc", stamp.UNRECOGNISED)
    assert parse_tlvs(known.build() + b"\0\1") == ((known,), b"\0\1")
    too_long = bytes.fromhex("80 04 ffff 00000000")
    assert parse_tlvs(known.build() + too_long) == ((known,), too_long)
    many, rest = parse_tlvs(bytes(1400))
    assert (len(many), len(rest)) == (stamp.TLVS_MAX, 1400 - 4 * stamp.TLVS_MAX)


def test_values_of_another_length_are_refused() -> None:
    for value in (b"", b"\0" * 3, b"\0" * 5):
        with pytest.raises(WireError):
            ClassOfService.parse(value)
        with pytest.raises(WireError):
            TimestampInformation.parse(value)


def test_an_error_of_multiplier_zero_says_nothing() -> None:
    assert ErrorEstimate.parse(0x9600).error_s is None
    assert ErrorEstimate.parse(0x4001) == ErrorEstimate(False, True, 0, 1)


def test_ptp_and_ntp_count_differently() -> None:
    ptp = ErrorEstimate(True, True, 22, 1)
    assert nanoseconds((5 << 32) + 7, ptp) == 5_000_000_007
    # 2036-02-07T06:28:16Z, when NTP's seconds start again at 0 (RFC 5905 section 6).
    rollover = int(datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC).timestamp()) * 10**9
    assert ntp_of_unix_ns(rollover) == 0
    assert nanoseconds(0, NEW_YEAR) == rollover
    assert nanoseconds(ntp_of_unix_ns(rollover - 1), NEW_YEAR) == rollover - 1


@given(st.integers(0, 4_000_000_000 * 10**9))
def test_a_time_survives_its_stamp(unix_ns: int) -> None:
    assert nanoseconds(ntp_of_unix_ns(unix_ns), NEW_YEAR) == unix_ns


@given(st.floats(0, 1e6), st.booleans())
def test_an_estimate_is_never_too_small_nor_much_too_large(error_s: float, sync: bool) -> None:
    estimate = ErrorEstimate.of(error_s, synchronised=sync)
    assert estimate.error_s is not None
    # A step of the least scale, or one of the 7 bits that a larger multiplier has at least.
    assert error_s <= estimate.error_s <= max(error_s * (1 + 1 / 127), error_s + 2**-32)
    assert ErrorEstimate.parse(estimate.field()) == estimate


@given(st.binary(max_size=300))
def test_any_octets_are_a_packet_or_a_wire_error(data: bytes) -> None:
    for kind in (SenderPacket, ReflectedPacket):
        try:
            packet = kind.parse(data)
        except WireError:
            assert len(data) < 44
        else:
            again = kind.parse(packet.build())
            assert again == packet
            assert packet.build()[stamp.BASE_OCTETS :] == data[stamp.BASE_OCTETS :]


@given(st.binary(min_size=44, max_size=80), st.integers(0, 2**64 - 1))
def test_stamping_changes_the_time_alone(data: bytes, timestamp: int) -> None:
    packet = bytearray(data)
    stamp.stamped(packet, timestamp)
    assert SenderPacket.parse(bytes(packet)).timestamp == timestamp
    assert bytes(packet[:4] + packet[12:]) == data[:4] + data[12:]
