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
from nethealth.diagnosis.attribution.change_points import change_points
from nethealth.diagnosis.attribution.shifts import free_shifts, whole_day_shifts
from tests.diagnosis.attribution.simulate import EFFECT, WIDTH, Drawn, autoregressive, draw

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


CHANGE_BINS, CHANGE_AT = 2160, 700  # 90 days of hours; three memories of the noise
CHANGE_NULLS, CHANGE_EFFECTS = NULLS // 10, NULLS // 20
CHANGE_SIZE_MOST, CHANGE_POWER_LEAST, CHANGE_COVER_LEAST = 0.06, 0.90, 0.90


def changes(job: tuple[int, float, float]) -> tuple[bool, bool, bool]:
    """Whether any change was found; whether just one; and whether its interval holds the place."""
    seed, rho, step = job
    random = np.random.default_rng(seed)
    values = autoregressive(CHANGE_BINS, random, rho)
    values[CHANGE_AT:] += step * values.std()
    found = change_points(values, random, least_bins=4, bootstraps=299 if step else 1) or ()
    one = len(found) == 1
    return bool(found), one, one and found[0].low <= CHANGE_AT <= found[0].high


def change_points_held(pool: ProcessPoolExecutor) -> bool:
    held = True
    for rho in (0.0, 0.5, 0.8):
        null = [*pool.map(changes, [(seed, rho, 0.0) for seed in range(CHANGE_NULLS)])]
        real = [*pool.map(changes, [(seed, rho, 1.5) for seed in range(CHANGE_EFFECTS)])]
        size = sum(found for found, _, _ in null) / len(null)
        power = sum(one for _, one, _ in real) / len(real)
        cover = sum(inside for _, _, inside in real) / max(1, sum(one for _, one, _ in real))
        good = (
            size <= CHANGE_SIZE_MOST and power >= CHANGE_POWER_LEAST and cover >= CHANGE_COVER_LEAST
        )
        held &= good
        print(f"change points, noise of first order {rho}: found in {size:.1%} of {len(null)} null "
              f"histories (limit {CHANGE_SIZE_MOST:.0%}); a step of 1.5 deviations found alone in "
              f"{power:.1%} of {len(real)} (limit {CHANGE_POWER_LEAST:.0%}), its interval right in "
              f"{cover:.1%} (limit {CHANGE_COVER_LEAST:.0%}) "
              f"{'ok' if good else 'MISSED'}", flush=True)  # fmt: skip
    return held


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
    with ProcessPoolExecutor() as pool:
        held &= change_points_held(pool)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
