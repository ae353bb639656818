"""Where the layers of each packet stand: link, tunnels, IP and transport, many rows at once.

Nearly all packets of nearly all captures are plain and done in one go; the others go step by step
(`layer_walk`).
"""

from dataclasses import fields

import numpy as np

from nethealth.passive.columns import Flags, Ints, Octets, among, distinct, field16, rows_at
from nethealth.passive.engine import Engine
from nethealth.passive.layer_links import (
    ethernet,
    hdlc,
    linux_sll,
    linux_sll2,
    mpls,
    null,
    ppp,
    ppp_with_direction,
    pppoe,
    raw,
)
from nethealth.passive.layer_network import TUNNELS, VXLAN_PORTS, ipv4, ipv6
from nethealth.passive.layer_walk import IPV4_TYPE, IPV6_TYPE, TAG_TYPE, Layers, Step, Walk

# Link types of the registry at tcpdump.org
NULL, ETHERNET, PPP, PPP_HDLC, PPP_ETHER, C_HDLC = 0, 1, 9, 50, 51, 104
RAW, LOOP, LINUX_SLL, PPP_WITH_DIRECTION, IPV4, IPV6 = 101, 108, 113, 204, 228, 229
LINUX_SLL2 = 276
RAW_OF_OTHERS = (12, 14)  # the DLT values of RAW that systems have written into files

_INTEGER_COLUMNS = tuple(each.name for each in fields(Layers) if each.name != "malformed")


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
    walk = Walk(octets, layers, frame_at + captured, frame_at + wire, _TYPES)
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
    walk = Walk(octets, layers, frame_at + captured, frame_at + wire, _TYPES)
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
    tagged = ethertype == TAG_TYPE
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
    plain &= (total >= 20) & (total <= wire - begin)
    plain &= ~(among(protocol, TUNNELS) | ((protocol == 17) & among(target, VXLAN_PORTS)))
    network_at = frame_at + begin
    everything = bool(plain.all())

    def noted(value: Ints | int, otherwise: int) -> Ints:
        if not everything:
            return np.where(plain, value, otherwise)
        return np.full(len(plain), value) if isinstance(value, int) else value

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


_LINKS: dict[int, Step] = {
    NULL: null,
    LOOP: null,
    ETHERNET: ethernet,
    PPP: ppp,
    PPP_HDLC: hdlc,
    PPP_ETHER: pppoe,
    C_HDLC: hdlc,
    PPP_WITH_DIRECTION: ppp_with_direction,
    LINUX_SLL: linux_sll,
    LINUX_SLL2: linux_sll2,
    RAW: raw,
    **dict.fromkeys(RAW_OF_OTHERS, raw),
    IPV4: raw,
    IPV6: raw,
}
_TYPES: dict[int, Step] = {
    IPV4_TYPE: ipv4,
    IPV6_TYPE: ipv6,
    0x8864: pppoe,
    0x8847: mpls,
    0x8848: mpls,
}
