"""The coexistence probe against our reflector and load service on loopback."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nethealth.model.check import CheckResult, CoexistenceParameters
from nethealth.model.failure import Failure, Outcome
from nethealth.model.record import Record, Run, Tool
from reports.document import KeyValues
from reports.method import method_blocks
from reports.view import View
from tests.cli.command import nethealth
from tests.peers import reflector
from tests.probes.driver import Seen, drive
from tests.probes.test_load_service import free_tcp_port
from tests.probes.test_stamp import free_port

HERE = "127.0.0.1"
BRIEF = {"before_s": 1.0, "load_s": 1.0, "after_s": 1.0, "timeout_s": 0.5}


@contextmanager
def served(folder: Path, rate_mbps: float = 10, allow: str = "127.0.0.0/8") -> Iterator[Any]:
    """Ports of a reflector that also serves loads."""
    port, load_port = free_port(), free_tcp_port()
    more = ("--load-port", str(load_port), "--load-rate", str(rate_mbps))
    with reflector.serving(folder, HERE, port, allow, more=more) as process:
        process.wait_bound("tcp", load_port)
        yield port, load_port, process


def load(port: int, load_port: int, **more: Any) -> CoexistenceParameters:
    chosen: Mapping[str, Any] = {
        "download_bps": 4e6, "upload_bps": 2e6, **BRIEF, **more,
    }  # fmt: skip
    return CoexistenceParameters(HERE, 20e6, 8e6, port=port, load_port=load_port, **chosen)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Seen, str]:
    """One check on a free path, and what the reflector said at its end."""
    guards = (("gateway", HERE), ("gone", "192.0.2.1"))
    with served(tmp_path_factory.mktemp("coexistence")) as (port, load_port, process):
        seen = drive("coexistence", load(port, load_port, guards=guards))
        process.stop()
        return seen, process.output()


def test_every_phase_is_seen_in_both_classes(ran: tuple[Seen, str]) -> None:
    seen, service = ran
    assert seen.completed()
    for phase in ("before", "download", "upload", "after"):
        for dscp in (46, 0):
            sent = seen.value("packets_sent_count", phase=phase, dscp=dscp)
            assert 40 <= sent <= 51
            assert seen.value("packets_received_count", phase=phase, dscp=dscp) == sent
            for direction in ("forward", "return"):
                which: dict[str, Any] = {"phase": phase, "dscp": dscp, "direction": direction}
                loss = seen.only("packet_loss_ratio", **which)
                assert (loss.value, loss.samples) == (0, sent)
                assert loss.interval is not None
                assert seen.value("r_factor", **which) > 90
                assert seen.value("pdv_p99_s", **which) >= 0
                if phase != "before":
                    assert abs(seen.value("queueing_delay_median_s", **which)) < 0.02
        guard = seen.only("guard_round_trip_delay_median_s", phase=phase, guard="gateway")
        assert isinstance(guard.value, float)
        assert 0 < guard.value < 0.1
    for dscp in (46, 0):
        for direction in ("forward", "return"):
            assert seen.value("dscp_received", dscp=dscp, direction=direction) == dscp
    for phase, asked_bps in (("download", 4e6), ("upload", 2e6)):
        rate = seen.only("load_rate_bps", phase=phase)
        # Never above what was asked for; below it as much as a busy machine holds it up.
        assert isinstance(rate.value, int)
        assert 0.5 * asked_bps < rate.value <= asked_bps * 1.01
        assert rate.method["cap_share"] == 0.5
        assert seen.value("load_ended_by", phase=phase) == "its time was over"
    assert "2 loads, " in service


def test_how_many_calls_fit(ran: tuple[Seen, str]) -> None:
    seen, _ = ran
    # 20 Mbit/s / 95.2 kbit/s = 210.08, / 39.2 = 510.2
    for codec, most in (("G.711", 210), ("G.729", 510)):
        declared = seen.only(
            "calls_fit_count", phase="download", codec=codec, basis="declared rate"
        )
        assert (declared.value, declared.method["bound"]) == (most, "at most")
        measured = seen.only(
            "calls_fit_count", phase="download", codec=codec, basis="measured load"
        )
        assert measured.method["bound"] == "at least"
        rate_bps = seen.value("load_rate_bps", phase="download")
        assert measured.value == int(rate_bps // (95_200 if codec == "G.711" else 39_200))


@pytest.mark.parametrize(("rate_mbps", "load_s", "word"), [
    (1, 1.0, "more than the rate that is allowed here"), (10, 21.0, "longer than is allowed here"),
])  # fmt: skip
def test_a_service_that_refuses_leaves_everything_unsent(
    tmp_path: Path, rate_mbps: float, load_s: float, word: str
) -> None:
    with served(tmp_path, rate_mbps) as (port, load_port, process):
        seen = drive("coexistence", load(port, load_port, load_s=load_s))
        process.stop()
        assert "0 reflected" in process.output()
    not_run(seen, word)


def test_a_reflector_without_a_load_service(tmp_path: Path) -> None:
    with served(tmp_path) as (port, _, _):
        not_run(drive("coexistence", load(port, free_tcp_port())), "--load-port")


def test_a_service_that_does_not_allow_us(tmp_path: Path) -> None:
    with served(tmp_path, allow="198.18.0.0/24") as (port, load_port, _):
        not_run(drive("coexistence", load(port, load_port)), "networks of --allow")


def not_run(seen: Seen, word: str) -> None:
    assert seen.end.outcome is Outcome.NOT_RUN
    assert word in str(seen.end.reason)
    assert not seen.observations


def test_a_reflector_that_is_silent_gets_no_load(tmp_path: Path) -> None:
    with served(tmp_path) as (_, load_port, process):
        seen = drive("coexistence", load(free_port(), load_port))
        process.stop()
        assert "0 loads" in process.output()
    assert seen.end.outcome is Outcome.FAILED
    assert seen.end.failure in (Failure.REFUSED, Failure.TIMEOUT)
    assert "load_rate_bps" not in seen.names()


def inventory(port: int, load_port: int, more: str = "", rates: str = "") -> str:
    rates = rates or "wan_down_mbps = 8\nwan_up_mbps = 4"
    return f"""
