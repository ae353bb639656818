"""Before and after a change at one site: by the same method on both sides, or not at all.

The same method is the same vantage, version of the program and settings of the sweep, and for each
asset the same entry in the inventory; checks made by hand are left out, as are the hours of the day
that only one side has. Whole days are paired by day of the week and their signs turned, as in a
trial: but nobody drew lots for the day of a change, so that this tells that something differed,
not why. The contrast with other sites at other dates is what speaks for or against the change.
"""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from operator import attrgetter

import numpy as np

from nethealth.diagnosis.attribution.contrast import difference_in_differences
from nethealth.diagnosis.attribution.trial import Half, analyse
from nethealth.diagnosis.over_period.calendar import Calendar, Integers
from nethealth.diagnosis.over_period.figures import (
    Bools,
    Floats,
    Sample,
    by_day,
    rounded,
    sample,
    together,
)
from nethealth.diagnosis.text import counted
from nethealth.model.inventory import Asset, Inventory
from nethealth.model.period import CheckPeriod, Column
from nethealth.model.period_report import Change, Comparison, Daily, Figure, RunFacts

DAYS_LEAST = 7
PLACEBOS_LEAST = 9  # other dates: fewer cannot put the change among the first tenth
SEED = 20_261_126  # of the turned signs, so that a second reading finds the same
# Of an asset's entry, what is about people and not about how it is measured.
_WORDS = ("name", "owner", "model", "vendor", "installed", "end_of_support", "legacy")
_OUTCOMES = (
    ("availability", "1"),
    ("packet_loss_ratio", "1"),
    ("round_trip_delay_median_s", "s"),
    ("round_trip_delay_p95_s", "s"),
    ("r_factor", ""),
)
_HOURS = 24
_PRESENT_LEAST = 0.5  # of a side's days, for an hour of the day to count


@dataclass(frozen=True, slots=True)
class Known:
    """What all changes are judged from: the runs and the inventories that they name."""

    days: Calendar
    runs: Sequence[RunFacts]
    inventories: Mapping[str, Inventory]
    controls: Mapping[str, Daily]  # of every site that was measured


def compare(
    known: Known, checks: Sequence[CheckPeriod], site: str, day: date, source: str
) -> Change:
    """What differed at `site` after `day`; refused in words where it cannot be told fairly."""
    number = known.days.days.index(day) if day in known.days.days else -1
    whole = [int(h) >= 23 for h in known.days.hours]
    first, last = (0 if whole[0] else 1), len(whole) - (0 if whole[-1] else 1)
    each = min(number - first, last - 1 - number)
    each -= each % 7  # the same days of the week on both sides

    def refused(why: str, left_out: tuple[str, ...] = ()) -> Change:
        return Change(day, site, source, max(each, 0), "", left_out, (), why)

    if number < 0:
        return refused("the day is not in the period")
    if each < DAYS_LEAST:
        return refused(
            f"{DAYS_LEAST} whole days are needed on each side, and the period has "
            f"{max(number - first, 0)} before and {max(last - 1 - number, 0)} after"
        )
    before = known.days.edges_s[number - each], known.days.edges_s[number]
    after = known.days.edges_s[number + 1], known.days.edges_s[number + 1 + each]
    sides = [_runs_in(known.runs, start, end) for start, end in (before, after)]
    if not all(sides):
        return refused(f"there is no sweep {'after' if sides[0] else 'before'} it")
    vantage = Counter(run.vantage for side in sides for run in side).most_common(1)[0][0]
    sides = [[run for run in side if run.vantage == vantage] for side in sides]
    if not all(sides):
        return refused(
            "it was not measured from the same vantage on both sides "
            f"({vantage} only {'before' if sides[0] else 'after'} it)"
        )
    if differs := _settings_differ(sides[0], sides[1]):
        return refused(f"it was not measured in the same way on both sides: {differs}")
    alike, left_out = _alike(sides[0] + sides[1], known.inventories, site)
    chosen = [one for one in checks if one.vantage == vantage and one.asset in alike]
    by_hand = [run for run in known.runs if run.kind != "sweep"]
    kept, hours = _comparable(chosen, known.days, (number, each), by_hand)
    if not kept:
        return refused(
            "no asset of the site was measured in the same way, at the same hours, on both sides",
            left_out,
        )
    run = sides[0][0]
    assets = counted(len({one.asset for one in kept}), "asset")
    method = (
        f"from {vantage} by nethealth {run.version}, {run.sweep.ping_count} echo requests every "
        f"{run.sweep.ping_interval_ms} ms, {assets} with the same "
        f"entry in the inventory, {hours} hours of the day that both sides have; "
        f"{each} whole days on each side, paired by day of the week, the day of the change left out"
    )
    found = together([sample(one, known.days) for one in kept])
    comparisons = tuple(
        _compared(known, found, site, number, each, name, unit) for name, unit in _OUTCOMES
    )
    return Change(day, site, source, each, method, left_out, comparisons)


