"""`nethealth diagnose` over history: several records, or a stretch of the store, judged as one."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nethealth.cli import stretch
from nethealth.cli.exits import InputError
from nethealth.model import codec
from nethealth.model.merge import Stretch
from nethealth.model.record import Record
from nethealth.store import open_store
from tests.cli.command import nethealth
from tests.model.test_merge import NINE, QUARTER, capture, estate, ping, run


def stored(folder: Path, *records: Record) -> str:
    url = f"sqlite:///{folder}/history.db"
    with closing(open_store(url)) as store:
        for record in records:
            store.begin(record)
            store.finish(record)
    return url


def judged(*arguments: str, home: Path, check: int) -> Record:
    done = nethealth("diagnose", *arguments, "--format", "json", home=home, check=check)
    return codec.load(done.stdout)


def of_runs(record: Record) -> list[str]:
    """The checks that runs made, without what the history of each host was summed up in."""
    return [check.id for check in record.checks if not check.id.endswith(":history")]


@pytest.fixture
def half_a_day() -> list[Record]:
    return [run(n, ping(1)).record for n in range(50)]


def test_a_stretch_of_the_store_is_one_record(tmp_path: Path, half_a_day: list[Record]) -> None:
    url = stored(tmp_path, *half_a_day)
    record = judged("--store", url, "--since", "2026-11-02", home=tmp_path, check=1)
    assert record.run.kind == "period"
    assert len(of_runs(record)) == len(record.sources) == 50
    loss = next(one for one in record.findings if one.code == "packet-loss")
    assert "50 of 1000 packets" in loss.statement
    # Runs after `--until` are not in it.
    early = judged(
        "--store", url, "--since", "2026-11-02T09:00Z", "--until", "2026-11-02T10:00Z",
        "--site", "hall", "--council", "scdc", home=tmp_path, check=1,
    )  # fmt: skip
    assert len(of_runs(early)) == 4
    assert any("4 of 80 packets" in one.statement for one in early.findings)


def test_several_records_are_judged_together_offline(
    tmp_path: Path, half_a_day: list[Record]
) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    for record in half_a_day[1:]:
        (folder / f"{record.run.id}.json").write_bytes(codec.dump(record))
    first = tmp_path / "first.json"
    first.write_bytes(codec.dump(half_a_day[0]))
    record = judged("--record", "records", "--record", "first.json", home=tmp_path, check=1)
    assert len(of_runs(record)) == 50
    # The same file given twice is one run.
    again = judged("--record", "records", "--record", "first.json", "--record", "first.json",
                   home=tmp_path, check=1)  # fmt: skip
    assert again.checks == record.checks
    assert any("counted once: r0" in note for note in again.run.instrument.notes)
    # What was judged together is a record itself, and is judged again as that.
    (tmp_path / "period.json").write_bytes(codec.dump(record))
    once_more = judged("--record", "period.json", home=tmp_path, check=1)
    assert once_more == record


def test_a_capture_is_judged_beside_the_sweeps_of_its_time(tmp_path: Path) -> None:
    taken = capture(NINE + QUARTER, read=2000).record
    url = stored(tmp_path, run(0, ping()).record, run(4, ping()).record, taken)
    until = (NINE + QUARTER * 5).isoformat()
    record = judged("--store", url, "--since", "2026-11-02", "--until", until, home=tmp_path,
                    check=0)  # fmt: skip
    assert {check.probe for check in record.checks} == {"ping", "capture"}
    later = judged("--store", url, "--since", (NINE + QUARTER * 3).isoformat(), "--until", until,
                   home=tmp_path, check=0)  # fmt: skip
    assert {check.probe for check in later.checks} == {"ping"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--since", "yesterday"), "found 'yesterday'; allowed: how long ago"),
        (("--since", "2026-02-30"), "found '2026-02-30'"),
        (("--since", "2026-11-03", "--until", "2026-11-02"), "is not before --until"),
        (("--since", "2026-11-01", "--until", "2026-11-02"), "whose runs are of 2026-11-02 09:00"),
        (("--since", "2026-11-02", "--site", "hull"), "--site: found 'hull'; allowed: hall"),
        (("--council", "hdc"), "--council: found 'hdc'; allowed: scdc"),
        (("--run", "r0", "--since", "2026-11-02"), "--run names one stored run"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    url = stored(tmp_path, run(0, ping()).record)
    done = nethealth("diagnose", "--store", url, *arguments, home=tmp_path, check=2)
    assert says in " ".join(done.stderr.split())
    assert not done.stdout


def test_an_empty_history_says_so(tmp_path: Path) -> None:
    url = stored(tmp_path)
    done = nethealth("diagnose", "--store", url, "--since", "8h", home=tmp_path, check=2)
    assert "run `nethealth sweep` first" in done.stderr


def test_a_capture_that_is_read_into_the_history_stays_there(tmp_path: Path) -> None:
    # One Ethernet frame of a broadcast ARP request, in the classic format.
    frame = bytes.fromhex(
        "ffffffffffff0200000000010806000108000604000102000000000"
        "1c612020100000000" "0000c6120202" + "00" * 18
    )  # fmt: skip
    header = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")
    taken = int((datetime.now(UTC) - timedelta(days=3)).timestamp())
    packet = b"".join(number.to_bytes(4, "little") for number in (taken, 0, len(frame), len(frame)))
    (tmp_path / "a.pcap").write_bytes(header + packet + frame)
    url = f"sqlite:///{tmp_path}/history.db"
    nethealth("capture", "read", "a.pcap", "--store", url, home=tmp_path, check=0)
    record = judged("--store", url, "--since", "4d", home=tmp_path, check=0)
    counted = [one for one in record.observations if one.name == "packet_count"]
    assert [one.value for one in counted] == [1]
    done = nethealth("diagnose", "--store", url, "--since", "2d", "--format", "json",
                     home=tmp_path, check=2)  # fmt: skip
    assert "nothing in the history" in done.stderr
    assert not json.loads(done.stdout or "null")


def test_a_finding_is_explained_by_its_page(tmp_path: Path) -> None:
    done = nethealth("diagnose", "--explain", "level-change", home=tmp_path, check=0)
    page = Path(__file__).parents[2] / "docs" / "findings" / "level-change.md"
    assert done.stdout == page.read_text()
    done = nethealth("diagnose", "--explain", "packet-los", home=tmp_path, check=2)
    assert "found 'packet-los'; nearest: packet-loss" in done.stderr


def test_the_plan_says_what_to_measure_next(tmp_path: Path) -> None:
    url = stored(tmp_path, run(0, ping(1)).record)
    done = nethealth("diagnose", "--store", url, "--plan", home=tmp_path, check=0)
    assert done.stdout.startswith("1. nethealth check hall --probe ping --option count=")
    assert "for packet-loss:hall (insufficient-data)" in done.stdout
    url = stored(tmp_path, run(1, ping()).record)
    done = nethealth("diagnose", "--store", url, "--plan", home=tmp_path, check=0)
    assert done.stdout.startswith("Nothing is open")


def test_of_very_many_runs_the_columns_are_judged_and_those_near_what_was_found_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretch, "CHECKS_MOST", 50)
    runs = [run(n, ping(20 if 20 <= n < 24 else 0)).record for n in range(60)]
    url = stored(tmp_path, *runs)
    with closing(open_store(url)) as store:
        record = stretch.of_store(store, Stretch(since=NINE, until=NINE + QUARTER * 60))
        found = {one.id: one for one in record.findings}
        # The pings of run 20 began a second after it, and so did the first that was answered again.
        down = found["host-down:pbx"]
        assert (down.from_, down.to) == (
            NINE + QUARTER * 20 + timedelta(seconds=1), NINE + QUARTER * 24 + timedelta(seconds=1),
        )  # fmt: skip
        read = [source.run for source in record.sources]
        assert read == ["r20", "r24", "r59"]
        assert "Of 60 runs the numbers" in found["history-incomplete:hq"].statement
        assert not [one for one in record.findings if one.code == "packet-loss"]
        # At another site there is nothing, and that is no health.
        with pytest.raises(InputError, match="found 'annex'; allowed: hall"):
            stretch.of_store(store, Stretch(since=NINE, site="annex"))


def test_an_asset_that_was_renamed_is_one_host_in_the_columns_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretch, "CHECKS_MOST", 10)
    old = estate(("old-pbx", "198.18.2.10"))
    new = estate(("new-pbx", "198.18.2.10"))
    runs = [
        run(n, ping(asset="old-pbx" if n < 20 else "new-pbx"), inventory=old if n < 20 else new)
        for n in range(40)
    ]
    url = stored(tmp_path, *(one.record for one in runs))
    with closing(open_store(url)) as store:
        record = stretch.of_store(store, Stretch(since=NINE, until=NINE + QUARTER * 40))
    seen = {(one.check, one.name): one for one in record.observations}
    assert seen["new-pbx:history", "answered_check_ratio"].samples == 40
    assert seen["new-pbx:history", "packets_sent_count"].value == 40 * 20
    words = next(one for one in record.findings if one.code == "history-incomplete").statement
    assert "new-pbx was called old-pbx" in words
    assert "Added midway" not in words
