"""The progress bar on stderr, where there is a terminal to show it."""

import sys
from types import TracebackType
from typing import Self

from nethealth.model.check import Check, CheckResult
from nethealth.model.failure import Outcome


class Progress:
    """Watches a sweep: a bar with counts on a terminal, nothing elsewhere."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self._failed = 0
        self._bar = None
        if shown and sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415
            from rich.progress import (  # noqa: PLC0415
                BarColumn,
                MofNCompleteColumn,
                TextColumn,
                TimeElapsedColumn,
            )
            from rich.progress import Progress as Bar  # noqa: PLC0415

            self._bar = Bar(
                TextColumn("Measuring"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[failed]} failed"),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("", total=total, failed=0)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def started(self, check: Check) -> None:
        """A check begins; the bar counts only ends."""

    def finished(self, result: CheckResult) -> None:
        """One more is done."""
        self._failed += result.outcome is not Outcome.COMPLETED
        if self._bar is not None:
            self._bar.update(self._task, advance=1, failed=self._failed)
