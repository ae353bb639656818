"""Skinny's media messages: octets of a public capture (nDPI's skinny.pcap), and built ones."""

import struct

import pytest

from nethealth.wire.errors import WireError
from nethealth.wire.skinny_media import SkinnyMedia, parse_media

ACK = bytes.fromhex(
    "2800000014000000220000000000000000000000c0a8c33a000000000000000000000000907d0000"
    "4f0000014a362e01"
)
START = bytes.fromhex(
    "88000000140000008a0000004b362e015000000100000000c0a8c33a000000000000000000000000"
    "907d00001400000004000000b8000000"
) + bytes(84)


def test_messages_of_a_capture() -> None:
    assert parse_media(ACK) == SkinnyMedia("192.168.195.58", 32144)
    assert parse_media(START) == SkinnyMedia("192.168.195.58", 32144, 0.02)


def test_short_addresses_of_the_basic_version() -> None:
    body = struct.pack("<II4sIII", 1, 2, bytes((198, 18, 0, 9)), 24_576, 30, 4)
    message = struct.pack("<III", 4 + len(body), 0, 0x8A) + body
    assert parse_media(message) == SkinnyMedia("198.18.0.9", 24_576, 0.03)


def test_a_refusal_and_another_message_name_nothing() -> None:
    refused = ACK[:12] + b"\x01" + ACK[13:]
    assert parse_media(refused) is None
    assert parse_media(struct.pack("<III", 4, 0x14, 0)) is None


@pytest.mark.parametrize("whole", [ACK, START])
def test_cut_anywhere_it_is_refused_or_the_same(whole: bytes) -> None:
    for length in range(len(whole)):
        try:
            media = parse_media(whole[:length])
        except WireError:
            continue
        assert media == parse_media(whole)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(WireError, match="family 9"):
        parse_media(ACK[:16] + b"\x09" + ACK[17:])
    with pytest.raises(WireError, match="port"):
        parse_media(ACK[:36] + b"\xff\xff\xff\xff" + ACK[40:])
