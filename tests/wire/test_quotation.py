"""ICMP errors written octet by octet from their RFCs, and read."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire.errors import WireError
from nethealth.wire.icmp import checksum
from nethealth.wire.quotation import FlowNumbers, flow_numbers, parse_error

# RFC 791: version 4, 5 words, TOS 0xB9 (DSCP 46, ECN 1), TTL 1, UDP, 192.0.2.1 to 198.51.100.9
IPV4_UDP = bytes.fromhex("45b9 0054 0000 4000 0111 0000 c0000201 c6336409")
IPV4_TCP = bytes.fromhex("4500 003c 0000 4000 0106 0000 c0000201 c6336409")
IPV4_ICMP = bytes.fromhex("4500 0054 0000 4000 0101 0000 c0000201 c6336409")
UDP = struct.pack("!HHHH", 40_000, 33_434, 8 + 17, 0)  # 17 octets of payload
# RFC 8200: version 6, traffic class 0xB8, next header 17, hop limit 1
IPV6 = (
    bytes.fromhex("6b800000 0019 11 01")
    + bytes.fromhex("20010db8000000000000000000000001")
    + bytes.fromhex("20010db8000000000000000000000009")
)


def v4(icmp_type: int, code: int, rest: int, quoted: bytes) -> bytes:
    empty = struct.pack("!BBHI", icmp_type, code, 0, rest) + quoted
    return empty[:2] + struct.pack("!H", checksum(empty)) + empty[4:]


def test_time_exceeded_quotes_marks_addresses_and_ports() -> None:
    error = parse_error(v4(11, 0, 0, IPV4_UDP + UDP), 4)
    assert (error.icmp_type, error.icmp_code, error.mtu) == (11, 0, None)
    assert (error.quoted.source, error.quoted.destination) == ("192.0.2.1", "198.51.100.9")
    assert (error.quoted.tos >> 2, error.quoted.tos & 3) == (46, 1)
    assert flow_numbers(error.quoted) == FlowNumbers(40_000, 33_434, 17)


def test_tcp_and_echo_are_told_by_what_they_have() -> None:
    tcp = parse_error(v4(11, 0, 0, IPV4_TCP + struct.pack("!HHI", 40_000, 443, 7)), 4)
    assert flow_numbers(tcp.quoted) == FlowNumbers(40_000, 443, None)
    echo = parse_error(v4(11, 0, 0, IPV4_ICMP + struct.pack("!BBHHH", 8, 0, 0, 77, 5)), 4)
    assert flow_numbers(echo.quoted) == FlowNumbers(77, 0, 5)


def test_fragmentation_needed_names_the_mtu_or_does_not() -> None:
    assert parse_error(v4(3, 4, 1400, IPV4_UDP + UDP), 4).mtu == 1400
    assert parse_error(v4(3, 4, 0, IPV4_UDP + UDP), 4).mtu is None  # before RFC 1191
    assert parse_error(v4(3, 3, 1400, IPV4_UDP + UDP), 4).mtu is None


def test_version_6() -> None:
    too_big = parse_error(struct.pack("!BBHI", 2, 0, 0, 1280) + IPV6 + UDP, 6)
    assert (too_big.mtu, too_big.quoted.tos, too_big.quoted.source) == (1280, 0xB8, "2001:db8::1")
    assert flow_numbers(too_big.quoted) == FlowNumbers(40_000, 33_434, 17)
    exceeded = parse_error(struct.pack("!BBHI", 3, 0, 0, 0) + IPV6 + UDP[:6], 6)
    assert flow_numbers(exceeded.quoted) is None  # cut within the ports' header
    first = IPV6[:6] + b"\x2c" + IPV6[7:] + bytes([17, 0, 0, 1, 0, 0, 0, 9]) + UDP
    quoted = parse_error(struct.pack("!BBHI", 3, 0, 0, 0) + first, 6).quoted
    assert flow_numbers(quoted) == FlowNumbers(40_000, 33_434, 17)


@pytest.mark.parametrize(
    ("message", "version"),
    [
        (b"", 4),
        (v4(0, 0, 0, b"x" * 40), 4),  # an echo reply
        (v4(11, 0, 0, IPV4_UDP + UDP)[:-1] + b"\xff", 4),  # damaged
        (v4(11, 0, 0, IPV4_UDP[:19]), 4),
        (v4(11, 0, 0, IPV4_UDP[:6] + b"\x20\x01" + IPV4_UDP[8:] + UDP), 4),  # a later fragment
        (struct.pack("!BBHI", 3, 0, 0, 0) + IPV6[:39], 6),
        (struct.pack("!BBHI", 3, 0, 0, 0) + IPV4_UDP + bytes(30), 6),
        (
            struct.pack("!BBHI", 3, 0, 0, 0)
            + IPV6[:6] + b"\x2c" + IPV6[7:] + bytes([17, 0, 0, 8, 0, 0, 0, 9]) + UDP,
            6,
        ),
    ],
)  # fmt: skip
def test_what_is_no_error_or_cannot_be_read_is_refused(message: bytes, version: int) -> None:
    with pytest.raises(WireError):
        parse_error(message, 6 if version == 6 else 4)


@given(st.binary(max_size=120), st.sampled_from([4, 6]), st.booleans())
def test_any_octets_are_read_or_refused(octets: bytes, version: int, shaped: bool) -> None:
    if shaped:
        octets = v4(11, 0, 0, octets) if version == 4 else bytes([3, 0, 0, 0]) + octets
    with contextlib.suppress(WireError):
        flow_numbers(parse_error(octets, 6 if version == 6 else 4).quoted)
