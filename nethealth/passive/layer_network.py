"""Headers of IP with its fragments and extensions, and the tunnels that it carries."""

import numpy as np

from nethealth.passive.columns import Ints, among, u8, u16, u32
from nethealth.passive.layer_links import ethernet
from nethealth.passive.layer_walk import (
    ERSPAN,
    FRAGMENT_FIRST,
    FRAGMENT_LATER,
    FRAGMENT_NONE,
    GRE,
    IP_IN_IP,
    IPV4_TYPE,
    IPV6_TYPE,
    VXLAN,
    Walk,
)

VXLAN_PORTS = (4789, 8472)  # RFC 7348, and Linux before it
TUNNELS = (4, 41, 47)  # protocols of IP that carry a packet: IPv4, IPv6, GRE
_EXTENSIONS = (0, 43, 44, 51, 60, 135, 139, 140)  # RFC 7045, without ESP


def ipv4(walk: Walk, rows: Ints, at: Ints) -> None:
    """RFC 791. A total length of 0 is that of a segment which the sender's card would cut."""
    held = walk.whole(rows, at, 20)
    rows, at = rows[held], at[held]
    layers, octets = walk.layers, walk.octets
    first = u8(octets, at)
    header = (first & 0x0F) * 4
    total = u16(octets, at + 2)
    room = walk.wire_end[rows] - at
    total = np.where(total == 0, room, total)
    sound = (first >> 4 == 4) & (header >= 20) & (total >= header)
    layers.malformed[rows[~sound | (total > room)]] = True
    rows, at, header = rows[sound], at[sound], header[sound]
    total = np.minimum(total, room)[sound]
    placed = u16(octets, at + 6) & 0x3FFF
    fragment = np.where(placed & 0x1FFF, FRAGMENT_LATER, np.where(placed, FRAGMENT_FIRST, 0))
    held = walk.whole(rows, at, header)
    layers.ip_version[rows] = 4
    layers.network_at[rows] = at
    _transport(
        walk, rows, np.where(held, at + header, -1), total - header, u8(octets, at + 9), fragment
    )


def ipv6(walk: Walk, rows: Ints, at: Ints) -> None:
    """RFC 8200, with its extension headers; a payload length of 0 is taken as on the wire."""
    held = walk.whole(rows, at, 40)
    rows, at = rows[held], at[held]
    layers, octets = walk.layers, walk.octets
    length = u16(octets, at + 4)
    room = walk.wire_end[rows] - at - 40
    length = np.where(length == 0, room, length)
    sound = u8(octets, at) >> 4 == 6
    layers.malformed[rows[~sound | (length > room)]] = True
    rows, at, length = rows[sound], at[sound], np.minimum(length, room)[sound]
    layers.ip_version[rows] = 6
    layers.network_at[rows] = at
    protocol = u8(octets, at + 6)
    fragment = np.zeros(len(rows), np.int64)
    where = at + 40
    stop = where + length
    for _ in range(8):
        more = (where >= 0) & among(protocol, _EXTENSIONS) & (fragment != FRAGMENT_LATER)
        if not more.any():
            break
        chosen = np.flatnonzero(more)
        here = where[chosen]
        kind = protocol[chosen]
        size = u8(octets, here + 1)
        size = np.where(kind == 44, 8, np.where(kind == 51, (size + 2) * 4, (size + 1) * 8))
        known = walk.whole(rows[chosen], here, size)
        over = here + size > stop[chosen]
        layers.malformed[rows[chosen[over]]] = True
        placed = u16(octets, here + 2)
        later = (kind == 44) & (placed & 0xFFF8 != 0)
        opening = (kind == 44) & ~later & (placed & 1 == 1)
        fragment[chosen] = np.where(
            later, FRAGMENT_LATER, np.where(opening, FRAGMENT_FIRST, fragment[chosen])
        )
        protocol[chosen] = u8(octets, here)
        where[chosen] = np.where(known & ~over, here + size, -1)
    rest = np.where(where >= 0, stop - where, 0)
    _transport(walk, rows, where, rest, protocol, fragment)


