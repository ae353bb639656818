"""Several runs as one record: rounds in order of time, ids of their own, nothing counted twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nethealth.diagnosis import judge
from nethealth.model import codec
from nethealth.model.check import CheckResult, ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.inventory import Asset, Council, Inventory, Site, Vantage
from nethealth.model.merge import NothingToMerge, Part, Stretch, cut, merge
from nethealth.model.observation import Event, Observation, Scalar
from nethealth.model.record import ClockState, Instrument, Record, Run, RunKind, Tool

NINE = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def estate(*assets: tuple[str, str]) -> Inventory:
    return Inventory(
        vantage=Vantage(id="hq"),
        council=(Council(id="scdc", name="South Cambridgeshire"),),
        site=(Site(id="hall", council="scdc", name="Hall"),),
        asset=tuple(
            Asset(id=id_, site="hall", kind="pbx", address=address, owner="3C")
            for id_, address in assets
        ),
    )


PBX = estate(("pbx", "198.18.2.10"))


def run(
    number: int,
    *checks: tuple[CheckResult, dict[str, Scalar]],
    kind: RunKind = "sweep",
    vantage: str = "hq",
    inventory: Inventory = PBX,
    events: tuple[Event, ...] = (),
) -> Part:
    """Run `number` of the day, a quarter of an hour after the one before."""
    record = Record(
        tool=Tool("0.1.0"),
        run=Run(
            f"r{number}", kind, vantage, NINE + QUARTER * number,
            finished=NINE + QUARTER * number + timedelta(seconds=30),
            instrument=Instrument(socket_overflow_count=0, loop_lag_p99_s=number / 1000),
        ),
        inventory=inventory,
        checks=tuple(check for check, _ in checks),
        observations=tuple(
            Observation(f"{check.id}/{n}", check.id, name, value, t_s=2.0)
            for check, facts in checks
            for n, (name, value) in enumerate(facts.items(), 1)
        ),
        events=events,
    )  # fmt: skip
    return Part(record, f"{number:064x}")


def ping(
    lost: int = 0, asset: str = "pbx", check: str | None = None, probe: ProbeKind = "ping"
) -> tuple[CheckResult, dict[str, Scalar]]:
    result = CheckResult(
        check or f"{asset}:{probe}", probe, "scdc", "hall", asset, "198.18.2.10",
        Outcome.COMPLETED, Failure.TIMEOUT if lost == 20 else None, started_s=1.0, finished_s=5.0,
    )  # fmt: skip
    return result, {
        "packets_sent_count": 20,
        "packets_received_count": 20 - lost,
        "packet_loss_ratio": lost / 20,
    }


def test_the_checks_of_runs_become_rounds_in_the_order_of_time() -> None:
    merged = merge([run(2, ping(2)), run(0, ping(0)), run(1, ping(1))])
    assert merged.run.kind == "period"
    assert (merged.run.started, merged.run.finished) == (
        NINE, NINE + QUARTER * 2 + timedelta(seconds=30),
    )  # fmt: skip
    assert [check.id for check in merged.checks] == ["pbx:ping", "pbx:ping#2", "pbx:ping#3"]
    assert [check.started_s for check in merged.checks] == [1.0, 901.0, 1801.0]
    losses = [one for one in merged.observations if one.name == "packet_loss_ratio"]
    assert [(one.check, one.value, one.t_s) for one in losses] == [
        ("pbx:ping", 0.0, 2.0), ("pbx:ping#2", 0.05, 902.0), ("pbx:ping#3", 0.1, 1802.0),
    ]  # fmt: skip
    assert len({one.id for one in merged.observations}) == len(merged.observations) == 9
    assert [(source.run, source.sha256) for source in merged.sources] == [
        (f"r{n}", f"{n:064x}") for n in range(3)
    ]
    assert codec.load(codec.dump(merged)) == merged


def test_the_order_in_which_runs_are_given_does_not_matter() -> None:
    parts = [run(n, ping(n)) for n in range(4)]
    assert merge(parts) == merge(reversed(parts))


def test_rounds_of_a_steady_stream_stay_in_order_and_go_on_in_the_next_run() -> None:
    stream = [ping(check=f"pbx:ping#{n}") for n in range(10, 1, -1)]
    merged = merge([run(0, *stream, ping()), run(1, ping())])
    assert [check.id for check in merged.checks] == [
        "pbx:ping", *(f"pbx:ping#{n}" for n in range(2, 12)),
    ]  # fmt: skip


def test_a_run_that_is_given_twice_counts_once_by_its_fuller_copy_and_it_is_said() -> None:
    killed = run(1)
    whole = run(1, ping(5))
    for parts in ([killed, whole, run(2, ping())], [whole, whole, killed, run(2, ping())]):
        merged = merge(parts)
        assert [check.id for check in merged.checks] == ["pbx:ping", "pbx:ping#2"]
        assert [source.run for source in merged.sources] == ["r1", "r2"]
        assert any("given more than once and counted once: r1" in note
                   for note in merged.run.instrument.notes)  # fmt: skip


def test_what_the_instrument_did_is_summed_and_its_worst_is_kept() -> None:
    parts = []
    for number, dropped in ((1, 2), (3, 5)):
        part = run(number, ping())
        instrument = replace(part.record.run.instrument, socket_overflow_count=dropped)
        record = replace(part.record, run=replace(part.record.run, instrument=instrument))
        parts.append(Part(record, part.sha256))
    merged = merge(parts).run.instrument
    assert (merged.socket_overflow_count, merged.loop_lag_p99_s) == (7, 0.003)


def test_another_vantage_has_series_of_its_own() -> None:
    merged = merge([run(0, ping(), vantage="annex"), run(1, ping()), run(2, ping())])
    assert [check.id for check in merged.checks] == ["pbx:ping@annex", "pbx:ping", "pbx:ping#2"]
    assert merged.run.vantage == "hq"
    assert any("annex, hq" in note for note in merged.run.instrument.notes)


def test_an_asset_that_was_renamed_is_one_asset_by_its_new_name() -> None:
    before = run(0, ping(asset="old-pbx"), inventory=estate(("old-pbx", "198.18.2.10")))
    after = run(1, ping(asset="new-pbx"), inventory=estate(("new-pbx", "198.18.2.10")))
    merged = merge([before, after])
    assert [(check.id, check.asset) for check in merged.checks] == [
        ("new-pbx:ping", "new-pbx"), ("new-pbx:ping#2", "new-pbx"),
    ]  # fmt: skip
    assert [asset.id for asset in merged.inventory.asset] == ["new-pbx"]
    assert any("new-pbx was called old-pbx" in note for note in merged.run.instrument.notes)


def test_a_new_asset_at_the_address_of_one_that_is_still_there_is_another() -> None:
    before = run(0, ping(asset="a"), inventory=estate(("a", "198.18.2.10")))
    both = estate(("a", "198.18.2.10"), ("b", "198.18.2.10"))
    merged = merge([before, run(1, ping(asset="b"), inventory=both)])
    assert [check.asset for check in merged.checks] == ["a", "b"]
    # Nor is one that moved to another address the same.
    moved = estate(("c", "198.18.2.77"))
    assert [c.asset for c in merge([before, run(1, ping(asset="c"), inventory=moved)]).checks] == [
        "a", "c",
    ]  # fmt: skip


def test_a_clock_that_was_moved_is_said_and_changes_no_order() -> None:
    parts = [run(n, ping(n)) for n in range(2)]
    record = parts[0].record
    moved = replace(record, run=replace(record.run, clock=ClockState(step_s=-3600.0)))
    merged = merge([Part(moved, "aa"), parts[1]])
    assert any("r0 by -3600.0 s" in note for note in merged.run.instrument.notes)
    assert [check.id for check in merged.checks] == ["pbx:ping", "pbx:ping#2"]


def test_events_stand_once_with_ids_of_their_own() -> None:
    page = Event("page:1", NINE, "page", "hall")
    other = Event("page:1", NINE + QUARTER, "restart", "hall")
    merged = merge([run(1, events=(page,), kind="import"), run(0, ping(), events=(other, page))])
    assert [(event.id, event.kind) for event in merged.events] == [
        ("page:1:page", "page"), ("page:1", "restart"),
    ]  # fmt: skip
    assert merged.run.kind == "period"


def capture(started: datetime, read: int) -> Part:
    check = CheckResult("capture", "capture", None, None, None, "a.pcap", Outcome.COMPLETED)
    part = run(read, (check, {}), kind="capture")
    seen = Observation(
        "capture/1", "capture", "packet_count", 7, t_s=4.0,
        method={"capture_started": started.isoformat()},
    )  # fmt: skip
    return Part(replace(part.record, observations=(seen,)), part.sha256)


def test_a_capture_keeps_its_own_time_and_counts_by_when_it_was_taken() -> None:
    taken = NINE - timedelta(days=30)
    part = capture(taken, read=3)
    merged = merge([run(0, ping()), part])
    (seen,) = [one for one in merged.observations if one.check == "capture"]
    assert (seen.t_s, seen.method["capture_started"]) == (4.0, taken.isoformat())
    old = Stretch(since=taken - QUARTER, until=taken + QUARTER)
    assert cut(part.record, old) is not None
    assert cut(part.record, Stretch(since=NINE)) is None


def test_a_stretch_cuts_by_time_and_by_place() -> None:
    stream = [replace(ping(check=f"pbx:ping#{n}")[0], started_s=60.0 * n) for n in range(2, 6)]
    facts: dict[str, Scalar] = {"packet_loss_ratio": 0.0}
    record = run(0, *[(check, facts) for check in stream]).record
    part = cut(record, Stretch(NINE + timedelta(seconds=180), NINE + timedelta(seconds=300)))
    assert part is not None
    assert [check.id for check in part.checks] == ["pbx:ping#3", "pbx:ping#4"]
    assert [one.check for one in part.observations] == ["pbx:ping#3", "pbx:ping#4"]
    assert cut(record, Stretch(site="elsewhere")) is None
    assert cut(record, Stretch(council="scdc")) is not None


def test_nothing_makes_no_record() -> None:
    with pytest.raises(NothingToMerge, match="no run"):
        merge([])


def test_loss_that_one_run_cannot_tell_is_told_by_many() -> None:
    """Of 20 packets 1 lost says nothing against a limit of 1 %; of 1,000 packets 50 lost do.

    Wilson's 95 % interval of 1 in 20 is 0.9 % to 23.6 %, of 50 in 1,000 it is 3.8 % to 6.5 %.
    """
    (single,) = judge(merge([run(0, ping(1))]))
    assert (single.code, single.verdict) == ("packet-loss", "insufficient-data")
    (found,) = judge(merge([run(n, ping(1)) for n in range(50)]))
    assert (found.code, found.verdict) == ("packet-loss", "demonstrated")
    assert "50 of 1000 packets" in found.statement
    assert found.from_ == NINE + timedelta(seconds=1)
    assert found.to == NINE + QUARTER * 49 + timedelta(seconds=5)
