"""Segments that stand twice in a capture although they were sent once."""

import numpy as np

from nethealth.passive.columns import Flags, Ints, Keys, mixed, u16, u32
from nethealth.passive.packets import Packets
from nethealth.passive.tcp_progress import Progress

COPY_NS = 3_000_000  # without an identification, a copy comes at once or is none
IDENTIFIED_NS = 1_000_000_000  # identifications come round again after seconds at the least
_KEPT = 4096  # segments of the run before, that copies may come of


class Copies:
    """Tells copies among suspects; remembers the end of each run for the next."""

    def __init__(self) -> None:
        self._keys: Keys = np.zeros(0, np.uint64)
        self._times: Ints = np.zeros(0, np.int64)

    def among(self, packets: Packets, progress: Progress, suspects: Flags) -> Flags:
        """Which rows of `progress` copy an earlier one; only suspects can."""
        found = np.zeros(len(progress.rows), np.bool_)
        if suspects.any():
            flow = progress.flow  # sorted: equal ones stand side by side
            number = np.cumsum(np.r_[False, flow[1:] != flow[:-1]])
            suspected = np.zeros(int(number[-1]) + 1, np.bool_)
            suspected[number[suspects]] = True
            places = np.flatnonzero(suspected[number])
            keys, identified = _fingerprints(packets, progress.rows[places])
            times = packets.time_ns[progress.rows[places]]
            sooner = self._sooner(keys, times)
            within = np.where(identified, IDENTIFIED_NS, COPY_NS)
            found[places] = (times - sooner >= 0) & (times - sooner < within)
            found &= suspects
        last = progress.in_time[-_KEPT:]
        self._keys, _ = _fingerprints(packets, last)
        self._times = packets.time_ns[last]
        return found

    def _sooner(self, keys: Keys, times: Ints) -> Ints:
        """When the same segment came last before; far in the past where it never did."""
        joined = np.concatenate((self._keys, keys))
        when = np.concatenate((self._times, times))
        order = np.lexsort((np.arange(len(joined)), joined))
        joined, when = joined[order], when[order]
        before = np.full(len(joined), np.iinfo(np.int64).min // 2, np.int64)
        same = joined[1:] == joined[:-1]
        before[1:][same] = when[:-1][same]
        back = np.empty_like(before)
        back[order] = before
        return back[len(self._keys) :]


def _fingerprints(packets: Packets, rows: Ints) -> tuple[Keys, Flags]:
    """One key for flow, identification, sequence numbers, window and checksum of each row.

    True beside it where the IP header carries an identification that says something.
    """
    at = packets.transport_at[rows]
    octets = packets.octets
    number = identification(packets, rows)
    numbers = u32(octets, at + 4) << 16 | u16(octets, at + 16)
    more = u32(octets, at + 8) << 16 | u16(octets, at + 14)
    lengths = number << 32 | packets.payload_octets[rows]
    return mixed(packets.flow[rows], numbers, more, lengths), number != 0


def identification(packets: Packets, rows: Ints) -> Ints:
    """Of the IPv4 header (RFC 791 section 3.1); 0 in IPv6, and where a sender gives none."""
    number = u16(packets.octets, packets.network_at[rows] + 4)
    return np.where(packets.ip_version[rows] == 4, number, 0)
