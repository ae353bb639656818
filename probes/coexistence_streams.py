"""The two streams of `coexistence`: packets alike but for their mark, and what became of each."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from nethealth.model.check import CoexistenceParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.ports import NetworkFailure, TimedDatagram, TimedFlow, TimedNetwork
from nethealth.protocol.stamp import Answer, StampSession
from nethealth.wire.stamp import ErrorEstimate

INTERVAL_S = 0.02
PAYLOAD_OCTETS = 172  # G.711 in packets of 20 ms, with the header of RTP
_SEQUENCE_AT = slice(24, 28)  # of the packet that is answered (RFC 8762 section 4.3.1)


@dataclass(frozen=True, slots=True)
class Window:
    """One phase: packets sent from `start_s` on and before `end_s` (monotonic)."""

    phase: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Fate:
    """One packet: its answer in time, and whether it passed each way; None: nobody can tell."""

    answer: Answer | None
    forward: bool | None
    back: bool | None


class Stream:
    """One class of packets; `missed` may be asked while they are still being sent."""

    def __init__(
        self,
        remote: Endpoint,
        dscp: int,
        parameters: CoexistenceParameters,
        *,
        ssid: int,
        epoch_ns: int,
        error_estimate: ErrorEstimate,
    ) -> None:
        self.dscp = dscp
        self.session = StampSession(
            ssid=ssid,
            epoch_ns=epoch_ns,
            error_estimate=error_estimate,
            octets=PAYLOAD_OCTETS,
            dscp=dscp,
            timeout_s=parameters.timeout_s,
        )
        self.failures: list[NetworkFailure] = []
        self.timer_errors_s: Sequence[float] = ()
        self._remote = remote
        self._flow: TimedFlow | None = None
        self._sent_s: list[float] = []  # appended to by the sender's thread
        self._delays_s: dict[int, float] = {}  # of the packets that were answered, by their place

    async def run(self, network: TimedNetwork, packets: int) -> None:
        """Send; NetworkFailure if no packet can be."""
        self._flow = network.open_timed(self._remote, self._deliver, self._fail, dscp=self.dscp)
        self.timer_errors_s = self._flow.timer_errors_s
        await self._flow.run(self._make, self._unmake, packets, INTERVAL_S)

    def close(self, now_s: float) -> None:
        """Send no more; what is still under way is forgotten, answered or not."""
        if self._flow is not None:
            self._flow.close()
        self.session.forget_unfinished(now_s)
        del self._sent_s[self.session.sent_count :]

    @property
    def answered_count(self) -> int:
        return len(self._delays_s)

    def delays_s(self, window: Window) -> list[float]:
        """Round trips, the reflector's own time included, of the window's answered packets."""
        return [self._delays_s[place] for place in self._places(window) if place in self._delays_s]

    def missed(self, window: Window, bound_s: float) -> tuple[int, int]:
        """How many of the window's packets were not back within `bound_s`, and how many it has."""
        places = self._places(window)
        late = sum(self._delays_s.get(place, bound_s + 1) > bound_s for place in places)
        return late, len(places)

    def fates(self) -> list[Fate]:
        """Every packet in the order of sending, once the stream is closed."""
        answers = self.session.answers()
        directions = self.session.directions()
        if directions is None or directions.forward.passed is None:
            return [Fate(answer, None, None) for answer in answers]
        back = iter(directions.back.passed or ())
        fates = [
            Fate(answer, there, next(back, None) if there else None)
            for answer, there in zip(answers, directions.forward.passed, strict=False)
        ]
        return fates + [Fate(answer, None, None) for answer in answers[len(fates) :]]

    def places(self, window: Window) -> slice:
        """Where the window's packets stand among `fates`."""
        return slice(
            bisect_left(self._sent_s, window.start_s), bisect_left(self._sent_s, window.end_s)
        )

    def _places(self, window: Window) -> range:
        found = self.places(window)
        return range(found.start, found.stop)

    def _make(self, now_s: float) -> bytes:
        packet = self.session.packet(now_s)
        self._sent_s.append(now_s)
        return packet

    def _unmake(self) -> None:
        self._sent_s.pop()
        self.session.unsent()

    def _deliver(self, datagram: TimedDatagram) -> None:
        before = (self.session.duplicate_count, self.session.rejected.total())
        self.session.received(
            datagram.data,
            datagram.received_s,
            from_peer=datagram.source == self._remote,
            ttl=datagram.ttl,
            dscp=datagram.dscp,
        )
        if (self.session.duplicate_count, self.session.rejected.total()) == before:
            place = int.from_bytes(datagram.data[_SEQUENCE_AT], "big") - 1
            self._delays_s[place] = datagram.received_s - self._sent_s[place]

    def _fail(self, failure: NetworkFailure) -> None:
        if len(self.failures) < 32:
            self.failures.append(failure)
