"""Loss of streams from their runs of lost packets, for all streams at once.

The same definitions as `nethealth.quality.burst` has for one sequence of packets.
"""

from dataclasses import dataclass

import numpy as np

from nethealth.passive.columns import Ints
from nethealth.passive.rtp_holes import LossRuns
from nethealth.quality.burst import GMIN


@dataclass(frozen=True, slots=True)
class StreamLoss:
    """How one stream's losses cluster; densities are None where there is no burst, or no gap."""

    lost: int
    run_count: int
    run_max: int
    burst_count: int
    burst_density: float | None
    gap_density: float | None


def stream_losses(runs: LossRuns, expected: Ints) -> list[StreamLoss]:
    """One value for each stream; `expected` packets of each, `runs` sorted."""
    count = len(expected)
    lost = np.bincount(runs.stream, runs.length, count).astype(np.int64)
    run_count = np.bincount(runs.stream, minlength=count)
    run_max = np.zeros(count, np.int64)
    np.maximum.at(run_max, runs.stream, runs.length)
    # Groups of runs with fewer than Gmin received packets between them.
    between = runs.begin[1:] - (runs.begin[:-1] + runs.length[:-1])
    apart = (between >= GMIN) | (np.diff(runs.stream) != 0)
    first = np.flatnonzero(np.concatenate([[True], apart])) if len(runs.stream) else runs.stream
    last = np.append(first[1:], len(runs.stream))[: len(first)] - 1
    stream = runs.stream[first]
    losses = np.add.reduceat(runs.length, first) if len(first) else first
    span = runs.begin[last] + runs.length[last] - runs.begin[first]
    burst = losses > 1

    def of_bursts(values: Ints) -> Ints:
        return np.bincount(stream[burst], values[burst], count).astype(np.int64)

    burst_count, burst_losses, burst_packets = (
        of_bursts(values) for values in (np.ones_like(losses), losses, span)
    )
    return [
        StreamLoss(
            lost=all_lost,
            run_count=number,
            run_max=longest,
            burst_count=bursts,
            burst_density=inside_lost / inside if inside else None,
            gap_density=(all_lost - inside_lost) / (packets - inside) if packets > inside else None,
        )
        for all_lost, number, longest, bursts, inside_lost, inside, packets in zip(
            *(
                column.tolist()
                for column in (
                    lost, run_count, run_max, burst_count, burst_losses, burst_packets, expected,
                )
            ),
            strict=True,
        )
    ]  # fmt: skip
