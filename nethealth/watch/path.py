"""The path over many traces of one packet a hop."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from nethealth.model.observation import Observation
from nethealth.protocol.route import losses_on_the_way
from nethealth.quality.loss import wilson
from nethealth.watch.marks import Marks
from nethealth.watch.series import EchoSeries
from nethealth.watch.view import HopLine

ADDRESSES_MAX = 16  # kept of one hop
LENGTHS_MAX = 8


_Found = Mapping[str, Mapping[int, Observation]]


class _HopHistory:
    def __init__(self, missed: int) -> None:
        self.series = EchoSeries(missed)
        self.addresses: Counter[str] = Counter()
        self.marks = Marks()
        self.last: Observation | None = None  # the latest answer of `hop_address`


class PathHistory:
    """What each hop answered in all rounds."""

    def __init__(self) -> None:
        self.rounds = 0
        self.reached = 0
        self.lengths: Counter[int] = Counter()  # that are certain
        self.end: int | None = None  # the hop that is the target
        self._hops: dict[int, _HopHistory] = {}

    def take(self, observations: Sequence[Observation]) -> None:
        """One trace; one that sent nothing is no round."""
        ending = next((one for one in observations if one.name == "route_reached"), None)
        if ending is None or not isinstance(ending.value, bool):
            return
        found = {name: _by_hop(observations, name) for name in _NAMES}
        answers = found["hop_address"]
        last = max(answers, default=0)
        if ending.value:
            self._reached_at(last, answers)
            length = self.end or last
            self.reached += 1
        else:
            # the trace tells nothing of hops behind the last answer, but packets went for them
            length = max(last, max(self._hops, default=0))
        for number in range(1, length + 1):
            if number not in self._hops:
                self._hops[number] = _HopHistory(self.rounds + bool(ending.value) - self.reached)
            self._hop(self._hops[number], number, found)
        self.rounds += 1

    def _reached_at(self, last: int, answers: Mapping[int, Observation]) -> None:
        """Where the target stands, after it answered a packet that could pass `last` hops.

        A packet that may pass more routers than there are is answered by the target too: of a
        trace in which the packet meant for the target is lost, the next hop's is the first to be
        answered. So the way has grown only if a router answers at the target's own place.
        """
        if self.end is not None and last > self.end and not _answered(answers.get(self.end)):
            return
        self.end = last
        for number in [number for number in self._hops if number > last]:
            del self._hops[number]
        certain = last == 1 or _answered(answers.get(last - 1))
        if certain and (last in self.lengths or len(self.lengths) < LENGTHS_MAX):
            self.lengths[last] += 1

    def _hop(
        self, hop: _HopHistory, number: int, found: Mapping[str, Mapping[int, Observation]]
    ) -> None:
        address = found["hop_address"].get(number)
        answered = _answered(address)
        delay = found["hop_round_trip_delay_median_s"].get(number)
        delay_s = delay.value if delay is not None and isinstance(delay.value, float) else None
        hop.series.add(delay_s, answered=answered)
        if address is not None and isinstance(address.value, str):
            hop.last = address
            if address.value in hop.addresses or len(hop.addresses) < ADDRESSES_MAX:
                hop.addresses[address.value] += 1
        quoted = found["hop_dscp_quoted"].get(number)
        if quoted is not None:
            hop.marks.add(quoted.value)

    def last_answer(self, number: int) -> Observation | None:
        """The latest answer of a hop, with its passport."""
        return self._hops[number].last

    def lines(self) -> tuple[HopLine, ...]:
        """The hops, up to the last that was ever heard."""
        heard = [number for number, hop in self._hops.items() if hop.series.answered]
        hops = [self._hops[number] for number in range(1, max(heard, default=0) + 1)]
        ratios = [hop.series.answered / hop.series.sent for hop in hops]
        losses = losses_on_the_way(ratios, self.reached > 0)
        return tuple(
            _line(number, hop, loss)
            for number, (hop, loss) in enumerate(zip(hops, losses, strict=True), 1)
        )


_NAMES = ("hop_address", "hop_round_trip_delay_median_s", "hop_dscp_quoted")


def _answered(address: Observation | None) -> bool:
    return address is not None and isinstance(address.value, str)


def _by_hop(observations: Iterable[Observation], name: str) -> dict[int, Observation]:
    return {
        hop: one
        for one in observations
        if one.name == name and isinstance(hop := one.method.get("hop"), int)
    }


def _line(number: int, hop: _HopHistory, loss_ratio: float | None) -> HopLine:
    series = hop.series
    own = series.loss()
    interval = None
    if loss_ratio is not None and own is not None:
        # of what the hop itself did not answer it is known how it clusters
        same = abs(own.ratio - loss_ratio) < 1e-12
        lost = min(max(0.0, loss_ratio * series.sent), series.sent)
        interval = own.interval if same else wilson(lost, series.sent)
    return HopLine(
        number=number,
        addresses=tuple(address for address, _ in hop.addresses.most_common()),
        rounds=series.sent,
        answered=series.answered,
        loss_ratio=loss_ratio,
        loss_interval=interval,
        delay=series.delays.summary(),
        marks=hop.marks.values,
    )
