"""What a watch shows at one moment: values alone, without a word on how they are drawn."""

from dataclasses import dataclass
from typing import Literal

from nethealth.quality.emodel import Quality
from nethealth.quality.loss import LossStatistics

Direction = Literal["round-trip", "forward", "return"]


@dataclass(frozen=True, slots=True)
class Delay:
    """Delays so far, in seconds; `last_s` is null where the latest packet was not answered.

    Quantiles are of an even share of all values; the ends and `samples` are exact.
    """

    last_s: float | None
    min_s: float
    median_s: float
    p95_s: float
    max_s: float
    pdv_p95_s: float  # RFC 5481: above the least
    pdv_p99_s: float
    samples: int


@dataclass(frozen=True, slots=True)
class HopLine:
    """One hop over all rounds in which a packet went to it.

    `loss_ratio` is that on the way to the hop, by the rule of `route`: a router's own silence is
    none. It is null where nobody can tell. `marks`: every DSCP that was quoted, the latest first.
    """

    number: int
    addresses: tuple[str, ...]  # the most frequent first; none while it is silent
    rounds: int
    answered: int
    loss_ratio: float | None
    loss_interval: tuple[float, float] | None
    delay: Delay | None
    marks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WayLine:
    """One direction of the packets to the far end, or both at once.

    `quality` is null while nothing was measured that it could rest on. `marks` as of a hop.
    """

    direction: Direction
    loss: LossStatistics | None
    pdv_p95_s: float | None
    pdv_p99_s: float | None
    marks: tuple[int, ...]
    quality: Quality | None
    note: str | None = None  # why a value is missing, in plain words


@dataclass(frozen=True, slots=True)
class SipLine:
    """OPTIONS and its answers; `code` of the latest request, null where it was not answered."""

    asked: int
    answered: int
    code: int | None
    phrase: str
    codes: tuple[int, ...]  # all that came
    server: str | None
    delay: Delay | None


@dataclass(frozen=True, slots=True)
class View:
    """All of it. `faults` are words for rounds that could not be measured, the latest of a kind."""

    target: str
    address: str | None
    elapsed_s: float
    since_reset_s: float
    interval_s: float
    paused: bool
    dscp: int | None  # as sent on the path
    path_rounds: int
    path_reached: bool
    path_lengths: tuple[int, ...]  # every length that was seen
    hops: tuple[HopLine, ...]
    stream: str | None  # "ping" or "stamp"
    stream_rounds: int
    sent_dscp: int | None  # of that stream
    delay: Delay | None
    ways: tuple[WayLine, ...]
    sip: SipLine | None
    faults: tuple[str, ...]
