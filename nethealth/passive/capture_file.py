"""Capture files as they are read: pcap and pcapng, octets in, columns of records out.

Nothing is opened here: whoever reads the file hands over a buffer, is told how much of it was
used, and hands over the rest again with more behind it. What is not whole or contradicts itself
stops the walk at that octet; all before it counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from nethealth.passive.columns import Ints, Octets
from nethealth.passive.interface import Interface

RECORD_MAX = 1 << 20  # octets; a longer one is no packet


class CaptureError(ValueError):
    """The file is no capture that this version reads; the message says what was found."""


@dataclass(frozen=True, eq=False, slots=True)
class Records:
    """The packets in a buffer, as columns, and how much of the buffer they took.

    `interface` counts from 0 in the file. `fault`: nothing behind `used` can be read.
    """

    used: int
    frame_at: Ints
    captured: Ints
    wire: Ints
    time_ns: Ints
    interface: Ints
    link_type: Ints
    fault: str | None = None


class Walker(Protocol):
    """Reads one file, buffer after buffer."""

    def walk(self, octets: Octets, end: int, most: int) -> Records:
        """At most `most` packets that stand whole in octets[:end]."""

    def interfaces(self) -> Sequence[Interface]:
        """Those that the file has named so far."""

    def time_digits(self) -> int:
        """Decimal digits of a second that the time stamps have, the coarsest of the file."""


@dataclass(slots=True)
class Found:
    """Records under way, row by row."""

    frame_at: list[int] = field(default_factory=list)
    captured: list[int] = field(default_factory=list)
    wire: list[int] = field(default_factory=list)
    time_ns: list[int] = field(default_factory=list)
    interface: list[int] = field(default_factory=list)
    link_type: list[int] = field(default_factory=list)

    def records(self, used: int, fault: str | None) -> Records:
        def column(values: list[int]) -> Ints:
            return np.array(values, np.int64)

        return Records(
            used=used,
            frame_at=column(self.frame_at),
            captured=column(self.captured),
            wire=column(self.wire),
            time_ns=column(self.time_ns),
            interface=column(self.interface),
            link_type=column(self.link_type),
            fault=fault,
        )


def shifted(records: Records, by: int) -> Records:
    """The same records in a buffer in which they stand further back."""
    return replace(records, frame_at=records.frame_at + by) if by else records


def together(parts: Sequence[Records]) -> Records:
    """Parts of a walk, one behind the other, as one."""
    if len(parts) == 1:
        return parts[0]

    def column(name: str) -> Ints:
        return np.concatenate([getattr(part, name) for part in parts])

    return Records(
        used=sum(part.used for part in parts),
        frame_at=column("frame_at"),
        captured=column("captured"),
        wire=column("wire"),
        time_ns=column("time_ns"),
        interface=column("interface"),
        link_type=column("link_type"),
        fault=parts[-1].fault if parts else None,
    )
