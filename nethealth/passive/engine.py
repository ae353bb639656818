"""The steps that a compiler makes quicker, and how they are handed over.

Everything works with numpy alone. With the extra `fast` the same columns come out of loops that
numba compiles (`nethealth.passive.compiled`): integers, and so the same to the last bit.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nethealth.passive.columns import Flags, Ints, Octets

Columns = tuple[Ints, ...]


class Engine(Protocol):
    """Loops over packets."""

    def records(
        self, octets: Octets, end: int, most: int, *, little: bool, header: int, longest: int
    ) -> tuple[Columns, int, int]:
        """Of a pcap file: offsets, seconds, fractions, captured and wire lengths of its records.

        Then how many octets they take, and the length that a record behind them states, which is
        more than `longest`; 0 if none does.
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
        network_at: Ints,
        ip_version: Ints,
        protocol: Ints,
        transport_at: Ints,
        transport_octets: Ints,
    ) -> Mapping[str, npt.NDArray[np.generic]]:
        """The columns of `Packets` that most analyses ask for, by name."""
        ...


def compiled_engine() -> Engine | None:
    """The compiled loops; None where numba is not installed."""
    try:
        from nethealth.passive.compiled import Compiled  # noqa: PLC0415  (0.3 s of its own)
    except ImportError:
        return None
    engine: Any = Compiled()
    return engine  # type: ignore[no-any-return]
