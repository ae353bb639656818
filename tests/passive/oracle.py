"""What tshark said of the shared captures (oracle/*.tshark.txt), and every fact that we find."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from nethealth.passive.analysis import Analyser, Fact
from nethealth.passive.fragments import Fragments
from probes.capture.reader import Reader
from tests import captures

ORACLE = captures.folder() / "oracle"
_COUNTS = "## counts by display filter"
_HIERARCHY = "## tshark -q -z io,phs"


def names() -> list[str]:
    """Captures with an oracle that can be read at all."""
    found = sorted(path.name.removesuffix(".tshark.txt") for path in ORACLE.glob("*.tshark.txt"))
    return [name for name in found if not name.endswith(".ntar")]


@cache
def _section(name: str, title: str) -> tuple[str, ...]:
    text = (ORACLE / f"{name}.tshark.txt").read_text(errors="replace")
    inside = False
    lines = []
    for line in text.splitlines():
        if line.startswith("## "):
            inside = line.startswith(title)
        elif inside and line.strip():
            lines.append(line)
    return tuple(lines)


def count(name: str, display_filter: str) -> int:
    """Frames that pass; filters with no frame are left out of the oracle."""
    for line in _section(name, _COUNTS):
        text, _, number = line.rpartition("\t")
        if text == display_filter:
            return int(number)
    return 0


def frames(name: str, protocol: str) -> int:
    """Frames with a protocol in them: a layer within itself is the same frame."""
    total, within = 0, -1
    for line in _section(name, _HIERARCHY):
        depth = len(line) - len(line.lstrip())
        if 0 <= within < depth:
            continue
        within = -1
        layer, _, rest = line.strip().partition(" ")
        if layer == protocol:
            total += int(rest.split("frames:")[1].split()[0])
            within = depth
    return total


def decoded_as(name: str) -> str:
    """The option of `Decode As` that the oracle was made with; empty for tshark's own choice."""
    for line in (ORACLE / f"{name}.tshark.txt").read_text(errors="replace").splitlines()[:4]:
        if line.startswith("# decoded with: -d "):
            return line.removeprefix("# decoded with: -d ").strip()
    return ""


def facts(path: Path, analysers: Sequence[Analyser]) -> list[Fact]:
    fragments = Fragments()
    for run in Reader([str(path)]):
        packets = fragments.joined(run)
        for analyser in analysers:
            analyser.feed(packets)
    return [fact for analyser in analysers for fact in analyser.finish()]


def by_key(found: Sequence[Fact], name: str, key: str) -> Counter[str]:
    """Values of one name by one key of the passport, without those that are nothing."""
    values: Counter[str] = Counter()
    for fact in found:
        if fact.name == name and isinstance(fact.value, int) and fact.value:
            values[str(fact.method[key])] += fact.value
    return values


def value(found: Sequence[Fact], name: str) -> int:
    """The one value of a name."""
    (number,) = [fact.value for fact in found if fact.name == name]
    assert isinstance(number, int)
    return number
