"""RTP and RTCP, against packets that scapy builds in a process of its own."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire.errors import WireError
from nethealth.wire.rtcp import (
    CNAME,
    Goodbye,
    OtherRtcp,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    encode_rtcp,
    parse_rtcp,
)
from nethealth.wire.rtp import RtpPacket, is_rtcp, parse_rtp

_BUILD = """
import json
from scapy.contrib.rtcp import RTCP, ReceptionReport, SDESChunk, SDESItem, SenderInfo
from scapy.layers.rtp import RTP, RTPExtension
block = ReceptionReport(sourcesync=0xDEADBEEF, fraction_lost=13, cumulative_lost=0xFFFFFE,
                        highest_seqnum_recv=0x1FFFE, interarrival_jitter=7,
                        last_SR_timestamp=0x12345678, delay_since_last_SR=65536)
sender = SenderInfo(ntp_timestamp=0xE8000000C0000000, rtp_timestamp=160, sender_packet_count=50,
                    sender_octet_count=8000)
packets = {
    "plain": bytes(RTP(payload_type=8, sequence=65535, timestamp=4294967295, sourcesync=1)
                   / b"abcd"),
    "marked": bytes(RTP(marker=1, payload_type=0, sequence=1, timestamp=2, sourcesync=3,
                        numsync=2, sync=[5, 6]) / b"x"),
    "extended": bytes(RTP(extension=1, payload_type=9, sequence=7, timestamp=8, sourcesync=9)
                      / RTPExtension(header_id=0xBEDE, header=[0x01020304]) / b"yz"),
    "sr": bytes(RTCP(packet_type=200, sourcesync=17, sender_info=sender, report_blocks=[block],
                     count=1)),
    "rr": bytes(RTCP(packet_type=201, sourcesync=18, report_blocks=[block, block], count=2)),
}
print(json.dumps({name: octets.hex() for name, octets in packets.items()}))
"""

BLOCK = ReportBlock(0xDEADBEEF, 13, -2, 0x1FFFE, 7, 0x12345678, 65536)
SENDER = SenderReport(17, 0xE8000000C0000000, 160, 50, 8000, (BLOCK,))
RECEIVER = ReceiverReport(18, (BLOCK, BLOCK))


@pytest.fixture(scope="module")
def built() -> dict[str, bytes]:
    done = subprocess.run(
        [sys.executable, "-c", _BUILD], capture_output=True, text=True, check=True, timeout=60
    )
    return {name: bytes.fromhex(octets) for name, octets in json.loads(done.stdout).items()}


def test_rtp_as_scapy_builds_it(built: dict[str, bytes]) -> None:
    plain = RtpPacket(8, 65535, 2**32 - 1, 1, b"abcd")
    marked = RtpPacket(0, 1, 2, 3, b"x", marker=True, csrc=(5, 6))
    extended = RtpPacket(9, 7, 8, 9, b"yz", extension=(0xBEDE, b"\1\2\3\4"))
    for name, packet in (("plain", plain), ("marked", marked), ("extended", extended)):
        assert parse_rtp(built[name]) == packet
        assert packet.encode() == built[name]
        assert not is_rtcp(built[name])


def test_rtcp_as_scapy_builds_it(built: dict[str, bytes]) -> None:
    for name, packet in (("sr", SENDER), ("rr", RECEIVER)):
        assert parse_rtcp(built[name]) == (packet,)
        assert encode_rtcp([packet]) == built[name]
        assert is_rtcp(built[name])
    assert parse_rtcp(built["rr"] + built["sr"]) == (RECEIVER, SENDER)


def test_source_description_and_goodbye_by_their_layout() -> None:
    """The layouts of RFC 3550 sections 6.5 and 6.6, written out by hand."""
    # V=2 SC=1, 202, 3 words more; SSRC; CNAME, 3 octets "a@b"; end and filling
    described = bytes.fromhex("81ca0003 00000011 01036140 62000000".replace(" ", ""))
    assert parse_rtcp(described) == (SourceDescription(((17, ((CNAME, b"a@b"),)),)),)
    # V=2 SC=1, 203, 2 words more; SSRC; 3 octets "bye"
    goodbye = bytes.fromhex("81cb0002 00000011 03627965".replace(" ", ""))
    assert parse_rtcp(goodbye) == (Goodbye((17,), b"bye"),)
    for octets in (described, goodbye):
        assert encode_rtcp(parse_rtcp(octets)) == octets
    assert parse_rtcp(bytes.fromhex("80cb0000")) == (Goodbye(()),)
    assert parse_rtcp(bytes.fromhex("81cc000100000011")) == (OtherRtcp(204, 1, b"\0\0\0\x11"),)


def test_padding_is_no_payload() -> None:
    head = RtpPacket(8, 1, 2, 3, b"").encode()
    padded = bytes((head[0] | 0x20,)) + head[1:]
    assert parse_rtp(padded + b"ab\0\2").payload == b"ab"
    assert parse_rtp(padded + b"\0\0\0\4").payload == b""
    for padding in (b"", b"ab\0\0", b"ab\0\5"):
        with pytest.raises(WireError):
            parse_rtp(padded + padding)
    report = bytes.fromhex("a0c9000200000011") + b"\0\0\0\4"
    assert parse_rtcp(report) == (ReceiverReport(17),)


@pytest.mark.parametrize(
    "octets",
    [
        "", "80", "80080001000000020000", "40080001000000020000000300",
        "8f0800010000000200000003", "9008000100000002000000030000",
        "900800010000000200000003be de0001",
    ],
)  # fmt: skip
def test_broken_rtp(octets: str) -> None:
    with pytest.raises(WireError):
        parse_rtp(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "octets",
    [
        "", "80c9", "40c9000100000011", "80c9000200000011", "81c9000100000011", "80c80001 00000011",
        "81ca0001 00000011", "81ca0002 00000011 0105 6162", "82cb0001 00000011",
        "81cb0002 00000011 09627965", "a0c9000100000000", "a0c9000100000009",
    ],
)  # fmt: skip
def test_broken_rtcp(octets: str) -> None:
    with pytest.raises(WireError):
        parse_rtcp(bytes.fromhex(octets))


def test_what_does_not_fit_is_not_sent() -> None:
    with pytest.raises(ValueError, match="payload type"):
        RtpPacket(128, 1, 2, 3, b"").encode()
    with pytest.raises(ValueError, match="H"):
        RtpPacket(8, 65536, 2, 3, b"").encode()
    with pytest.raises(ValueError, match="parts"):
        encode_rtcp([ReceiverReport(1, (BLOCK,) * 32)])


@given(st.binary(max_size=200))
def test_any_octets_parse_or_are_refused(data: bytes) -> None:
    try:
        packet = parse_rtp(data)
    except WireError:
        pass
    else:
        assert parse_rtp(packet.encode()) == packet
    try:
        packets = parse_rtcp(data)
    except WireError:
        return
    assert parse_rtcp(encode_rtcp(packets)) == packets


@given(st.binary(max_size=60), st.sampled_from([200, 201, 202, 203, 204]), st.integers(0, 31))
def test_any_body_of_a_known_type(body: bytes, kind: int, count: int) -> None:
    body += bytes(-len(body) % 4)
    head = bytes((0x80 | count, kind)) + (len(body) // 4).to_bytes(2, "big")
    try:
        packets = parse_rtcp(head + body)
    except WireError:
        return
    assert parse_rtcp(encode_rtcp(packets)) == packets
