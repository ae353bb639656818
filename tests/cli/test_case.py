"""`init --case`, `report --case` and `import risks`, as a user runs them."""

import csv
import io
import json
from pathlib import Path

import openpyxl
import pytest

from nethealth.model import codec
from tests.cli.command import nethealth
from tests.reports import examples


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a record, an inventory that goes with the example, and an example case."""
    (tmp_path / "record.json").write_bytes(codec.dump(examples.degraded()))
    nethealth("init", home=tmp_path, check=0)
    nethealth("init", "--case", home=tmp_path, check=0)
    return tmp_path


def test_a_record_is_reported_with_a_case_in_every_format(home: Path) -> None:
    done = nethealth(
        "report", "--record", "record.json", "--case", "case.toml", "--fail-on", "never",
        "--format", "html,pdf,docx,xlsx,csv,json,text", "-o", "out", home=home, check=0,
    )  # fmt: skip
    assert len(done.stdout.splitlines()) == 7
    [record] = (home / "out").glob("*.json")
    case = json.loads(record.read_text())["case"]
    assert [option["id"] for option in case["options"]] == ["usual", "adapters", "hosted"]
    assert codec.load(record.read_bytes()).case is not None
    [text] = (home / "out").glob("*.txt")
    assert "Present values in pounds" in text.read_text()


def test_the_case_travels_with_the_record(home: Path) -> None:
    with_case = nethealth(
        "report", "--record", "record.json", "--case", "case.toml", "--format", "json",
        "--fail-on", "never", home=home, check=0,
    )  # fmt: skip
    (home / "again.json").write_text(with_case.stdout)
    arguments = ("--format", "html", "--fail-on", "never")
    first = nethealth("report", "--record", "record.json", "--case", "case.toml", *arguments,
                      home=home, check=0)  # fmt: skip
    second = nethealth("report", "--record", "again.json", *arguments, home=home, check=0)
    assert first.stdout == second.stdout
    assert "Options compared" in second.stdout


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("central = 33000", "central = -5", "case.toml:19: staff_time.salary_gbp.central"),
        ("contracted_h = { central = 1924", "contracted_h = { central = 300", "productive hours"),
        ("horizon_years = 10", "horizon_years = ten", "TOML 1.0"),
    ],
)
def test_a_case_that_does_not_fit_is_refused(home: Path, old: str, new: str, says: str) -> None:
    file = home / "case.toml"
    file.write_text(file.read_text().replace(old, new, 1))
    done = nethealth("report", "--record", "record.json", "--case", "case.toml", home=home, check=2)
    assert says in done.stderr
    assert done.stdout == ""


def test_a_record_whose_case_is_damaged_is_refused(home: Path) -> None:
    record = json.loads((home / "record.json").read_text())
    (home / "damaged.json").write_text(json.dumps(record | {"case": {"file": 7}}))
    done = nethealth("report", "--record", "damaged.json", home=home, check=2)
    assert "the record's case: file" in done.stderr


def test_a_case_that_is_not_there_is_named(home: Path) -> None:
    done = nethealth("report", "--record", "record.json", "--case", "no.toml", home=home, check=2)
    assert "cannot read the case no.toml" in done.stderr
    assert "init --case" in done.stderr


def test_our_risks_go_into_the_councils_register(home: Path) -> None:
    (home / "register.csv").write_text(
        "Corporate risk register\n\nID;Owner;Cause;Our notes\n"
        'ICT-07;Facilities;"their words";see minutes\nFIN-01;S151;interest;\n'
    )
    arguments = ("import", "risks", "register.csv", "--case", "case.toml", "-o")
    done = nethealth(*arguments, "merged.csv", home=home, check=0)
    rows = list(csv.DictReader(io.StringIO((home / "merged.csv").read_text("utf-8-sig"))))
    assert [row["id"] for row in rows] == ["ICT-07", "FIN-01"]
    assert rows[0]["owner"] == "Facilities"
    assert rows[0]["cause"] == "their words"
    assert rows[0]["Our notes"] == "see minutes"
    assert rows[0]["inherent score"] == "20"
    assert "cause stays 'their words'" in done.stderr
    nethealth(*arguments, "merged.csv", home=home, check=2)
    nethealth(*arguments, "merged.xlsx", home=home, check=0)
    sheet = openpyxl.load_workbook(home / "merged.xlsx").active
    assert sheet is not None
    assert sheet["A2"].value == "ICT-07"
    again = ("import", "risks", "merged.xlsx", "--case", "case.toml", "-o", "twice.csv")
    assert "0 of them added" in nethealth(*again, home=home, check=0).stdout


@pytest.mark.parametrize(
    ("contents", "output", "says"),
    [
        ("name;owner\na;b\n", "out.csv", "no column `id`"),
        ("", "out.csv", "holds no rows"),
        ("id;owner\na;b\n", "out.pdf", "ends in .csv or .xlsx"),
    ],
)
def test_a_register_that_is_none_is_refused(
    home: Path, contents: str, output: str, says: str
) -> None:
    (home / "register.csv").write_text(contents)
    done = nethealth(
        "import", "risks", "register.csv", "--case", "case.toml", "-o", output, home=home, check=2
    )
    assert says in done.stderr
    assert not (home / output).exists()
