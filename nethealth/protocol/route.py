"""The route to one address, hop by hop, from answers to packets that may pass so many routers.

Every packet of a trace is of one flow, so that routers which balance load by flow keep it on one
path (Augustin and others, "Avoiding traceroute anomalies with Paris traceroute", 2006). A probe is
known by its number: queries of hop 1 first, then those of hop 2, and so on.

First one probe a hop goes out, a few at a time, until something at the end answers; then the
further queries of each hop that lies before it. So no more than a few packets too many reach the
target, which would spend the few ICMP errors a second that it allows itself on them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from statistics import median

from nethealth.model.endpoint import Endpoint
from nethealth.model.ports import ProbeEvent

WINDOW = 4  # probes under way while the end of the route is not known
BURST = 16  # afterwards
HOLD_S = 0.5  # how long an unanswered probe keeps its place in the window

# Time exceeded in transit: the only error that says the packet would have gone on.
_EXCEEDED = {4: 11, 6: 3}
# Only the host itself says that it has no such port or protocol.
_AT_THE_HOST = {4: {(3, 2), (3, 3)}, 6: {(1, 4), (4, 1)}}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back of one probe in time."""

    delay_s: float
    event: ProbeEvent


@dataclass(frozen=True, slots=True)
class Hop:
    """All that is known of one hop; `answers` in the order of the queries."""

    number: int
    sent: int
    answers: tuple[Answer, ...]

    @property
    def reply_ratio(self) -> float:
        """Answers to packets sent. It is no loss: a router answers as seldom as it likes."""
        return len(self.answers) / self.sent

    @property
    def addresses(self) -> tuple[str, ...]:
        """Who answered, the most frequent first."""
        return tuple(one for one, _ in Counter(a.event.source for a in self.answers).most_common())

    @property
    def delay_median_s(self) -> float | None:
        return median(answer.delay_s for answer in self.answers) if self.answers else None


@dataclass(slots=True)
class _Probe:
    sent_s: float
    answer: Answer | None = None


