"""A business case to and from the plain data that a record holds.

Apart from the record's own codec, so that no run pays for shapes that only a case has.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from nethealth.model.case_result import CaseResult


class CaseError(ValueError):
    """The data are no case that this version can read; the message says where and why."""


@cache
def _adapter() -> TypeAdapter[CaseResult]:
    return TypeAdapter(CaseResult)


def plain(case: CaseResult) -> dict[str, Any]:
    """What JSON can hold."""
    found: dict[str, Any] = _adapter().dump_python(case, mode="json")
    return found


def typed(case: Mapping[str, Any]) -> CaseResult:
    """The case of a record; CaseError for anything else."""
    try:
        return _adapter().validate_python(dict(case))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CaseError(f"the record's case: {where}: {first['msg']}") from None
