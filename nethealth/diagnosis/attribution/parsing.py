"""`hypotheses.toml` to what is to be tested, or to every error that it holds."""

from collections.abc import Iterator, Mapping
from typing import Any

from nethealth.diagnosis.catalogue import MECHANISMS
from nethealth.inventory.faults import shown
from nethealth.inventory.lines import Path
from nethealth.inventory.toml import TomlFile, Trouble
from nethealth.model.hypothesis import HypothesisFile

_DAY_MINUTES = 1440


def parse_hypotheses(text: str, *, name: str = "hypotheses.toml") -> HypothesisFile:
    """Read a file of hypotheses; raises InventoryError with every fault and its line."""
    return _FILE.parse(text, name=name)


def _inconsistencies(document: Mapping[str, Any]) -> Iterator[Trouble]:
    seen: set[str] = set()
    for table in ("hypothesis", "trial"):
        rows = document.get(table)
        for index, row in enumerate(rows if isinstance(rows, list) else ()):
            if not isinstance(row, dict):
                continue
            path: Path = (table, index)
            if row.get("id") in seen:
                yield (*path, "id"), shown(row["id"]), "an id that no other has"
            seen.add(str(row.get("id")))
            if isinstance(row.get("mechanism"), str) and row["mechanism"] not in MECHANISMS:
                yield (*path, "mechanism"), shown(row["mechanism"]), "a mechanism of interaction"
            if table == "hypothesis":
                yield from _bins(path, row)
    if not document.get("hypothesis") and not document.get("trial"):
        yield ("hypothesis",), "nothing", "at least one hypothesis or trial"


def _bins(path: Path, row: Mapping[str, Any]) -> Iterator[Trouble]:
    size = row.get("bin_minutes", 15)
    if not isinstance(size, int) or size < 1:
        return
    if _DAY_MINUTES % size:
        yield (*path, "bin_minutes"), shown(size), "minutes that divide a day"
    for key in ("window_minutes", "gap_minutes"):
        value = row.get(key)
        if isinstance(value, int) and value % size:
            yield (*path, key), shown(value), f"a multiple of the bin of {size} minutes"


_FILE = TomlFile(HypothesisFile, _inconsistencies)
