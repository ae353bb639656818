"""One flow of echo requests: which were answered, when, and by whom; without a socket or a clock.

Every request is given the same wait, `timeout_s` (the Tmax of RFC 2681 and RFC 7680): a reply
within it is an answer, one after it is late and the packet counts as lost.
"""

from collections import Counter
from dataclasses import dataclass
from enum import Enum

from nethealth.model.ports import EchoEvent

KINDS_OF_ERROR_MAX = 32  # anybody can forge errors from ever new sources


class Status(Enum):
    """Where one request stands."""

    AWAITED = "awaited"
    ANSWERED = "answered"
    LATE = "late"  # answered after its wait was over
    LOST = "lost"  # its wait is over, and nothing came


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """ICMP errors that are alike; beyond the bound only the type tells them apart."""

    icmp_type: int
    icmp_code: int | None
    source: str | None


@dataclass(slots=True)
class _Request:
    sent_s: float
    status: Status = Status.AWAITED
    delay_s: float | None = None


class EchoSession:
    """The state of one flow to `address`; times are monotonic seconds of one clock."""

    def __init__(self, address: str, timeout_s: float) -> None:
        self.address = address
        self.timeout_s = timeout_s
        self.duplicate_count = 0
        self.errors: Counter[ErrorKind] = Counter()
        self.ttls: Counter[int] = Counter()
        self.dscps: Counter[int] = Counter()
        self._requests: dict[int, _Request] = {}
        self._awaited_count = 0

    def sent(self, sequence: int, now: float) -> None:
        """A request went out at `now`; a number may be used once."""
        if sequence in self._requests:
            raise ValueError(f"sequence {sequence} was sent before")
        self._requests[sequence] = _Request(now)
        self._awaited_count += 1

    def received(self, event: EchoEvent) -> None:
        """A reply or an error came; one of no request of ours, or from elsewhere, is ignored."""
        request = self._requests.get(event.sequence)
        if request is None:
            return
        if event.kind == "error":
            self._count_error(event)
        elif event.source != self.address:
            return  # somebody else answers: the host that was asked has not
        elif request.delay_s is not None:
            self.duplicate_count += 1
        else:
            self._answer(request, event)

    def expire(self, now: float) -> None:
        """Give up the requests whose wait is over."""
        for request in self._requests.values():
            if request.status is Status.AWAITED and now - request.sent_s >= self.timeout_s:
                self._settle(request, Status.LOST)

    def forget_unfinished(self, now: float) -> None:
        """Drop every request, answered or not, whose wait is not over at `now`.

        For a flow that is cut short: to keep the quick answers among them and to drop the rest
        would make the sample better than the path.
        """
        whole = {n: r for n, r in self._requests.items() if now - r.sent_s >= self.timeout_s}
        self._requests = whole
        self._awaited_count = sum(r.status is Status.AWAITED for r in whole.values())

    @property
    def awaited_until_s(self) -> float | None:
        """When the wait of the last awaited request is over; None if none is awaited."""
        if self._awaited_count == 0:
            return None
        awaited = (r.sent_s for r in self._requests.values() if r.status is Status.AWAITED)
        return max(awaited) + self.timeout_s

    def statuses(self) -> tuple[Status, ...]:
        """Each request's status, in the order of sending."""
        return tuple(request.status for request in self._requests.values())

    def round_trip_delays_s(self) -> tuple[float | None, ...]:
        """The delay of each request that was answered in time, None for the others, as sent."""
        return tuple(
            request.delay_s if request.status is Status.ANSWERED else None
            for request in self._requests.values()
        )

    def _answer(self, request: _Request, event: EchoEvent) -> None:
        request.delay_s = event.received_s - request.sent_s
        late = request.delay_s > self.timeout_s
        self._settle(request, Status.LATE if late else Status.ANSWERED)
        if event.ttl is not None:
            self.ttls[event.ttl] += 1
        if event.dscp is not None:
            self.dscps[event.dscp] += 1

    def _settle(self, request: _Request, status: Status) -> None:
        if request.status is Status.AWAITED:
            self._awaited_count -= 1
        request.status = status

    def _count_error(self, event: EchoEvent) -> None:
        kind = ErrorKind(event.icmp_type, event.icmp_code, event.source)
        if kind not in self.errors and len(self.errors) >= KINDS_OF_ERROR_MAX:
            kind = ErrorKind(event.icmp_type, None, None)
        self.errors[kind] += 1
