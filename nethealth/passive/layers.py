"""Where the layers of each packet stand: link, tunnels, IP and transport, many rows at once.

A worklist in place of a parser: each step takes the rows that stand before one kind of header,
notes what it says and hands them on to the next kind. What is cut short by the capture ends there
unjudged; what contradicts itself or runs over the frame's own end is malformed.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from nethealth.passive.columns import (
    Flags,
    Ints,
    Octets,
    among,
    distinct,
    field16,
    rows_at,
    u8,
    u16,
    u32,
)
from nethealth.passive.engine import Engine

# Fragments
FRAGMENT_NONE, FRAGMENT_FIRST, FRAGMENT_LATER = 0, 1, 2

# Bits of `tunnel`
PPPOE, GRE, IP_IN_IP, VXLAN, ERSPAN, MPLS = 1, 2, 4, 8, 16, 32

# Link types of the registry at tcpdump.org
NULL, ETHERNET, PPP, PPP_HDLC, PPP_ETHER, C_HDLC = 0, 1, 9, 50, 51, 104
RAW, LOOP, LINUX_SLL, PPP_WITH_DIRECTION, IPV4, IPV6 = 101, 108, 113, 204, 228, 229
LINUX_SLL2 = 276
RAW_OF_OTHERS = (12, 14)  # the DLT values of RAW that systems have written into files

IPV4_TYPE, IPV6_TYPE = 0x0800, 0x86DD
TAGS = (0x8100, 0x88A8, 0x9100, 0x9200)  # 802.1Q, 802.1ad, and two from before it
_TAG = 0x8100
TAGS_MAX = 4
STEPS_MAX = 24  # headers one in another; beyond, a packet is only there to cost time
_IPV6_FAMILIES = (10, 23, 24, 28, 30)  # AF_INET6 of Linux, Windows, NetBSD, FreeBSD, macOS
_EXTENSIONS = (0, 43, 44, 51, 60, 135, 139, 140)  # RFC 7045, without ESP
VXLAN_PORTS = (4789, 8472)  # RFC 7348, and Linux before it


@dataclass(frozen=True, eq=False, slots=True)
class Layers:
    """One value a row; -1 for what a packet has not got. Meanings stand at `Packets`."""

    ethernet_at: Ints
    vlan: Ints
    vlan_inner: Ints
    ethertype: Ints
    network_at: Ints
    ip_version: Ints
    protocol: Ints
    fragment: Ints
    transport_at: Ints
    transport_octets: Ints
    tunnel: Ints
    malformed: Flags


_INTEGER_COLUMNS = tuple(each.name for each in fields(Layers) if each.name != "malformed")

Step = Callable[["_Walk", Ints, Ints], None]


def locate(
    octets: Octets,
    frame_at: Ints,
    captured: Ints,
    wire: Ints,
    link_type: Ints,
    engine: Engine | None = None,
) -> Layers:
    """The layers of every row; `octets` ends in the slack that `columns` asks for."""
    if engine is None:
        plain, layers = _plain(octets, frame_at, captured, wire, link_type)
    else:
        plain, columns = engine.plain(octets, frame_at, captured, wire, link_type)
        named = dict(zip(_INTEGER_COLUMNS, columns, strict=True))
        layers = Layers(**named, malformed=np.zeros(len(plain), np.bool_))
    if plain.all():
        return layers
    others = np.flatnonzero(~plain)
    walk = _Walk(octets, layers, frame_at + captured, frame_at + wire)
    kinds = link_type[others]
    for kind in distinct(kinds).tolist():
        step = _LINKS.get(kind)
        if step is not None:
            rows = others[kinds == kind]
            walk.then(step, rows, frame_at[rows])
    walk.run()
    return layers


def locate_slowly(
    octets: Octets, frame_at: Ints, captured: Ints, wire: Ints, link_type: Ints
) -> Layers:
    """The same, every row by the worklist: what `locate` is tested against."""
    layers = _nothing(len(frame_at))
    walk = _Walk(octets, layers, frame_at + captured, frame_at + wire)
    for kind, step in _LINKS.items():
        rows = np.flatnonzero(link_type == kind)
        walk.then(step, rows, frame_at[rows])
    walk.run()
    return layers


def _plain(
    octets: Octets, frame_at: Ints, captured: Ints, wire: Ints, link_type: Ints
) -> tuple[Flags, Layers]:
    """Nearly all frames of nearly all captures in one go: IPv4 in Ethernet, at most one tag.

    Which rows these are, and the layers with nothing yet in all other rows. A plain row is whole
    to the end of its IP header, has no IP options, is no fragment and no tunnel.
    """
    head = rows_at(octets, frame_at)
    ethertype = field16(head, 12)
    tagged = ethertype == _TAG
    any_tagged = bool(tagged.any())

    def column16(at: int) -> Ints:
        value = field16(head, at)
        return np.where(tagged, field16(head, at + 4), value) if any_tagged else value

    def column8(at: int) -> Ints:
        value = np.where(tagged, head[:, at + 4], head[:, at]) if any_tagged else head[:, at]
        return value.astype(np.int64)

    begin: Ints | int = np.where(tagged, 18, 14) if any_tagged else 14
    total, protocol, target = column16(16), column8(23), column16(36)
    plain = (column16(12) == IPV4_TYPE) & (column8(14) == 0x45) & (link_type == ETHERNET)
    plain &= (column16(20) & 0x3FFF == 0) & (captured - begin >= 20)
    plain &= (total >= 20) & (total <= wire - begin) & (protocol != 47) & (protocol != 4)
    plain &= (protocol != 41) & ((protocol != 17) | ((target != 4789) & (target != 8472)))
    network_at = frame_at + begin
    everything = bool(plain.all())

    def noted(value: Ints | int, otherwise: int) -> Ints:
        return (
            np.full(len(plain), value)
            if everything and isinstance(value, int)
            else (
                value
                if everything and not isinstance(value, int)
                else np.where(plain, value, otherwise)
            )
        )

    return plain, Layers(
        ethernet_at=noted(frame_at, -1),
        vlan=noted(np.where(tagged, field16(head, 14) & 0xFFF, -1) if any_tagged else -1, -1),
        vlan_inner=np.full(len(plain), -1),
        ethertype=noted(IPV4_TYPE, -1),
        network_at=noted(network_at, -1),
        ip_version=noted(4, 0),
        protocol=noted(protocol, -1),
        fragment=np.zeros(len(plain), np.int64),
        transport_at=noted(network_at + 20, -1),
        transport_octets=noted(total - 20, -1),
        tunnel=np.zeros(len(plain), np.int64),
        malformed=np.zeros(len(plain), np.bool_),
    )


def _nothing(count: int) -> Layers:
    absent = [np.full(count, -1) for _ in range(8)]
    zeros = [np.zeros(count, np.int64) for _ in range(3)]
    return Layers(
        ethernet_at=absent[0],
        vlan=absent[1],
        vlan_inner=absent[2],
        ethertype=absent[3],
        network_at=absent[4],
        ip_version=zeros[0],
        protocol=absent[5],
        fragment=zeros[1],
        transport_at=absent[6],
        transport_octets=absent[7],
        tunnel=zeros[2],
        malformed=np.zeros(count, np.bool_),
    )


class _Walk:
    """The rows on their way through the headers, and what was noted of them."""

    def __init__(self, octets: Octets, layers: Layers, end: Ints, wire_end: Ints) -> None:
        self.octets = octets
        self.layers = layers
        self.end = end
        self.wire_end = wire_end
        self._waiting: deque[tuple[Step, Ints, Ints]] = deque()

    def then(self, step: Step, rows: Ints, at: Ints) -> None:
        """These rows stand before such a header, at these offsets."""
        if len(rows):
            self._waiting.append((step, rows, at))

    def run(self) -> None:
        for _ in range(STEPS_MAX):
            # One generation at a time, so that the bound counts headers and not subsets.
            generation = list(self._waiting)
            self._waiting.clear()
            for step, rows, at in generation:
                step(self, rows, at)
            if not self._waiting:
                return

    def whole(self, rows: Ints, at: Ints, length: int | Ints) -> Flags:
        """Whether so many octets were captured; malformed, if the frame never had them."""
        needed = at + length
        self.layers.malformed[rows[needed > self.wire_end[rows]]] = True
        held: Flags = needed <= self.end[rows]
        return held


def _ethernet(walk: _Walk, rows: Ints, at: Ints) -> None:
    held = walk.whole(rows, at, 14)
    rows, at = rows[held], at[held]
    walk.layers.ethernet_at[rows] = at
    walk.layers.vlan[rows] = -1  # an inner frame has its own
    walk.layers.vlan_inner[rows] = -1
    _typed(walk, rows, at + 14, u16(walk.octets, at + 12))


def _typed(walk: _Walk, rows: Ints, at: Ints, ethertype: Ints) -> None:
    """What an EtherType stands before: tags are taken off, then it is noted and followed."""
    for depth in range(TAGS_MAX):
        tagged = among(ethertype, TAGS)
        if not tagged.any():
            break
        tagged &= walk.whole(rows, at, np.where(tagged, 4, 0))
        here, where = rows[tagged], at[tagged]
        vlan = u16(walk.octets, where) & 0xFFF
        if depth == 0:
            walk.layers.vlan[here] = vlan
        else:
            walk.layers.vlan_inner[here] = vlan
        at = at + np.where(tagged, 4, 0)
        ethertype = ethertype.copy()
        ethertype[tagged] = u16(walk.octets, where + 2)
    walk.layers.ethertype[rows] = ethertype
    walk.layers.network_at[rows] = at
    length = ethertype <= 1500
    if length.any():
        _llc(walk, rows[length], at[length])
    for value, step in _TYPES.items():
        chosen = ethertype == value
        if chosen.any():
            walk.then(step, rows[chosen], at[chosen])


def _llc(walk: _Walk, rows: Ints, at: Ints) -> None:
    """IEEE 802.2; behind a SNAP header of Ethernet's own numbers stands an EtherType."""
    walk.layers.ethertype[rows] = 0
    snap = at + 8 <= walk.end[rows]
    snap &= (u32(walk.octets, at) == 0xAAAA0300) & (u16(walk.octets, at + 4) == 0)
    rows, at = rows[snap], at[snap]
    ethertype = u16(walk.octets, at + 6)
    real = ethertype > 1500  # a length there would be no SNAP
    if real.any():
        _typed(walk, rows[real], at[real] + 8, ethertype[real])