[[council]]
id = "c"
name = "C"
[[site]]
id = "hall"
council = "c"
name = "Hall"
{rates}
[[asset]]
id = "r"
site = "hall"
kind = "reflector"
address = "{HERE}"
owner = "3C ICT"
checks = ["coexistence"]
[asset.coexistence]
port = {port}
load_port = {load_port}
before_s = 2
load_s = 1
after_s = 2
{more}
"""


def test_the_report_prints_the_caps_of_the_load(ran: tuple[Seen, str]) -> None:
    seen, _ = ran
    check = CheckResult(
        "a:b", "coexistence", None, None, None, "a target", Outcome.COMPLETED, None, None, 1.0, 9.0
    )
    when = datetime(2026, 11, 25, 22, tzinfo=UTC)
    record = Record(
        tool=Tool("0.1.0"), run=Run("r", "check", "desk", when, when),
        checks=(check,), observations=seen.observations,
    )  # fmt: skip
    (pairs,) = method_blocks(View(record))
    assert isinstance(pairs, KeyValues)
    assert dict(pairs.pairs)["Caps in force"].endswith(
        "A load has at most 50% of the declared rate of the site's line, for at most 15 s in one "
        "direction, one load at a time: it ends at once when voice or a watched host is 150 ms "
        "late or loses more than 5.0 %."
    )


def test_what_is_refused_before_anything_is_sent_and_its_exit_status(tmp_path: Path) -> None:
    def refused(text: str, *options: str, status: int) -> str:
        (tmp_path / "sites.toml").write_text(text)
        arguments = [word for option in options for word in ("--option", option)]
        done = nethealth("check", "r", *arguments, home=tmp_path, check=status)
        return " ".join((done.stdout + done.stderr).split())

    with served(tmp_path) as (port, load_port, process):
        plain = inventory(port, load_port)
        assert "at most 2 Mbit/s" in refused(
            inventory(port, load_port, "upload_mbps = 2.1"), status=2
        )
        assert "at most 4 Mbit/s" in refused(plain, "download_mbps=4.1", status=2)
        undeclared = inventory(port, load_port, rates="staff = 3")
        assert "a site that declares no wan_down_mbps" in refused(undeclared, status=2)
        always = '[[blackout]]\nsite = "hall"\ndays = "daily"\nfrom = "00:00"\nto = "00:00"\n'
        assert "blackout window of hall" in refused(plain + always, status=3)
        (tmp_path / "sites.toml").write_text(inventory(port, free_tcp_port()))
        assert "no load is served there" in refused(inventory(port, free_tcp_port()), status=3)
        process.stop()
        assert "0 reflected" in process.output()
        assert "0 loads" in process.output()
