"""Frames put together octet by octet, after the headers' own standards."""

import struct

SPEECH = b"\xd5" * 160
RTP = struct.pack("!BBHII", 0x80, 8, 1, 160, 0x1234) + SPEECH
DIGIT = struct.pack("!BBHII", 0x80, 0x80 | 101, 2, 320, 0x1234) + bytes([5, 0x80, 1, 0x40])
RTCP = struct.pack("!BBHI", 0x80, 201, 1, 7)
SIP = b"OPTIONS sip:198.18.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 198.18.2.20\r\n\r\n" + b"x" * 600


def udp(source: int, destination: int, payload: bytes) -> bytes:
    return struct.pack("!HHHH", source, destination, 8 + len(payload), 0) + payload


def tcp(source: int, destination: int, payload: bytes) -> bytes:
    return struct.pack("!HHIIBBHHH", source, destination, 1, 1, 5 << 4, 0x18, 1024, 0, 0) + payload


def ipv4(protocol: int, payload: bytes, fragment: int = 0) -> bytes:
    addresses = bytes((198, 18, 2, 10)), bytes((198, 18, 3, 10))
    total = 20 + len(payload)
    return struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, total, 1, fragment, 64, protocol, 0, *addresses
    ) + (payload)


def ipv6(protocol: int, payload: bytes) -> bytes:
    address = bytes.fromhex("20010db8000000000000000000000001")
    return (
        struct.pack("!IHBB16s16s", 6 << 28, len(payload), protocol, 64, address, address) + payload
    )


def ethernet(packet: bytes, *, kind: int | None = None, tag: bool = False) -> bytes:
    kind = kind or (0x86DD if packet[0] >> 4 == 6 else 0x0800)
    vlan = struct.pack("!HH", 0x8100, 120) if tag else b""
    return bytes(6) + b"\x02\0\0\0\0\x01" + vlan + struct.pack("!H", kind) + packet
