"""Frames and capture files written by hand, field by field, for the tests of the reader."""

import struct
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

import numpy as np

from nethealth.passive.columns import SLACK
from nethealth.passive.packets import Packets

MAC_A, MAC_B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def ethernet(
    payload: bytes,
    ethertype: int = 0x0800,
    *,
    source: str = MAC_A,
    destination: str = MAC_B,
    tags: Iterable[tuple[int, int]] = (),
) -> bytes:
    """`tags`: pairs of tag protocol and VLAN, the outermost first."""
    inside = b"".join(struct.pack("!HH", kind, vlan) for kind, vlan in tags)
    return mac(destination) + mac(source) + inside + struct.pack("!H", ethertype) + payload


def ipv4(
    payload: bytes,
    protocol: int = 17,
    *,
    source: str = "198.18.0.1",
    destination: str = "198.18.0.2",
    tos: int = 0,
    ttl: int = 64,
    identification: int = 0,
    flags_offset: int = 0,
    options: bytes = b"",
    total: int | None = None,
) -> bytes:
    header = 20 + len(options)
    length = header + len(payload) if total is None else total
    return (
        struct.pack(
            "!BBHHHBBH", 0x40 | header // 4, tos, length, identification, flags_offset, ttl,
            protocol, 0,
        )
        + ip_address(source).packed + ip_address(destination).packed + options + payload
    )  # fmt: skip


def ipv6(
    payload: bytes,
    protocol: int = 17,
    *,
    source: str = "2001:db8::1",
    destination: str = "2001:db8::2",
    traffic_class: int = 0,
    hop_limit: int = 64,
) -> bytes:
    first = 6 << 28 | traffic_class << 20
    header = struct.pack("!IHBB", first, len(payload), protocol, hop_limit)
    return header + ip_address(source).packed + ip_address(destination).packed + payload


def udp(payload: bytes, source: int = 5060, destination: int = 5062) -> bytes:
    return struct.pack("!HHHH", source, destination, 8 + len(payload), 0) + payload


def tcp(
    payload: bytes,
    source: int = 40000,
    destination: int = 80,
    *,
    sequence: int = 0,
    acknowledgement: int = 0,
    flags: int = 0x10,
    window: int = 1000,
    options: bytes = b"",
) -> bytes:
    header = struct.pack(
        "!HHIIBBHHH", source, destination, sequence, acknowledgement, (5 + len(options) // 4) << 4,
        flags, window, 0, 0,
    )  # fmt: skip
    return header + options + payload


def packets(
    frames: Sequence[bytes],
    *,
    link_type: int = 1,
    times_ns: Sequence[int] | None = None,
    wire: Sequence[int] | None = None,
) -> Packets:
    """A run of these frames, a millisecond apart unless `times_ns` says otherwise."""
    count = len(frames)
    lengths = np.array([len(frame) for frame in frames], np.int64)
    times = np.arange(count, dtype=np.int64) * 1_000_000
    return Packets(
        octets=np.frombuffer(b"".join(frames) + bytes(SLACK), np.uint8),
        frame_at=np.cumsum(lengths) - lengths,
        captured=lengths,
        wire=lengths if wire is None else np.array(wire, np.int64),
        time_ns=times if times_ns is None else np.array(times_ns, np.int64),
        number=np.arange(1, count + 1),
        interface=np.zeros(count, np.int64),
        link_type=np.full(count, link_type, np.int64),
    )


def pcap(
    frames: Iterable[tuple[int, bytes]],
    *,
    order: str = "<",
    magic: int = 0xA1B2C3D4,
    link_type: int = 1,
    snap: int = 262_144,
) -> bytes:
    """A file of frames with times in nanoseconds since 1970; its digits are those of `magic`."""
    unit = 1 if magic == 0xA1B23C4D else 1000
    parts = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snap, link_type)]
    for time_ns, frame in frames:
        seconds, rest = divmod(time_ns, 1_000_000_000)
        parts.append(struct.pack(f"{order}IIII", seconds, rest // unit, len(frame), len(frame)))
        if magic == 0xA1B2CD34:
            parts.append(bytes(8))
        parts.append(frame)
    return b"".join(parts)
