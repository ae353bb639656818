"""Tables as TOML text, in which no text can end its own quotes."""

import json
from collections.abc import Mapping
from datetime import date

Value = str | int | bool | date | list[str]


def table(header: str, values: Mapping[str, Value | None]) -> str:
    """One table under its header; what is null is left out."""
    lines = [header]
    lines += [f"{key} = {_value(value)}" for key, value in values.items() if value is not None]
    return "\n".join(lines) + "\n"


def _value(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case date():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case str():
            # JSON's escapes are TOML's; DEL alone is free in JSON and forbidden here, and a lone
            # surrogate is no character at all.
            sound = value.encode("utf-8", "replace").decode()
            return json.dumps(sound, ensure_ascii=False).replace("\x7f", "\\u007f")
