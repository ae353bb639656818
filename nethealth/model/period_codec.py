"""A period's figures to and from the plain data that a record holds.

Apart from the record's own codec, so that no run pays for shapes that only a period has.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from nethealth.model.period_report import PeriodReport


class PeriodError(ValueError):
    """The data are no period that this version can read; the message says where and why."""


@cache
def _adapter() -> TypeAdapter[PeriodReport]:
    return TypeAdapter(PeriodReport)


def plain(period: PeriodReport) -> dict[str, Any]:
    """What JSON can hold."""
    found: dict[str, Any] = _adapter().dump_python(period, mode="json")
    return found


def typed(period: Mapping[str, Any]) -> PeriodReport:
    """The period of a record; PeriodError for anything else."""
    try:
        found = _adapter().validate_json(json.dumps(period))
    except (ValidationError, ValueError) as error:
        where = str(error)
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            where = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise PeriodError(f"the record's period: {where}") from None
    _fits(found)
    return found


def _fits(period: PeriodReport) -> None:
    """Refuse a period whose columns are not as long as it has days."""
    count = len(period.days)
    columns: list[tuple[str, Sequence[object]]] = [("hours", period.hours)]
    columns += [(f"events {one.kind}", one.by_day) for one in period.events]
    for place in period.places:
        where = f"places {place.site} {place.asset}"
        columns += [(f"{where} {one.name}", getattr(place.daily, one.name))
                    for one in fields(place.daily)]  # fmt: skip
    for name, column in columns:
        if len(column) != count:
            raise PeriodError(f"the record's period: {name}: {len(column)} values for {count} days")


def sealed(period: PeriodReport) -> PeriodReport:
    """The period with its digest: of its JSON without that, keys sorted and no spaces."""
    open_ = plain(replace(period, sha256=""))
    text = json.dumps(open_, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return replace(period, sha256=hashlib.sha256(text.encode()).hexdigest())
