"""A period from the store."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from nethealth.cli.exits import InputError
from nethealth.diagnosis.over_period.figures import NAMES
from nethealth.model.check import CheckResult
from nethealth.model.inventory import Inventory
from nethealth.model.observation import Observation
from nethealth.model.period import CheckPeriod
from nethealth.store import Span, Store


class OfStore:
    """`raw`: work the columns out anew from every raw row, in place of those that are packed."""

    def __init__(self, store: Store, *, raw: bool = False) -> None:
        self._store = store
        self._raw = raw

    def inventory(self) -> Inventory:
        """That of the latest sweep, else of the latest run."""
        runs = self._store.runs(limit=1, kind="sweep") or self._store.runs(limit=1)
        if not runs:
            raise InputError("the history is empty: run `nethealth sweep` first")
        return self._store.load(runs[0].id).inventory

    def span(self, since: datetime, until: datetime) -> Span:
        return self._store.span(since, until)

    def checks(
        self, since: datetime, until: datetime, council: str | None, site: str | None
    ) -> Iterator[CheckPeriod]:
        if not self._raw:
            return self._store.period(since, until, council=council, site=site, names=NAMES)
        return (
            one for one in self._store.raw_period(since, until, NAMES)
            if council in (None, one.council) and site in (None, one.site)
        )  # fmt: skip

    def evidence(
        self, run: str, ids: Sequence[str]
    ) -> tuple[tuple[CheckResult, ...], tuple[Observation, ...]]:
        return self._store.evidence(run, ids)