def _linux_sll(walk: _Walk, rows: Ints, at: Ints) -> None:
    held = walk.whole(rows, at, 16)
    rows, at = rows[held], at[held]
    _typed(walk, rows, at + 16, u16(walk.octets, at + 14))


def _linux_sll2(walk: _Walk, rows: Ints, at: Ints) -> None:
    held = walk.whole(rows, at, 20)
    rows, at = rows[held], at[held]
    _typed(walk, rows, at + 20, u16(walk.octets, at))


def _raw(walk: _Walk, rows: Ints, at: Ints) -> None:
    held = walk.whole(rows, at, 1)
    rows, at = rows[held], at[held]
    version = u8(walk.octets, at) >> 4
    for number, ethertype in ((4, IPV4_TYPE), (6, IPV6_TYPE)):
        chosen = version == number
        _typed(walk, rows[chosen], at[chosen], np.full(int(chosen.sum()), ethertype))


def _null(walk: _Walk, rows: Ints, at: Ints) -> None:
    """BSD loopback: an address family in the order of the machine that wrote it."""
    held = walk.whole(rows, at, 4)
    rows, at = rows[held], at[held]
    big = u32(walk.octets, at)
    family = np.where(big < 0x10000, big, (big >> 24) | (big >> 8 & 0xFF00))
    ethertype = np.where(family == 2, IPV4_TYPE, -1)
    ethertype = np.where(among(family, _IPV6_FAMILIES), IPV6_TYPE, ethertype)
    known = ethertype > 0
    _typed(walk, rows[known], at[known] + 4, ethertype[known])


