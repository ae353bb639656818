"""Loops over the records of a file and the headers of packets; `engine` says what each gives.

Each function is plain Python over arrays and may be run as such.
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from nethealth.passive.columns import Flags, Ints, Octets
from nethealth.passive.compiled_octets import WITHIN, big16, big32, little32

_MIX_1, _MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_SHIFT_1, _SHIFT_2 = np.uint64(32), np.uint64(29)
_TOP = np.uint64(1 << 63)


def records(
    octets: Octets, end: int, most: int, little: bool, header: int, longest: int, unit_ns: int
) -> tuple[Ints, Ints, Ints, Ints, int, int]:
    frame_at, captured = np.empty(most, np.int64), np.empty(most, np.int64)
    wire, time_ns = np.empty(most, np.int64), np.empty(most, np.int64)
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
    return frame_at[:count], captured[:count], wire[:count], time_ns[:count], at, fault


def plain_rows(
    octets: Octets, frame_at: Ints, captured: Ints, wire: Ints, link_type: Ints
) -> tuple[Flags, npt.NDArray[np.int64]]:
    count = len(frame_at)
    plain = np.zeros(count, np.bool_)
    found = np.empty((11, count), np.int64)
    for row in range(count):
        at = frame_at[row]
        network = at + 14
        vlan = -1
        kind = big16(octets, at + 12)
        if kind == 0x8100:
            vlan = big16(octets, at + 14) & 0xFFF
            kind = big16(octets, at + 16)
            network = at + 18
        begin = network - at
        first, total = big16(octets, network), big16(octets, network + 2)
        placed, protocol = big16(octets, network + 6), big16(octets, network + 8) & 0xFF
        target = big16(octets, network + 22)
        good = (
            kind == 0x0800 and first >> 8 == 0x45 and link_type[row] == 1
            and placed & 0x3FFF == 0 and captured[row] - begin >= 20
            and total >= 20 and total <= wire[row] - begin
            and protocol not in (4, 41, 47)
            and (protocol != 17 or target not in (4789, 8472))
        )  # fmt: skip
        plain[row] = good
        found[0, row] = at if good else -1
        found[1, row] = vlan if good else -1
        found[2, row] = -1
        found[3, row] = 0x0800 if good else -1
        found[4, row] = network if good else -1
        found[5, row] = 4 if good else 0
        found[6, row] = protocol if good else -1
        found[7, row] = 0
        found[8, row] = network + 20 if good else -1
        found[9, row] = total - 20 if good else -1
        found[10, row] = 0
    return plain, found


def _address_key(octets: Octets, at: int, version: int) -> np.uint64:
    """The key of an address, as `columns.mixed` makes it for IPv6."""
    if version == 4:
        return np.uint64(big32(octets, at))
    key = np.uint64(0)
    for half in (at, at + 8):
        high, low = np.uint64(big32(octets, half)), np.uint64(big32(octets, half + 4))
        key = (key ^ (high << _SHIFT_1 | low)) * _MIX_1
        key = (key ^ key >> _SHIFT_1) * _MIX_2
        key = key ^ key >> _SHIFT_2
    return key | _TOP


key_of: Any = numba.njit(_address_key, **WITHIN)


def columns(
    octets: Octets,
    frame_end: Ints,
    network_at: Ints,
    ip_version: Ints,
    protocol: Ints,
    transport_at: Ints,
    transport_octets: Ints,
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    count = len(frame_end)
    keys = np.zeros((2, count), np.uint64)
    flags = np.zeros((3, count), np.bool_)
    found = np.empty((6, count), np.int64)
    for row in range(count):
        version = ip_version[row]
        if version > 0:
            at = network_at[row] + (12 if version == 4 else 8)
            length = 4 if version == 4 else 16
            keys[0, row] = key_of(octets, at, version)
            keys[1, row] = key_of(octets, at + length, version)
        at = transport_at[row]
        end = min(at + transport_octets[row], frame_end[row])
        kind = protocol[row]
        there = end - at if at >= 0 else 0
        ports = kind in (6, 17, 132) and there >= 4
        udp = kind == 17 and there >= 8
        tcp = kind == 6 and there >= 20
        flags[0, row], flags[1, row], flags[2, row] = ports, udp, tcp
        found[0, row] = end
        found[1, row] = big16(octets, at) if ports else -1
        found[2, row] = big16(octets, at + 2) if ports else -1
        if not udp and not tcp:
            found[3, row] = found[4, row] = found[5, row] = -1
            continue
        if udp:
            header = 8
            rest = max(transport_octets[row] - 8, 0)
            stated = big16(octets, at + 4) - 8
            payload = stated if 0 <= stated < rest else rest
        else:
            header = (big16(octets, at + 12) >> 12) * 4
            header = min(max(header, 20), max(transport_octets[row], 20))
            payload = max(transport_octets[row] - header, 0)
        found[3, row] = at + header
        found[4, row] = payload
        found[5, row] = min(max(end - at - header, 0), payload)
    return keys, flags, found
