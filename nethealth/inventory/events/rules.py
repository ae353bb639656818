"""Which messages are events: the rules of a map file, and those that are built in."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from nethealth.inventory.faults import shown
from nethealth.inventory.lines import Path
from nethealth.inventory.toml import TomlFile, Trouble
from nethealth.model.inventory import Identifier

TEXT_MAX = 1000  # characters of a message that a rule sees
PATTERN_MAX = 300
WAYS_MAX = 1_000_000  # in which the repeats of a pattern could share a text among them
IGNORE = "ignore"  # the kind of what is no event
_GROUPS = ("asset", "site")
_COUNTED = re.compile(r"\{(\d*)(,?)(\d*)\}")
_LOOKING = re.compile(r"\(\?(?:[=!>(]|<[=!]|P=)")
_BACKWARD = re.compile(r"(?<!\\)(?:\\\\)*\\[1-9]")
_ALLOWED = (
    f"a regular expression of at most {PATTERN_MAX} characters, with named groups only asset and "
    "site, at most two repeats without end (\\S{1,60} has one), none within a repeated group, "
    "neither back-references nor looking around"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """`words`: one of them stands in every text that matches, in small letters; () for any."""

    match: "re.Pattern[str]"
    kind: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matched:
    """What a rule read of a message; `asset` and `site` are as the message has them."""

    kind: str
    asset: str | None = None
    site: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTable:
    match: Annotated[str, Field(min_length=1, max_length=PATTERN_MAX)]
    kind: Identifier
    __pydantic_config__ = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """A map file; with `builtin = false` its rules are the only ones."""

    builtin: bool = True
    rule: Annotated[tuple[RuleTable, ...], Field(max_length=200)] = ()
    __pydantic_config__ = {"extra": "forbid"}


def parse_rules(text: str, *, name: str) -> RuleFile:
    """Read a map file; raises InventoryError with every fault and its line."""
    return _FILE.parse(text, name=name)


def compiled(file: RuleFile) -> tuple[Rule, ...]:
    """The rules of a file that was read, in its order."""
    return tuple(Rule(re.compile(one.match, re.IGNORECASE), one.kind) for one in file.rule)


def matched(rules: Sequence[Rule], text: str) -> Matched | None:
    """By the first rule that matches the text's first 1,000 characters; None by none."""
    text = text[:TEXT_MAX]
    lowered = text.lower()
    for rule in rules:
        if rule.words and not any(word in lowered for word in rule.words):
            continue
        found = rule.match.search(text)
        if found is not None:
            groups = found.groupdict()
            if rule.kind == IGNORE:
                return None
            return Matched(rule.kind, groups.get("asset"), groups.get("site"))
    return None


def fault_of(pattern: str) -> str | None:
    """What is wrong with a pattern of a map file, in words; None if it may be used.

    `re` tries again from each place; a repeat within a repeat would let one line take years.
    """
    try:
        groups = re.compile(pattern).groupindex
    except (re.error, RecursionError, OverflowError) as error:
        return f"which is no regular expression ({error})"
    if unknown := [name for name in groups if name not in _GROUPS]:
        return f"with the group {unknown[0]}"
    if _LOOKING.search(pattern) or _BACKWARD.search(pattern):
        return "with a back-reference, a condition or a look around"
    if re.search(r"\(\?[a-zA-Z-]*x", pattern):
        return "with the flag x"
    return _repeats_fault(pattern)


def _repeats_fault(pattern: str) -> str | None:
    inside = [False]  # for each open group: whether it holds a repeat or a choice
    ways, at, closed = 1, 0, False
    while at < len(pattern):
        size, least, most = _quantifier(pattern, at)
        if size:
            if most > 1 and closed:
                return "with a repeat or a choice within a repeated group"
            ways *= max(1, most - least)
            inside[-1] = True
            at, closed = at + size, False
            continue
        character, closed = pattern[at], False
        if character == "\\":
            at += 2
        elif character == "[":
            at = _class_end(pattern, at)
        elif character == "(":
            inside.append(False)
            # What follows "(?" is no quantifier: (?:  (?i)  (?P<name>
            at += 2 if pattern.startswith("(?", at) else 1
        else:
            if character == "|":
                inside[-1] = True
            elif character == ")":
                closed = inside.pop()
                inside[-1] = inside[-1] or closed
            at += 1
    return "with too many repeats" if ways > WAYS_MAX else None


def _quantifier(pattern: str, at: int) -> tuple[int, int, int]:
    """Of a quantifier that stands here: its length, and the least and most times; or 0, 1, 1."""
    counted = _COUNTED.match(pattern, at)
    if counted and (counted[1] or counted[3]):
        size, least = len(counted[0]), int(counted[1] or 0)
        most = (int(counted[3]) if counted[3] else TEXT_MAX) if counted[2] else least
        most = max(least, min(most, TEXT_MAX))
    elif pattern[at] in "*+?":
        size, least = 1, int(pattern[at] == "+")
        most = 1 if pattern[at] == "?" else TEXT_MAX
    else:
        return 0, 1, 1
    if pattern[at + size : at + size + 1] in ("?", "+"):
        size += 1  # lazy, or possessive
    return size, least, most


def _class_end(pattern: str, at: int) -> int:
    at += 1
    if pattern.startswith("^", at):
        at += 1
    if pattern.startswith("]", at):
        at += 1
    while pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at + 1


def _inconsistencies(document: Mapping[str, Any]) -> Iterator[Trouble]:
    rows = document.get("rule")
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        pattern = row.get("match") if isinstance(row, dict) else None
        if isinstance(pattern, str) and len(pattern) <= PATTERN_MAX:
            path: Path = ("rule", index, "match")
            if fault := fault_of(pattern):
                yield path, f"{shown(pattern)}, {fault}", _ALLOWED
    if not rows and document.get("builtin") is False:
        yield ("rule",), "nothing, and builtin = false", "at least one rule"


_FILE = TomlFile(RuleFile, _inconsistencies)
