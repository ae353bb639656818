"""Packets of streams that are followed already, which need no other look than at a few columns."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nethealth.passive.columns import Ints

if TYPE_CHECKING:
    from nethealth.passive.known_headers import KnownHeaders


@dataclass(frozen=True, eq=False)
class KnownRows:
    """One row a packet, in the order of the timeline. `place`: of its headers in the table.

    `wire`: octets that the frame had. `sequence_timestamp`: of RTP, 16 and 32 bits. `second`:
    its second octet. `octets`: of the payload behind its fixed header.
    """

    headers: "KnownHeaders"
    place: Ints
    number: Ints
    time_ns: Ints
    wire: Ints
    sequence_timestamp: Ints
    second: Ints
    octets: Ints

    def __len__(self) -> int:
        return len(self.place)

    @cached_property
    def _all_counts(self) -> Ints:
        return np.bincount(self.place)

    @cached_property
    def places(self) -> Ints:
        """The headers that occur."""
        return np.flatnonzero(self._all_counts)

    @cached_property
    def counts(self) -> Ints:
        """How many packets have each of `places`."""
        return self._all_counts[self.places]

    @cached_property
    def wire_octets(self) -> Ints:
        """How many octets the frames of each of `places` had together."""
        return np.bincount(self.place, self.wire)[self.places].astype(np.int64)
