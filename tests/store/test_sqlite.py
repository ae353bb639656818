"""What is put into the store comes back equal, and what it cannot do it says in words."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings

from nethealth.model import codec
from nethealth.model.finding import Severity
from nethealth.model.record import Record
from nethealth.store import Store, StoreError, default_url, open_store
from nethealth.store.tables import Tables
from tests.store.records import WHEN, begun, finding, finished, records, result, seen


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deeper" / "history.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{path}")) as opened:
        yield opened


def test_a_finished_run_comes_back_as_it_was(store: Store, path: Path) -> None:
    head = begun()
    store.begin(head)
    # As checks end: not in the order of the plan.
    store.append("r1", result("b"), [seen(check="b"), seen("reply_ttl", 64, check="b", number=2)])
    store.append("r1", result("a"), [seen(check="a")])
    whole = replace(
        finished(head, findings=(finding(),)),
        checks=(result("a"), result("b")),
        observations=(
            seen(check="a"), seen(check="b"), seen("reply_ttl", 64, check="b", number=2),
        ),
    )  # fmt: skip
    store.finish(whole)
    assert store.load("r1") == whole
    with closing(open_store(f"sqlite:///{path}")) as again:
        assert again.load("r1") == whole


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_any_record_comes_back_equal_and_as_the_same_json(record: Record) -> None:
    with TemporaryDirectory() as folder, closing(open_store(f"sqlite:///{folder}/s.db")) as store:
        store.begin(record)
        first, rest = record.checks[:1], record.checks[1:]
        for check in (*rest, *first):
            store.append(
                record.run.id, check, [o for o in record.observations if o.check == check.id]
            )
        store.finish(record)
        assert store.load(record.run.id) == record
        assert codec.dump(store.load(record.run.id)) == codec.dump(record)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_a_record_never_appended_is_stored_whole_by_its_finish(record: Record) -> None:
    with TemporaryDirectory() as folder, closing(open_store(f"sqlite:///{folder}/s.db")) as store:
        store.begin(record)
        store.finish(record)
        store.finish(record)
        assert store.load(record.run.id) == record


def test_a_run_that_never_finished_loads_with_what_it_had(path: Path) -> None:
    with closing(open_store(f"sqlite:///{path}")) as store:
        store.begin(begun())
        store.append("r1", result(), [seen()])
    with closing(open_store(f"sqlite:///{path}")) as store:
        loaded = store.load("r1")
        assert loaded.run.finished is None
        assert (loaded.checks, loaded.observations) == ((result(),), (seen(),))
        assert store.runs()[0].finished is None


def test_types_that_sqlite_does_not_have_come_back(store: Store) -> None:
    values = (True, False, 0, 1, 1.0, -(2**70), 2**63, 2**63 - 1, "0x1", "", None, float("inf"))
    observations = [seen("x", value, number=n) for n, value in enumerate(values, 1)]
    store.begin(begun())
    store.append("r1", result(), observations)
    loaded = store.load("r1").observations
    assert [(type(o.value), o.value) for o in loaded] == [(type(v), v) for v in values]


def test_what_no_database_can_hold_is_made_harmless(store: Store) -> None:
    store.begin(begun())
    odd = replace(result(), reason="bad \ud800 name")
    store.append("r1", odd, [seen("sip_server", "\ud800x"), seen("y", float("nan"), number=2)])
    loaded = store.load("r1")
    assert loaded.checks[0].reason == "bad ? name"
    assert [o.value for o in loaded.observations] == ["?x", None]


def test_runs_are_listed_newest_first_with_their_findings_counted(store: Store) -> None:
    for n in range(3):
        head = begun(f"r{n}", after=timedelta(hours=n), kind="check" if n == 1 else "sweep")
        store.begin(head)
        store.append(f"r{n}", result(), [seen()])
        findings = (finding(code="a"), finding(code="b"), finding(Severity.CRITICAL))
        store.finish(replace(finished(head, findings=findings), checks=(result(),)))
    assert [run.id for run in store.runs()] == ["r2", "r1", "r0"]
    assert [run.id for run in store.runs(1)] == ["r2"]
    assert [run.id for run in store.runs(kind="sweep")] == ["r2", "r0"]
    assert store.runs(vantage="elsewhere") == ()
    newest = store.runs()[0]
    assert (newest.checks, newest.started) == (1, WHEN + timedelta(hours=2))
    assert newest.finished == WHEN + timedelta(hours=2, seconds=9)
    assert newest.findings == {Severity.WARNING: 2, Severity.CRITICAL: 1}


def test_previous_findings_are_those_of_the_last_whole_run_of_the_same_kind(store: Store) -> None:
    def add(
        run_id: str, hours: int, *checks: str, interrupted: bool = False, end: bool = True
    ) -> Record:
        head = begun(run_id, after=timedelta(hours=hours))
        store.begin(head)
        whole = replace(
            finished(head, findings=(finding(code=run_id),)),
            checks=tuple(replace(result(), id=check) for check in checks),
        )
        if end:
            store.finish(replace(whole, run=replace(whole.run, interrupted=interrupted)))
        return whole

    def before(record: Record, *checks: str) -> list[str] | None:
        found = store.previous_findings(record.run, checks)
        return None if found is None else [each.id for each in found]

    first = add("first", 0, "a:ping", "b:ping")
    assert before(first, "a:ping") is None
    add("grown", 1, "a:ping", "b:ping", "c:ping", "c:ping#2")
    add("other", 2, "z:ping")
    add("stopped", 3, "a:ping", "b:ping", interrupted=True)
    add("killed", 4, "a:ping", "b:ping", end=False)
    last = add("last", 5, "a:ping", "b:ping")
    assert before(last, "a:ping", "b:ping") == ["packet-loss:first"]
    assert before(last, "a:ping", "b:ping", "c:ping") == ["packet-loss:grown"]
    assert before(last, "a:ping") == ["packet-loss:grown"]  # the latest that shares any
    assert before(last, "q:ping") is None
    elsewhere = replace(last, run=replace(last.run, vantage="elsewhere"))
    assert before(elsewhere, "a:ping") is None


def test_a_series_follows_an_asset_or_a_site_over_its_runs(store: Store) -> None:
    for n in range(4):
        head = begun(f"r{n}", after=timedelta(hours=n))
        store.begin(head)
        store.append(f"r{n}", result(), [seen(value=n / 100), seen("reply_ttl", 64, number=2)])
        gateway = result("site.hall:gateway:ping", None)
        store.append(f"r{n}", gateway, [seen(value=0.0, check="site.hall:gateway:ping")])
    points = store.series(["packet_loss_ratio"], asset="pbx")
    assert [(p.run, p.value, p.time - WHEN) for p in points] == [
        (f"r{n}", n / 100, timedelta(hours=n, seconds=1.25)) for n in range(4)
    ]
    assert {(p.site, p.asset, p.check, p.unit, p.samples) for p in points} == {
        ("hall", "pbx", "pbx:ping", "1", 20)
    }
    since = store.series(["packet_loss_ratio"], asset="pbx", since=WHEN + timedelta(hours=2))
    assert [p.run for p in since] == ["r2", "r3"]
    both = store.series(["packet_loss_ratio", "reply_ttl"], site="hall")
    assert len(both) == 12
    assert store.series(["packet_loss_ratio"], asset="unknown") == ()
    assert store.series([], asset="pbx") == ()
    assert store.series(["reply_ttl"], asset="pbx", since=WHEN + timedelta(days=1)) == ()
    with pytest.raises(StoreError, match="one asset or of one site"):
        store.series(["reply_ttl"])


def test_one_inventory_is_stored_once_however_many_runs_have_it(store: Store, path: Path) -> None:
    for n in range(5):
        store.begin(begun(f"r{n}"))
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM inventories").fetchone() == (1,)


def test_what_does_not_belong_together_is_refused(store: Store) -> None:
    store.begin(begun())
    with pytest.raises(StoreError, match="already has a run r1"):
        store.begin(begun())
    with pytest.raises(StoreError, match="has no run r9"):
        store.load("r9")
    with pytest.raises(StoreError, match="has no run r9"):
        store.finish(begun("r9"))
    with pytest.raises(StoreError, match="belongs to no check"):
        store.finish(replace(begun(), observations=(seen(),)))


def test_a_check_that_could_not_be_stored_is_told_by_the_next_and_mended_by_finish(
    store: Store,
) -> None:
    store.begin(begun())
    store.append("r1", result("a"), [seen(check="a")])
    store.append("r1", result("a"), [seen(check="a")])  # twice: breaks the batch
    assert store.load("r1").checks == ()
    with pytest.raises(StoreError, match="UNIQUE"):
        store.append("r1", result("b"), [])
    whole = replace(finished(begun()), checks=(result("a"),), observations=(seen(check="a"),))
    store.finish(whole)
    assert store.load("r1") == whole
    store.append("r1", result("b"), [])


def test_a_fault_that_nobody_was_told_of_is_told_at_the_close(path: Path) -> None:
    store = open_store(f"sqlite:///{path}")
    store.append("never begun", result(), [])
    with pytest.raises(StoreError, match="has no run never begun"):
        store.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://u:secret@db/nethealth", "not available in this version"),
        ("sqlite://", "sqlite:///PATH"),
        ("sqlite:///", "sqlite:///PATH"),
        ("sqlite:///folder/", "sqlite:///PATH"),
        ("sqlite://relative.db", "sqlite:///PATH"),
        ("history.db", "sqlite:///PATH"),
        ("mysql://u:secret@db/x", "sqlite:///PATH"),
        ("", "sqlite:///PATH"),
        ("sqlite:///a\0b", "NUL"),
    ],
)
def test_a_url_that_will_not_do_is_told_without_its_secrets(url: str, told: str) -> None:
    with pytest.raises(StoreError, match=told) as refused:
        open_store(url)
    assert "secret" not in str(refused.value)


def test_a_relative_path_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///here/history.db").close()
    assert (tmp_path / "here" / "history.db").exists()


def test_the_default_is_in_the_xdg_data_home() -> None:
    tail = "nethealth/history.db"
    assert default_url({"HOME": "/home/a"}) == f"sqlite:////home/a/.local/share/{tail}"
    assert default_url({"HOME": "/h", "XDG_DATA_HOME": "/d"}) == f"sqlite:////d/{tail}"
    assert default_url({"HOME": "/h", "XDG_DATA_HOME": "d"}) == f"sqlite:////h/.local/share/{tail}"


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "s.db").touch()
    with closing(open_store(f"sqlite:///{tmp_path}/s.db")) as store:
        assert store.runs() == ()


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"x" * 5000]
)
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.db").write_bytes(content)
    with pytest.raises(StoreError, match=r"not a nethealth store|is damaged"):
        open_store(f"sqlite:///{tmp_path}/s.db")
    assert (tmp_path / "s.db").read_bytes() == content


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "s.db")) as other:
        other.execute("CREATE TABLE mine (x)")
    content = (tmp_path / "s.db").read_bytes()
    with pytest.raises(StoreError, match="database of another program"):
        open_store(f"sqlite:///{tmp_path}/s.db")
    assert (tmp_path / "s.db").read_bytes() == content


def test_a_newer_schema_is_refused_in_words(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/s.db").close()
    with closing(sqlite3.connect(tmp_path / "s.db")) as raw:
        raw.execute("PRAGMA user_version = 7")
    with pytest.raises(StoreError, match="has schema 7 and this version reads 1"):
        open_store(f"sqlite:///{tmp_path}/s.db")


def test_a_damaged_store_is_told_and_never_a_traceback(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    with closing(open_store(url)) as store:
        for n in range(40):
            store.begin(begun(f"r{n}"))
            store.append(f"r{n}", result(), [seen(number=k) for k in range(1, 60)])
    whole = (tmp_path / "s.db").read_bytes()
    told = 0
    for page in range(1, len(whole) // 4096):
        bad = tmp_path / f"{page}.db"
        bad.write_bytes(whole[: page * 4096] + b"\xa5" * 4096 + whole[(page + 1) * 4096 :])
        try:
            with closing(open_store(f"sqlite:///{bad}")) as store:
                for run in store.runs(100):
                    store.load(run.id)
                store.series(["packet_loss_ratio"], site="hall")
        except StoreError as error:
            told += 1
            assert str(bad) in str(error)
    assert told > 5


@pytest.mark.parametrize("place", ["/proc/nethealth/s.db", "{tmp}/file/s.db", "{tmp}"])
def test_a_place_where_no_file_can_be_is_told_in_words(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot (make the folder of|write|read or write)"):
        open_store("sqlite:///" + place.format(tmp=tmp_path))


def test_a_lock_that_another_program_keeps_is_told_in_words(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nethealth.store.sqlite.BUSY_S", 0.05)
    with closing(open_store(f"sqlite:///{path}")) as store, closing(sqlite3.connect(path)) as raw:
        raw.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="stayed locked by another program"):
            store.begin(begun())
        raw.rollback()
        store.begin(begun())


def test_a_series_is_found_by_its_indexes(store: Store, path: Path) -> None:
    store.begin(begun())
    with closing(sqlite3.connect(path)) as raw:
        statements: list[str] = []
        raw.set_trace_callback(statements.append)
        assert list(Tables(raw).series(["packet_loss_ratio"], "pbx", None, None)) == []
        raw.set_trace_callback(None)
        (statement,) = [text for text in statements if "json_each" in text]
        plan = " ".join(row[3] for row in raw.execute("EXPLAIN QUERY PLAN " + statement))
    assert "checks_by_asset" in plan
    assert "SCAN observations" not in plan
    assert "SCAN checks" not in plan


FULL = """
import resource, sys
from dataclasses import replace
from nethealth.store import StoreError, open_store
from tests.store.records import begun, finished, result, seen
store = open_store("sqlite:///" + sys.argv[1])
store.begin(begun())
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
checks = [result(f"c{n}") for n in range(2000)]
seen = {c.id: [seen(check=c.id, number=k) for k in range(1, 20)] for c in checks}
try:
    for check in checks:
        store.append("r1", check, seen[check.id])
except StoreError as error:
    print("append:", error)
every = tuple(one for check in checks for one in seen[check.id])
whole = replace(finished(begun()), checks=tuple(checks), observations=every)
try:
    store.finish(whole)
except StoreError as error:
    print("finish:", error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""


def test_a_disk_that_fills_up_is_told_and_what_was_stored_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    told = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False
    )
    last = told.stdout.splitlines()[-1]
    assert last.startswith("finish:")
    assert str(path) in last
    assert "is the disk full" in last or "no space left" in last
    with closing(open_store(f"sqlite:///{path}")) as store:
        loaded = store.load("r1")
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(loaded.observations) == 19 * len(loaded.checks)
