"""Packets of one kind, one after another: counts that are exact, delays in bounded memory."""

from nethealth.quality.delay import percentile
from nethealth.quality.emodel import JITTER_BUFFER_S, Quality, estimate
from nethealth.quality.loss import LossStatistics, from_runs
from nethealth.quality.sample import Sample
from nethealth.watch.view import Delay

KEPT_MOST = 2048  # delays of one series
QUALITY_PACKETS_MIN = 10  # as in `ping`: below, one lost packet alone decides the estimate


class Delays:
    """Delays of the packets that were answered, in seconds."""

    def __init__(self) -> None:
        self._sample = Sample(KEPT_MOST)
        self._last_s: float | None = None

    def add(self, delay_s: float | None) -> None:
        """The next packet's delay; None if it was not answered."""
        self._last_s = delay_s
        if delay_s is not None:
            self._sample.add(delay_s)

    @property
    def values(self) -> tuple[float, ...]:
        """An even share of all, in order."""
        return self._sample.values

    def summary(self) -> Delay | None:
        """None while nothing was answered."""
        least, greatest = self._sample.least, self._sample.greatest
        if least is None or greatest is None:
            return None
        kept = sorted(self._sample.values)
        return Delay(
            last_s=self._last_s,
            min_s=least,
            median_s=percentile(kept, 0.5),
            p95_s=percentile(kept, 0.95),
            max_s=greatest,
            pdv_p95_s=max(0.0, percentile(kept, 0.95) - least),
            pdv_p99_s=max(0.0, percentile(kept, 0.99) - least),
            samples=self._sample.count,
        )


class EchoSeries:
    """Packets that are answered or lost, in the order of sending."""

    def __init__(self, missed: int = 0) -> None:
        """`missed`: packets before the first that is added, none of which was answered."""
        self.sent = missed
        self.lost = missed
        self.delays = Delays()
        self._run = self._run_max = missed
        self._run_count = 1 if missed else 0

    def add(self, delay_s: float | None, *, answered: bool | None = None) -> None:
        """One packet; `answered` where it was, at an unknown delay."""
        got = delay_s is not None if answered is None else answered
        self.sent += 1
        self.delays.add(delay_s)
        if got:
            self._run = 0
            return
        self.lost += 1
        self._run_count += self._run == 0
        self._run += 1
        self._run_max = max(self._run_max, self._run)

    @property
    def answered(self) -> int:
        return self.sent - self.lost

    def loss(self) -> LossStatistics | None:
        """None while nothing was sent."""
        if not self.sent:
            return None
        return from_runs(self.sent, self.lost, self._run_max, self._run_count)

    def quality(self) -> Quality | None:
        """What a call would make of such packets, by the rule of `ping`; None while too few.

        Half of a round trip is taken for one way, and so half of its variation: what would carry
        it past the jitter buffer counts as lost. Of that an even share of the packets is known.
        """
        loss, delay = self.loss(), self.delays.summary()
        if loss is None or delay is None or loss.sent < QUALITY_PACKETS_MIN:
            return None
        latest_s = delay.min_s + 2 * JITTER_BUFFER_S
        kept = self.delays.values
        late = sum(value > latest_s for value in kept) / len(kept) * self.answered
        return estimate(
            one_way_delay_s=delay.median_s / 2,
            loss_ratio=min(1.0, (loss.lost + late) / loss.sent),
            burst_ratio=loss.burst_ratio,
        )
