"""What a capture is as a whole: how many packets, over which time."""

from collections.abc import Iterator

from nethealth.passive.analysis import Fact
from nethealth.passive.packets import Packets

UNITS: dict[str, str | None] = {
    "packet_count": "packets",
    "capture_duration_s": "s",
    "malformed_packet_count": "packets",
}


class Totals:
    """An `Analyser` of the timeline itself."""

    def __init__(self) -> None:
        self._packets = 0
        self._malformed = 0
        self._first_ns: int | None = None
        self._last_ns = 0

    def feed(self, packets: Packets) -> None:
        if not len(packets):
            return
        first, last = int(packets.time_ns.min()), int(packets.time_ns.max())
        self._first_ns = first if self._first_ns is None else min(first, self._first_ns)
        self._last_ns = max(last, self._last_ns)
        self._packets += len(packets)
        if packets.known is not None:
            self._packets += len(packets.known)
        self._malformed += int(packets.malformed.sum())

    def finish(self) -> Iterator[Fact]:
        yield Fact("packet_count", self._packets)
        if self._first_ns is not None:
            # Whole nanoseconds first: seconds since 1970 would leave a float only 0.2 µs.
            span_s = (self._last_ns - self._first_ns) / 1e9
            yield Fact("capture_duration_s", span_s, samples=self._packets)
        yield Fact("malformed_packet_count", self._malformed, samples=self._packets)
