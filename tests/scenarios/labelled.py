"""Histories whose truth is known, each with what the handbook says must come of it.

The tables `truth/*.toml` are written by hand from the handbook of the field. Each names causes
of this world and where they are, and what must be found; nothing there is a figure of our output.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nethealth.model.finding import Direction, Finding, Verdict
from nethealth.model.record import Record
from tests.scenarios.causes.names import CAUSES
from tests.scenarios.estate import World, world
from tests.scenarios.watch import record

FOLDER = Path(__file__).parent / "truth"
SURE = frozenset({Verdict.SUPPORTED, Verdict.DEMONSTRATED})


@dataclass(frozen=True)
class Named:
    """A finding that must be there: its code, where, which way, and how sure at the least."""

    code: str
    site: str | None = None
    direction: str | None = None
    verdict: str | None = None  # exactly this one; null: `supported` or better

    def is_in(self, findings: Sequence[Finding]) -> bool:
        return any(self.fits(finding) for finding in findings)

    def fits(self, finding: Finding) -> bool:
        sure = finding.verdict in SURE if self.verdict is None else finding.verdict == self.verdict
        here = self.site is None or finding.site == self.site
        way = self.direction is None or finding.direction == self.direction
        return finding.code == self.code and sure and here and way


@dataclass(frozen=True)
class Scenario:
    """One labelled history; `innocent` where no telephony may be blamed whatever is found."""

    name: str
    reason: str
    seed: int
    sites: tuple[str, ...]
    causes: tuple[tuple[str, str, Mapping[str, Any]], ...]  # cause, site, options
    named: tuple[Named, ...] = ()
    never: tuple[Named, ...] = ()
    innocent: bool = False
    without: tuple[str, ...] = ()  # sources that were not available

    def world(self) -> World:
        drawn = world(self.seed, self.sites)
        drawn.sources -= set(self.without)
        for cause, site, options in self.causes:
            CAUSES[cause](drawn, drawn.site(site), **options)
        return drawn

    def record(self) -> Record:
        return record(self.world())


def accusations(findings: Sequence[Finding]) -> list[str]:
    """The findings that blame telephony for the network's trouble, for sure."""
    return [
        finding.id
        for finding in findings
        if finding.direction is Direction.TELEPHONY_TO_NETWORK and finding.verdict in SURE
    ]


def scenarios() -> tuple[Scenario, ...]:
    """Every scenario of every table, in the order of the files."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        found += [_scenario(entry) for entry in table["scenario"]]
    return tuple(found)


def _scenario(entry: Mapping[str, Any]) -> Scenario:
    return Scenario(
        name=entry["name"],
        reason=entry["reason"],
        seed=entry["seed"],
        sites=tuple(entry.get("sites", ("hall", "depot", "mill"))),
        causes=tuple((one["cause"], one["at"], one.get("with", {})) for one in entry["causes"]),
        named=tuple(Named(**one) for one in entry.get("named", ())),
        never=tuple(Named(**one) for one in entry.get("never", ())),
        innocent=entry.get("innocent", False),
        without=tuple(entry.get("without", ())),
    )
