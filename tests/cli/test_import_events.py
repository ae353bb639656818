"""`import syslog` and `import calls` into a store, as a user runs them."""

import csv
import gzip
import io
import random
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

from nethealth.cli import main
from nethealth.inventory.assets import AssetFileError, Row, stream_csv
from nethealth.inventory.events.builtin import KINDS
from nethealth.inventory.events.call_map import CallMap, headers_of
from nethealth.inventory.events.calls import CallError, CallReader, register
from nethealth.inventory.events.messages import Tally
from nethealth.inventory.events.places import Places
from nethealth.inventory.hours import zone
from nethealth.model.inventory import Inventory
from nethealth.model.observation import Event
from nethealth.model.pseudonym import Pseudonyms, Revealed
from nethealth.store import open_store
from tests.cli.command import nethealth

SITES = """
[vantage]
id = "hq"
timezone = "Europe/London"
[[council]]
id = "c"
name = "Council"
[[site]]
id = "hall"
council = "c"
name = "Hall"
[[site]]
id = "barn"
council = "c"
name = "Barn"
[[asset]]
id = "hall-sw1"
site = "hall"
kind = "switch"
address = "198.18.2.2"
"""
SYSLOG = """\
<189>Jul 25 10:00:00 hall-sw1 7: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down
this is no syslog
<189>Jul 25 10:00:05 198.18.2.2 8: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up
<13>Jul 25 10:01:00 attic pager[3]: PAGE zone 4 at hall started
<13>Jul 25 10:02:00 attic sshd[3]: nothing of note
"""
RULES = """
[[rule]]
match = 'PAGE zone \\d{1,3} at (?P<site>[a-z]{1,20}) started'
kind = "page"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "sites.toml").write_text(SITES)
    (tmp_path / "messages").write_text(SYSLOG)
    (tmp_path / "rules.toml").write_text(RULES)
    return tmp_path


def store_of(home: Path) -> tuple[str, str]:
    return ("--store", f"sqlite:///{home}/history.db")


def kept(home: Path, *kinds: str, site: str | None = None) -> tuple[Event, ...]:
    store = open_store(f"sqlite:///{home}/history.db")
    try:
        return store.events(kinds, site=site)
    finally:
        store.close()


def test_syslog_becomes_events_once(home: Path) -> None:
    command = ("import", "syslog", "--map", "rules.toml", "--year", "2026", *store_of(home))
    first = nethealth(*command, "messages", home=home, check=0)
    assert "4 messages read, 3 events, 0 told twice" in first.stdout
    assert "messages:2: not read: no time where RFC 3164 or RFC 3339 has one" in first.stderr
    assert "no asset for attic: 1 events" in first.stderr
    # Gzipped, it is the same once more.
    (home / "messages.gz").write_bytes(gzip.compress(SYSLOG.encode()))
    nethealth(*command, "messages.gz", home=home, check=0)
    found = kept(home, "link-down", "link-up", "page")
    assert [(one.kind, one.site, one.asset) for one in found] == [
        ("link-down", "hall", "hall-sw1"), ("link-up", "hall", "hall-sw1"), ("page", "hall", None),
    ]  # fmt: skip
    assert found[0].time == datetime(2026, 7, 25, 9, 0, tzinfo=UTC)  # summer time
    assert len(kept(home, "link-down", "link-up", site="barn")) == 0
    store = open_store(f"sqlite:///{home}/history.db")
    [last, before] = store.runs()
    assert (last.kind, before.kind, last.vantage) == ("import", "import", "hq")
    privacy = store.load(last.id).run.privacy
    assert privacy is not None
    assert privacy.mode == "pseudonyms"
    store.close()


def test_what_is_whole_of_a_damaged_file_is_kept(home: Path) -> None:
    packed = gzip.compress(SYSLOG.encode() * 2000)
    (home / "cut.gz").write_bytes(packed[: len(packed) // 2])
    done = nethealth(
        "import", "syslog", "cut.gz", "missing", "--year", "2026", *store_of(home),
        home=home, check=2,
    )  # fmt: skip
    assert "cut.gz: the compressed data are cut short; it is read until there" in done.stderr
    assert "cannot read missing: No such file" in done.stderr
    assert len(kept(home, "link-down")) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("syslog", "messages", "--timezone", "Mars/Base"), "--timezone: found 'Mars/Base'"),
        (("syslog", "messages", "--site", "attic"), "--site: found 'attic'; allowed: hall, barn"),
        (("syslog", "messages", "messages"), "a file is named twice"),
        (("syslog", "sites.toml"), "no messages in what was given"),
        (("syslog", "messages", "--map", "bad.toml"), "within a repeated group"),
        (("calls", "sites.toml"), "no column for the start of a call"),
        (("calls", "messages", "--map", "bad.toml"), "the map has"),
        (("calls", "empty"), "the file holds no rows"),
    ],
)
def test_what_is_wrong_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    (home / "bad.toml").write_text("[[rule]]\nmatch = '(a+)+'\nkind = 'x'\n")
    (home / "empty").write_text("")
    monkeypatch.chdir(home)
    done = CliRunner().invoke(main, ["import", *arguments, *store_of(home)])
    assert done.exit_code == 2, done.output
    assert says in done.stderr


CALLS = """\
start,src,dst,duration,billsec,disposition,uniqueid
2026-07-25 10:00:00,2001,01632 960001,70,60,ANSWERED,1.1
2026-07-25 10:00:30,2002,01632 960002,20,0,NO ANSWER,1.2
not a time,2003,2004,1,1,ANSWERED,1.3
"""


def test_calls_become_events_without_numbers(home: Path) -> None:
    (home / "calls.csv").write_text(CALLS)
    (home / "map.toml").write_text('[sites]\n"2" = "hall"\n')
    command = ("import", "calls", "calls.csv", "--map", "map.toml", *store_of(home))
    done = nethealth(*command, "--key-file", "key", home=home, check=0)
    assert "2 calls read, 4 events" in done.stdout
    assert "calls.csv:4: not read: no time: 'not a time'" in done.stderr
    nethealth(*command, "--key-file", "key", home=home, check=0)
    nethealth(*command, home=home, check=0)  # with a passing key the ids are still the same
    found = kept(home, "call", "call-start", "call-end", site="hall")
    assert [(one.kind, f"{one.time:%H:%M:%S}") for one in found] == [
        ("call", "09:00:00"), ("call-start", "09:00:10"), ("call", "09:00:30"),
        ("call-end", "09:01:10"),
    ]  # fmt: skip
    with sqlite3.connect(home / "history.db") as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert "number-" in dump
    for secret in ("960001", "2001", "2002"):
        assert secret not in dump.replace("20260", ""), secret


def test_standard_input_is_read_twice_to_find_the_year(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    messages = [b"<189>Dec 31 23:59:59 hall-sw1 x: Asterisk Ready.",
                b"<189>Jan 1 00:00:01 hall-sw1 x: Asterisk Ready."]  # fmt: skip
    counted = b"".join(b"%d %b" % (len(one), one) for one in messages)
    asked = ["import", "syslog", "-", "--clock-error", "2", *store_of(home)]
    done = CliRunner().invoke(main, asked, input=gzip.compress(counted))
    assert done.exit_code == 0, done.output
    now = datetime.now(UTC)
    before, after = kept(home, "pbx-restart")
    assert (before.time.year, after.time.year) == (now.year - 1, now.year)
    assert before.clock_error_s == 2.0


def test_a_long_history_becomes_several_records(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setattr("nethealth.cli.import_events.RECORD_EVENTS_MAX", 2)
    lines = [f"Jul 25 10:00:{second:02} hall-sw1 x: Asterisk Ready.\n" for second in range(5)]
    (home / "five").write_text("".join(lines))
    done = CliRunner().invoke(main, ["import", "syslog", "five", *store_of(home)])
    assert done.exit_code == 0, done.output
    assert len(kept(home, "pbx-restart", site="hall")) == 5
    store = open_store(f"sqlite:///{home}/history.db")
    assert sorted(len(store.load(run.id).events) for run in store.runs()) == [1, 2, 2]
    store.close()


def test_calls_of_a_workbook(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Call Time", "Caller ID", "Destination", "Status", "Ringing", "Talking"])
    when = datetime(2026, 11, 25, 9, 0, tzinfo=UTC).replace(tzinfo=None)
    sheet.append([when, "2001", "01632 960001", "Answered", "00:00:10", "00:01:00"])
    book.save(home / "calls.xlsx")
    asked = ["import", "calls", "calls.xlsx", "--site", "barn", *store_of(home)]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.output
    assert [one.time for one in kept(home, "call-end", site="barn")] == [
        datetime(2026, 11, 25, 9, 1, 10, tzinfo=UTC)
    ]


def test_every_kind_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"`{kind}`" not in page] == []


def test_a_dry_run_keeps_nothing(home: Path) -> None:
    done = nethealth(
        "import", "syslog", "messages", "--year", "2026", "--dry-run", *store_of(home),
        home=home, check=0,
    )  # fmt: skip
    assert "2 events" in done.stdout
    assert not (home / "history.db").exists()


def read(text: str, map_: CallMap | None = None) -> list[tuple[str, str]]:
    """Kind and time of each event of a CSV, in UTC."""
    map_ = map_ or CallMap()
    reader = CallReader(map_, Places(Inventory()), zone("UTC"), Revealed(), None)
    rows = stream_csv(io.BytesIO(text.encode()), register(map_), headers_of)
    return [(one.kind, f"{one.time:%Y-%m-%d %H:%M:%S}") for one in reader.events(rows, Tally())]


ANSWERED = [
    ("call", "2026-11-25 09:00:00"),
    ("call-start", "2026-11-25 09:00:10"),
    ("call-end", "2026-11-25 09:01:10"),
]


@pytest.mark.parametrize(
    "text",
    [
        # Asterisk, cdr_csv: no headers.
        '"","101","102","default","""A"" <101>","SIP/101-1","SIP/102-2","Dial","SIP/102",'
        '"2026-11-25 09:00:00","2026-11-25 09:00:10","2026-11-25 09:01:10",70,60,"ANSWERED",'
        '"DOCUMENTATION","1764061200.1",""\n',
        # 3CX, the call log as it is exported.
        "Call Time,Caller ID,Destination,Status,Ringing,Talking,Cost\n"
        "2026-11-25T09:00:00,101,102,Answered,00:00:10,00:01:00,\n",
        # Cisco Unified CM: seconds of Unix, and the types of the columns in the second line.
        '"cdrRecordType","globalCallID_callId","dateTimeOrigination","callingPartyNumber",'
        '"finalCalledPartyNumber","dateTimeConnect","dateTimeDisconnect","duration"\n'
        "INTEGER,INTEGER,INTEGER,VARCHAR(50),VARCHAR(50),INTEGER,INTEGER,INTEGER\n"
        '1,77,1795597200,"101","102",1795597210,1795597270,60\n',
        # Avaya IP Office, SMDR: no headers.
        "2026/11/25 09:00:00,00:01:00,10,101,O,102,102,,0,1000007,0,E101,A,T9001,L,0,0\n",
        # Semicolons, as a spreadsheet writes them here.
        "From;To;Start Time;Answer Time;End Time\n"
        "101;102;25/11/2026 09:00:00;25/11/2026 09:00:10;25/11/2026 09:01:10\n",
        # Day and time apart.
        "Date,Time,Ring Time,Talk Time\n25/11/2026,09:00:00,10,1:00\n",
    ],
    ids=["asterisk", "3cx", "cisco", "avaya", "semicolons", "apart"],
)
def test_usual_columns_are_known(text: str) -> None:
    assert read(text) == ANSWERED