@dataclass(slots=True)
class Trace:
    """The state of one trace; times are monotonic seconds of one clock.

    An answer counts if it comes within `timeout_s` of its probe. With `serial`, only one probe is
    under way at any time.
    """

    target: str
    hops_max: int
    queries: int
    timeout_s: float
    serial: bool = False
    unmatched_count: int = 0  # answers of which nobody can say which probe they are of
    _probes: dict[int, _Probe] = field(default_factory=dict, init=False)
    _next_hop: int = field(default=1, init=False)
    _end: int | None = field(default=None, init=False)  # the first hop that ends the route
    # what is left to ask once the end is known
    _again: list[int] | None = field(default=None, init=False)

    @property
    def version(self) -> int:
        return ip_address(self.target).version

    def hop_of(self, probe: int) -> int:
        """The hop, counted from 1, that a probe asks; it is the packet's TTL."""
        return probe // self.queries + 1

    def next_probe(self, now: float) -> int | None:
        """The probe to send now; None if it is time to wait, or nothing is left to send."""
        under_way = sum(self._holds(probe, now) for probe in self._probes.values())
        if under_way >= (1 if self.serial else WINDOW if self._searching else BURST):
            return None
        if self._searching:
            return (self._next_hop - 1) * self.queries
        if self._again is None:
            if self._end is None and under_way:
                return None  # one of these may still be the end
            self._again = [
                (hop - 1) * self.queries + query
                for query in range(1, self.queries)
                for hop in range(1, self._last + 1)
            ]
        return self._again[0] if self._again else None

    def sent(self, probe: int, now: float) -> None:
        """`probe`, which `next_probe` named, went out at `now`."""
        self._probes[probe] = _Probe(now)
        if self._searching:
            self._next_hop += 1
        elif self._again:
            self._again.remove(probe)

    def received(self, event: ProbeEvent) -> None:
        """An answer; one of no probe of ours, a second one, and one that is late are ignored."""
        number = self._number(event)
        probe = self._probes.get(number) if number is not None else None
        if number is None or probe is None or probe.answer is not None:
            return
        delay_s = event.received_s - probe.sent_s
        if delay_s > self.timeout_s:
            return
        probe.answer = Answer(delay_s, event)
        if self._is_end(event):
            hop = self.hop_of(number)
            self._end = hop if self._end is None else min(self._end, hop)

    def wake_s(self, now: float) -> float | None:
        """When `next_probe` or `finished` may change of themselves; None if nothing is awaited."""
        moments = [
            moment
            for probe in self._probes.values()
            if probe.answer is None
            for moment in (probe.sent_s + self._hold_s, probe.sent_s + self.timeout_s)
            if moment > now
        ]
        return min(moments, default=None)

    def finished(self, now: float) -> bool:
        """Whether all is sent, and every probe that counts is answered or given up."""
        if self._searching or self._again is None or self._again:
            return False
        return not any(
            probe.answer is None and now - probe.sent_s < self.timeout_s
            for number, probe in self._probes.items()
            if self.hop_of(number) <= self._last
        )

    @property
    def ended(self) -> bool:
        """Whether somebody said that the way is at its end, be it the target or a router."""
        return self._end is not None

    @property
    def reached(self) -> bool:
        """Whether the target itself answered."""
        return self._end is not None and any(map(self.at_target, self._answers(self._end)))

    def at_target(self, answer: Answer) -> bool:
        """Whether an answer came from the target, perhaps by another of its addresses."""
        event = answer.event
        own = event.kind == "reply" or ip_address(event.source) == ip_address(self.target)
        code = (event.icmp_type or 0, event.icmp_code or 0)
        return own or code in _AT_THE_HOST[self.version]

    def hops(self) -> tuple[Hop, ...]:
        """The route as far as anything answered; beyond that there is nothing to list."""
        found = []
        for number in range(1, self._last + 1):
            sent = [one for one in self._probes if self.hop_of(one) == number]
            if sent:
                found.append(Hop(number, len(sent), self._answers(number)))
        return tuple(found)

    @property
    def _searching(self) -> bool:
        return self._end is None and self._next_hop <= self.hops_max

    @property
    def _last(self) -> int:
        if self._end is not None:
            return self._end
        answered = (self.hop_of(number) for number, one in self._probes.items() if one.answer)
        return max(answered, default=0)

    @property
    def _hold_s(self) -> float:
        return self.timeout_s if self.serial else min(HOLD_S, self.timeout_s)

    def _holds(self, probe: _Probe, now: float) -> bool:
        return probe.answer is None and now - probe.sent_s < self._hold_s

    def _answers(self, hop: int) -> tuple[Answer, ...]:
        first = (hop - 1) * self.queries
        asked = (self._probes.get(number) for number in range(first, first + self.queries))
        return tuple(probe.answer for probe in asked if probe is not None and probe.answer)

    def _number(self, event: ProbeEvent) -> int | None:
        """The probe that is answered; of a quotation too short to tell, the only one awaited."""
        if event.probe is not None:
            return event.probe
        awaited = [number for number, probe in self._probes.items() if probe.answer is None]
        if len(awaited) == 1:
            return awaited[0]
        self.unmatched_count += 1
        return None

    def _is_end(self, event: ProbeEvent) -> bool:
        return event.kind == "reply" or event.icmp_type != _EXCEEDED[self.version]


def path_loss_ratios(hops: Sequence[Hop], reached: bool) -> tuple[float | None, ...]:
    """The share of packets lost on the way to each hop, whatever the hop itself cares to answer.

    1. A packet that a later hop answered had passed every hop before it.
    2. So what got as far as a hop is the best reply ratio of that hop and of all later ones; only
       what is missing from that is lost. A router that limits its ICMP loses nothing.
    3. Of the last hop that answers, if it is not the target, nobody can tell: None.
    """
    return losses_on_the_way([hop.reply_ratio for hop in hops], reached)


def losses_on_the_way(reply_ratios: Sequence[float], reached: bool) -> tuple[float | None, ...]:
    """The same rule for the reply ratios of consecutive hops, of one trace or of many."""
    ratios: list[float | None] = []
    best = 0.0
    for index, replied in enumerate(reversed(reply_ratios)):
        best = max(best, replied)
        known = reached or index > 0
        ratios.append(1 - best if known else None)
    return tuple(reversed(ratios))


def translated(event: ProbeEvent, local: Endpoint) -> bool | None:
    """Whether a quotation shows another sender than us; None where it shows none.

    A translator that also puts the quotation right on its way back, as Linux does, hides here.
    """
    quoted = event.quoted_source
    if quoted is None:
        return None
    return quoted.port != local.port or ip_address(quoted.address) != ip_address(
        local.address.partition("%")[0]
    )