def _ppp(walk: _Walk, rows: Ints, at: Ints) -> None:
    """RFC 1661 and 1662: address and control may be there, the protocol may be one octet."""
    held = walk.whole(rows, at, 2)
    rows, at = rows[held], at[held]
    framed = u16(walk.octets, at) == 0xFF03
    at = at + np.where(framed, 2, 0)
    first = u8(walk.octets, at)
    short = first & 1 == 1
    protocol = np.where(short, first, u16(walk.octets, at))
    at = at + np.where(short, 1, 2)
    held = at <= walk.end[rows]
    for number, ethertype in ((0x21, IPV4_TYPE), (0x57, IPV6_TYPE), (0x281, 0x8847)):
        chosen = held & (protocol == number)
        _typed(walk, rows[chosen], at[chosen], np.full(int(chosen.sum()), ethertype))


def _hdlc(walk: _Walk, rows: Ints, at: Ints) -> None:
    """Cisco's HDLC: address, control and an EtherType; else it is PPP in HDLC framing."""
    held = walk.whole(rows, at, 4)
    rows, at = rows[held], at[held]
    cisco = among(u16(walk.octets, at), (0x0F00, 0x8F00))
    _typed(walk, rows[cisco], at[cisco] + 4, u16(walk.octets, at[cisco] + 2))
    walk.then(_ppp, rows[~cisco], at[~cisco])


def _ppp_with_direction(walk: _Walk, rows: Ints, at: Ints) -> None:
    walk.then(_ppp, rows, at + 1)


