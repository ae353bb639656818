"""Where each segment stands against the octets that its direction has shown before, row by row.

All rows of all flows at once: sorted by flow, sequence numbers become distances by running sums,
and the highest octet before each row is a running maximum. RFC 9293 section 3.4: sequence numbers
are compared by signed differences modulo 2^32.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nethealth.passive.columns import Flags, Ints, Keys, stable_order
from nethealth.passive.tcp_flows import FlowTable

_APART = 1 << 40  # more than any distance within one run of packets


@dataclass(frozen=True, eq=False, slots=True)
class Progress:
    """Rows sorted by flow, then by time.

    `begin`, `end`: of a segment's octets, as distances from what its flow expected at the run's
    start. `before`: the highest `end` before it. `high`: at some places, when that came, and with
    which IP identification. `in_time`: the rows by time alone. `opens`: nothing was known of the
    direction before, so nothing can be said. `base`: the sequence number that distance 0 stands
    for. `syn_again`: a SYN that repeats the last one.
    """

    rows: Ints
    flow: Keys
    begin: Ints
    end: Ints
    before: Ints
    high: Callable[[Ints], tuple[Ints, Ints]]
    in_time: Ints
    opens: Flags
    base: Ints
    syn_again: Flags


@dataclass(frozen=True, eq=False, slots=True)
class Segments:
    """Rows with data, SYN or FIN of a run, in order of time; `octets` counts both flags as one.

    `identification`: of the IP header, 0 where it says nothing.
    """

    rows: Ints
    flow: Keys
    sequence: Ints
    octets: Ints
    syn: Flags
    ns: Ints
    identification: Ints


def progress_of(table: FlowTable, segments: Segments) -> Progress:
    """A SYN begins its direction anew. The table is brought up to date."""
    order = stable_order(segments.flow)
    rows, flow = segments.rows[order], segments.flow[order]
    sequence, octets, syn = segments.sequence[order], segments.octets[order], segments.syn[order]
    ns, identification = segments.ns[order], segments.identification[order]
    position = np.arange(len(flow))
    new_flow = np.r_[True, flow[1:] != flow[:-1]]
    flow_starts = np.flatnonzero(new_flow)
    known, carry = table.get(flow[flow_starts])

    # A group is a flow, or what follows a SYN in it.
    starts = np.flatnonzero(new_flow | syn)
    group = np.cumsum(new_flow | syn) - 1
    of_flow = np.searchsorted(flow_starts, starts, side="right") - 1
    carried = known[of_flow] & new_flow[starts] & ~syn[starts]
    base = np.where(carried, carry["next"][of_flow], sequence[starts])

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
    within = previous >= starts[group]

    def high(places: Ints) -> tuple[Ints, Ints]:
        came, own, of = within[places], np.maximum(previous[places], 0), group[places]

        def at(column: Ints, name: str) -> Ints:
            first = np.where(carried, carry[name][of_flow], column[starts])[of]
            return np.asarray(np.where(came, column[own], first), np.int64)

        return at(ns, "high_ns"), at(identification, "high_id")

    ends = np.r_[flow_starts[1:], len(flow)] - 1  # the last row of each flow
    last = group[ends]
    raising = (end > before)[ends]
    high_ns, high_id = high(ends)
    earlier_syn, last_syn = _syns(sequence, syn, flow_starts, carry["syn"])
    table.put(
        flow[flow_starts],
        known,
        {
            "next": (base[last] + highest[ends]) & 0xFFFFFFFF,
            "high_ns": np.where(raising, ns[ends], high_ns),
            "high_id": np.where(raising, identification[ends], high_id),
            "syn": last_syn,
        },
    )
    opens = np.zeros(len(flow), np.bool_)
    opens[starts] = ~carried
    return Progress(
        rows, flow, begin, end, before, high, segments.rows, opens, base[group],
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
