"""What one receiver says of one source over its reports, and how long reports took to come back.

The capture point sees a sender report pass and the report of its receiver come back. The receiver
says how long it held it; what is left is the way from here to the receiver and back again, which is
a part of the whole round trip.
"""

from array import array
from collections import OrderedDict
from dataclasses import dataclass, field

from nethealth.model.endpoint import Endpoint
from nethealth.wire.rtcp import ReportBlock
from nethealth.wire.rtcp_xr import StatisticsSummary, VoipMetrics

SAMPLES_MAX = 10_000
_CYCLE = 1 << 32
_UNITS_PER_S = 65_536  # of LSR and DLSR
ROUND_TRIP_MAX_S = 60.0  # longer than this no answer is of that report
PASSED_MAX = 20_000  # sender reports that an answer is still awaited for


@dataclass(frozen=True, slots=True)
class Reporter:
    """One receiver and the source it speaks of, on one way past the capture point."""

    source: Endpoint  # of the report
    destination: Endpoint
    ssrc: int
    about: int


@dataclass(slots=True)
class Account:
    """All reports of one receiver on one source."""

    first_ns: int
    last_ns: int
    count: int = 0
    first: ReportBlock | None = None
    last: ReportBlock | None = None
    fraction_max: int = 0
    jitters: "array[float]" = field(default_factory=lambda: array("d"))  # timestamp units
    round_trips_s: "array[float]" = field(default_factory=lambda: array("d"))
    round_trip_refused_count: int = 0  # negative, or beyond ROUND_TRIP_MAX_S: a broken clock
    voip: VoipMetrics | None = None  # the last one: rates are since the start of reception
    voip_count: int = 0
    summary: StatisticsSummary | None = None

    def take(self, block: ReportBlock, time_ns: int) -> None:
        """Book one report block."""
        self.first_ns, self.last_ns = min(self.first_ns, time_ns), max(self.last_ns, time_ns)
        self.count += 1
        if self.first is None:
            self.first = block
        self.last = block
        self.fraction_max = max(self.fraction_max, block.fraction_lost)
        if len(self.jitters) < SAMPLES_MAX:
            self.jitters.append(block.jitter)

    def returned(self, passed_ns: int, time_ns: int, held: int) -> None:
        """A report came back that answers one which passed at `passed_ns`; `held` in 1/65536 s."""
        round_trip_s = (time_ns - passed_ns) / 1e9 - held / _UNITS_PER_S
        # A hold is told to 15 µs, so a near receiver may seem to answer a moment before.
        if not -1 / _UNITS_PER_S <= round_trip_s <= ROUND_TRIP_MAX_S:
            self.round_trip_refused_count += 1
        elif len(self.round_trips_s) < SAMPLES_MAX:
            self.round_trips_s.append(max(0.0, round_trip_s))

    @property
    def between(self) -> tuple[int, int] | None:
        """(lost, expected) from the first report to the last; None where there is no such span."""
        if self.first is None or self.last is None:
            return None
        expected = (self.last.highest_sequence - self.first.highest_sequence) % _CYCLE
        if not 0 < expected < _CYCLE // 2:
            return None
        return self.last.cumulative_lost - self.first.cumulative_lost, expected


class Passed:
    """Reports that have gone past, by what will be echoed of them.

    By addresses and not by ports: an answer need not come from the port that was written to.
    """

    def __init__(self) -> None:
        self._passed: OrderedDict[tuple[str, str, int], int] = OrderedDict()

    def note(self, source: Endpoint, destination: Endpoint, ntp: int, time_ns: int) -> None:
        """A report with this NTP time went from source to destination."""
        self._passed[source.address, destination.address, middle(ntp)] = time_ns
        if len(self._passed) > PASSED_MAX:
            self._passed.popitem(last=False)

    def when(self, source: Endpoint, destination: Endpoint, echoed: int) -> int | None:
        """When the report passed that the receiver, now the source, echoes; None: not seen."""
        return self._passed.get((destination.address, source.address, echoed))


def middle(ntp: int) -> int:
    """The middle 32 of the 64 bits, as LSR and LRR have them (RFC 3550 section 6.4.1)."""
    return ntp >> 16 & 0xFFFFFFFF
