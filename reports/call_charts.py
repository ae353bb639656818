"""Charts beside the calls of a capture: REGISTERs over time, and loss over time for each call."""

from collections.abc import Iterator, Mapping, Sequence

from nethealth.model.observation import Observation, Scalar
from reports.document import Column, SeriesChart, Table
from reports.words import count, percent

BINS_DRAWN = 60
_TABLE_ROWS = 20

Seen = Mapping[str, Sequence[Observation]]


def rate_chart(seen: Seen) -> SeriesChart | None:
    """REGISTERs over time; None where they came in too few bins to draw."""
    one = next(iter(seen.get("registration_requests_per_s_max", ())), None)
    if one is None:
        return None
    width_s, requests = one.method.get("bin_s"), _amounts(one, "requests")
    if not isinstance(width_s, int | float) or len(requests) < 3:
        return None
    wide = -(-len(requests) // BINS_DRAWN)
    amounts = [sum(requests[at : at + wide]) for at in range(0, len(requests), wide)]
    width_s *= wide
    refused = sum(_amounts(one, "refusals"))
    start_s = one.t_s or 0.0
    points = tuple((start_s + index * width_s, float(n)) for index, n in enumerate(amounts))
    description = (
        f"{count(sum(amounts), 'REGISTER request')} in bins of {width_s:g} s, at most "
        f"{max(amounts):,} in one; {refused:,} refused, challenges aside."
    )
    fullest = sorted(range(len(amounts)), key=lambda index: -amounts[index])[:_TABLE_ROWS]
    rows = tuple(
        (f"{points[index][0]:,.0f} s", f"{amounts[index]:,}")
        for index in sorted(fullest)
        if amounts[index]
    )
    columns = (Column("Time since the start"), Column("Requests", numeric=True))
    table = Table("REGISTER requests, the fullest bins", columns, rows, telling=0)
    return SeriesChart("registrations", "Registrations over time", description, "", points, table)


def loss_charts(seen: Seen, call: Scalar, began_s: float, limit: float) -> Iterator[SeriesChart]:
    """Loss over time of each stream of a call that lost anything, from the call's first message."""
    ends = {
        str(one.value)
        for one in seen.get("media_endpoint_announced", ())
        if one.method.get("call") == call
    }
    for one in seen.get("rtp_packets_lost_in_a_bin_max", ()):
        source, destination = str(one.method.get("source")), str(one.method.get("destination"))
        if not ends & {source, destination} or (one.t_s or 0.0) < began_s - 1:
            continue
        chart = _loss_chart(one, f"{source} to {destination}", began_s, limit)
        if chart is not None:
            yield chart


def _loss_chart(one: Observation, way: str, began_s: float, limit: float) -> SeriesChart | None:
    width_s, expected, lost = (
        one.method.get("bin_s"),
        _amounts(one, "expected"),
        _amounts(one, "lost"),
    )
    if not isinstance(width_s, int | float) or len(expected) < 3 or len(lost) != len(expected):
        return None
    start_s = max(0.0, (one.t_s or 0.0) - began_s)
    pairs = list(zip(expected, lost, strict=True))
    points = tuple(
        (start_s + index * width_s, 100 * gone / due if due else None)
        for index, (due, gone) in enumerate(pairs)
    )
    all_lost, all_due = sum(lost), sum(expected)
    description = (
        f"{way}: {all_lost:,} of {count(all_due, 'packet')} lost ({percent(all_lost / all_due)}), "
        f"in bins of {width_s:g} s from the call's first message. A lost packet counts where the "
        "next one came."
    )
    worst = sorted(range(len(pairs)), key=lambda index: -lost[index])[:_TABLE_ROWS]
    rows = tuple(
        (f"{points[index][0]:,.0f} s", f"{expected[index]:,}", f"{lost[index]:,}")
        for index in sorted(worst)
        if lost[index]
    )
    columns = (
        Column("Time in the call"),
        Column("Expected", numeric=True),
        Column("Lost", numeric=True),
    )
    ssrc = str(one.method.get("ssrc"))[:12]
    table = Table(f"Loss of stream {ssrc}, the bins with loss", columns, rows, telling=0)
    title = f"Loss over time, stream {ssrc}"
    return SeriesChart(f"loss-{ssrc}", title, description, "%", points, table, 100 * limit)


def _amounts(one: Observation, key: str) -> list[int]:
    found = one.method.get(key)
    if not isinstance(found, list | tuple):
        return []
    return [each if isinstance(each, int) and each >= 0 else 0 for each in found]
