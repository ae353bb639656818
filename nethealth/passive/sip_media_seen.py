"""Media announced beside media seen: which way a call's RTP went past the capture point."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from nethealth.model.endpoint import Endpoint
from nethealth.passive.announced import StreamEnds
from nethealth.passive.sip_call import Call, MediaEnd

SECOND_NS = 1_000_000_000
TALK_MIN_S = 2.0  # a shorter call may end before the first packet is played
# "towards the caller" and so on: where RTP went; "none" beside an answered call of some length
MediaSeen = Literal["both ways", "towards the caller", "towards the callee", "none"]


@dataclass(frozen=True, slots=True)
class EndSeen:
    """One announced end, and the RTP packets that went to it and came from it."""

    end: MediaEnd
    packets_to: int
    packets_from: int
    other_sources: tuple[str, ...]  # the peer's packets came from elsewhere than it announced


class StreamBook:
    """Streams by their ends, to be asked for those of a call."""

    def __init__(self, streams: Iterable[StreamEnds]) -> None:
        self._to: dict[Endpoint, list[StreamEnds]] = defaultdict(list)
        self._from: dict[Endpoint, list[StreamEnds]] = defaultdict(list)
        for stream in streams:
            self._to[stream.destination].append(stream)
            self._from[stream.source].append(stream)

    def ends(self, call: Call) -> tuple[EndSeen, ...]:
        """Each announced end of audio, with what was seen at it while the call lasted."""
        announced = {end.announced.endpoint for end in call.media}
        found = []
        for end in call.media:
            endpoint = end.announced.endpoint
            if endpoint is None or end.announced.kind != "audio":
                continue
            towards = _during(self._to.get(endpoint, ()), call)
            away = _during(self._from.get(endpoint, ()), call)
            strangers = {str(one.source) for one in towards if one.source not in announced}
            found.append(
                EndSeen(
                    end,
                    sum(one.packets for one in towards),
                    sum(one.packets for one in away),
                    tuple(sorted(strangers))[:4],
                )
            )
        return tuple(found)


def media_seen(call: Call, ends: Iterable[EndSeen]) -> MediaSeen | None:
    """Which way the audio of an answered call was seen; None where nothing can be said.

    Towards a side is what went to an address that it announced. One that comes from such an address
    counts as going to the other side, since behind a NAT the destination may not be as announced.
    """
    if call.answered_ns is None or not _long_enough(call):
        return None
    ends = tuple(ends)
    if {one.end.side for one in ends} != {"caller", "callee"}:
        return None
    caller = any(_heard(one) for one in ends if one.end.side == "caller") or any(
        one.packets_from for one in ends if one.end.side == "callee"
    )
    callee = any(_heard(one) for one in ends if one.end.side == "callee") or any(
        one.packets_from for one in ends if one.end.side == "caller"
    )
    return _ways(caller, callee)


def media_expected(call: Call) -> MediaSeen | None:
    """Which way the descriptions let audio go; None where one side has given none (RFC 3264)."""
    sides: dict[str, set[str]] = {"caller": set(), "callee": set()}
    for end in call.media:
        if end.announced.kind == "audio" and end.announced.endpoint is not None:
            sides[end.side].add(end.announced.direction)
    if not sides["caller"] or not sides["callee"]:
        return None
    receives = {"sendrecv", "recvonly"}
    sends = {"sendrecv", "sendonly"}
    caller = bool(sides["caller"] & receives and sides["callee"] & sends)
    callee = bool(sides["callee"] & receives and sides["caller"] & sends)
    return _ways(caller, callee)


def _ways(caller: bool, callee: bool) -> MediaSeen:
    """By who is reached."""
    if caller and callee:
        return "both ways"
    if caller:
        return "towards the caller"
    return "towards the callee" if callee else "none"


def _heard(end: EndSeen) -> bool:
    return end.packets_to > 0


def _long_enough(call: Call) -> bool:
    until_ns = call.bye_ns if call.bye_ns is not None else call.until_ns
    return (until_ns - (call.answered_ns or 0)) / SECOND_NS >= TALK_MIN_S


def _during(streams: Iterable[StreamEnds], call: Call) -> list[StreamEnds]:
    """Those that belong to the call: most of the stream or of the call lies in the other.

    Telephones use the same port for one call after the other, so that touching is not enough.
    """
    return [one for one in streams if _belongs(one, call)]


def _belongs(stream: StreamEnds, call: Call) -> bool:
    common_ns = min(stream.last_ns, call.until_ns) - max(stream.first_ns, call.first_ns)
    shorter_ns = min(stream.last_ns - stream.first_ns, call.until_ns - call.first_ns)
    return common_ns >= 0 and 2 * common_ns >= shorter_ns
