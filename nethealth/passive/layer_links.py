"""Headers of links, and what stands between them and IP: tags, LLC, PPP, MPLS."""

import numpy as np

from nethealth.passive.columns import Ints, among, u8, u16, u32
from nethealth.passive.layer_walk import IPV4_TYPE, IPV6_TYPE, MPLS, PPPOE, TAG_TYPE, Walk

TAGS = (TAG_TYPE, 0x88A8, 0x9100, 0x9200)  # 802.1Q, 802.1ad, and two from before it
TAGS_MAX = 4
_IPV6_FAMILIES = (10, 23, 24, 28, 30)  # AF_INET6 of Linux, Windows, NetBSD, FreeBSD, macOS


def ethernet(walk: Walk, rows: Ints, at: Ints) -> None:
    held = walk.whole(rows, at, 14)
    rows, at = rows[held], at[held]
    walk.layers.ethernet_at[rows] = at
    walk.layers.vlan[rows] = -1  # an inner frame has its own
    walk.layers.vlan_inner[rows] = -1
    _typed(walk, rows, at + 14, u16(walk.octets, at + 12))


def _typed(walk: Walk, rows: Ints, at: Ints, ethertype: Ints) -> None:
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
    for value, step in walk.types.items():
        chosen = ethertype == value
        if chosen.any():
            walk.then(step, rows[chosen], at[chosen])


def _llc(walk: Walk, rows: Ints, at: Ints) -> None:
    """IEEE 802.2; behind a SNAP header of Ethernet's own numbers stands an EtherType."""
    walk.layers.ethertype[rows] = 0
    snap = at + 8 <= walk.end[rows]
    snap &= (u32(walk.octets, at) == 0xAAAA0300) & (u16(walk.octets, at + 4) == 0)
    rows, at = rows[snap], at[snap]
    ethertype = u16(walk.octets, at + 6)
    real = ethertype > 1500  # a length there would be no SNAP
    if real.any():
        _typed(walk, rows[real], at[real] + 8, ethertype[real])


def linux_sll(walk: Walk, rows: Ints, at: Ints) -> None:
    held = walk.whole(rows, at, 16)
    rows, at = rows[held], at[held]
    _typed(walk, rows, at + 16, u16(walk.octets, at + 14))


def linux_sll2(walk: Walk, rows: Ints, at: Ints) -> None:
    held = walk.whole(rows, at, 20)
    rows, at = rows[held], at[held]
    _typed(walk, rows, at + 20, u16(walk.octets, at))


def raw(walk: Walk, rows: Ints, at: Ints) -> None:
    held = walk.whole(rows, at, 1)
    rows, at = rows[held], at[held]
    version = u8(walk.octets, at) >> 4
    for number, ethertype in ((4, IPV4_TYPE), (6, IPV6_TYPE)):
        chosen = version == number
        _typed(walk, rows[chosen], at[chosen], np.full(int(chosen.sum()), ethertype))


def null(walk: Walk, rows: Ints, at: Ints) -> None:
    """BSD loopback: an address family in the order of the machine that wrote it."""
    held = walk.whole(rows, at, 4)
    rows, at = rows[held], at[held]
    big = u32(walk.octets, at)
    family = np.where(big < 0x10000, big, (big >> 24) | (big >> 8 & 0xFF00))
    ethertype = np.where(family == 2, IPV4_TYPE, -1)
    ethertype = np.where(among(family, _IPV6_FAMILIES), IPV6_TYPE, ethertype)
    known = ethertype > 0
    _typed(walk, rows[known], at[known] + 4, ethertype[known])


def ppp(walk: Walk, rows: Ints, at: Ints) -> None:
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


def hdlc(walk: Walk, rows: Ints, at: Ints) -> None:
    """Cisco's HDLC: address, control and an EtherType; else it is PPP in HDLC framing."""
    held = walk.whole(rows, at, 4)
    rows, at = rows[held], at[held]
    cisco = among(u16(walk.octets, at), (0x0F00, 0x8F00))
    _typed(walk, rows[cisco], at[cisco] + 4, u16(walk.octets, at[cisco] + 2))
    walk.then(ppp, rows[~cisco], at[~cisco])


def ppp_with_direction(walk: Walk, rows: Ints, at: Ints) -> None:
    walk.then(ppp, rows, at + 1)


def pppoe(walk: Walk, rows: Ints, at: Ints) -> None:
    """RFC 2516: a session header of six octets, then PPP."""
    held = walk.whole(rows, at, 6)
    rows, at = rows[held], at[held]
    data = u16(walk.octets, at) == 0x1100  # version 1, type 1, code 0
    rows, at = rows[data], at[data]
    walk.layers.tunnel[rows] |= PPPOE
    walk.then(ppp, rows, at + 6)


def mpls(walk: Walk, rows: Ints, at: Ints) -> None:
    """RFC 3032: labels until the bottom of the stack; only IP is looked for below it."""
    held = walk.whole(rows, at, 4)
    rows, at = rows[held], at[held]
    walk.layers.tunnel[rows] |= MPLS
    last = u8(walk.octets, at + 2) & 1 == 1
    walk.then(mpls, rows[~last], at[~last] + 4)
    walk.then(raw, rows[last], at[last] + 4)
