"""The hops of a traced route as a table."""

from collections.abc import Mapping, Sequence

from nethealth.model.observation import Observation
from reports.document import Cell, Column, Table
from reports.escape import clip
from reports.words import observed, quantity

_Facts = Mapping[str, Observation]
_ADDRESS_MAX_CHARACTERS = 80


def hop_table(seen: Mapping[str, Sequence[Observation]]) -> Table | None:
    """One row a hop, of a repeated run those of its last round; None where no hop was traced."""
    last = [one.check for one in seen.get("hop_address", ())][-1:]
    hops: dict[int, dict[str, Observation]] = {}
    for name, observations in seen.items():
        for one in observations:
            hop = one.method.get("hop")
            if name.startswith("hop_") and isinstance(hop, int) and one.check in last:
                hops.setdefault(hop, {})[name] = one
    if not hops:
        return None
    columns = [
        Column("Hop", numeric=True),
        Column("Address"),
        Column("Answered", numeric=True),
        Column("Median delay", numeric=True),
        Column("Lost on the way", numeric=True),
    ]
    rows: list[tuple[Cell, ...]] = [(str(hop), *_row(hops[hop])) for hop in sorted(hops)]
    marks = [_mark(hops[hop]) for hop in sorted(hops)]
    if any(marks):
        columns.append(Column("Mark seen there"))
        rows = [(*row, mark or "–") for row, mark in zip(rows, marks, strict=True)]
    return Table("Hops", tuple(columns), tuple(rows))


def _row(facts: _Facts) -> tuple[str, ...]:
    address, ratio = facts.get("hop_address"), facts.get("hop_reply_ratio")
    delay, loss = facts.get("hop_round_trip_delay_median_s"), facts.get("hop_packet_loss_ratio")
    return (
        "no answer" if address is None or address.value is None else _address(address),
        "–" if ratio is None else _answered(ratio),
        "–" if delay is None else observed(delay),
        "not known" if loss is None or loss.value is None else observed(loss),
    )


def _address(found: Observation) -> str:
    others = found.method.get("addresses")
    more = len(others) - 1 if isinstance(others, list | tuple) else 0
    address = clip(quantity(found.value, None), _ADDRESS_MAX_CHARACTERS)
    return f"{address} and {more} more" if more else address


def _answered(ratio: Observation) -> str:
    """How many of how many: of three packets a percentage says too much."""
    if isinstance(ratio.value, int | float) and ratio.samples:
        return f"{ratio.value * ratio.samples:.0f} of {ratio.samples}"
    return observed(ratio)


def _mark(facts: _Facts) -> str:
    dscp, ecn = facts.get("hop_dscp_quoted"), facts.get("hop_ecn_quoted")
    if dscp is None or dscp.value is None:
        return ""
    return f"DSCP {observed(dscp)}" + (f", ECN {observed(ecn)}" if ecn and ecn.value else "")
