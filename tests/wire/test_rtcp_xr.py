"""Extended reports: octets laid out by hand after RFC 3611, and tshark's reading of the same."""

import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire.errors import WireError
from nethealth.wire.rtcp import ExtendedReport, encode_rtcp, parse_rtcp
from nethealth.wire.rtcp_xr import (
    DelaySince,
    DelaysSince,
    OtherBlock,
    ReferenceTime,
    StatisticsSummary,
    VoipMetrics,
)

VOIP = VoipMetrics(
    ssrc=0x2468ABCD, loss_rate=13, discard_rate=5, burst_density=120, gap_density=2,
    burst_duration_ms=140, gap_duration_ms=5860, round_trip_delay_ms=201, end_system_delay_ms=88,
    signal_level=-21, noise_level=-64, rerl=55, gmin=16, r_factor=81, external_r_factor=127,
    mos_lq=40, mos_cq=38, rx_config=0xB0, reserved=0, jb_nominal_ms=60, jb_maximum_ms=80,
    jb_absolute_maximum_ms=240,
)  # fmt: skip
# Sections 2 and 4.7, word by word: V=2, type 207, 10 words in all; SSRC of the sender; block 7 of
# 8 words; SSRC of the source; loss, discard, densities; durations; delays; levels, RERL, Gmin;
# R, external R, MOS-LQ, MOS-CQ; receiver configuration, nominal; maximum, absolute maximum
VOIP_OCTETS = bytes.fromhex(
    "80cf000a 00000011 07000008 2468abcd 0d057802 008c16e4 00c90058 ebc03710 517f2826 b000003c"
    "005000f0"
)
SUMMARY = StatisticsSummary(0xE8, 0x2468ABCD, 100, 600, 7, 2, 1, 90, 12, 8, (60, 64, 63, 1))
TIMES = (ReferenceTime(0xE8000000C0000000), DelaysSince((DelaySince(3, 0x0000C000, 65536),)))


def test_voip_metrics_by_their_layout() -> None:
    assert parse_rtcp(VOIP_OCTETS) == (ExtendedReport(17, (VOIP,)),)
    assert encode_rtcp([ExtendedReport(17, (VOIP,))]) == VOIP_OCTETS


def test_reference_time_and_its_echo_by_their_layout() -> None:
    """Sections 4.4 and 4.5."""
    octets = bytes.fromhex(
        "80cf0008 00000011 04000002 e8000000 c0000000 05000003 00000003 0000c000 00010000"
    )
    assert parse_rtcp(octets) == (ExtendedReport(17, TIMES),)
    assert encode_rtcp([ExtendedReport(17, TIMES)]) == octets


def test_tshark_reads_the_same(tmp_path: Path) -> None:
    fields = {
        "rtcp.xr.bt": "7,6,4,5",
        "rtcp.xr.voipmetrics.burstduration": "140",
        "rtcp.xr.voipmetrics.gapduration": "5860",
        "rtcp.xr.voipmetrics.rtdelay": "201",
        "rtcp.xr.voipmetrics.esdelay": "88",
        "rtcp.xr.voipmetrics.signallevel": "-21",
        "rtcp.xr.voipmetrics.noiselevel": "-64",
        "rtcp.xr.voipmetrics.rerl": "55",
        "rtcp.xr.voipmetrics.gmin": "16",
        "rtcp.xr.voipmetrics.rfactor": "81",
        "rtcp.xr.voipmetrics.jbnominal": "60",
        "rtcp.xr.voipmetrics.jbmax": "80",
        "rtcp.xr.voipmetrics.jbabsmax": "240",
        "rtcp.xr.beginseq": "100",
        "rtcp.xr.endseq": "600",
        "rtcp.xr.stats.lost": "7",
        "rtcp.xr.stats.dups": "2",
        "rtcp.xr.stats.minjitter": "1",
        "rtcp.xr.stats.maxjitter": "90",
        "rtcp.xr.stats.meanjitter": "12",
        "rtcp.xr.stats.devjitter": "8",
        "rtcp.xr.stats.minttl": "60",
        "rtcp.xr.stats.meanttl": "63",
        "rtcp.xr.lrr": str(0x0000C000),
        "rtcp.xr.dlrr": "65536",
    }
    octets = encode_rtcp([ExtendedReport(17, (VOIP, SUMMARY, *TIMES))])
    assert tshark(tmp_path, octets, list(fields)) == list(fields.values())
    assert parse_rtcp(octets) == (ExtendedReport(17, (VOIP, SUMMARY, *TIMES)),)


def test_a_block_of_another_length_is_not_read() -> None:
    """Section 4.7: a VoIP block whose length is not 8 words is to be discarded."""
    octets = bytes.fromhex("80cf0003 00000011 07000001 2468abcd")
    assert parse_rtcp(octets) == (ExtendedReport(17, (OtherBlock(7, 0, b"\x24\x68\xab\xcd"),)),)


@pytest.mark.parametrize("octets", ["80cf0000", "80cf0002 00000011 07000008", "80cf0001 00000011"])
def test_cut_short(octets: str) -> None:
    data = bytes.fromhex(octets)
    if len(data) == 8:
        assert parse_rtcp(data) == (ExtendedReport(17, ()),), "a report without a block is legal"
        return
    with pytest.raises(WireError):
        parse_rtcp(data)


@given(st.binary(max_size=120), st.integers(0, 9), st.integers(0, 12))
def test_any_block(body: bytes, kind: int, words: int) -> None:
    data = b"\0\0\0\x11" + struct.pack("!BBH", kind, 0, words) + body
    data += bytes(-len(data) % 4)
    octets = struct.pack("!BBH", 0x80, 207, len(data) // 4) + data
    try:
        packets = parse_rtcp(octets)
    except WireError:
        return
    assert parse_rtcp(encode_rtcp(packets)) == packets


def tshark(folder: Path, payload: bytes, fields: list[str]) -> list[str]:
    """What tshark reads in one UDP datagram decoded as RTCP."""
    udp = struct.pack("!HHHH", 5001, 5003, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + bytes(
        (198, 18, 0, 1, 198, 18, 0, 2)
    )
    packet = ip + udp
    path = folder / "one.pcap"
    path.write_bytes(
        struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
        + struct.pack("<IIII", 0, 0, len(packet), len(packet))
        + packet
    )
    command = ["tshark", "-n", "-r", str(path), "-d", "udp.port==5001,rtcp", "-T", "fields"]
    command += [part for field in fields for part in ("-e", field)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.rstrip("\n").split("\t")
