"""ICMP messages, against packets that scapy builds in a process of its own."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire.errors import WireError
from nethealth.wire.icmp import (
    EchoReply,
    IcmpError,
    IpVersion,
    Quoted,
    checksum,
    echo_request,
    parse_icmpv4,
    parse_icmpv6,
    parse_ipv4,
)

_BUILD = """
import json
from scapy.layers.inet import ICMP, IP, IPOption_NOP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6PacketTooBig, ICMPv6TimeExceeded,
    IPv6, IPv6ExtHdrFragment,
)
ours = IP(src="192.0.2.1", dst="192.0.2.9", tos=0xB8) / ICMP(id=0x1234, seq=77) / b"payload."
ours6 = IPv6(src="2001:db8::1", dst="2001:db8::9", tc=0xB8) / ICMPv6EchoRequest(
    id=0x1234, seq=77, data=b"payload.")
back = IP(src="192.0.2.9", dst="192.0.2.1", tos=0x2E, ttl=57)
back6 = IPv6(src="2001:db8::9", dst="2001:db8::1")
full = bytes(ours)
packets = {
    "request": bytes(ours[ICMP]),
    "request6": bytes(ours6[ICMPv6EchoRequest]),
    "reply": bytes(back / ICMP(type=0, id=0x1234, seq=77) / b"odd"),
    "options": bytes(IP(src="192.0.2.9", dst="192.0.2.1", options=[IPOption_NOP()] * 4)
                     / ICMP(type=0, id=1, seq=2)),
    "reply6": bytes(ICMPv6EchoReply(id=0x1234, seq=77, data=b"odd")),
    "timestamp": bytes(ICMP(type=14)),
    "udp": bytes(back / ICMP(type=3, code=3)
                 / IP(src="192.0.2.1", dst="192.0.2.9") / UDP(sport=4660, dport=77)),
    "fragment6": bytes(ICMPv6TimeExceeded(code=1) / IPv6(src="2001:db8::1", dst="2001:db8::9")
                       / IPv6ExtHdrFragment(m=1) / ours6[ICMPv6EchoRequest]),
    "later6": bytes(ICMPv6TimeExceeded(code=1) / IPv6(src="2001:db8::1", dst="2001:db8::9")
                    / IPv6ExtHdrFragment(offset=181, nh=58) / ours6[ICMPv6EchoRequest]),
}
for kind, code in ((3, 1), (3, 13), (4, 0), (5, 1), (11, 0), (12, 0)):
    packets[f"error {kind} {code}"] = bytes(back / ICMP(type=kind, code=code) / full[:28])
for message, kind in ((ICMPv6DestUnreach(code=3), 1), (ICMPv6PacketTooBig(mtu=1280), 2),
                      (ICMPv6TimeExceeded(), 3)):
    packets[f"error6 {kind} {message.code}"] = bytes(back6 / message / ours6)[40:]
