"""The analyses that every capture goes through, in the order in which they are fed.

One that announces media (SIP) stands before the one that looks for it (RTP).
"""

from collections.abc import Callable
from dataclasses import dataclass

from nethealth.passive import totals
from nethealth.passive.analysis import Analyser, Units
from nethealth.passive.announced import MediaBook


@dataclass(frozen=True, slots=True)
class Analysis:
    """How one is made for a capture, and every observation that it may make with its unit."""

    make: Callable[[MediaBook], Analyser]
    units: Units


ANALYSES: tuple[Analysis, ...] = (Analysis(lambda _: totals.Totals(), totals.UNITS),)

FILE_UNITS: dict[str, str | None] = {
    "capture_file_packet_count": "packets",
    "capture_dropped_packet_count": "packets",
}
UNITS: dict[str, str | None] = {
    name: unit
    for units in (FILE_UNITS, *(each.units for each in ANALYSES))
    for name, unit in units.items()
}