def _pppoe(walk: _Walk, rows: Ints, at: Ints) -> None:
    """RFC 2516: a session header of six octets, then PPP."""
    held = walk.whole(rows, at, 6)
    rows, at = rows[held], at[held]
    data = u16(walk.octets, at) == 0x1100  # version 1, type 1, code 0
    rows, at = rows[data], at[data]
    walk.layers.tunnel[rows] |= PPPOE
    walk.then(_ppp, rows, at + 6)


def _mpls(walk: _Walk, rows: Ints, at: Ints) -> None:
    """RFC 3032: labels until the bottom of the stack; only IP is looked for below it."""
    held = walk.whole(rows, at, 4)
    rows, at = rows[held], at[held]
    walk.layers.tunnel[rows] |= MPLS
    last = u8(walk.octets, at + 2) & 1 == 1
    walk.then(_mpls, rows[~last], at[~last] + 4)
    walk.then(_raw, rows[last], at[last] + 4)


def _ipv4(walk: _Walk, rows: Ints, at: Ints) -> None:
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


def _ipv6(walk: _Walk, rows: Ints, at: Ints) -> None:
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
    walk: _Walk, rows: Ints, at: Ints, length: Ints, protocol: Ints, fragment: Ints
) -> None:
    """Note what IP carries; what is itself a packet is followed."""
    layers = walk.layers
    layers.protocol[rows] = protocol
    layers.fragment[rows] = fragment
    begins = (at >= 0) & (fragment != FRAGMENT_LATER)
    layers.transport_at[rows] = np.where(begins, at, -1)
    layers.transport_octets[rows] = length
    whole = (at >= 0) & (fragment == FRAGMENT_NONE)
    for number, step in ((4, _inner_ipv4), (41, _inner_ipv6), (47, _gre)):
        chosen = whole & (protocol == number)
        if chosen.any():
            walk.then(step, rows[chosen], at[chosen])
    chosen = np.flatnonzero(whole & (protocol == 17))
    if len(chosen):
        vxlan = among(u16(walk.octets, at[chosen] + 2), VXLAN_PORTS)
        chosen = chosen[vxlan]
        walk.then(_vxlan, rows[chosen], at[chosen])


def _inner_ipv4(walk: _Walk, rows: Ints, at: Ints) -> None:
    _inner(walk, rows, at, 4, IP_IN_IP)


def _inner_ipv6(walk: _Walk, rows: Ints, at: Ints) -> None:
    _inner(walk, rows, at, 6, IP_IN_IP)


def _inner(walk: _Walk, rows: Ints, at: Ints, version: int, tunnel: int) -> None:
    least = 20 if version == 4 else 40
    sound = (at + least <= walk.end[rows]) & (u8(walk.octets, at) >> 4 == version)
    rows, at = rows[sound], at[sound]
    walk.layers.tunnel[rows] |= tunnel
    walk.layers.ethertype[rows] = IPV4_TYPE if version == 4 else IPV6_TYPE
    walk.then(_ipv4 if version == 4 else _ipv6, rows, at)


def _gre(walk: _Walk, rows: Ints, at: Ints) -> None:
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
        walk.then(_ethernet, rows[bridged], inside[bridged])
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
        walk.then(_ethernet, rows, inside)


def _vxlan(walk: _Walk, rows: Ints, at: Ints) -> None:
    """RFC 7348; other traffic to the port is told by the octets that must be zero."""
    held = at + 16 + 14 <= walk.end[rows]
    rows, at = rows[held], at[held]
    header = (u32(walk.octets, at + 8) == 0x08000000) & (u8(walk.octets, at + 15) == 0)
    rows, at = rows[header], at[header]
    walk.layers.tunnel[rows] |= VXLAN
    walk.then(_ethernet, rows, at + 16)


_LINKS: dict[int, Step] = {
    NULL: _null,
    LOOP: _null,
    ETHERNET: _ethernet,
    PPP: _ppp,
    PPP_HDLC: _hdlc,
    PPP_ETHER: _pppoe,
    C_HDLC: _hdlc,
    PPP_WITH_DIRECTION: _ppp_with_direction,
    LINUX_SLL: _linux_sll,
    LINUX_SLL2: _linux_sll2,
    RAW: _raw,
    **dict.fromkeys(RAW_OF_OTHERS, _raw),
    IPV4: _raw,
    IPV6: _raw,
}
_TYPES: dict[int, Step] = {
    IPV4_TYPE: _ipv4,
    IPV6_TYPE: _ipv6,
    0x8864: _pppoe,
    0x8847: _mpls,
    0x8848: _mpls,
}
