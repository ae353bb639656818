"""Records of the lab, where every trouble was made for real, judged by the rules of today."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nethealth.diagnosis import judge
from nethealth.model.codec import load
from nethealth.model.finding import Direction
from nethealth.model.record import Record
from tests.scenarios.labelled import Named

FOLDER = Path(__file__).parent / "recorded"
TABLE = tomllib.loads((FOLDER / "expected.toml").read_text(encoding="utf-8"))
ENTRIES: list[dict[str, Any]] = TABLE["recorded"]
LESS: list[dict[str, Any]] = TABLE["less"]


def record(entry: Mapping[str, Any]) -> Record:
    return load((FOLDER / f"{entry['name']}.json").read_bytes())


def accused(seen: Record, entry: Mapping[str, Any]) -> set[str]:
    """What blames telephony, once all that must be named is."""
    findings = judge(seen)
    missed = [one for one in entry["named"] if not Named(**one).is_in(findings)]
    assert not missed, [(one.id, one.verdict, one.direction) for one in findings]
    return {one.id for one in findings if one.direction is Direction.TELEPHONY_TO_NETWORK}


def test_every_record_has_its_expectation() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {one["name"] for one in ENTRIES}
    assert all(path.stat().st_size < 200_000 for path in FOLDER.iterdir())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["name"])
def test_what_was_made_is_named_and_nobody_else_blamed(entry: Mapping[str, Any]) -> None:
    assert accused(record(entry), entry) == set(entry["accused"])


@pytest.mark.parametrize("entry", LESS, ids=lambda entry: f"{entry['name']}-{entry['without']}")
def test_what_was_not_seen_blames_nobody(entry: Mapping[str, Any]) -> None:
    whole = record(entry)
    left = tuple(one for one in whole.observations if not one.name.startswith(entry["without"]))
    assert len(left) < len(whole.observations)
    assert accused(replace(whole, observations=left), entry) == set()
