"""What is wrong with an inventory, in words that point at the place and at the cure."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

SHOWN_MAX = 80  # characters of a found value; a longer one is cut


@dataclass(frozen=True, slots=True)
class Fault:
    """One error of one key.

    `line` counts from 1 and is null where the file has none to point at. `key` names the place as
    `asset[2] "hall-pbx".kind`, elements counted from 1. `found` and `allowed` are words.
    """

    file: str
    line: int | None
    key: str
    found: str
    allowed: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: found {self.found}; allowed: {self.allowed}"


class InventoryError(ValueError):
    """The text is no inventory; `faults` holds every error, in the order of the lines."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


def printable(text: str) -> str:
    """The text with everything escaped that could disturb a terminal or start a new line."""
    return "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}" for character in text
    )


def shown(value: object) -> str:
    """A TOML value as a fault shows it: short, on one line, with nothing unprintable."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            cut = value if len(value) <= SHOWN_MAX else value[: SHOWN_MAX - 1] + "…"
            escaped = cut.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{printable(escaped)}"'
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return "a table"
        case list() | tuple():
            inside = ", ".join(
                "a list" if isinstance(item, list) else shown(item) for item in value[:4]
            )
            return f"[{inside}{', …' if len(value) > 4 else ''}]"
        case int():
            # A number of thousands of digits has no decimal form in Python.
            return str(value) if value.bit_length() <= 256 else "a number of very many digits"
        case _:
            return str(value)


def listed(words: Iterable[str]) -> str:
    """The words quoted, one after the other."""
    return ", ".join(shown(word) for word in words)


def nearest(word: str, words: Iterable[str]) -> str:
    """The hint ` (did you mean "x"?)`, or nothing where no word comes near."""
    close = difflib.get_close_matches(word[:SHOWN_MAX], list(words), n=1)
    return f" (did you mean {shown(close[0])}?)" if close else ""
