"""Each key's line, against tomllib as the second reader of the same text."""

import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nethealth.inventory.lines import Lines, Path

TEXT = '''\
# a comment with [brackets] and "quotes"
[vantage]
id = "x"  # trailing [comment]

[[asset]]
id = "one"
checks = [ # open
  "ping",  # ] not the end
  "sip",
]
ping.count = 3
[asset.sip]
uri = """
[not.a.table]
id = "no key"
""\\""""
[[asset]]
id = 'two'
note = \'\'\'
[[asset]]
\'\'\'
"quoted key" = 1
"with \\"quote" . 'and = sign' = 2
tcp = { ports = [443,
  5061], timeout_s = 1 }
when = 1979-05-27 07:32:00
[asset.ping]
count = 1
[ site . "hall" ]
x = true
[a.b.c]
y = 1
[a]
z = 2
'''


def test_lines_of_every_form_that_toml_has() -> None:
    lines = Lines(TEXT)
    expected: dict[Path, int] = {
        ("vantage",): 2,
        ("vantage", "id"): 3,
        ("asset",): 5,
        ("asset", 0): 5,
        ("asset", 0, "id"): 6,
        ("asset", 0, "checks"): 7,
        ("asset", 0, "checks", 0): 8,
        ("asset", 0, "checks", 1): 9,
        ("asset", 0, "ping"): 11,
        ("asset", 0, "ping", "count"): 11,
        ("asset", 0, "sip"): 12,
        ("asset", 0, "sip", "uri"): 13,
        ("asset", 1): 17,
        ("asset", 1, "id"): 18,
        ("asset", 1, "note"): 19,
        ("asset", 1, "quoted key"): 22,
        ("asset", 1, 'with "quote'): 23,
        ("asset", 1, 'with "quote', "and = sign"): 23,
        ("asset", 1, "tcp"): 24,
        ("asset", 1, "tcp", "ports"): 24,
        ("asset", 1, "tcp", "ports", 0): 24,
        ("asset", 1, "tcp", "ports", 1): 25,
        ("asset", 1, "tcp", "timeout_s"): 25,
        ("asset", 1, "when"): 26,
        ("asset", 1, "ping"): 27,
        ("asset", 1, "ping", "count"): 28,
        ("site",): 29,
        ("site", "hall"): 29,
        ("site", "hall", "x"): 30,
        ("a",): 33,
        ("a", "b"): 31,
        ("a", "b", "c"): 31,
        ("a", "b", "c", "y"): 32,
        ("a", "z"): 34,
    }
    assert dict(lines.all) == expected
    assert set(expected) == set(paths(tomllib.loads(TEXT)))


def test_a_missing_key_has_the_line_of_its_table_and_the_document_has_none() -> None:
    lines = Lines(TEXT)
    assert lines.of(("asset", 1, "ping", "absent")) == 27
    assert lines.of(("absent",)) is None


def test_windows_line_ends_count_once() -> None:
    assert Lines("[a]\r\nb = 1\r\nc = 2\r\n").of(("a", "c")) == 3


def paths(value: Any, path: Path = ()) -> list[Path]:
    inside: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    return [found for key, item in inside for found in ((*path, key), *paths(item, (*path, key)))]


# A writer of TOML in random layout. Keys are unique over the whole text (`unique` numbers them),
# so that the line of a key can be found by searching for it.
bare = st.sampled_from(["k", "key-", "Key_", "0"])
odd = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=5)
scalar = st.one_of(
    st.sampled_from(["1", "-0.5e3", "true", "1979-05-27 07:32:00", "07:32:00", "'a # [b] \"'"]),
    st.sampled_from(['"""\n[x]\n\\"" \' \\\\"""', "'''\n[[y]]\n''x = 1\n'''", '"""""a"""""']),
    odd.map(lambda text: json.dumps(text, ensure_ascii=False)),
)
booleans = st.booleans()
space = st.sampled_from(["", " ", "\t"])
newline = st.sampled_from(["\n", "\n\n", " # ] } [z]\n", "\n# \"\"\" '''\n"])


class Writer:
    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.count = 0

    def key(self) -> str:
        self.count += 1
        word = f"{self.draw(bare)}{self.count:04d}"
        return self.draw(st.sampled_from([word, f'"{word} ."', f"'{word}=['"]))

    def value(self, depth: int, *, inline: bool = False) -> str:
        form = self.draw(st.sampled_from(["scalar", "array", "table"])) if depth else "scalar"
        count = self.draw(st.integers(0, 3))
        gap = space if inline else newline
        if form == "array":
            text = "["
            for index in range(count):
                comma = "," if index + 1 < count or self.draw(booleans) else ""
                item = self.value(depth - 1, inline=inline)
                text += f"{self.draw(gap)}{item}{self.draw(gap)}{comma}"
            return f"{text}{self.draw(gap)}]"
        if form == "table":
            pairs = [f"{self.key()} = {self.value(depth - 1, inline=True)}" for _ in range(count)]
            return f"{{ {' , '.join(pairs)} }}"
        return self.draw(scalar)

    def pairs(self) -> str:
        return "".join(
            f"{self.draw(space)}{self.key()}{self.draw(space)}="
            f"{self.draw(space)}{self.value(2)}{self.draw(newline)}"
            for _ in range(self.draw(st.integers(0, 3)))
        )

    def document(self) -> str:
        text = self.pairs()
        for _ in range(self.draw(st.integers(0, 3))):
            array = self.key()
            for _ in range(self.draw(st.integers(1, 3))):
                text += f"[[{array}]]{self.draw(newline)}{self.pairs()}"
                if self.draw(booleans):
                    text += f"[ {array} . {self.key()}]{self.draw(newline)}{self.pairs()}"
            dotted = f"{self.key()}.{self.key()}"
            text += f"[{self.key()}]\n{dotted} = {self.value(1)}\n"
        return text


@st.composite
def documents(draw: st.DrawFn) -> str:
    return Writer(draw).document()


@given(documents())
def test_every_key_that_tomllib_finds_stands_on_the_line_given(text: str) -> None:
    lines = Lines(text)
    physical = text.split("\n")
    found = paths(tomllib.loads(text))
    assert set(lines.all) == set(found)
    for path in found:
        line = lines.all[path]
        assert 1 <= line <= len(physical)
        if isinstance(path[-1], str):
            assert path[-1] in physical[line - 1]