print(json.dumps({name: octets.hex() for name, octets in packets.items()}))
"""

_QUOTED = Quoted("192.0.2.1", "192.0.2.9", 0xB8, 0x1234, 77)
_QUOTED6 = Quoted("2001:db8::1", "2001:db8::9", 0xB8, 0x1234, 77)


@pytest.fixture(scope="module")
def built() -> dict[str, bytes]:
    done = subprocess.run(
        (sys.executable, "-c", _BUILD), check=True, capture_output=True, text=True
    )
    return {name: bytes.fromhex(octets) for name, octets in json.loads(done.stdout).items()}


def test_a_reply_in_an_ipv4_packet(built: dict[str, bytes]) -> None:
    packet = parse_ipv4(built["reply"])
    assert (packet.source, packet.destination) == ("192.0.2.9", "192.0.2.1")
    assert (packet.tos, packet.ttl, packet.protocol) == (0x2E, 57, 1)
    assert parse_icmpv4(packet.payload) == EchoReply(0x1234, 77, b"odd")


def test_ipv4_options_are_passed_over(built: dict[str, bytes]) -> None:
    assert parse_icmpv4(parse_ipv4(built["options"]).payload) == EchoReply(1, 2, b"")


def test_a_reply_of_version_6(built: dict[str, bytes]) -> None:
    assert parse_icmpv6(built["reply6"]) == EchoReply(0x1234, 77, b"odd")


@pytest.mark.parametrize("error", ["3 1", "3 13", "4 0", "5 1", "11 0", "12 0"])
def test_an_error_quotes_what_was_sent(built: dict[str, bytes], error: str) -> None:
    icmp_type, icmp_code = map(int, error.split())
    message = parse_icmpv4(parse_ipv4(built[f"error {error}"]).payload)
    assert message == IcmpError(icmp_type, icmp_code, _QUOTED)


@pytest.mark.parametrize("error", ["1 3", "2 0", "3 0"])
def test_an_error_of_version_6(built: dict[str, bytes], error: str) -> None:
    icmp_type, icmp_code = map(int, error.split())
    assert parse_icmpv6(built[f"error6 {error}"]) == IcmpError(icmp_type, icmp_code, _QUOTED6)


def test_what_is_quoted_and_is_no_echo_request_has_no_numbers(built: dict[str, bytes]) -> None:
    message = parse_icmpv4(parse_ipv4(built["udp"]).payload)
    assert message == IcmpError(3, 3, Quoted("192.0.2.1", "192.0.2.9", 0, None, None))


def test_only_the_first_fragment_has_the_numbers(built: dict[str, bytes]) -> None:
    first, later = parse_icmpv6(built["fragment6"]), parse_icmpv6(built["later6"])
    assert isinstance(first, IcmpError)
    assert isinstance(later, IcmpError)
    assert (first.quoted.identifier, first.quoted.sequence) == (0x1234, 77)
    assert (later.quoted.identifier, later.quoted.sequence) == (None, None)


def test_requests_are_those_of_scapy(built: dict[str, bytes]) -> None:
    assert echo_request(4, 0x1234, 77, b"payload.") == built["request"]
    kernel_fills_in = slice(2, 4)
    expected = bytearray(built["request6"])
    expected[kernel_fills_in] = b"\0\0"
    assert echo_request(6, 0x1234, 77, b"payload.") == bytes(expected)


def test_the_checksum_of_the_standard() -> None:
    # RFC 1071 section 3: the sum of these octets is ddf2.
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


def test_a_damaged_reply_is_refused(built: dict[str, bytes]) -> None:
    message = bytearray(parse_ipv4(built["reply"]).payload)
    message[-1] ^= 1
    with pytest.raises(WireError, match="checksum"):
        parse_icmpv4(bytes(message))


@pytest.mark.parametrize("name", ["request", "timestamp"])
def test_what_is_neither_a_reply_nor_an_error_is_refused(
    built: dict[str, bytes], name: str
) -> None:
    with pytest.raises(WireError, match="neither"):
        parse_icmpv4(built[name])


def test_every_cut_of_an_error_is_refused_or_read_alike(built: dict[str, bytes]) -> None:
    whole = built["error6 1 3"]
    for length in range(len(whole)):
        try:
            message = parse_icmpv6(whole[:length])
        except WireError:
            assert length < 48, "the quoted IPv6 header was whole"
        else:
            assert isinstance(message, IcmpError)
            assert message.quoted.destination == "2001:db8::9"
            assert message.quoted.sequence == (77 if length >= 56 else None)


@given(st.binary(max_size=120), st.sampled_from([4, 6]), st.booleans())
def test_any_octets_parse_or_raise_wire_error(
    octets: bytes, version: IpVersion, summed: bool
) -> None:
    if summed and len(octets) >= 4:  # past the checksum, or nothing beyond it would be tried
        octets = octets[:2] + b"\0\0" + octets[4:]
        octets = octets[:2] + checksum(octets).to_bytes(2, "big") + octets[4:]
    try:
        message = parse_icmpv4(octets) if version == 4 else parse_icmpv6(octets)
    except WireError:
        return
    assert isinstance(message, EchoReply | IcmpError)


@given(st.binary(max_size=80))
def test_any_octets_are_an_ipv4_packet_or_raise_wire_error(octets: bytes) -> None:
    try:
        packet = parse_ipv4(octets)
    except WireError:
        return
    assert octets.endswith(packet.payload)


@given(st.binary(max_size=64).filter(lambda octets: len(octets) % 2 == 0))
def test_a_message_with_its_checksum_sums_to_zero(octets: bytes) -> None:
    assert checksum(octets + checksum(octets).to_bytes(2, "big")) == 0