def daily_values(name: str, daily: Daily) -> Floats:
    """An outcome of a place by day, NaN for a day without."""
    if name == "availability":
        return np.asarray([
            answered / checks if checks else np.nan
            for answered, checks in zip(daily.answered, daily.checks, strict=True)
        ])  # fmt: skip
    columns = {
        "packet_loss_ratio": daily.loss_ratio,
        "round_trip_delay_median_s": daily.delay_median_s,
        "round_trip_delay_p95_s": daily.delay_p95_s,
        "r_factor": daily.r_factor_median,
    }
    return np.asarray([np.nan if one is None else one for one in columns[name]])


def _runs_in(runs: Sequence[RunFacts], start_s: int, end_s: int) -> list[RunFacts]:
    return [
        run for run in runs
        if run.kind == "sweep" and start_s <= run.started.timestamp() < end_s
    ]  # fmt: skip


def _settings_differ(before: Sequence[RunFacts], after: Sequence[RunFacts]) -> str:
    """In words what is not alike in all runs; empty where everything is."""
    paths = {"version": "version"}
    paths |= {each.name.replace("_", " "): f"sweep.{each.name}" for each in fields(before[0].sweep)}
    said = []
    for words, path in paths.items():
        left, right = ({str(attrgetter(path)(run)) for run in side} for side in (before, after))
        if len(left | right) > 1:
            said.append(
                f"{words} {' and '.join(sorted(left))} before and {' and '.join(sorted(right))} "
                "after"
            )
    return ", ".join(said)


def _alike(
    runs: Sequence[RunFacts], inventories: Mapping[str, Inventory], site: str
) -> tuple[set[str], tuple[str, ...]]:
    """The site's assets whose entries are the same in all runs' inventories, and the others."""
    entries: dict[str, list[str]] = {}
    names = {run.inventory for run in runs}
    for name in names:
        for asset in inventories.get(name, Inventory()).asset:
            if asset.site == site:
                entries.setdefault(asset.id, []).append(_measured_by(asset))
    alike = {
        key for key, seen in entries.items() if len(seen) == len(names) and len(set(seen)) == 1
    }
    return alike, tuple(sorted(entries.keys() - alike))


def _measured_by(asset: Asset) -> str:
    kept = (each.name for each in fields(asset) if each.name not in _WORDS)
    return repr([(name, getattr(asset, name)) for name in kept])


def _comparable(
    checks: Sequence[CheckPeriod],
    days: Calendar,
    window: tuple[int, int],
    by_hand: Sequence[RunFacts],
) -> tuple[list[CheckPeriod], int]:
    """The checks without what was made by hand and without the hours that only one side has."""
    number, each = window
    kept: list[CheckPeriod] = []
    hours_most = 0
    for check in checks:
        times = np.frombuffer(check.times_s, dtype=np.uint32).astype(np.int64)
        day = days.day_of(times)
        inside = (day >= number - each) & (day <= number + each) & (day != number)
        for run in by_hand:
            end = run.finished or run.started
            inside &= ~(
                (times >= int(run.started.timestamp())) & (times <= int(end.timestamp()) + 1)
            )
        hour = _wall_hour(times, day, days)
        shared = np.zeros(_HOURS, dtype=np.bool_)
        for slot in range(_HOURS):
            there = inside & (hour == slot)
            sides = (np.unique(day[there & (day < number)]), np.unique(day[there & (day > number)]))
            shared[slot] = min(len(side) for side in sides) >= _PRESENT_LEAST * each
        inside &= shared[np.clip(hour, 0, _HOURS - 1)]
        if inside.any():
            hours_most = max(hours_most, int(shared.sum()))
            kept.append(_only(check, inside))
    return kept, hours_most


