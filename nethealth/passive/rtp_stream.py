"""One RTP stream as the capture has it, when all of it was seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from nethealth.passive.announced import AnnouncedMedia, Encoding
from nethealth.passive.rtp_loss import StreamLoss
from nethealth.passive.rtp_progress import LossSeries
from nethealth.passive.rtp_rows import Ends

Known = Literal["signalling", "evidence"]  # by what a stream is known to be one


@dataclass(frozen=True, slots=True)
class RtpStream:
    """Counts of packets, times in nanoseconds since 1970, statistics in seconds.

    `encoding`: of the payload type that most packets bear, None if nobody said and RFC 3551 does
    not. `clock_hz`: 0 where it is not known, and then there is no jitter;
    nor where it is `clock_broken`, its time stamps or the capture's jumping about. `received` holds
    duplicates, as the contract has it. `media`: the endpoint announced that it goes to or is from.
    """

    ends: Ends
    known_by: Known
    media: AnnouncedMedia | None
    encoding: Encoding | None
    clock_hz: int
    clock_broken: bool
    packet_s: float | None
    first_ns: int
    last_ns: int
    expected: int
    received: int
    duplicated: int
    reordered: int
    restarts: int
    strays: int
    loss: StreamLoss
    jitter_mean_s: float | None
    jitter_max_s: float | None
    delta_min_s: float | None
    delta_max_s: float | None
    silences: int
    silence_s: float | None
    late: int
    pdv_p95_s: float | None
    pdv_p99_s: float | None
    clock_error_ppm: float | None
    clock_error_interval_ppm: tuple[float, float] | None
    payload_types: Mapping[int, int]
    dscps: Mapping[int, int]
    vlans: Mapping[int, int]
    octets: int
    reverse_packets: int = 0
    loss_over_time: LossSeries | None = None  # of a stream that lost anything

    @property
    def payload_type(self) -> int:
        """The commonest."""
        return max(self.payload_types, key=lambda number: self.payload_types[number])

    @property
    def duration_s(self) -> float:
        return (self.last_ns - self.first_ns) / 1e9

    @property
    def codec(self) -> str:
        """The name of its rtpmap; `type 97` where nobody said what that is."""
        return self.encoding.name if self.encoding else f"type {self.payload_type}"
