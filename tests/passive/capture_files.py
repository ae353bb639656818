"""Capture files written block by block, for the tests of their reader."""

import struct
from collections.abc import Iterable

Option = tuple[int, bytes]


def pcapng_block(kind: int, body: bytes, order: str = "<") -> bytes:
    length = 12 + len(body) + -len(body) % 4
    padded = body + bytes(-len(body) % 4)
    return struct.pack(f"{order}II", kind, length) + padded + struct.pack(f"{order}I", length)


def options(given: Iterable[Option], order: str = "<") -> bytes:
    parts = [
        struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)
        for code, value in given
    ]
    return b"".join((*parts, bytes(4))) if parts else b""


def section(order: str = "<") -> bytes:
    return pcapng_block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(
    link_type: int = 1, snap: int = 0, given: Iterable[Option] = (), order: str = "<"
) -> bytes:
    body = struct.pack(f"{order}HHI", link_type, 0, snap) + options(given, order)
    return pcapng_block(1, body, order)


def packet(
    frame: bytes,
    stamp: int,
    number: int = 0,
    given: Iterable[Option] = (),
    order: str = "<",
) -> bytes:
    head = struct.pack(
        f"{order}IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, len(frame), len(frame)
    )
    return pcapng_block(6, head + frame + bytes(-len(frame) % 4) + options(given, order), order)
