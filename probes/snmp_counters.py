"""One counter of a device as it stands, and how fast it ran between two readings."""

from collections.abc import Iterator
from typing import Literal

from nethealth.model.observation import Observation, Passport
from nethealth.model.probe import Observer
from nethealth.protocol.snmp import Cell
from nethealth.quality.counters import NoRate, Rate, Reading, rate


def counter(
    observe: Observer,
    stem: str,
    cells: tuple[Cell, Cell | None],
    passport: Passport,
    *,
    most_per_s: float | None,
    discontinuity_s: tuple[float | None, float | None] = (None, None),
) -> Iterator[Observation]:
    """`<stem>_count`, the later reading, and `<stem>_per_s` where there are two.

    A rate that cannot be told is null, with the reason in `method.reason`; its samples are what
    was counted in between.
    """
    earlier, later = cells
    last = later or earlier
    if last.varbind.number is None:
        return
    bits = _bits(last)
    yield observe(
        f"{stem}_count", last.varbind.number, method={**passport, "bits": bits},
        at_s=last.received_s,
    )  # fmt: skip
    if later is None or earlier.varbind.number is None:
        return
    found = rate(
        _reading(earlier, discontinuity_s[0]),
        _reading(later, discontinuity_s[1]),
        most_per_s=most_per_s,
    )
    value = found.per_s if isinstance(found, Rate) else None
    why = {"reason": found.value} if isinstance(found, NoRate) else {}
    yield observe(
        f"{stem}_per_s", value,
        samples=found.increase if isinstance(found, Rate) else None,
        method={**passport, **why}, at_s=later.received_s,
    )  # fmt: skip


def counter_units(stem: str, unit: str) -> dict[str, str | None]:
    """The two names of a counter with their units."""
    return {f"{stem}_count": unit, f"{stem}_per_s": f"{unit}/s"}


def _reading(cell: Cell, discontinuity_s: float | None) -> Reading:
    return Reading(
        cell.varbind.number or 0, cell.received_s, cell.uptime_s, discontinuity_s, _bits(cell)
    )


def _bits(cell: Cell) -> Literal[32, 64]:
    return 64 if cell.varbind.kind == "counter64" else 32
