"""How often the tests of attribution find an effect where there is none, and where there is one.

Histories of eight weeks with an office-hours cycle, weekends and noise of first order; the table of
what each test does with a daily cycle and without one is that of published simulations. Prints a
line for each limit; exit status 1 if one is missed. `NULLS` sets the number of null histories.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from nethealth.diagnosis.attribution.aligned import Windows, aligned_test
from nethealth.diagnosis.attribution.shifts import free_shifts, whole_day_shifts
from tests.diagnosis.attribution.simulate import EFFECT, WIDTH, Drawn, draw

NULLS = int(os.environ.get("NULLS", "2000"))
EFFECTS = NULLS // 5
ALPHA = 0.05
SIZE_MOST, POWER_LEAST = 0.065, 0.90
PERMUTATIONS = 499
WINDOWS = Windows(WIDTH)


def aligned(drawn: Drawn, random: np.random.Generator) -> bool:
    found = aligned_test(
        drawn.days, drawn.events, WINDOWS, random, permutations=PERMUTATIONS, interval=False
    )
    return found.p is not None and found.p <= ALPHA


def whole_days(drawn: Drawn, random: np.random.Generator) -> bool:
    found = whole_day_shifts(drawn.days, drawn.events, WINDOWS)
    return found.p is not None and found.p <= ALPHA


def free(drawn: Drawn, random: np.random.Generator) -> bool:
    found = free_shifts(drawn.days, drawn.events, WINDOWS)
    return found.p is not None and found.p <= ALPHA


TESTS: dict[str, Callable[[Drawn, np.random.Generator], bool]] = {
    "event-aligned, day patterns permuted": aligned,
    "whole-day shifts (cross-check)": whole_days,
    "any shift, daily cycle removed (cross-check)": free,
}


def rejects(job: tuple[int, float]) -> dict[str, bool]:
    seed, effect = job
    random = np.random.default_rng(seed)
    drawn = draw(random, calendar_days=56, effect=effect)
    return {name: test(drawn, random) for name, test in TESTS.items()}


def shares(jobs: list[tuple[int, float]]) -> dict[str, float]:
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(rejects, jobs, chunksize=10))
    return {name: sum(one[name] for one in found) / len(found) for name in TESTS}


def main() -> int:
    size = shares([(seed, 0.0) for seed in range(NULLS)])
    power = shares([(1_000_000 + seed, EFFECT) for seed in range(EFFECTS)])
    held = True
    for name in TESTS:
        line = f"attribution, {name}: false positives {size[name]:.1%} of {NULLS} null histories"
        found = f"power {power[name]:.1%} of {EFFECTS} for a shift of {EFFECT}"
        if "cross-check" in name:  # these never yield a verdict
            print(f"{line}; {found}")
            continue
        good = size[name] <= SIZE_MOST and power[name] >= POWER_LEAST
        held &= good
        print(f"{line} (limit {SIZE_MOST:.1%}); {found} (limit {POWER_LEAST:.0%}) "
              f"{'ok' if good else 'MISSED'}", flush=True)  # fmt: skip
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
