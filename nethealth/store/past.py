"""What earlier runs saw of the devices that a run reads by SNMP: trends, and counters as they were.

It stands in the record, so that a trend is judged and shown from the record alone. The store does
not keep it a second time: it is read out again when a run is loaded.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from nethealth.model.check import Check, CheckResult
from nethealth.model.observation import PastValue
from nethealth.plan.rounds import base_id
from nethealth.store.base import Point, Store

BACK = timedelta(hours=24)
STEP = timedelta(minutes=15)  # of a trend, one value for each
LATEST = 3  # values of a trend that are kept however close together they are
TRENDS = ("temperature_celsius",)
# The last value before the run: for a difference, or for a change.
LASTS = (
    "uptime_s",
    "ethernet_late_collisions_count",
    "ethernet_fcs_errors_count",
    "ethernet_alignment_errors_count",
    "poe_port_denied_count",
    "spanning_tree_changes_count",
    "spanning_tree_root",
)
TABLES = ("forwarding_entry_count", "arp_entry_count")
# Of a passport, what tells one series from another; addresses and widths do not.
_KEYS = ("sensor", "mib", "place", "interface", "poe_port")
VALUES_MOST = 5000


def past_of(
    store: Store, checks: Iterable[Check | CheckResult], before: datetime
) -> tuple[PastValue, ...]:
    """Of the assets that are read by SNMP, what the 24 hours before held; oldest first.

    Raises StoreError where the store cannot be read.
    """
    found: list[PastValue] = []
    assets = {check.asset for check in checks if check.probe == "snmp" and check.asset}
    for asset in sorted(assets):
        points = store.series((*TRENDS, *LASTS), asset=asset, since=before - BACK)
        found += _thinned(point for point in points if point.time < before)
    found.sort(key=lambda one: one.time)
    return tuple(found[-VALUES_MOST:])


def last_tables(
    store: Store, checks: Iterable[Check | CheckResult], now: datetime
) -> Mapping[str, datetime]:
    """When the large tables of a check were last read, within the hour before `now`."""
    latest: dict[str, datetime] = {}
    assets = {check.asset for check in checks if check.probe == "snmp" and check.asset}
    for asset in sorted(assets):
        for point in store.series(TABLES, asset=asset, since=now - timedelta(hours=2)):
            check = base_id(point.check)
            latest[check] = max(latest.get(check, point.time), point.time)
    return latest


def _thinned(points: Iterable[Point]) -> list[PastValue]:
    """Of a trend the last value of each quarter of an hour and the latest few, else the last."""
    series: dict[tuple[object, ...], list[Point]] = defaultdict(list)
    for point in points:
        place = tuple(point.method.get(key) for key in _KEYS)
        series[(base_id(point.check), point.name, place)].append(point)
    kept: list[Point] = []
    for found in series.values():
        if found[0].name not in TRENDS:
            kept.append(found[-1])
            continue
        step_s = STEP.total_seconds()
        steps = {point.time.timestamp() // step_s: point for point in found[:-LATEST]}
        kept += [*steps.values(), *found[-LATEST:]]
    return [
        PastValue(
            point.time, base_id(point.check), point.asset, point.name, point.value, point.unit,
            {key: point.method[key] for key in _KEYS if key in point.method},
        )
        for point in kept
    ]  # fmt: skip
