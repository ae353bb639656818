"""Records of the lab, where every trouble was made for real, judged by the rules of today."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nethealth.diagnosis import judge
from nethealth.model.codec import load
from nethealth.model.finding import Direction
from tests.scenarios.labelled import Named

FOLDER = Path(__file__).parent / "recorded"
ENTRIES: list[dict[str, Any]] = tomllib.loads(
    (FOLDER / "expected.toml").read_text(encoding="utf-8")
)["recorded"]


def test_every_record_has_its_expectation() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {one["name"] for one in ENTRIES}
    assert all(path.stat().st_size < 200_000 for path in FOLDER.iterdir())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["name"])
def test_what_was_made_is_named_and_nobody_else_blamed(entry: Mapping[str, Any]) -> None:
    findings = judge(load((FOLDER / f"{entry['name']}.json").read_bytes()))
    missed = [one for one in entry["named"] if not Named(**one).is_in(findings)]
    assert not missed, [(one.id, one.verdict, one.direction) for one in findings]
    accused = {one.id for one in findings if one.direction is Direction.TELEPHONY_TO_NETWORK}
    assert accused == set(entry["accused"])
