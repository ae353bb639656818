"""Which line of a TOML text each key stands on.

Neither tomllib nor pydantic knows lines, so the text that tomllib has accepted is walked once
more, for positions alone. The walk trusts its input: text that tomllib refuses may not come here.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

Path = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
# Up to two quotes may stand directly before the three that close (TOML 1.0, "String").
_MULTILINE_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})', re.DOTALL)
_MULTILINE_LITERAL = re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL)
_OTHER = re.compile(r"[^,\]}\n#]*")  # numbers, booleans and dates, one with a space inside


class Lines:
    """The line of every table, key and list element of one text, elements counted from 0."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")  # as tomllib does
        self._breaks = [match.start() for match in re.finditer("\n", self._text)]
        self._lengths: dict[Path, int] = {}  # of the arrays of tables met so far
        self._lines: dict[Path, int] = {}
        self._document()

    @property
    def all(self) -> Mapping[Path, int]:
        """Every path and its line, counted from 1."""
        return self._lines

    def of(self, path: Path) -> int | None:
        """The line of a path, or of the nearest table around it; null for the document itself."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines[path] if path else None

    def _line(self, position: int) -> int:
        return bisect_right(self._breaks, position - 1) + 1

    def _skip(self, pattern: re.Pattern[str], position: int) -> int:
        match = pattern.match(self._text, position)
        return match.end() if match else position

    def _document(self) -> None:
        table: Path = ()
        position = self._skip(_BLANK, 0)
        while position < len(self._text):
            if self._text[position] == "[":
                position, table = self._header(position)
            else:
                position = self._pair(position, table)
            position = self._skip(_BLANK, position)

    def _header(self, position: int) -> tuple[int, Path]:
        line = self._line(position)
        double = self._text.startswith("[[", position)
        start = self._skip(_SPACE, position + (2 if double else 1))
        position, keys = self._key(start)
        path: Path = ()
        for key in keys[:-1]:
            path = (*path, key)
            self._lines.setdefault(path, line)
            if path in self._lengths:  # a sub-table belongs to the latest element
                path = (*path, self._lengths[path] - 1)
        path = (*path, keys[-1])
        if double:
            self._lines.setdefault(path, line)
            index = self._lengths.get(path, 0)
            self._lengths[path] = index + 1
            path = (*path, index)
        self._lines[path] = line
        return self._skip(_SPACE, position) + (2 if double else 1), path

    def _pair(self, position: int, table: Path) -> int:
        line = self._line(position)
        position, keys = self._key(position)
        for depth in range(1, len(keys)):
            self._lines.setdefault((*table, *keys[:depth]), line)
        path = (*table, *keys)
        self._lines[path] = line
        position = self._skip(_SPACE, position) + 1  # the equals sign
        return self._value(self._skip(_SPACE, position), path)

    def _key(self, position: int) -> tuple[int, tuple[str, ...]]:
        """The keys of a dotted key, and the position after it."""
        keys = []
        while True:
            start = position
            position = self._skip(
                {'"': _BASIC, "'": _LITERAL}.get(self._text[start], _BARE), position
            )
            raw = self._text[start:position]
            keys.append(raw if raw[0] not in "\"'" else next(iter(tomllib.loads(f"{raw} = 0"))))
            after = self._skip(_DOT, position)
            if after == position:
                return position, tuple(keys)
            position = after

    def _value(self, position: int, path: Path) -> int:
        """Skip one value, noting what stands inside; the position after it."""
        for opening, pattern in (
            ('"""', _MULTILINE_BASIC),
            ("'''", _MULTILINE_LITERAL),
            ('"', _BASIC),
            ("'", _LITERAL),
        ):
            if self._text.startswith(opening, position):
                return self._skip(pattern, position)
        if self._text[position] == "[":
            position = self._skip(_BLANK, position + 1)
            index = 0
            while self._text[position] != "]":
                element = (*path, index)
                self._lines[element] = self._line(position)
                position = self._skip(_BLANK, self._value(position, element))
                if self._text[position] == ",":
                    position = self._skip(_BLANK, position + 1)
                index += 1
            return position + 1
        if self._text[position] == "{":
            position = self._skip(_BLANK, position + 1)
            while self._text[position] != "}":
                position = self._skip(_BLANK, self._pair(position, path))
                if self._text[position] == ",":
                    position = self._skip(_BLANK, position + 1)
            return position + 1
        return self._skip(_OTHER, position)
