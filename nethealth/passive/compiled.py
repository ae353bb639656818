"""Loops that numba compiled, for the extra `fast`; `engine` says what each gives."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from nethealth.passive.columns import Flags, Ints, Keys, Octets
from nethealth.passive.compiled_call import SIGNATURES, Call
from nethealth.passive.compiled_code import MachineCode, loaded
from nethealth.passive.engine import Columns, Followed, Found
from nethealth.passive.rtp_rows import RtpRows
from nethealth.passive.rtp_state import StreamState


class Compiled:
    """An `Engine`."""

    def __init__(self, code: Mapping[str, MachineCode]) -> None:
        """`code`: of every loop in `SIGNATURES`."""
        addresses, self._kept = loaded(code)
        calls = {name: Call(addresses[name], kinds) for name, kinds in SIGNATURES.items()}
        self._records, self._plain_rows = calls["records"], calls["plain_rows"]
        self._columns, self._known = calls["columns"], calls["known"]
        self._follow = calls["follow"]

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
        columns, ends = np.empty((4, most), np.int64), np.zeros(3, np.int64)
        self._records(
            octets, end, most, little, header, longest, unit_ns, *columns, ends
        )  # fmt: skip
        count, used, fault = ends.tolist()
        return tuple(column[:count] for column in columns), used, fault

    def plain(
        self, octets: Octets, frame_at: Ints, captured: Ints, wire: Ints, link_type: Ints
    ) -> tuple[Flags, Columns]:
        plain, found = np.empty(len(frame_at), np.bool_), np.empty((11, len(frame_at)), np.int64)
        self._plain_rows(octets, frame_at, captured, wire, link_type, plain, found)
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
        count = len(frame_end)
        keys, flags = np.zeros((5, count), np.uint64), np.zeros((3, count), np.bool_)
        found = np.full((10, count), -1, np.int64)
        self._columns(
            octets,
            frame_end,
            ethernet_at,
            network_at,
            ip_version,
            protocol,
            transport_at,
            transport_octets,
            keys,
            flags,
            found,
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
        columns, counts = np.empty((6, len(frame_at)), np.int64), np.zeros(2, np.int64)
        self._known(
            octets, frame_at, captured, wire, time_ns, link_type, slots, numbers, shift, columns,
            counts,
        )  # fmt: skip
        known, others = counts.tolist()
        rows, other, *more = columns
        place, numbered, second, length = (column[:known] for column in more)
        return rows[:known], other[:others], place, numbered, second, length

    def follow(
        self,
        state: StreamState,
        histograms: Ints,
        holes: tuple[Ints, Ints],
        bin_ns: int,
        rows: RtpRows,
        left_streams: Flags,
    ) -> Followed:
        count = len(rows.stream)
        left, closed = np.empty(count, np.bool_), np.empty(count, np.int64)
        opened, noted = np.empty((2, 2, count), np.int64)
        of_stream, real = np.empty((3, len(left_streams)), np.int64), np.zeros(1)
        counts = np.zeros(3, np.int64)
        self._follow(
            *rows.columns(), left_streams, state.table, state.table.view(np.float64), histograms,
            *holes, bin_ns, left, opened, closed, noted, of_stream, real, real.view(np.int64),
            counts,
        )  # fmt: skip
        opened_count, closed_count, noted_count = counts.tolist()
        return Followed(
            left,
            opened[0, :opened_count],
            opened[1, :opened_count],
            closed[:closed_count],
            noted[0, :noted_count],
            noted[1, :noted_count],
        )
