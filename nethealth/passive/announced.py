"""Media announced and media found: what the SIP and the RTP analysis tell each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nethealth.model.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Encoding:
    """What a payload type stands for: `a=rtpmap` and `a=fmtp` of SDP (RFC 8866)."""

    name: str  # as in rtpmap, such as PCMA
    clock_hz: int
    channels: int = 1
    parameters: str = ""  # of fmtp, as they stand


@dataclass(frozen=True, slots=True)
class AnnouncedMedia:
    """One end of a stream: where somebody said that it receives media.

    `address` as text; `port` that of RTP. `from_ns` and `until_ns`: since 1970, from the packet
    that announced it to the one that ended it (None: until the capture's end).
    `encodings` by payload type. `sends_from`: whether this end may also send from there.
    """

    address: str
    port: int
    from_ns: int
    until_ns: int | None = None
    encodings: Mapping[int, Encoding] = field(default_factory=dict)
    packet_s: float | None = None  # a=ptime
    call_id: str | None = None
    media: str = "audio"


@dataclass(frozen=True, slots=True)
class StreamEnds:
    """One RTP stream as far as calls and far ends are concerned; times since 1970.

    `packets` as received, duplicates included; `lost` as expected less distinct received. What is
    not known is None.
    """

    source: Endpoint
    destination: Endpoint
    packets: int
    first_ns: int
    last_ns: int
    ssrc: int | None = None
    expected: int | None = None
    lost: int | None = None
    jitter_mean_s: float | None = None
    clock_hz: int | None = None


class MediaBook:
    """The endpoints announced so far, in the order in which they were; at the end, the streams."""

    def __init__(self) -> None:
        self._media: list[AnnouncedMedia] = []
        self._at: dict[tuple[str, int], list[AnnouncedMedia]] = {}
        self._streams: list[StreamEnds] = []

    def __len__(self) -> int:
        return len(self._media)

    def announce(self, media: AnnouncedMedia) -> None:
        self._media.append(media)
        self._at.setdefault((media.address, media.port), []).append(media)

    def at(self, address: str, port: int) -> Sequence[AnnouncedMedia]:
        """What was announced of one endpoint, in the order in which it was."""
        return self._at.get((address, port), ())

    def all(self) -> tuple[AnnouncedMedia, ...]:
        return tuple(self._media)

    def found(self, stream: StreamEnds) -> None:
        """Told by the RTP analysis when it is asked for its results."""
        self._streams.append(stream)

    def streams(self) -> tuple[StreamEnds, ...]:
        return tuple(self._streams)
