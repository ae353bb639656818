"""Stretches of time as pairs of seconds since 1970: sorted, apart, their ends excluded."""

from collections.abc import Sequence

Span = tuple[int, int]
Spans = Sequence[Span]


def total(spans: Spans) -> int:
    """Seconds in all."""
    return sum(end - start for start, end in spans)


def both(one: Spans, other: Spans) -> list[Span]:
    """Where both are."""
    found: list[Span] = []
    at = 0
    for start, end in one:
        while at < len(other) and other[at][1] <= start:
            at += 1
        here = at
        while here < len(other) and other[here][0] < end:
            found.append((max(start, other[here][0]), min(end, other[here][1])))
            here += 1
    return found


def everywhere(several: Sequence[Spans]) -> list[Span]:
    """Where all of them are."""
    found = list(several[0]) if several else []
    for spans in several[1:]:
        found = both(found, spans)
    return found


def without(one: Spans, other: Spans) -> list[Span]:
    """Where the first is and the second is not."""
    found: list[Span] = []
    for start, end in one:
        begins = start
        for left, right in other:
            if right <= begins or left >= end:
                continue
            if left > begins:
                found.append((begins, left))
            begins = max(begins, right)
        if begins < end:
            found.append((begins, end))
    return found


def lasting(spans: Spans, least_s: float) -> list[Span]:
    """Those that last at least so long."""
    return [(start, end) for start, end in spans if end - start >= least_s]
