"""Loops that numba compiles, for the extra `fast`; `engine` says what each gives.

numba keeps the machine code beside these files or, where that may not be written, in the user's
cache folder.
"""

from collections.abc import Mapping
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from nethealth.passive import compiled_columns, compiled_follow, compiled_known
from nethealth.passive.columns import Flags, Ints, Keys, Octets
from nethealth.passive.compiled_octets import OPTIONS
from nethealth.passive.engine import Columns, Followed, Found
from nethealth.passive.rtp_rows import RtpRows
from nethealth.passive.rtp_state import StreamState

# They hold no interpreter lock: another thread goes on meanwhile.
_records: Any = numba.njit(compiled_columns.records, **OPTIONS)
_plain: Any = numba.njit(compiled_columns.plain_rows, **OPTIONS)
_columns: Any = numba.njit(compiled_columns.columns, **OPTIONS)
_known: Any = numba.njit(compiled_known.known, **OPTIONS)
_follow: Any = numba.njit(compiled_follow.follow, **OPTIONS)


class Compiled:
    """An `Engine`."""

    def records(
        self,
        octets: Octets,
        end: int,
        most: int,
        *,
        little: bool,
        header: int,
        longest: int,
        unit_ns: int,
    ) -> tuple[Columns, int, int]:
        most = min(most, end // header + 1)
        *columns, used, fault = _records(octets, end, most, little, header, longest, unit_ns)
        return tuple(columns), used, fault

    def plain(
        self, octets: Octets, frame_at: Ints, captured: Ints, wire: Ints, link_type: Ints
    ) -> tuple[Flags, Columns]:
        plain, found = _plain(octets, frame_at, captured, wire, link_type)
        return plain, tuple(found)

    def columns(
        self,
        octets: Octets,
        frame_end: Ints,
        ethernet_at: Ints,
        network_at: Ints,
        ip_version: Ints,
        protocol: Ints,
        transport_at: Ints,
        transport_octets: Ints,
    ) -> Mapping[str, npt.NDArray[np.generic]]:
        keys, flags, found = _columns(
            octets,
            frame_end,
            ethernet_at,
            network_at,
            ip_version,
            protocol,
            transport_at,
            transport_octets,
        )
        return {
            "source": keys[0],
            "destination": keys[1],
            "ethernet_source": keys[2],
            "ethernet_destination": keys[3],
            "flow": keys[4],
            "has_ports": flags[0],
            "is_udp": flags[1],
            "is_tcp": flags[2],
            "transport_end": found[0],
            "source_port": found[1],
            "destination_port": found[2],
            "payload_at": found[3],
            "payload_octets": found[4],
            "payload_captured": found[5],
            "traffic_class": found[6],
            "tcp_flags": found[7],
            "tcp_sequence": found[8],
            "tcp_window": found[9],
        }

    def known(
        self,
        octets: Octets,
        frame_at: Ints,
        captured: Ints,
        wire: Ints,
        time_ns: Ints,
        link_type: Ints,
        slots: Keys,
        numbers: Ints,
        shift: int,
    ) -> Found:
        found: Found = _known(
            octets, frame_at, captured, wire, time_ns, link_type, slots, numbers, shift
        )
        return found

    def follow(
        self,
        state: StreamState,
        histograms: Ints,
        holes: tuple[Ints, Ints],
        bin_ns: int,
        rows: RtpRows,
        left_streams: Flags,
    ) -> Followed:
        floats = state.table.view(np.float64)
        return Followed(
            *_follow(*rows.columns(), left_streams, state.table, floats, histograms, *holes, bin_ns)
        )