def test_a_map_names_columns_and_the_form_of_times() -> None:
    map_ = CallMap(columns={"start": "When", "talk": "Secs"}, time_format="%m/%d/%Y %I:%M:%S %p")
    assert read("When,Secs\n11/25/2026 9:00:00 AM,60\n", map_) == [
        ("call", "2026-11-25 09:00:00"),
        ("call-start", "2026-11-25 09:00:00"),
        ("call-end", "2026-11-25 09:01:00"),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026-11-25 09:00:00,2026-11-25 08:00:00,1", "it ends before it starts"),
        ("2026-11-25 09:00:00,,later", "no duration: 'later'"),
        ("2026-11-25 09:00:00,,9999999", "a duration above a week"),
        ("99999999999999999,,1", "no time"),
        ("2026-11-25,,1", "no time"),
    ],
)
def test_rows_that_are_no_call_are_refused(row: str, reason: str) -> None:
    tally = Tally()
    reader = CallReader(CallMap(), Places(Inventory()), zone("UTC"), Pseudonyms(b"k" * 16), None)
    rows = stream_csv(io.BytesIO(f"start,end,billsec\n{row}\n".encode()), register(CallMap()))
    assert list(reader.events(rows, tally)) == []
    [(number, said)] = tally.unread
    assert number == 2
    assert reason in said


