"""TOML text to the frozen values of a model, or to every error that it holds."""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from nethealth.inventory.allowed import Allowed
from nethealth.inventory.faults import Fault, InventoryError, listed, nearest, printable, shown
from nethealth.inventory.lines import Lines, Path

Trouble = tuple[Path, str, str]  # where, what was found, what is allowed
T = TypeVar("T")

MAX_BYTES = 16 * 2**20
_DEPTH_MAX = 16  # the model needs 5
_INTEGER_BITS = 64  # TOML 1.0, "Integer"

_AT_LINE = re.compile(r"\(at line (\d+), column (\d+)\)")


def decode(data: bytes, *, name: str = "sites.toml") -> str:
    """The bytes of a file as text; raises InventoryError with the line that is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{data[error.start]:02x}, which is not UTF-8"
        raise InventoryError([Fault(name, line, "text", found, "text in UTF-8")]) from None


@dataclass(frozen=True)
class TomlFile(Generic[T]):
    """One kind of file: its model, and what lies between its keys."""

    model: type[T]
    inconsistencies: Callable[[Mapping[str, Any]], Iterable[Trouble]]

    @cached_property
    def allowed(self) -> Allowed:
        """What its keys may hold."""
        return Allowed(self.model)

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self.model)

    def parse(self, text: str, *, name: str) -> T:
        """Read one; raises InventoryError with every fault, each with its line."""
        document = _load(text, name)
        troubles: list[Trouble] = []
        value: T | None = None
        try:
            # JSON, because pydantic's strict mode takes lists for tuples and tables for dataclasses
            # only there; lax mode would read the text "46" as a number.
            value = self._adapter.validate_json(
                json.dumps(_as_json(document)), strict=True, by_alias=True, by_name=False
            )
        except ValidationError as error:
            troubles += _misfits(error, document, self.allowed)
        misfits = {path for path, _, _ in troubles}
        troubles += [
            trouble for trouble in self.inconsistencies(document) if trouble[0] not in misfits
        ]
        if troubles or value is None:
            raise InventoryError(_faults(troubles, document, text, name))
        return value


def _load(text: str, name: str) -> dict[str, Any]:
    def refuse(found: str, allowed_words: str, line: int | None = None) -> InventoryError:
        return InventoryError([Fault(name, line, "text", found, allowed_words)])

    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise refuse("a lone surrogate", "text that UTF-8 can hold") from None
    if size > MAX_BYTES:
        raise refuse(f"{size} bytes", f"at most {MAX_BYTES} bytes")
    try:
        document = tomllib.loads(text)
    except ValueError as error:
        words = str(error)
        at = _AT_LINE.search(words)
        line = int(at[1]) if at else text.count("\n") + 1
        found = printable(_AT_LINE.sub(rf"(column {at[2]})", words) if at else words)
        raise refuse(found, "TOML 1.0", line) from None
    except RecursionError:
        raise refuse("values nested very deep", f"at most {_DEPTH_MAX} levels") from None
    if _deep(document):
        raise refuse("values nested very deep", f"at most {_DEPTH_MAX} levels")
    return document


def _deep(document: dict[str, Any]) -> bool:
    level: list[Any] = [document]
    for _ in range(_DEPTH_MAX):
        level = [
            inside
            for value in level
            for inside in (value.values() if isinstance(value, dict) else value)
            if isinstance(inside, dict | list)
        ]
    return bool(level)


def _as_json(value: Any) -> Any:
    """The value with what JSON lacks as text, which is then a fault wherever a number belongs."""
    match value:
        case dict():
            return {key: _as_json(inside) for key, inside in value.items()}
        case list():
            return [_as_json(inside) for inside in value]
        case datetime() | date() | time():
            return value.isoformat()
        case int() if value.bit_length() >= _INTEGER_BITS:
            return "a number of very many digits"
        case float() if value - value != 0:  # nan and both infinities
            return str(value)
    return value


def _misfits(
    error: ValidationError, document: Mapping[str, Any], allowed: Allowed
) -> Iterable[Trouble]:
    for fault in error.errors(include_url=False, include_context=False):
        path: Path = tuple(part for part in fault["loc"] if part != "[key]")
        last = path[-1] if path else ""
        if fault["type"] == "missing":
            yield path, "nothing", allowed.words(path)
        elif fault["type"] == "unexpected_keyword_argument" or fault["loc"][-1:] == ("[key]",):
            names = allowed.keys(path[:-1])
            yield (
                path,
                f"the unknown key {shown(str(last))}{nearest(str(last), names)}",
                f"the keys {listed(names)}",
            )
        else:
            value = _value(document, path)
            # Who mistakes `password_env` for the place of the password shall not see it printed.
            found = "text that is not shown here" if str(last).endswith("_env") else shown(value)
            if isinstance(value, str):
                found += nearest(value, allowed.choices(path))
            yield path, found, allowed.words(path)


def _value(document: Mapping[str, Any], path: Path) -> object:
    value: Any = document
    for part in path:
        value = value[part]
    return value


def _faults(
    troubles: Sequence[Trouble], document: Mapping[str, Any], text: str, name: str
) -> list[Fault]:
    lines = Lines(text)
    faults = [
        Fault(printable(name), lines.of(path), _key(path, document), found, words)
        for path, found, words in troubles
    ]
    return sorted(faults, key=lambda fault: fault.line or 0)


def _key(path: Path, document: Mapping[str, Any]) -> str:
    """The path in words: `asset[2] "hall-pbx".kind`."""
    words = ""
    value: Any = document
    for part in path:
        value = _inside(value, part)
        if isinstance(part, int):
            words += f"[{part + 1}]"
            if isinstance(value, dict) and isinstance(value.get("id"), str):
                words += f" {shown(value['id'])}"
        else:
            words += f"{'.' if words else ''}{printable(part)}"
    return words or "text"


def _inside(value: Any, part: str | int) -> Any:
    if isinstance(part, int):
        return value[part] if isinstance(value, list) and part < len(value) else None
    return value.get(part) if isinstance(value, dict) else None
