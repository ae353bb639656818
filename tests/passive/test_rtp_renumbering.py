"""Streams that jump, numbered in stretches: as the plain loop numbers them, packet by packet."""

from random import Random

import numpy as np
import pytest

from nethealth.passive.rtp_numbering import Before, numbered
from nethealth.passive.rtp_renumbering import Numbering, renumber


def jumping(generator: Random, count: int, often: float) -> tuple[list[int], list[int], list[int]]:
    """Sequence numbers, time stamps and times of a sender that begins anew, pauses and errs."""
    sequence, stamp, at = generator.randrange(65536), generator.randrange(1 << 32), 0
    sequences, stamps, times = [], [], []
    for _ in range(count):
        step, kind = 1, generator.random()
        if kind < often:  # the sender begins anew
            sequence, stamp = generator.randrange(65536), generator.randrange(1 << 32)
        elif kind < 2 * often:  # nothing comes for a while
            step = generator.randrange(3001, 20_000)
        elif kind < 3 * often:
            step = generator.choice((-2, 0, 3))
        sequence, stamp = sequence + step, stamp + 160 * step
        at += 20_000_000 * max(step, 0)
        stray = generator.random() < often
        sequences.append((sequence + 30_000 if stray else sequence) % 65536)
        stamps.append(stamp % (1 << 32))
        times.append(at)
    return sequences, stamps, times


@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("often", [0.0, 0.001, 0.01, 0.2, 0.7])
def test_stretches_are_numbered_as_one_by_one(often: float, *, final: bool) -> None:
    for seed in range(60):
        generator = Random(seed)
        sequences, stamps, times = jumping(generator, generator.randrange(1, 900), often)
        first = generator.choice((sequences[0] - 1, generator.randrange(65536))) % 65536
        before = Before(4999, 5000, first, (stamps[0] - 160) % (1 << 32), -20_000_000)
        wanted = numbered(
            before, sequences, stamps, times, clock_hz=8000, packet_ticks=160, final=final
        )
        step = np.diff(np.array(sequences), prepend=first)
        rows = Numbering(
            np.array(sequences),
            np.array(stamps),
            np.array(times),
            4999 + np.cumsum(((step + 0x8000) & 0xFFFF) - 0x8000),
            np.zeros(len(sequences), np.int64),
        )
        count = renumber(before, rows, clock_hz=8000, packet_ticks=160, final=final)
        assert count == len(wanted.extended)
        assert rows.extended[:count].tolist() == wanted.extended
        assert rows.kinds[:count].tolist() == wanted.kinds
