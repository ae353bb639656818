"""Octets that a direction skipped, and what came for them later."""

from typing import Literal

from nethealth.passive.tcp_progress import Progress

FLOWS_MAX = 65_536
HOLES_MAX = 64  # of one flow; the oldest is forgotten
OVERTAKEN_NS = 3_000_000  # tshark's threshold where it knows no round trip
_WRAP = 0xFFFFFFFF

Kind = Literal["retransmission", "overtaken", "keepalive"]


class Holes:
    """By flow: the gaps in what was seen, as absolute sequence numbers."""

    def __init__(self) -> None:
        self._of: dict[int, list[tuple[int, int]]] = {}

    def open(self, progress: Progress, place: int) -> None:
        """The segment at `place` came ahead of what was expected."""
        flow = int(progress.flow[place])
        holes = self._of.get(flow)
        if holes is None:
            if len(self._of) >= FLOWS_MAX:
                return
            holes = self._of[flow] = []
        base = int(progress.base[place])
        holes.append(
            (
                (base + int(progress.before[place])) & _WRAP,
                (base + int(progress.begin[place])) & _WRAP,
            )
        )
        if len(holes) > HOLES_MAX:
            del holes[0]

    def fill(self, progress: Progress, place: int, time_ns: int) -> Kind:
        """What the segment at `place` is, which begins before the highest octet seen.

        One octet right before the next expected one is a keep-alive (RFC 9293 section 3.8.4).
        """
        begin, end, before = (
            int(column[place]) for column in (progress.begin, progress.end, progress.before)
        )
        if end - begin == 1 and end == before:
            return "keepalive"
        base = int(progress.base[place])
        if not self._take(int(progress.flow[place]), (base + begin) & _WRAP, end - begin):
            return "retransmission"
        late = time_ns - int(progress.high_ns[place])
        return "overtaken" if 0 <= late < OVERTAKEN_NS else "retransmission"

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
