"""Records to and from JSON, and the JSON Schema that both are held to."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from nethealth.model.record import SCHEMA, Record, Run, Settings, Tool

SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class RecordError(ValueError):
    """The text is not a record that this version can read; the message says where and why."""


@dataclass(frozen=True, slots=True)
class _Opening:
    """What stands in a record before anything was measured."""

    schema_: Annotated[str, Field(alias="schema")]
    tool: Tool
    run: Run
    settings: Settings


@cache  # made for a whole record: making it takes a while, and the first packet would wait
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)


def prepare() -> None:
    """Do ahead what the first `dump` or `load` would wait for."""
    _adapter()


def dump_opening(record: Record) -> bytes:
    """Tool, run and settings of a record that is only begun; `load` reads what this gives."""
    opening = _Opening(record.schema_, record.tool, record.run, record.settings)
    return TypeAdapter(_Opening).dump_json(opening, by_alias=True)


def dump(record: Record) -> bytes:
    """The record as UTF-8 JSON, two spaces a level, keys in the contract's order."""
    body = _adapter().dump_json(record, indent=2, by_alias=True, exclude={"schema_"})
    # The schema stands last in the class, as a field with a default must, and first in the text.
    return b'{\n  "schema": "' + record.schema_.encode() + b'",' + body[1:] + b"\n"


def load(text: bytes | str, *, name: str = "record") -> Record:
    """Read a record; anything else raises RecordError with every fault found."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise RecordError(f"{name}: not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else type(document).__name__
        raise RecordError(f"{name}: schema is {found!r}; this version reads {SCHEMA!r}")
    try:
        return _adapter().validate_json(text, by_alias=True)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:20]
        )
        raise RecordError(f"{name}: {faults}") from None


def json_schema() -> dict[str, Any]:
    """The schema of what `dump` writes (`docs/record.schema.json` holds the same)."""
    schema = _adapter().json_schema(by_alias=True, mode="serialization")
    return {"$schema": SCHEMA_DIALECT, "$id": "nethealth.record.1", **schema}
