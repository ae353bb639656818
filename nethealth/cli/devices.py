"""What a run that reads devices takes from history: their past, and which tables are due again."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import click

from nethealth.model.check import Check
from nethealth.model.observation import PastValue
from nethealth.model.ports import Clock
from nethealth.store import Store, StoreError, last_tables, past_of
from nethealth.sweep import HourlyTables, SweepSummary


class OnlyDue:
    """One round, with the large tables of each device at most once an hour."""

    def __init__(
        self, once: Callable[..., Awaitable[SweepSummary]], clock: Clock, tables: HourlyTables
    ) -> None:
        self._once = once
        self._clock = clock
        self._tables = tables

    async def __call__(self, checks: Sequence[Check], /, **more: Any) -> SweepSummary:
        began_s = self._clock.monotonic_s()
        summary = await self._once(self._tables.due(checks, began_s), **more)
        self._tables.saw(summary.observations, began_s)
        return summary


def hourly_tables(store: Store | None, checks: Sequence[Check], clock: Clock) -> HourlyTables:
    """When the large tables of these checks were last read, as far as history knows."""
    if store is None:
        return HourlyTables()
    now = clock.wall_utc()
    try:
        read = last_tables(store, checks, now)
    except StoreError as error:
        click.echo(f"nethealth: cannot tell when tables were last read: {error}", err=True)
        return HourlyTables()
    now_s = clock.monotonic_s()
    return HourlyTables({check: now_s - (now - at).total_seconds() for check, at in read.items()})


def past_values(
    store: Store | None, checks: Sequence[Check], before: datetime
) -> tuple[PastValue, ...]:
    """What trends are judged by; none, with a word on stderr, where history cannot be read."""
    if store is None:
        return ()
    try:
        return past_of(store, checks, before)
    except StoreError as error:
        click.echo(f"nethealth: trends are judged without history: {error}", err=True)
        return ()