def _transport(
    walk: Walk, rows: Ints, at: Ints, length: Ints, protocol: Ints, fragment: Ints
) -> None:
    """Note what IP carries; what is itself a packet is followed."""
    layers = walk.layers
    layers.protocol[rows] = protocol
    layers.fragment[rows] = fragment
    begins = (at >= 0) & (fragment != FRAGMENT_LATER)
    layers.transport_at[rows] = np.where(begins, at, -1)
    layers.transport_octets[rows] = length
    whole = (at >= 0) & (fragment == FRAGMENT_NONE)
    for number, step in zip(TUNNELS, (_inner_ipv4, _inner_ipv6, _gre), strict=True):
        chosen = whole & (protocol == number)
        if chosen.any():
            walk.then(step, rows[chosen], at[chosen])
    chosen = np.flatnonzero(whole & (protocol == 17))
    if len(chosen):
        vxlan = among(u16(walk.octets, at[chosen] + 2), VXLAN_PORTS)
        chosen = chosen[vxlan]
        walk.then(_vxlan, rows[chosen], at[chosen])


def _inner_ipv4(walk: Walk, rows: Ints, at: Ints) -> None:
    _inner(walk, rows, at, 4, IP_IN_IP)


def _inner_ipv6(walk: Walk, rows: Ints, at: Ints) -> None:
    _inner(walk, rows, at, 6, IP_IN_IP)


def _inner(walk: Walk, rows: Ints, at: Ints, version: int, tunnel: int) -> None:
    least = 20 if version == 4 else 40
    sound = (at + least <= walk.end[rows]) & (u8(walk.octets, at) >> 4 == version)
    rows, at = rows[sound], at[sound]
    walk.layers.tunnel[rows] |= tunnel
    walk.layers.ethertype[rows] = IPV4_TYPE if version == 4 else IPV6_TYPE
    walk.then(ipv4 if version == 4 else ipv6, rows, at)


def _gre(walk: Walk, rows: Ints, at: Ints) -> None:
    """RFC 2784 and 2890, version 0, and what ERSPAN makes of it (draft-foschiano-erspan)."""
    held = walk.whole(rows, at, 4)
    rows, at = rows[held], at[held]
    flags = u16(walk.octets, at)
    kind = u16(walk.octets, at + 2)
    plain = flags & 0x4007 == 0  # neither source routes nor another version
    rows, at, flags, kind = rows[plain], at[plain], flags[plain], kind[plain]
    optional = 4 * ((flags >> 15) + (flags >> 13 & 1) + (flags >> 12 & 1))
    inside = at + 4 + optional
    for number in (4, 6):
        chosen = kind == (IPV4_TYPE if number == 4 else IPV6_TYPE)
        if chosen.any():
            _inner(walk, rows[chosen], inside[chosen], number, GRE)
    bridged = kind == 0x6558
    if bridged.any():
        walk.layers.tunnel[rows[bridged]] |= GRE
        walk.then(ethernet, rows[bridged], inside[bridged])
    # Type I has no sequence number and no header of its own, type II has both.
    first = kind == 0x88BE
    third = (kind == 0x22EB) & (inside + 12 <= walk.end[rows])
    mirrored = first | third
    if mirrored.any():
        own = np.where(flags >> 12 & 1, 8, 0)
        extra = np.where(third & (u8(walk.octets, inside + 11) & 1 == 1), 8, 0)
        inside = inside + np.where(third, 12 + extra, own)
        rows, inside = rows[mirrored], inside[mirrored]
        walk.layers.tunnel[rows] |= ERSPAN
        walk.then(ethernet, rows, inside)


def _vxlan(walk: Walk, rows: Ints, at: Ints) -> None:
    """RFC 7348; other traffic to the port is told by the octets that must be zero."""
    held = at + 16 + 14 <= walk.end[rows]
    rows, at = rows[held], at[held]
    header = (u32(walk.octets, at + 8) == 0x08000000) & (u8(walk.octets, at + 15) == 0)
    rows, at = rows[header], at[header]
    walk.layers.tunnel[rows] |= VXLAN
    walk.then(ethernet, rows, at + 16)
