"""Spanning tree: topology changes, changes of the root, and who speaks.

IEEE 802.1D, 802.1Q; Cisco's per-VLAN trees behind SNAP 0x010B.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from nethealth.passive.analysis import Fact, Units
from nethealth.passive.columns import Ints, u24, u32
from nethealth.passive.packets import Packets
from nethealth.passive.series import BIN_S, Series, Tallies
from nethealth.wire import bpdu
from nethealth.wire.errors import WireError

UNITS: Units = {
    "stp_bpdu_count": "packets",
    "stp_topology_change_count": "packets",
    "stp_topology_change_per_bin_max": "packets",
    "stp_root_change_count": "changes",
}
_LLC_STP = 0x424203
_SNAP_CISCO, _PVST = 0xAAAA0300, 0x000C010B
_BPDU_MAX = 1500
_TREES_MAX = 4096
_ROOTS_SHOWN = 8


@dataclass(slots=True)
class _Tree:
    """One spanning tree as heard: by VLAN tag and, of PVST+, the VLAN it is for."""

    root: str | None = None
    roots: list[str] = field(default_factory=list)
    changes: int = 0
    first_change_ns: int | None = None
    bpdus: int = 0


def llc_rows(packets: Packets) -> Ints:
    """Rows with an LLC header and as much behind it as the shortest BPDU has."""
    rows = np.flatnonzero(packets.ethertype == 0)
    whole: Ints = rows[packets.network_at[rows] + 7 <= packets.frame_end[rows]]
    return whole


class SpanningTreeAnalysis:
    """A change counts by what is heard: BPDUs with the flag TC, and notifications (TCN)."""

    def __init__(self, *, bin_s: float = BIN_S) -> None:
        self._kinds: Tallies[str] = Tallies()
        self._trees: dict[tuple[int, int | None], _Tree] = {}
        self._changes: Tallies[str] = Tallies()
        self._bins = Series(round(bin_s * 1e9))

    def feed(self, packets: Packets) -> None:
        rows = llc_rows(packets)
        at = packets.network_at[rows]
        plain = u24(packets.octets, at) == _LLC_STP
        cisco = u32(packets.octets, at) == _SNAP_CISCO
        cisco &= u32(packets.octets, at + 4) == _PVST
        for index in np.flatnonzero(plain | cisco).tolist():
            row = int(rows[index])
            begin = int(at[index]) + (8 if cisco[index] else 3)
            try:
                unit = bpdu.parse(
                    packets.octets_of(row, begin, _BPDU_MAX), per_vlan=bool(cisco[index])
                )
            except WireError:
                continue
            self._hear(unit, int(packets.vlan[row]), int(packets.time_ns[row]))

    def _hear(self, unit: bpdu.Bpdu, vlan: int, time_ns: int) -> None:
        self._kinds.add(unit.kind)
        if unit.topology_change or unit.kind == "tcn":
            self._changes.add(unit.bridge.mac if unit.bridge else "notification")
            self._bins.add(time_ns)
        if unit.root is None:
            return
        key = (vlan, unit.vlan)
        tree = self._trees.get(key)
        if tree is None:
            if len(self._trees) >= _TREES_MAX:
                return
            tree = self._trees[key] = _Tree()
        tree.bpdus += 1
        root = str(unit.root)
        if tree.root is not None and root != tree.root:
            tree.changes += 1
            if tree.first_change_ns is None:
                tree.first_change_ns = time_ns
        tree.root = root
        if root not in tree.roots and len(tree.roots) < _ROOTS_SHOWN:
            tree.roots.append(root)

    def finish(self) -> Iterator[Fact]:
        for kind in sorted(self._kinds.counts):
            yield Fact("stp_bpdu_count", self._kinds.counts[kind], method={"kind": kind})
        top, others = self._changes.top(_ROOTS_SHOWN)
        yield Fact(
            "stp_topology_change_count",
            self._changes.total,
            samples=self._kinds.total,
            method={
                "bridges": [bridge for bridge, _ in top],
                "bridge_packets": [count for _, count in top],
                "other_bridges_packets": others,
            },
        )
        for (vlan, of_vlan), tree in sorted(
            self._trees.items(), key=lambda each: (each[0][0], each[0][1] or 0)
        ):
            yield Fact(
                "stp_root_change_count",
                tree.changes,
                samples=tree.bpdus,
                method={
                    "vlan": None if vlan < 0 else vlan,
                    "tree_vlan": of_vlan,
                    "roots": list(tree.roots),
                },
                time_ns=tree.first_change_ns,
            )
        yield from self._bins.facts("stp_topology_change_per_bin_max")
