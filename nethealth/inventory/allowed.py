"""What a key of a TOML file may hold, in words, read from its model's own JSON schema."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from nethealth.inventory.faults import shown
from nethealth.inventory.lines import Path

Node = Mapping[str, Any]

# The model's patterns, for people who read no regular expressions.
_PATTERN_WORDS = {
    "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$": (
        "1 to 64 letters, digits, dots, underscores and hyphens, first a letter or a digit"
    ),
    "^[A-Za-z_][A-Za-z0-9_]*$": (
        "the name of an environment variable, which holds the secret outside the file"
    ),
    "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$": "a MAC address such as 00:1b:4f:12:34:56",
    r"^([01]\d|2[0-3]):[0-5]\d$": 'a time of day such as "09:00", from "00:00" to "23:59"',
}


class Allowed:
    """The keys and values that the model of one kind of file takes."""

    def __init__(self, model: Any) -> None:
        self._model = model

    @cached_property
    def _schema(self) -> Node:
        return TypeAdapter(self._model).json_schema(by_alias=True, mode="validation")

    def keys(self, path: Path) -> tuple[str, ...]:
        """The keys of the table at `path`; none where the path leads to no table."""
        node = self._at(path) or {}
        if "propertyNames" in node:
            return tuple(self._plain(node["propertyNames"])["enum"])
        return tuple(node.get("properties", ()))

    def words(self, path: Path) -> str:
        """What the key at `path` may hold."""
        if path and path[-1] in ("site", "council") and path[:-1]:
            return f"the id of a {path[-1]}"
        node = self._at(path)
        return "nothing" if node is None else self._words(node)

    def choices(self, path: Path) -> tuple[str, ...]:
        """The words that the key at `path` chooses from; none where it takes other values."""
        node = self._at(path) or {}
        return tuple(word for word in node.get("enum", ()) if isinstance(word, str))

    def _plain(self, node: Node) -> Node:
        """The node itself: references followed, "or null" left out, because TOML has no null."""
        while True:
            if "$ref" in node:
                node = self._schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
            elif "anyOf" in node:
                node = next(choice for choice in node["anyOf"] if choice.get("type") != "null")
            else:
                return node

    def _at(self, path: Path) -> Node | None:
        node = self._plain(self._schema)
        for part in path:
            inside: Node | None
            if isinstance(part, int):
                inside = node.get("items")
            else:
                inside = node.get("properties", {}).get(part) or node.get("additionalProperties")
            if not inside:
                return None
            node = self._plain(inside)
        return node

    def _words(self, node: Node) -> str:
        if "enum" in node:
            return ", ".join(map(shown, node["enum"]))
        if "const" in node:
            return shown(node["const"])
        match node.get("type"):
            case "integer":
                return "a whole number" + _range(node)
            case "number":
                return "a number" + _range(node)
            case "boolean":
                return "true or false"
            case "array":
                least = ", at least one" if node.get("minItems") else ""
                return f"a list{least}, each: {self._words(self._plain(node['items']))}"
            case "string":
                return _text_words(node)
            case _:
                return "a table"


def _text_words(node: Node) -> str:
    if node.get("format") == "date":
        return "a date such as 2027-12-31"
    if "pattern" in node:
        pattern = node["pattern"]
        return _PATTERN_WORDS.get(pattern, f"text of the pattern {pattern}")
    if "maxLength" in node:
        return f"text of {node.get('minLength', 0)} to {node['maxLength']} characters"
    return "text"


def _range(node: Node) -> str:
    low, above, high = (node.get(key) for key in ("minimum", "exclusiveMinimum", "maximum"))
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    parts = []
    if low is not None:
        parts.append(f"at least {low:g}")
    if above is not None:
        parts.append(f"above {above:g}")
    if high is not None:
        parts.append(f"at most {high:g}")
    return " " + " and ".join(parts) if parts else ""
