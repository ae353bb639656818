"""Every kind of probe has its page, and the page lists exactly what the probe can observe."""

import re
from pathlib import Path
from typing import get_args

import pytest

from nethealth.model.check import ProbeKind
from probes import CATALOG

PAGES = Path(__file__).parents[2] / "docs" / "probes"
ROW = re.compile(r"^\| `(?P<name>[a-z0-9_]+)` \| (?:(?P<unit>\S+) )?\| (?P<meaning>.+) \|$")
LINES_MAX = 100


def table(page: str) -> list[tuple[str, str | None]]:
    """Names and units of the section Observations; a row of another form is an error."""
    section = page.split("\n## Observations\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert rows[0] == "| name | unit | meaning |"
    found = []
    for row in rows[2:]:
        match = ROW.match(row)
        assert match, row
        found.append((match["name"], None if match["unit"] in (None, "-") else match["unit"]))
    return found


def pages(kind: ProbeKind) -> list[Path]:
    """The page of a kind; one that observes very much has further ones, `<kind>-<part>.md`."""
    further = [
        path
        for path in sorted(PAGES.glob(f"{kind}-*.md"))
        if path.stem not in CATALOG and path.stem not in get_args(ProbeKind)
    ]
    return [PAGES / f"{kind}.md", *further]


@pytest.mark.parametrize("kind", sorted(CATALOG))
def test_the_page_lists_what_the_probe_observes(kind: ProbeKind) -> None:
    listed = [row for page in pages(kind) for row in table(page.read_text())]
    assert dict(listed) == dict(CATALOG[kind].units)
    assert len(listed) == len(dict(listed))


@pytest.mark.parametrize("kind", sorted(CATALOG))
def test_the_page_is_short(kind: ProbeKind) -> None:
    for page in pages(kind):
        assert len(page.read_text().splitlines()) <= LINES_MAX, page


def test_no_page_is_without_its_probe() -> None:
    described = {page for kind in CATALOG for page in pages(kind)}
    assert set(PAGES.glob("*.md")) == described


def test_a_name_tells_its_unit() -> None:
    endings = {"_s": "s", "_ratio": "1", "_bytes": "bytes", "_packets": "packets"}
    for probe in CATALOG.values():
        for name, unit in probe.units.items():
            for ending, expected in endings.items():
                if name.endswith(ending) and not name.endswith("_per_s"):
                    assert unit == expected, f"{probe.kind} {name}"
            if name.endswith("_per_s"):
                assert unit is not None, f"{probe.kind} {name}"
                assert unit.endswith("/s"), f"{probe.kind} {name}"
