"""Bursts and gaps of lost packets, by the definitions of RFC 3611, section 4.7.2.

An exact segmenter in place of the RFC's own counters, which when started from zero book the
first lone loss as a burst.
"""

from collections.abc import Sequence
from dataclasses import dataclass

GMIN = 16


@dataclass(frozen=True, slots=True)
class BurstGap:
    """How the losses of one stream cluster; densities are shares of the packets inside.

    A density or mean is None where there is no burst, or no gap, to speak of.
    """

    bursts: tuple[tuple[int, int], ...]  # first and last lost packet, both inclusive
    burst_density: float | None
    gap_density: float | None
    burst_mean_packets: float | None
    gap_mean_packets: float | None


def burst_gap(received: Sequence[bool], *, gmin: int = GMIN) -> BurstGap:
    """Segment packets in the order of sending; a discarded packet counts as lost.

    Losses with fewer than `gmin` received packets between them are one group. A group of two
    or more losses is a burst; a lone loss lies in the gap around it.
    """
    groups: list[list[int]] = []
    for index in (i for i, got in enumerate(received) if not got):
        if groups and index - groups[-1][-1] - 1 < gmin:
            groups[-1].append(index)
        else:
            groups.append([index])
    burst_groups = [group for group in groups if len(group) > 1]
    bursts = tuple((group[0], group[-1]) for group in burst_groups)
    burst_packets = sum(last - first + 1 for first, last in bursts)
    gap_packets = len(received) - burst_packets
    gap_losses = sum(len(group) == 1 for group in groups)
    gap_count = _gap_count(bursts, len(received))
    return BurstGap(
        bursts=bursts,
        burst_density=_share(sum(map(len, burst_groups)), burst_packets),
        gap_density=_share(gap_losses, gap_packets),
        burst_mean_packets=_share(burst_packets, len(bursts)),
        gap_mean_packets=_share(gap_packets, gap_count),
    )


def _gap_count(bursts: Sequence[tuple[int, int]], packets: int) -> int:
    """The stretches before, between and after the bursts that hold any packet."""
    if not bursts:
        return min(packets, 1)
    before = bursts[0][0] > 0
    after = bursts[-1][1] < packets - 1
    return len(bursts) - 1 + before + after


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
