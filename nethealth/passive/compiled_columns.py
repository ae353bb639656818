"""Loops over the records of a file and the headers of packets; `engine` says what each gives.

Each function is plain Python over arrays and may be run as such.
"""

from typing import Any

import numba
import numpy as np

from nethealth.passive.columns import Flags, Ints, Keys, Octets
from nethealth.passive.compiled_octets import WITHIN, big16, big32, little32, mixed
from nethealth.passive.layer_network import TUNNELS, VXLAN_PORTS
from nethealth.passive.layer_walk import IPV4_TYPE, TAG_TYPE

_HIGH = np.uint64(32)
_TOP = np.uint64(1 << 63)


def records(
    octets: Octets, end: int, most: int, little: bool, header: int, longest: int, unit_ns: int,
    frame_at: Ints, captured: Ints, wire: Ints, time_ns: Ints, ends: Ints,
) -> None:  # fmt: skip
    """At most `most` into the columns; `ends`: how many, octets used, a length that is too much."""
    count, at, fault = 0, 0, 0
    while count < most and at + header <= end:
        if little:
            seconds, fraction = little32(octets, at), little32(octets, at + 4)
            length, whole = little32(octets, at + 8), little32(octets, at + 12)
        else:
            seconds, fraction = big32(octets, at), big32(octets, at + 4)
            length, whole = big32(octets, at + 8), big32(octets, at + 12)
        if length > longest:
            fault = length
            break
        if at + header + length > end:
            break
        frame_at[count] = at + header
        captured[count] = length
        wire[count] = max(whole, length)
        time_ns[count] = seconds * 1_000_000_000 + fraction * unit_ns
        at += header + length
        count += 1
    ends[0], ends[1], ends[2] = count, at, fault


def plain_rows(
    octets: Octets, frame_at: Ints, captured: Ints, wire: Ints, link_type: Ints, plain: Flags,
    found: Ints,
) -> None:  # fmt: skip
    """`found`: by column and row."""
    for row in range(len(frame_at)):
        at = frame_at[row]
        network = at + 14
        vlan = -1
        kind = big16(octets, at + 12)
        if kind == TAG_TYPE:
            vlan = big16(octets, at + 14) & 0xFFF
            kind = big16(octets, at + 16)
            network = at + 18
        begin = network - at
        first, total = big16(octets, network), big16(octets, network + 2)
        placed, protocol = big16(octets, network + 6), big16(octets, network + 8) & 0xFF
        target = big16(octets, network + 22)
        good = (
            kind == IPV4_TYPE and first >> 8 == 0x45 and link_type[row] == 1
            and placed & 0x3FFF == 0 and captured[row] - begin >= 20
            and total >= 20 and total <= wire[row] - begin
            and protocol not in TUNNELS
            and (protocol != 17 or target not in VXLAN_PORTS)
        )  # fmt: skip
        plain[row] = good
        found[0, row] = at if good else -1
        found[1, row] = vlan if good else -1
        found[2, row] = -1
        found[3, row] = IPV4_TYPE if good else -1
        found[4, row] = network if good else -1
        found[5, row] = 4 if good else 0
        found[6, row] = protocol if good else -1
        found[7, row] = 0
        found[8, row] = network + 20 if good else -1
        found[9, row] = total - 20 if good else -1
        found[10, row] = 0


def _address_key(octets: Octets, at: int, version: int) -> np.uint64:
    """The key of an address, as `columns.mixed` makes it for IPv6."""
    if version == 4:
        return np.uint64(big32(octets, at))
    key = np.uint64(0)
    for half in (at, at + 8):
        high, low = np.uint64(big32(octets, half)), np.uint64(big32(octets, half + 4))
        key = mixed(key, high << _HIGH | low)
    return np.uint64(key | _TOP)


key_of: Any = numba.njit(_address_key, **WITHIN)


def columns(
    octets: Octets,
    frame_end: Ints,
    ethernet_at: Ints,
    network_at: Ints,
    ip_version: Ints,
    protocol: Ints,
    transport_at: Ints,
    transport_octets: Ints,
    keys: Keys,
    flags: Flags,
    found: Ints,
) -> None:
    """As `Compiled.columns` names them: into columns of 0, of False, and of -1."""
    for row in range(len(frame_end)):
        at = ethernet_at[row]
        if at >= 0:
            keys[2, row] = np.uint64(big16(octets, at + 6)) << _HIGH | np.uint64(
                big32(octets, at + 8)
            )
            keys[3, row] = np.uint64(big16(octets, at)) << _HIGH | np.uint64(big32(octets, at + 2))
        version = ip_version[row]
        if version > 0:
            at = network_at[row]
            both = big16(octets, at)
            found[6, row] = (both if version == 4 else both >> 4) & 0xFF
            at += 12 if version == 4 else 8
            keys[0, row] = key_of(octets, at, version)
            keys[1, row] = key_of(octets, at + (4 if version == 4 else 16), version)
        at, kind = transport_at[row], protocol[row]
        end = min(at + transport_octets[row], frame_end[row])
        there = end - at if at >= 0 else 0
        ports = kind in (6, 17, 132) and there >= 4
        udp = kind == 17 and there >= 8
        tcp = kind == 6 and there >= 20
        flags[0, row], flags[1, row], flags[2, row] = ports, udp, tcp
        found[0, row] = end
        both = 0xFFFFFFFF
        if ports:
            both = big32(octets, at)
            found[1, row], found[2, row] = both >> 16, both & 0xFFFF
        if version > 0:
            key = mixed(mixed(np.uint64(0), keys[0, row]), keys[1, row])
            keys[4, row] = mixed(key, np.uint64(both << 8 | kind & 0xFF))
        if udp or tcp:
            header, payload = 8, max(transport_octets[row] - 8, 0)
            if udp:
                stated = big16(octets, at + 4) - 8
                payload = stated if 0 <= stated < payload else payload
            else:
                both = big16(octets, at + 12)
                header = min(max((both >> 12) * 4, 20), max(transport_octets[row], 20))
                payload = max(transport_octets[row] - header, 0)
                found[7, row], found[8, row] = both & 0xFF, big32(octets, at + 4)
                found[9, row] = big16(octets, at + 14)
            found[3, row], found[4, row] = at + header, payload
            found[5, row] = min(max(end - at - header, 0), payload)
