"""`report --since`: a period in every format, verified against its data, the same twice over."""

import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from nethealth.cli.diagnose import diagnose
from nethealth.cli.exits import InputError
from nethealth.cli.period import Wanted, asked
from nethealth.cli.report import report
from nethealth.model import codec
from nethealth.model.inventory import Vantage
from nethealth.store import open_store
from tests.cli.command import nethealth
from tests.reports import period_history

FORMATS = "html,pdf,docx,xlsx,csv,json,text"
PERIOD = ("report", "--store", "sqlite:///history.db", "--since", "2026-09-28",
          "--until", "2026-11-08", "--fail-on", "never")  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the history in a store and as records, and a report on it in every format."""
    folder = tmp_path_factory.mktemp("period")
    (folder / "records").mkdir()
    with closing(open_store(f"sqlite:///{folder / 'history.db'}")) as store:
        for record in period_history.records():
            store.begin(replace(record, checks=(), observations=(), events=(), findings=()))
            store.finish(record)
            (folder / "records" / f"{record.run.id}.json").write_bytes(codec.dump(record))
    nethealth(*PERIOD, "--change", "change", "--format", FORMATS, "-o", "out", home=folder, check=0)
    return folder


def one(home: Path, suffix: str) -> Path:
    return next((home / "out").glob(f"*.{suffix}"))


@pytest.fixture
def period(home: Path) -> Iterator[dict[str, object]]:
    yield json.loads(one(home, "json").read_bytes())["period"]


def test_every_format_has_the_digest_of_the_same_period(
    home: Path, period: dict[str, object]
) -> None:
    digest = str(period["sha256"])
    assert re.fullmatch("[0-9a-f]{64}", digest)
    for suffix in ("html", "txt"):
        assert digest in one(home, suffix).read_text()
    summary = openpyxl.load_workbook(one(home, "xlsx"))["Summary"]
    assert f"sha256 {digest}" in [row[1] for row in summary.iter_rows(values_only=True)]


def test_the_whole_data_by_day_stand_in_csv_and_workbook(home: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(one(home, "csv").read_bytes().decode())))
    book = openpyxl.load_workbook(one(home, "xlsx"))
    sheet = list(book["Days"].iter_rows(values_only=True))
    assert len(sheet) == 1 + len(rows)
    days = [row for row in rows if row["row"] == "day" and row["asset"] == "depot-ata"]
    assert len(days) == period_history.DAYS
    # Silent all of 20 October, six times asked; not asked on 1 November.
    by_day = {row["day"]: (row["checks"], row["answered"], row["availability"]) for row in days}
    assert by_day["2026-10-20"] == ("6", "0", "0.0")
    assert by_day["2026-11-01"] == ("0", "0", "")
    assert {row["hours_of_day"] for row in days if row["day"] == "2026-10-25"} == {"25"}
    assert {row["hours_of_day"] for row in days if row["day"] == "2026-10-26"} == {"24"}


def test_an_untouched_report_agrees_with_the_store_and_with_the_records(home: Path) -> None:
    files = [str(file) for file in (home / "out").iterdir()]
    for source in (("--store", "sqlite:///history.db"), ("--record", "records")):
        done = nethealth("report", "verify", *files, *source, home=home, check=0)
        assert done.stdout.count("agrees with run") == len(files) == 7


def test_one_changed_observation_of_the_store_is_named_by_its_figures(
    home: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.db"
    changed.write_bytes((home / "history.db").read_bytes())
    with closing(sqlite3.connect(changed)) as connection:
        # A value of 14 October: nothing was lost at Hall on that day.
        ((check, number),) = connection.execute(
            "SELECT check_key, number FROM observations"
            " JOIN names ON names.key = name_key JOIN checks ON checks.key = check_key"
            " JOIN runs ON runs.key = run_key"
            " WHERE name = 'packet_loss_ratio' AND asset = 'hall-pbx'"
            " AND runs.started LIKE '2026-10-14T11:%'"
        ).fetchall()
        connection.execute(
            "UPDATE observations SET value = 0.9 WHERE check_key = ? AND number = ?",
            (check, number),
        )
        connection.commit()
    done = nethealth(
        "report", "verify", str(one(home, "html")), "--store", f"sqlite:///{changed}",
        home=home, check=1,
    )  # fmt: skip
    # Six checks of that day, one of which lost 0.9: the mean is 0.15.
    assert "hall hall-pbx: loss_ratio on 2026-10-14: the report says 0.0, its data give 0.15" in (
        done.stdout
    )
    assert "hall: loss_ratio on 2026-10-14: the report says 0.0, its data give 0.075" in done.stdout
    assert "hall hall-pbx: the values that its figures come from have changed" in done.stdout
    assert "depot" not in done.stdout


def test_one_changed_observation_of_a_record_is_named(home: Path, tmp_path: Path) -> None:
    for file in (home / "records").iterdir():
        text = file.read_text()
        if file.stem == "r20261014T1100Z":
            record = codec.load(text)
            first, *rest = record.observations
            assert (first.check, first.name) == ("hall-pbx:ping", "packet_loss_ratio")
            text = codec.dump(
                replace(record, observations=(replace(first, value=0.9), *rest))
            ).decode()
        (tmp_path / file.name).write_text(text)
    done = nethealth(
        "report", "verify", str(one(home, "json")), "--record", str(tmp_path), home=home, check=1
    )
    assert "hall hall-pbx: loss_ratio on 2026-10-14: the report says 0.0, its data give 0.15" in (
        done.stdout
    )


def test_a_figure_changed_in_the_period_itself_is_named(home: Path, tmp_path: Path) -> None:
    touched = tmp_path / "period.json"
    document = json.loads(one(home, "json").read_bytes())
    document["period"]["places"][0]["loss"]["value"] = 0.0123
    touched.write_text(json.dumps(document))
    done = nethealth(
        "report", "verify", str(touched), "--store", "sqlite:///history.db", home=home, check=1
    )
    assert "the period's figures are not those that SHA-256" in done.stdout
    assert "depot: loss: the report says 0.0123" in done.stdout


def test_the_same_period_twice_is_the_same_but_for_the_time_of_making(
    home: Path, tmp_path: Path
) -> None:
    nethealth(*PERIOD, "--change", "change", "--format", "html,json,csv", "-o",
              str(tmp_path / "again"), home=home, check=0)  # fmt: skip
    for suffix in ("html", "json", "csv"):
        first = one(home, suffix)
        again = next((tmp_path / "again").glob(f"*.{suffix}"))
        assert without_making(first) == without_making(again)
    assert one(home, "csv").read_bytes() == next((tmp_path / "again").glob("*.csv")).read_bytes()


def without_making(file: Path) -> str:
    """The text with the moment that stands in the file's own name taken out, wherever it is."""
    made = datetime.strptime(file.stem.rpartition("-")[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    text = file.read_text()
    there = made.astimezone(period_history.ZONE)
    for form in (f"{made:%Y-%m-%dT%H:%M:%SZ}", f"{made:%H:%M:%S} UTC", f"({there:%H:%M:%S} UTC",
                 f"{made.day} {made:%B} {made.year}"):  # fmt: skip
        text = text.replace(form, "")
    return text


def test_a_part_of_the_estate_says_the_same_of_it(home: Path, period: dict[str, object]) -> None:
    done = within(home, *PERIOD[1:], "--council", "scdc", "--site", "depot", "--format", "json")
    assert done.exit_code == 0
    part = json.loads(done.stdout)["period"]["places"]
    places = period["places"]
    assert isinstance(places, list)
    whole = [one for one in places if one["site"] == "depot"]
    assert part == whole
    assert [one["asset"] for one in part] == [None, "depot-ata"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--site", "hull"), "the inventory has depot, hall, pathfinder"),
        (("--council", "xdc"), "the inventory has hdc, scdc"),
        (("--site", "hall", "--council", "hdc"), "hall is not of the council hdc"),
        (("--change", "2026-10-12"), "add --site"),
        (("--change", "2026-13-12", "--site", "hall"), "allowed: a date as 2026-10-01"),
        (("--format", "nagios"), "tells the state of one run"),
        (("--run", "r1"), "exclude each other"),
        (("--since", "soon"), "allowed: a date as 2026-08-24, or 24h, 90d, 12w"),
        (("--since", "9999999d"), "at most 5000d"),
        (("--since", "5000w"), "more than 5000 days"),
        (("--since", "0001-01-01"), "allowed: 1990-01-01 to 2199-12-31"),
        (("--until", "9999-12-31"), "allowed: 1990-01-01 to 2199-12-31"),
        (("--since", "2026-11-09"), "is not before the end of the period"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(
    home: Path, more: tuple[str, ...], said: str
) -> None:
    done = within(home, *PERIOD[1:], *more)
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("days", ["2026-10-01"], "hours: 42 values for 1 days"),
        ("places", "none", "the record's period: places"),
        ("asked", {}, "asked.since: Field required"),
    ],
)
def test_a_damaged_period_is_refused_in_words(
    home: Path, tmp_path: Path, name: str, value: object, said: str
) -> None:
    document = json.loads(one(home, "json").read_bytes())
    document["period"][name] = value
    (tmp_path / "damaged.json").write_text(json.dumps(document))
    done = within(tmp_path, "--record", "damaged.json")
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_period_is_shown_again_from_its_own_record_and_judged_by_none(
    home: Path, tmp_path: Path
) -> None:
    record = str(one(home, "json"))
    done = within(tmp_path, "--record", record, "--format", "html", "-o", "again.html",
                  "--fail-on", "never")  # fmt: skip
    assert done.exit_code == 0
    assert (tmp_path / "again.html").read_bytes() == one(home, "html").read_bytes()
    refused = within(tmp_path, "--record", record, "--format", "prometheus")
    assert "tells the state of one run" in refused.stderr
    judged = CliRunner().invoke(diagnose, ["--record", record])
    assert judged.exit_code == 2
    assert "is a report over a period" in judged.stderr


def test_options_of_a_period_need_one(home: Path) -> None:
    done = within(home, "--store", "sqlite:///history.db", "--site", "hall")
    assert done.exit_code == 2
    assert "add --since" in done.stderr


def within(home: Path, *arguments: str) -> Result:
    """The command in this process, which is quicker where it ends at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        return CliRunner().invoke(report, arguments)


def test_a_period_without_any_measurement_says_so(home: Path) -> None:
    done = within(home, "--store", "sqlite:///history.db", "--since", "2025-01-01",
                  "--until", "2025-01-31")  # fmt: skip
    assert done.exit_code == 3
    assert "Nothing was measured in these 31 days, so nothing can be said." in done.stdout


def test_an_empty_store_has_no_period(tmp_path: Path) -> None:
    done = within(tmp_path, "--store", "sqlite:///none.db", "--since", "30d")
    assert done.exit_code == 2
    assert "the history is empty" in done.stderr


def wanted(since: str, until: str | None, zone: str = "Europe/London") -> tuple[datetime, datetime]:
    inventory = replace(period_history.INVENTORY, vantage=Vantage(timezone=zone))
    now = datetime(2026, 11, 26, 10, 30, tzinfo=UTC)
    found = asked(Wanted(since, until, None, None, ()), inventory, now)
    return found.since, found.until


def test_days_begin_at_midnight_by_the_clock_on_the_wall() -> None:
    """British Summer Time ended on 25 October 2026 and began on 29 March."""
    assert wanted("90d", "2026-11-21") == (
        datetime(2026, 8, 23, 23, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC),
    )  # fmt: skip
    assert wanted("2026-03-28", "2026-03-29") == (
        datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 29, 23, tzinfo=UTC),
    )  # fmt: skip
    assert wanted("2d", None) == (
        datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 26, 10, 30, tzinfo=UTC),
    )  # fmt: skip
    assert wanted("36h", None)[0] == datetime(2026, 11, 24, 22, 30, tzinfo=UTC)
    assert wanted("1d", "2026-06-01", "Asia/Tokyo")[0] == datetime(2026, 5, 31, 15, tzinfo=UTC)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(InputError, match="is not known here"):
        wanted("1d", None, "Mars/Olympus")