@pytest.mark.parametrize("rest", ["x" * (3 << 20), '"' + "x" * 200_000, '"' + "a,\n" * 100_000])
def test_a_table_that_does_not_end_is_refused(rest: str) -> None:
    """Without a line's end, without a cell's end: what stood before it is read."""
    data = io.BytesIO(b"start,src\n" + b"1795597200,1\n" * 30 + rest.encode())
    rows = stream_csv(data, register(CallMap()))
    assert [next(rows)["start"] for _ in range(30)] == ["1795597200"] * 30
    with pytest.raises(AssetFileError, match=r"more than|not readable as CSV"):
        list(rows)


def test_any_octets_are_rows_or_an_error() -> None:
    dice = random.Random(4180)
    kinds = 0
    for _ in range(300):
        octets = bytearray(CALLS.encode(dice.choice(("utf-8", "utf-16"))))
        for _ in range(dice.randrange(1, 6)):
            octets[dice.randrange(len(octets))] = dice.randrange(256)
        reader = CallReader(
            CallMap(), Places(Inventory()), zone("UTC"), Pseudonyms(b"k" * 16), None
        )
        try:
            rows = stream_csv(io.BytesIO(bytes(octets)), register(CallMap()), headers_of)
            kinds += len({one.kind for one in reader.events(rows, Tally())})
        except (AssetFileError, CallError):
            continue
    assert kinds > 100


def test_a_long_table_is_read_row_by_row() -> None:
    """More rows than a register may have, in each of the encodings that offices write."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["start", "duration", "café"])
    writer.writerows([1_795_597_200 + number, 1, "é,\nx"] for number in range(25_000))
    for encoding in ("utf-8", "utf-16", "cp1252"):
        rows: list[Row] = list(
            stream_csv(io.BytesIO(text.getvalue().encode(encoding)), register(CallMap()))
        )
        assert len(rows) == 25_000
        assert rows[-1] == {"start": "1795622199", "duration": "1", "café": "é,\nx"}
        assert rows[-1].number == 25_001
