"""Octets that a direction skipped, and what came for them later."""

from typing import Literal

import numpy as np

from nethealth.passive.columns import Ints

FLOWS_MAX = 65_536
HOLES_MAX = 64  # of one flow; the oldest is forgotten
OVERTAKEN_NS = 3_000_000  # tshark's threshold where it knows no round trip
NEAR = 1024  # identifications
_WRAP = 0xFFFFFFFF

Kind = Literal["retransmission", "overtaken", "keepalive"]


def sent_after(identification: Ints, other: Ints) -> Ints:
    """1 where a packet was sent after the other by its IP identification, -1 before, 0 unknown.

    Senders count up, in all or by connection (RFC 6864 section 4 lets them); some write 0 or
    random numbers, so only near ones are believed.
    """
    step = ((identification - other + 0x8000) & 0xFFFF) - 0x8000
    told = (identification > 0) & (other > 0) & (np.abs(step) < NEAR)
    return np.where(told, np.sign(step), 0)


class Holes:
    """By flow: the gaps in what was seen, as absolute sequence numbers."""

    def __init__(self) -> None:
        self._of: dict[int, list[tuple[int, int]]] = {}

    def open(self, flow: int, base: int, before: int, begin: int) -> None:
        """A segment came ahead of what was expected: distances from `base`, as in `Progress`."""
        holes = self._of.get(flow)
        if holes is None:
            if len(self._of) >= FLOWS_MAX:
                return
            holes = self._of[flow] = []
        holes.append(((base + before) & _WRAP, (base + begin) & _WRAP))
        if len(holes) > HOLES_MAX:
            del holes[0]

    def fill(
        self, flow: int, base: int, begin: int, end: int, before: int, late_ns: int, sent: int
    ) -> Kind:
        """What a segment is that begins before the highest octet seen, `late_ns` after that one.

        `sent`: 1 after that one, -1 before it, 0 where that cannot be told.

        One octet right before the next expected one is a keep-alive (RFC 9293 section 3.8.4).
        """
        if end - begin == 1 and end == before:
            return "keepalive"
        if not self._take(flow, (base + begin) & _WRAP, end - begin):
            return "retransmission"
        if sent:
            return "retransmission" if sent > 0 else "overtaken"
        return "overtaken" if 0 <= late_ns < OVERTAKEN_NS else "retransmission"

    def _take(self, flow: int, begin: int, octets: int) -> bool:
        """Whether these octets lay in a hole; what they fill is taken out of it."""
        holes = self._of.get(flow, ())
        for index, (first, last) in enumerate(holes):
            offset, size = (begin - first) & _WRAP, (last - first) & _WRAP
            if offset + octets <= size:
                rest = [
                    (first, begin),
                    ((begin + octets) & _WRAP, last),
                ]
                self._of[flow][index : index + 1] = [each for each in rest if each[0] != each[1]]
                return True
        return False
