"""What goes to the far end and comes back: echo requests one by one, or streams of STAMP."""

from collections.abc import Sequence

from nethealth.model.check import StampParameters
from nethealth.model.observation import Observation
from nethealth.quality.delay import percentile
from nethealth.quality.emodel import Quality, estimate
from nethealth.quality.loss import LossStatistics, from_burst_ratio, pool
from nethealth.quality.sample import Sample
from nethealth.watch.marks import Marks
from nethealth.watch.series import KEPT_MOST, Delays, EchoSeries
from nethealth.watch.view import Delay, Direction, WayLine

WAYS: tuple[Direction, ...] = ("round-trip", "forward", "return")


class EchoHistory:
    """Rounds of `ping` with one packet each."""

    def __init__(self) -> None:
        self.rounds = 0
        self.series = EchoSeries()
        self._marks = Marks()

    def take(self, observations: Sequence[Observation]) -> None:
        """One round; one that sent nothing is none."""
        if not number(observations, "packets_sent_count"):
            return
        self.rounds += 1
        got = bool(number(observations, "packets_received_count"))
        self.series.add(number(observations, "round_trip_delay_median_s"), answered=got)
        mark = first(observations, "dscp_received")
        if mark is not None:
            self._marks.add(mark.value)

    @property
    def delay(self) -> Delay | None:
        return self.series.delays.summary()

    def ways(self) -> tuple[WayLine, ...]:
        """One line: an echo cannot tell the directions apart."""
        delay = self.delay
        return (
            WayLine(
                "round-trip",
                self.series.loss(),
                delay.pdv_p95_s if delay else None,
                delay.pdv_p99_s if delay else None,
                self._marks.values,
                self.series.quality(),
            ),
        )


class _Way:
    """One direction of the streams."""

    def __init__(self) -> None:
        self.loss: LossStatistics | None = None
        self.heard: LossStatistics | None = None  # lost, or too late for a jitter buffer
        self.pdv_p95_s, self.pdv_p99_s = Sample(KEPT_MOST), Sample(KEPT_MOST)
        self.marks = Marks()
        self.note: str | None = None

    def take(self, observations: Sequence[Observation], direction: str) -> None:
        mine = [one for one in observations if one.method.get("direction") == direction]
        loss = first(mine, "packet_loss_ratio")
        if loss is None:
            return
        lost = first(mine, "packets_lost_count")
        if not isinstance(loss.value, float) or lost is None or not isinstance(lost.value, int):
            reason = loss.method.get("reason")
            self.note = reason if isinstance(reason, str) else "not known"
            return
        self.note = None
        sent = loss.samples or 0
        if not sent:
            return
        burst = number(mine, "packet_loss_burst_ratio")
        run_max = int(number(mine, "packet_loss_run_max_packets") or 0)
        self.loss = _more(self.loss, from_burst_ratio(sent, lost.value, burst, run_max))
        for name, sample in (("pdv_p95_s", self.pdv_p95_s), ("pdv_p99_s", self.pdv_p99_s)):
            value = number(mine, name)
            if value is not None:
                sample.add(value)
        mark = first(mine, "dscp_received")
        if mark is not None:
            self.marks.add(mark.value)
        score = first(mine, "r_factor")
        ratio = None if score is None else score.method.get("loss_ratio")
        missed = round(ratio * sent) if isinstance(ratio, float) else lost.value
        self.heard = _more(self.heard, from_burst_ratio(sent, min(sent, missed), burst))


class StampHistory:
    """Rounds of `stamp`, each a short stream."""

    def __init__(self, parameters: StampParameters) -> None:
        self.rounds = 0
        self._parameters = parameters
        self._delays = Delays()
        self._least_s: float | None = None
        self._ways: dict[Direction, _Way] = {way: _Way() for way in WAYS}

    def take(self, observations: Sequence[Observation]) -> None:
        """One round; one that sent nothing is none."""
        if not number(observations, "packets_sent_count"):
            return
        self.rounds += 1
        self._delays.add(number(observations, "round_trip_delay_median_s"))
        least_s = number(observations, "round_trip_delay_min_s")
        if least_s is not None:
            self._least_s = least_s if self._least_s is None else min(self._least_s, least_s)
        for direction, way in self._ways.items():
            way.take(observations, direction)

    @property
    def delay(self) -> Delay | None:
        """Of the medians of the rounds."""
        return self._delays.summary()

    @property
    def least_s(self) -> float | None:
        """The least round trip of any packet."""
        return self._least_s

    def ways(self) -> tuple[WayLine, ...]:
        """Each direction; the round trip alone scores where the reflector tells none."""
        apart = self._ways["forward"].loss is not None
        lines = []
        for direction in WAYS:
            way = self._ways[direction]
            scored = apart is (direction != "round-trip")
            lines.append(
                WayLine(
                    direction,
                    way.loss,
                    _median(way.pdv_p95_s),
                    _median(way.pdv_p99_s),
                    way.marks.values,
                    self._quality(way) if scored else None,
                    way.note,
                )
            )
        return tuple(lines)

    def _quality(self, way: _Way) -> Quality | None:
        if way.heard is None or self._least_s is None:
            return None
        return estimate(
            one_way_delay_s=self._least_s / 2,
            loss_ratio=way.heard.ratio,
            burst_ratio=way.heard.burst_ratio,
        )


def first(observations: Sequence[Observation], name: str) -> Observation | None:
    """The first of this name."""
    return next((one for one in observations if one.name == name), None)


def number(observations: Sequence[Observation], name: str) -> float | None:
    """The first value of this name, if it is a number."""
    one = first(observations, name)
    if one is None or isinstance(one.value, bool) or not isinstance(one.value, int | float):
        return None
    return one.value


def _more(so_far: LossStatistics | None, part: LossStatistics) -> LossStatistics:
    return part if so_far is None else pool((so_far, part))


def _median(sample: Sample) -> float | None:
    return percentile(sample.values, 0.5) if sample.values else None
