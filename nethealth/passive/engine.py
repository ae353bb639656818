"""The steps that a compiler makes quicker, and how they are handed over.

Everything works with numpy alone. With the extra `fast` the same columns come out of loops that
numba compiles (`nethealth.passive.compiled`): integers, and so the same to the last bit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from nethealth.passive.columns import Flags, Ints, Keys, Octets

if TYPE_CHECKING:
    from nethealth.passive.rtp_rows import RtpRows
    from nethealth.passive.rtp_state import StreamState

Columns = tuple[Ints, ...]
Found = tuple[Ints, Ints, Ints, Ints, Ints, Ints]


class Engine(Protocol):
    """Loops over packets."""

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
        """Of a pcap file: offsets, captured and wire lengths, and times of its records.

        Then how many octets they take, and the length that a record behind them states, which is
        more than `longest`; 0 if none does. `unit_ns`: of the fractions of a second.
        """
        ...

    def plain(
        self, octets: Octets, frame_at: Ints, captured: Ints, wire: Ints, link_type: Ints
    ) -> tuple[Flags, Columns]:
        """The rows that `layers` calls plain, and their columns in the order of `Layers`."""
        ...

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
        """The columns of `Packets` that most analyses ask for, by name."""
        ...

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
        """What `KnownHeaders` knows, by the parts of its table: rows, and all others.

        Then of those rows: places in the table, sequence numbers with time stamps, the second
        octets of RTP, the octets of payload.
        """
        ...

    def follow(
        self,
        state: "StreamState",
        histograms: Ints,
        holes: tuple[Ints, Ints],
        bin_ns: int,
        rows: "RtpRows",
        left_streams: Flags,
    ) -> "Followed":
        """Take what is plain of these rows, in the order of arrival, into the state.

        Of `left_streams` nothing is taken, nor anything behind a row that is not plain, whose
        stream joins them.
        """
        ...


@dataclass(frozen=True, eq=False, slots=True)
class Followed:
    """What a loop that follows streams leaves to do."""

    left: Flags  # rows
    opened: Ints  # holes, by the keys of `Holes`: from
    opened_to: Ints
    closed: Ints  # keys that came after all
    noted: Ints  # keys of `Progress`
    reached: Ints
