"""Who is blamed in histories whose truth is known: a confusion matrix by mechanism.

Histories are drawn on seeds that development never used (it uses those below 10,000). `HISTORIES`
sets how many of each kind; exit status 1 if an innocent history is blamed on telephony, or if fewer
of the guilty are named than the limit.
"""

import os
import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from nethealth.diagnosis import judge
from nethealth.quality.loss import wilson
from tests.scenarios.drawn import GUILTY, INNOCENT, guilty, innocent
from tests.scenarios.labelled import SURE, accusations
from tests.scenarios.watch import record

HISTORIES = int(os.environ.get("HISTORIES", "300"))
FIRST = int(os.environ.get("FIRST", "1000000"))
NAMED_LEAST = 0.95  # of the guilty, all mechanisms together


def innocent_history(seed: int) -> tuple[str, list[str]]:
    """The cause, and whom of the telephony it was blamed on."""
    drawn = innocent(seed)
    return drawn.cause, accusations(judge(record(drawn.world)))


def guilty_history(seed: int) -> tuple[str, bool, list[str]]:
    """The mechanism, whether it was named with its site and direction, and who else was blamed."""
    drawn = guilty(seed)
    truth = drawn.guilty
    assert truth is not None
    found = judge(record(drawn.world))
    named = any(
        one.code == truth.code
        and one.verdict in SURE
        and one.site == drawn.site
        and (truth.direction is None or one.direction == truth.direction)
        for one in found
    )
    others = [one for one in accusations(found) if not one.startswith(f"{truth.code}:{drawn.site}")]
    return truth.code, named, others


def main() -> int:
    with ProcessPoolExecutor() as pool:
        innocents = list(pool.map(innocent_history, range(FIRST, FIRST + HISTORIES), chunksize=8))
        first = FIRST + 10 * HISTORIES
        guilties = list(pool.map(guilty_history, range(first, first + HISTORIES), chunksize=8))
    drawn: Counter[str] = Counter(cause for cause, _ in innocents)
    blamed: dict[str, list[str]] = defaultdict(list)
    for cause, found in innocents:
        if found:
            blamed[cause] += found
    print(f"innocent histories: {len(innocents)} of {len(INNOCENT)} kinds")
    for cause in sorted(drawn):
        print(f"  {cause:24} {drawn[cause]:4} drawn, blamed: {', '.join(blamed[cause]) or 'none'}")
    false = sum(bool(found) for _, found in innocents)
    low, high = wilson(false, len(innocents))
    clean = false == 0
    print(
        f"innocent histories blamed on telephony: {false} of {len(innocents)} "
        f"(95 % interval {low:.2%} to {high:.2%}, limit 0) {'ok' if clean else 'MISSED'}"
    )
    print(f"guilty histories: {len(guilties)} of {len({one.code for one in GUILTY})} mechanisms")
    for code in sorted({code for code, _, _ in guilties}):
        named = [right for each, right, _ in guilties if each == code]
        others = [name for each, _, found in guilties if each == code for name in found]
        low, high = wilson(sum(named), len(named))
        print(f"  {code:26} {sum(named):3} of {len(named):3} named ({low:.0%} to {high:.0%}); "
              f"others blamed: {', '.join(others) or 'none'}")  # fmt: skip
    right = sum(found for _, found, _ in guilties)
    beside = sum(bool(others) for _, _, others in guilties)
    low, high = wilson(right, len(guilties))
    enough = right >= NAMED_LEAST * len(guilties)
    print(f"guilty named with mechanism, site and direction: {right} of {len(guilties)}, "
          f"{right / len(guilties):.1%} (95 % interval {low:.1%} to {high:.1%}, limit "
          f"{NAMED_LEAST:.0%}) {'ok' if enough else 'MISSED'}")  # fmt: skip
    print(f"guilty histories in which another mechanism was blamed too: {beside} (limit 0) "
          f"{'ok' if not beside else 'MISSED'}")  # fmt: skip
    return 0 if clean and enough and not beside else 1


if __name__ == "__main__":
    sys.exit(main())