def _wall_hour(times: Integers, day: Integers, days: Calendar) -> Integers:
    """Hours since local midnight; on the two odd days of the year after the change one too many."""
    held = np.clip(day, 0, len(days.days) - 1)
    found: Integers = (times - days.edges_s[held]) // 3600
    return np.minimum(found, _HOURS - 1)


def _only(check: CheckPeriod, which: Bools) -> CheckPeriod:
    picked = np.flatnonzero(which)
    return replace(
        check,
        times_s=array("I", np.frombuffer(check.times_s, dtype=np.uint32)[picked].tobytes()),
        states=array("B", np.frombuffer(check.states, dtype=np.uint8)[picked].tobytes()),
        columns=tuple(
            Column(one.name, one.unit, one.method,
                   array("f", np.frombuffer(one.values, dtype=np.float32)[picked].tobytes()))
            for one in check.columns
        ),
    )  # fmt: skip


def _compared(
    known: Known, found: Sample, site: str, number: int, each: int, name: str, unit: str
) -> Comparison:
    count = len(known.days.days)
    values = by_day(found, name, count)
    before, after = range(number - each, number), range(number + 1, number + 1 + each)
    sides = [values[np.asarray(side)] for side in (before, after)]
    middles = [_middle(side) for side in sides]
    moments = [datetime.fromtimestamp(int(edge), UTC) for edge in known.days.edges_s]
    halves = [
        Half(pair, moments[index], moments[index + 1], on)
        for on, side in ((False, before), (True, after))
        for pair, index in enumerate(sorted(side, key=lambda i: (known.days.days[i].weekday(), i)))
    ]
    there = [i for i in (*before, *after) if np.isfinite(values[i])]
    result = analyse(
        halves, [moments[i] for i in there], [float(values[i]) for i in there],
        np.random.default_rng(SEED),
    )  # fmt: skip
    interval = result.interval
    bounds = (
        None if interval is None else (rounded(interval[0]) or 0.0, rounded(interval[1]) or 0.0)
    )
    estimate = None if result.estimate is None else rounded(result.estimate)
    controls = {
        key: daily_values(name, daily) for key, daily in known.controls.items() if key != site
    }
    told = [one for one in controls.values() if np.isfinite(one).any()]
    treated = values.copy()
    for one in (treated, *told):
        one[number] = np.nan
    # What lies outside the two windows was not held to the same method, but for the contrast at
    # other dates it is all there is.
    outside = daily_values(name, known.controls[site]) if site in known.controls else treated
    treated = np.where(np.isfinite(treated), treated, outside)
    treated[number] = np.nan
    contrast = (
        difference_in_differences(treated, told, number, days_each_side=each) if told else None
    )
    return Comparison(
        outcome=name,
        unit=unit,
        before=middles[0],
        after=middles[1],
        pairs=result.pairs,
        effect=Figure(estimate, result.pairs, bounds),
        p=None if result.p is None else rounded(result.p),
        controls=len(told),
        rank=None if contrast is None or contrast.placebos < PLACEBOS_LEAST else contrast.rank,
        placebos=0 if contrast is None else contrast.placebos,
        refused=None
        if result.p is not None
        else f"{result.pairs} pairs of days have it on both sides; 5 are needed",
    )


def _middle(values: Floats) -> Figure:
    known = values[np.isfinite(values)]
    return Figure(rounded(float(np.median(known))) if known.size else None, int(known.size))
