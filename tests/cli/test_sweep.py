"""`nethealth sweep` end to end on loopback: stops, overlap, history, re-judging, --quiet."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from nethealth.store import open_store
from tests.cli.command import environment, nethealth

INVENTORY = """
[vantage]
id = "desk"
timezone = "Europe/London"

[sweep]
ping_count = {count}
ping_interval_ms = 20
deadline_s = 30

[[council]]
id = "a"
name = "A Council"

[[site]]
id = "hall"
council = "a"
name = "Hall"

{assets}
"""
ASSET = """
[[asset]]
id = "host-{number}"
site = "hall"
kind = "server"
owner = "ICT"
address = "127.0.1.{number}"
"""
CLOSED = """
[[asset]]
id = "portal"
site = "hall"
kind = "service"
owner = "ICT"
address = "127.0.0.1"
checks = ["tcp"]
[asset.tcp]
ports = [1]
"""


def write_inventory(home: Path, *, hosts: int = 5, count: int = 5, more: str = "") -> None:
    assets = "".join(ASSET.format(number=number) for number in range(1, hosts + 1)) + more
    (home / "sites.toml").write_text(INVENTORY.format(count=count, assets=assets), encoding="utf-8")


def started(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "nethealth", *arguments],
        cwd=home,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_begun(home: Path, process: "subprocess.Popen[str]", *, before: int = 0) -> None:
    """Return as soon as the run stands in the history: from then on it can be stopped.

    `before`: how many runs stood there before it.
    """
    place = home / ".local" / "share" / "nethealth" / "history.db"
    end_s = time.monotonic() + 60
    while _runs(place) <= before:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end_s, "it did not begin"
        time.sleep(0.05)


def _runs(place: Path) -> int:
    if not place.exists():
        return 0
    with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as database:
        try:
            count: int = database.execute("SELECT count(*) FROM runs").fetchone()[0]
        except sqlite3.OperationalError:  # its tables are being made
            return 0
    return count


def test_all_well_exits_0_and_a_fault_1(tmp_path: Path) -> None:
    write_inventory(tmp_path)
    nethealth("sweep", home=tmp_path, check=0)
    write_inventory(tmp_path, more=CLOSED)
    done = nethealth("sweep", "--format", "json", home=tmp_path, check=1)
    found = json.loads(done.stdout)["findings"]
    codes = [finding["code"] for finding in found if finding["severity"] != "info"]
    assert codes == ["service-down"]


def test_files_are_named_by_the_runs_start(tmp_path: Path) -> None:
    write_inventory(tmp_path)
    done = nethealth("sweep", "--format", "html,csv,json", "-o", "out", home=tmp_path, check=0)
    names = sorted(place.name for place in (tmp_path / "out").iterdir())
    assert done.stdout.split() == [f"out/{name}" for name in (names[1], names[0], names[2])]
    record = json.loads((tmp_path / "out" / names[2]).read_text(encoding="utf-8"))
    stamp = record["run"]["started"].replace("-", "").replace(":", "")[:15] + "Z"
    assert names == [f"nethealth-sweep-{stamp}.{ending}" for ending in ("csv", "html", "json")]


def test_one_file_is_replaced_whole(tmp_path: Path) -> None:
    write_inventory(tmp_path)
    place = tmp_path / "nethealth.prom"
    place.write_text("old", encoding="utf-8")
    nethealth("sweep", "--format", "prometheus", "-o", str(place), home=tmp_path, check=0)
    assert "nethealth_last_success_timestamp_seconds" in place.read_text(encoding="utf-8")


def test_sigint_ends_the_sweep_with_what_it_has(tmp_path: Path) -> None:
    write_inventory(tmp_path, hosts=8, count=1000)
    process = started(tmp_path, "sweep", "--format", "json", "--fail-on", "never")
    wait_begun(tmp_path, process)
    time.sleep(1)  # of the eight checks, the last begins a sixth of a second after the first
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert "stopping, with what was measured" in err
    record = json.loads(out)
    assert record["run"]["interrupted"] is True
    assert len(record["checks"]) == 8
    assert {check["failure"] for check in record["checks"]} == {"interrupted"}
    assert [event["kind"] for event in record["events"]] == ["interrupted"]
    assert [finding["code"] for finding in record["findings"]] in ([], ["instrument-limited"])


def test_a_second_sweep_refuses_to_overlap(tmp_path: Path) -> None:
    write_inventory(tmp_path, hosts=1, count=1000)
    first = started(tmp_path, "sweep")
    try:
        wait_begun(tmp_path, first)
        done = nethealth("sweep", home=tmp_path, check=3)
        assert f"process {first.pid}" in done.stderr
    finally:
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=30)
    write_inventory(tmp_path)
    nethealth("sweep", home=tmp_path, check=0)


def test_a_record_judges_and_renders_alike_elsewhere(tmp_path: Path) -> None:
    write_inventory(tmp_path, more=CLOSED)
    nethealth("sweep", "--format", "json,html,csv", "-o", "first", home=tmp_path, check=1)
    [record] = (tmp_path / "first").glob("*.json")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "record.json").write_bytes(record.read_bytes())
    # No network, no inventory file: a namespace of its own with even loopback down.
    again = ["unshare", "--net"] if _may_unshare() else []
    for command in ("diagnose", "report"):
        subprocess.run(
            [
                *again, sys.executable, "-m", "nethealth", command, "--record", "record.json",
                "--format", "json,html,csv", "-o", command,
            ],
            cwd=elsewhere, env=environment(elsewhere), check=False, timeout=60,
        )  # fmt: skip
        for ending in ("json", "html", "csv"):
            [before] = (tmp_path / "first").glob(f"*.{ending}")
            [after] = (elsewhere / command).glob(f"*.{ending}")
            assert after.read_bytes() == before.read_bytes(), (command, ending)


def _may_unshare() -> bool:
    return subprocess.run(["unshare", "--net", "true"], check=False).returncode == 0


def told(home: Path, *arguments: str, check: int) -> list[str]:
    """What --quiet prints, without the notes on a test machine that is itself busy."""
    done = nethealth(*arguments, "--quiet", home=home, check=check)
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if "instrument-limited" not in line]


def test_quiet_tells_only_what_changed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        write_inventory(tmp_path, more=CLOSED.replace("[1]", f"[{port}]"))
        assert told(tmp_path, "sweep", check=0) == []
    [new] = told(tmp_path, "sweep", check=1)
    assert "portal" in new
    assert told(tmp_path, "sweep", check=1) == []
    # What is not looked at has not cleared.
    assert told(tmp_path, "check", "host-1", check=0) == []
    assert told(tmp_path, "sweep", check=1) == []
    with socket.create_server(("127.0.0.1", port)):
        [cleared] = told(tmp_path, "sweep", check=0)
    assert "cleared" in cleared.lower()


def test_blackout_sends_nothing(tmp_path: Path) -> None:
    write_inventory(
        tmp_path,
        more='\n[[blackout]]\nsite = "hall"\ndays = "daily"\nfrom = "00:00"\nto = "00:00"\n',
    )
    done = nethealth("sweep", "--format", "json", home=tmp_path, check=3)
    checks = json.loads(done.stdout)["checks"]
    assert {check["outcome"] for check in checks} == {"not_run"}
    assert all("blackout" in check["reason"] for check in checks)


def test_rounds_are_a_stream_in_one_record(tmp_path: Path) -> None:
    write_inventory(tmp_path, hosts=2)
    done = nethealth(
        "sweep", "--every", "2s", "--for", "4s", "--format", "json", home=tmp_path, check=0
    )
    record = json.loads(done.stdout)
    assert record["run"]["pacing"]["rounds"] == 2
    assert {check["id"].partition("#")[2] for check in record["checks"]} == {"", "2"}


def test_history_shows_every_run(tmp_path: Path) -> None:
    write_inventory(tmp_path)
    for _ in range(2):
        nethealth("sweep", home=tmp_path, check=0)
    shown = nethealth("history", "host-1", home=tmp_path, check=0).stdout
    assert "packet loss" in shown.lower()
    assert nethealth("history", "hall", home=tmp_path, check=0).stdout
    nethealth("history", "nowhere", home=tmp_path, check=2)


@pytest.mark.timeout(600)
def test_kill_at_any_instant_leaves_whole_checks(tmp_path: Path) -> None:
    """The whole command, killed at eight random instants (the store's own test kills 200 times)."""
    write_inventory(tmp_path, hosts=20, count=5)
    place = tmp_path / ".local" / "share" / "nethealth" / "history.db"
    dice = Random(7)
    for turn in range(8):
        before = _runs(place)
        process = started(tmp_path, "sweep")
        # Half of them while it starts, half while it measures, however fast this machine is.
        if turn % 2:
            wait_begun(tmp_path, process, before=before)
        time.sleep(dice.uniform(0.0, 1.0))
        process.kill()
        process.communicate(timeout=30)
        if place.exists():
            with sqlite3.connect(place) as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            database.close()
    nethealth("sweep", home=tmp_path, check=0)
    reference = nethealth("report", "--format", "json", home=tmp_path, check=0)
    whole = _observations_per_check(json.loads(reference.stdout))
    with closing(open_store(f"sqlite:///{place}")) as store:
        runs = store.runs(limit=100)
    assert len(runs) > 1
    for run in runs:
        done = nethealth("report", "--run", run.id, "--format", "json", home=tmp_path)
        stored = _observations_per_check(json.loads(done.stdout))
        assert {check: whole[check] for check in stored} == stored


def _observations_per_check(record: "dict[str, list[dict[str, str]]]") -> dict[str, int]:
    return {
        check["id"]: sum(seen["check"] == check["id"] for seen in record["observations"])
        for check in record["checks"]
        if check["outcome"] == "completed"
    }
