"""What a check `coexistence` saw of one load: both classes beside it, and the hosts it watched."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from nethealth.diagnosis.evidence import Host, Round, number
from nethealth.diagnosis.streams import Way
from nethealth.model.observation import Interval, Observation
from nethealth.quality.loss import LossStatistics, from_burst_ratio

BEFORE, AFTER = "before", "after"
NEAR, GATEWAY = "near", "gateway"
BEST_EFFORT = 0
_WAYS: dict[str, Way] = {"download": "forward", "upload": "return"}
GUARD_PACKETS_LEAST = 3


@dataclass(frozen=True, slots=True)
class Wait:
    """How much longer than on the idle line packets took, and the 95 % interval."""

    seconds: float
    interval: Interval
    seen: Observation


@dataclass(frozen=True, eq=False)
class Loaded:
    """One load that was made: `phase` names it, `way` is the direction that it filled."""

    host: Host
    one: Round
    phase: str
    way: Way

    @cached_property
    def voice(self) -> int | None:
        """The mark of the stream that stands for voice."""
        marks = [seen.method.get("dscp") for seen in self.one.all("packets_sent_count")]
        return next((mark for mark in marks if isinstance(mark, int) and mark), None)

    def seen(self, name: str, phase: str | None = None, **method: object) -> Observation | None:
        """The observation of this phase (or that), with these further keys of its passport."""
        wanted = {"phase": phase or self.phase, **method}
        return next(
            (
                seen
                for seen in self.one.all(name)
                if all(seen.method.get(key) == value for key, value in wanted.items())
            ),
            None,
        )

    def wait(self, dscp: int, phase: str | None = None) -> Wait | None:
        """Of one class in the loaded direction, else of its round trip."""
        for direction in (self.way, "round-trip"):
            seen = self.seen("queueing_delay_median_s", phase, dscp=dscp, direction=direction)
            value = number(seen) if seen else None
            if seen is not None and value is not None and seen.interval is not None:
                return Wait(value, seen.interval, seen)
        return None

    def loss(self, dscp: int, phase: str | None = None) -> LossStatistics | None:
        """Of one class in the loaded direction."""
        ratio = self.seen("packet_loss_ratio", phase, dscp=dscp, direction=self.way)
        lost = self.seen("packets_lost_count", phase, dscp=dscp, direction=self.way)
        count = number(lost) if lost else None
        if ratio is None or not ratio.samples or count is None or not 0 <= count <= ratio.samples:
            return None
        burst = self.seen("packet_loss_burst_ratio", phase, dscp=dscp, direction=self.way)
        return from_burst_ratio(ratio.samples, int(count), number(burst) if burst else None)

    def variation_s(self, dscp: int, phase: str) -> float | None:
        """99th percentile of the delay above the least, in the loaded direction."""
        seen = self.seen("pdv_p99_s", phase, dscp=dscp, direction=self.way)
        return number(seen) if seen else None

    def guard_rise_s(self, guard: str) -> float | None:
        """How much longer a watched host's round trips took than on the idle line."""
        values = [
            number(seen)
            for phase in (BEFORE, self.phase)
            if (seen := self.seen("guard_round_trip_delay_median_s", phase, guard=guard))
            and (seen.samples or 0) >= GUARD_PACKETS_LEAST
        ]
        if len(values) != 2 or values[0] is None or values[1] is None:
            return None
        return values[1] - values[0]

    def mark_received(self) -> tuple[int, int] | None:
        """The mark of voice as it was sent and as it came, in the loaded direction."""
        for seen in self.one.all("dscp_received"):
            if seen.method.get("direction") != self.way or not seen.method.get("dscp"):
                continue
            sent = seen.method.get("dscp" if self.way == "forward" else "expected")
            came = number(seen)
            return (sent, int(came)) if isinstance(sent, int) and came is not None else None
        return None

    @property
    def rate_mbps(self) -> float:
        seen = self.seen("load_rate_bps")
        return (number(seen) or 0.0) / 1e6 if seen else 0.0

    @property
    def ended_by(self) -> str:
        seen = self.seen("load_ended_by")
        return str(seen.value)[:300] if seen else "not recorded"

    @property
    def timer_error_s(self) -> float:
        """How late the machine's own packets left."""
        return self.one.number("send_timer_error_p99_s") or 0.0

    @property
    def words(self) -> str:
        """`a download of 4.0 Mbit/s`."""
        article = "an" if self.phase == "upload" else "a"
        return f"{article} {self.phase} of {self.rate_mbps:.1f} Mbit/s"


def loads_of(hosts: Sequence[Host]) -> Iterator[Loaded]:
    """Each load that was made at these hosts, of each check the last round."""
    for host in hosts:
        for series in host.of("coexistence"):
            if not series.rounds:
                continue
            one = series.rounds[-1]
            for seen in one.all("load_rate_bps"):
                phase = seen.method.get("phase")
                if isinstance(phase, str) and phase in _WAYS and number(seen) is not None:
                    yield Loaded(host, one, phase, _WAYS[phase])
