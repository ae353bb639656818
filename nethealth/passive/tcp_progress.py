"""Where each segment stands against the octets that its direction has shown before, row by row.

All rows of all flows at once: sorted by flow, sequence numbers become distances by running sums,
and the highest octet before each row is a running maximum. RFC 9293 section 3.4: sequence numbers
are compared by signed differences modulo 2^32.
"""

from dataclasses import dataclass

import numpy as np

from nethealth.passive.columns import Flags, Ints, Keys
from nethealth.passive.tcp_flows import FlowTable

_APART = 1 << 40  # more than any distance within one run of packets


@dataclass(frozen=True, eq=False, slots=True)
class Progress:
    """Rows sorted by flow, then by time.

    `begin`, `end`: of a segment's octets, as distances from what its flow expected at the run's
    start. `before`: the highest `end` before it; `high_ns`: when that came. `opens`: nothing was
    known of the direction before, so nothing can be said. `base`: the sequence number that
    distance 0 stands for. `syn_again`: a SYN that repeats the last one.
    """

    rows: Ints
    flow: Keys
    begin: Ints
    end: Ints
    before: Ints
    high_ns: Ints
    opens: Flags
    base: Ints
    syn_again: Flags


def progress_of(
    table: FlowTable, rows: Ints, flow: Keys, sequence: Ints, octets: Ints, syn: Flags, ns: Ints
) -> Progress:
    """The rows with data, SYN or FIN of a run, in order of time; `octets` counts both flags as one.

    A SYN begins its direction anew. The table is brought up to date.
    """
    order = np.argsort(flow, kind="stable")
    rows, flow, sequence, octets = rows[order], flow[order], sequence[order], octets[order]
    syn, ns = syn[order], ns[order]
    position = np.arange(len(flow))
    new_flow = np.r_[True, flow[1:] != flow[:-1]]
    flow_starts = np.flatnonzero(new_flow)
    known, following, carried_ns, last_syn = table.get(flow[flow_starts])

    # A group is a flow, or what follows a SYN in it.
    starts = np.flatnonzero(new_flow | syn)
    group = np.cumsum(new_flow | syn) - 1
    of_flow = np.searchsorted(flow_starts, starts, side="right") - 1
    carried = known[of_flow] & new_flow[starts] & ~syn[starts]
    base = np.where(carried, following[of_flow], sequence[starts])

    steps = np.zeros(len(flow), np.int64)
    steps[1:] = _signed(sequence[1:] - sequence[:-1])
    steps[starts] = _signed(sequence[starts] - base)
    total = np.cumsum(steps)
    begin = total - (total[starts] - steps[starts])[group]
    end = begin + octets

    lifted = np.maximum(end, 0) + group * _APART
    highest = np.maximum.accumulate(lifted) - group * _APART
    before = np.r_[0, highest[:-1]]
    before[starts] = 0
    raised = np.maximum.accumulate(np.where(end > before, position, -1))
    previous = np.r_[-1, raised[:-1]]
    start_of = starts[group]
    came = np.where(carried, carried_ns[of_flow], ns[starts])[group]
    high_ns = np.where(previous >= start_of, ns[np.maximum(previous, 0)], came)

    ends = np.r_[flow_starts[1:], len(flow)] - 1  # the last row of each flow
    last = group[ends]
    seen = raised[ends] >= starts[last]
    earlier_syn, last_syn = _syns(sequence, syn, flow_starts, last_syn)
    table.put(
        flow[flow_starts],
        known,
        (base[last] + highest[ends]) & 0xFFFFFFFF,
        np.where(seen, ns[np.maximum(raised[ends], 0)], came[ends]),
        last_syn,
    )
    opens = np.zeros(len(flow), np.bool_)
    opens[starts] = ~carried
    return Progress(
        rows, flow, begin, end, before, high_ns, opens, base[group],
        syn & (earlier_syn == sequence),
    )  # fmt: skip


def _syns(sequence: Ints, syn: Flags, flow_starts: Ints, last_syn: Ints) -> tuple[Ints, Ints]:
    """Each row: the number of the last SYN before it in its flow; each flow: of its last."""
    place = np.flatnonzero(syn)
    earlier = np.full(len(sequence), -1, np.int64)
    if not len(place):
        return earlier, last_syn
    of_flow = np.searchsorted(flow_starts, place, side="right") - 1
    same = np.r_[False, of_flow[1:] == of_flow[:-1]]
    earlier[place] = np.where(same, np.r_[-1, sequence[place[:-1]]], last_syn[of_flow])
    latest = last_syn.copy()
    latest[of_flow] = sequence[place]  # of several, numpy keeps the last one written
    return earlier, latest


def _signed(difference: Ints) -> Ints:
    value: Ints = ((difference + 0x80000000) & 0xFFFFFFFF) - 0x80000000
    return value
