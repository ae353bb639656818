"""`report register`, as the keeper of the register runs it."""

import csv
from pathlib import Path

import pytest

from nethealth.model import codec
from tests.cli.command import nethealth
from tests.reports import examples


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "record.json").write_bytes(codec.dump(examples.equipped()))
    return tmp_path


def test_the_register_beside_what_was_seen_is_a_table(home: Path) -> None:
    done = nethealth(
        "report", "register", "--record", "record.json", "-o", "seen.csv", home=home, check=0
    )
    assert done.stdout == "seen.csv: 6 devices, 2 of them in no line of the register\n"
    with (home / "seen.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["name"] == "cellar-switch"
    assert rows[1]["observations"] == "hall-dns:snmp/6"
    again = nethealth(
        "report", "register", "--record", "record.json", "-o", "seen.csv", home=home, check=2
    )
    assert "seen.csv is there already" in again.stderr


def test_a_table_of_another_kind_is_refused(home: Path) -> None:
    done = nethealth(
        "report", "register", "--record", "record.json", "-o", "seen.txt", home=home, check=2
    )
    assert "found 'seen.txt'; allowed: a name that ends in .csv or .xlsx" in done.stderr
