"""Which streams are the two ways of one conversation."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nethealth.passive.rtp_stream import RtpStream

_SAME_TIME_NS = 5_000_000_000  # the two ways of a call begin and end so near each other


def with_reverse(streams: Sequence[RtpStream]) -> Iterator[RtpStream]:
    """Each with the packets that came the other way between its two hosts at the same time."""
    between: dict[tuple[str, str], list[RtpStream]] = defaultdict(list)
    for stream in streams:
        between[stream.ends.source, stream.ends.destination].append(stream)
    for stream in streams:
        ends = stream.ends
        back = [
            other
            for other in between.get((ends.destination, ends.source), ())
            if other.first_ns <= stream.last_ns + _SAME_TIME_NS
            and other.last_ns >= stream.first_ns - _SAME_TIME_NS
        ]
        exact = [
            other
            for other in back
            if (other.ends.source_port, other.ends.destination_port)
            == (ends.destination_port, ends.source_port)
        ]
        yield replace(stream, reverse_packets=sum(each.received for each in exact or back))
