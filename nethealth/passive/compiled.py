"""Loops that numba compiles, for the extra `fast`; `engine` says what each gives.

Each function is plain Python over arrays and may be run as such. numba keeps the machine code
beside this file or, where that may not be written, in the user's cache folder.
"""

from collections.abc import Mapping
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from nethealth.passive.columns import Flags, Ints, Octets
from nethealth.passive.engine import Columns

_MIX_1, _MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_SHIFT_1, _SHIFT_2, _EIGHT = np.uint64(32), np.uint64(29), np.uint64(8)
_TOP = np.uint64(1 << 63)


def _records(
    octets: Octets, end: int, most: int, little: bool, header: int, longest: int
) -> tuple[npt.NDArray[np.int64], int, int, int]:
    found = np.empty((5, most), np.int64)
    count, at, fault = 0, 0, 0
    while count < most and at + header <= end:
        for field in range(4):
            value = 0
            for place in range(4):
                octet = int(octets[at + 4 * field + place])
                value |= octet << (8 * place if little else 24 - 8 * place)
            found[1 + field, count] = value
        captured = found[3, count]
        if captured > longest:
            fault = captured
            break
        if at + header + captured > end:
            break
        found[0, count] = at + header
        found[4, count] = max(found[4, count], captured)
        at += header + captured
        count += 1
    return found, count, at, fault


def _plain(
    octets: Octets, frame_at: Ints, captured: Ints, wire: Ints, link_type: Ints
) -> tuple[Flags, npt.NDArray[np.int64]]:
    count = len(frame_at)
    plain = np.zeros(count, np.bool_)
    found = np.empty((11, count), np.int64)
    for row in range(count):
        at = frame_at[row]
        network = at + 14
        vlan = -1
        kind = int(octets[at + 12]) << 8 | octets[at + 13]
        if kind == 0x8100:
            vlan = (int(octets[at + 14]) << 8 | octets[at + 15]) & 0xFFF
            kind = int(octets[at + 16]) << 8 | octets[at + 17]
            network = at + 18
        begin = network - at
        total = int(octets[network + 2]) << 8 | octets[network + 3]
        placed = int(octets[network + 6]) << 8 | octets[network + 7]
        protocol = int(octets[network + 9])
        target = int(octets[network + 22]) << 8 | octets[network + 23]
        good = (
            kind == 0x0800 and octets[network] == 0x45 and link_type[row] == 1
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


def _key(octets: Octets, at: int, version: int) -> np.uint64:
    """The key of an address, as `columns.mixed` makes it for IPv6."""
    key = np.uint64(0)
    if version == 4:
        for place in range(4):
            key = key << _EIGHT | np.uint64(octets[at + place])
        return key
    for half in range(2):
        value = np.uint64(0)
        for place in range(8):
            value = value << _EIGHT | np.uint64(octets[at + 8 * half + place])
        key = key ^ value
        key = key * _MIX_1
        key = key ^ key >> _SHIFT_1
        key = key * _MIX_2
        key = key ^ key >> _SHIFT_2
    return key | _TOP


_compiled_key: Any = numba.njit(cache=True)(_key)


def _columns(
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
            keys[0, row] = _compiled_key(octets, at, version)
            keys[1, row] = _compiled_key(octets, at + length, version)
        at = transport_at[row]
        end = min(at + transport_octets[row], frame_end[row])
        kind = protocol[row]
        there = end - at if at >= 0 else 0
        ports = kind in (6, 17, 132) and there >= 4
        udp = kind == 17 and there >= 8
        tcp = kind == 6 and there >= 20
        flags[0, row], flags[1, row], flags[2, row] = ports, udp, tcp
        found[0, row] = end
        found[1, row] = int(octets[at]) << 8 | octets[at + 1] if ports else -1
        found[2, row] = int(octets[at + 2]) << 8 | octets[at + 3] if ports else -1
        if not udp and not tcp:
            found[3, row] = found[4, row] = found[5, row] = -1
            continue
        if udp:
            header = 8
            rest = max(transport_octets[row] - 8, 0)
            stated = (int(octets[at + 4]) << 8 | octets[at + 5]) - 8
            payload = stated if 0 <= stated < rest else rest
        else:
            header = int(octets[at + 12] >> 4) * 4
            header = min(max(header, 20), max(transport_octets[row], 20))
            payload = max(transport_octets[row] - header, 0)
        found[3, row] = at + header
        found[4, row] = payload
        found[5, row] = min(max(end - at - header, 0), payload)
    return keys, flags, found


_compiled_records: Any = numba.njit(cache=True)(_records)
_compiled_plain: Any = numba.njit(cache=True)(_plain)
_compiled_columns: Any = numba.njit(cache=True)(_columns)


class Compiled:
    """An `Engine`."""

    def records(
        self, octets: Octets, end: int, most: int, *, little: bool, header: int, longest: int
    ) -> tuple[Columns, int, int]:
        most = min(most, end // header + 1)
        found, count, used, fault = _compiled_records(octets, end, most, little, header, longest)
        return tuple(column[:count] for column in found), int(used), int(fault)

    def plain(
        self, octets: Octets, frame_at: Ints, captured: Ints, wire: Ints, link_type: Ints
    ) -> tuple[Flags, Columns]:
        plain, found = _compiled_plain(octets, frame_at, captured, wire, link_type)
        return plain, tuple(found)

    def columns(
        self,
        octets: Octets,
        frame_end: Ints,
        network_at: Ints,
        ip_version: Ints,
        protocol: Ints,
        transport_at: Ints,
        transport_octets: Ints,
    ) -> Mapping[str, npt.NDArray[np.generic]]:
        keys, flags, found = _compiled_columns(
            octets, frame_end, network_at, ip_version, protocol, transport_at, transport_octets
        )
        return {
            "source": keys[0],
            "destination": keys[1],
            "has_ports": flags[0],
            "is_udp": flags[1],
            "is_tcp": flags[2],
            "transport_end": found[0],
            "source_port": found[1],
            "destination_port": found[2],
            "payload_at": found[3],
            "payload_octets": found[4],
            "payload_captured": found[5],
        }
