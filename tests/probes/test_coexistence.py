"""The coexistence probe against our reflector and load service on loopback."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
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
from tests.cli.command import environment, nethealth
from tests.peers import reflector
from tests.probes.driver import Seen, drive
from tests.probes.test_load_service import free_tcp_port
from tests.probes.test_stamp import free_port

HERE = "127.0.0.1"
QUICK = {"before_s": 0.4, "after_s": 0.2, "timeout_s": 0.3}
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
    """One check on a free path, and what the reflector said at its end.

    Where this machine stands still for a moment, the guard rightly ends a load; then once more.
    """
    guards = (("gateway", HERE), ("gone", "192.0.2.1"))
    for _ in range(5):
        with served(tmp_path_factory.mktemp("coexistence")) as (port, load_port, process):
            seen = drive("coexistence", load(port, load_port, guards=guards))
            process.stop()
            said = process.output()
        if undisturbed(seen):
            break
    return seen, said


def undisturbed(seen: Seen) -> bool:
    """Whether both loads had their time, and nothing waited for this machine's own processors."""
    return all(
        one.value == "its time was over" for one in seen.observations if one.name == "load_ended_by"
    ) and all(
        isinstance(one.value, float) and abs(one.value) < 0.02
        for one in seen.observations
        if one.name == "queueing_delay_median_s"
    )


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


@contextmanager
def false_service(answer: bytes, flood: int = 0) -> Iterator[int]:
    """A TCP server that says `answer` to whoever asks, and then as many octets as it can."""
    with socket.create_server((HERE, 0)) as server:
        stop = threading.Event()

        def serve() -> None:
            server.settimeout(0.1)
            while not stop.is_set():
                with suppress(TimeoutError, ConnectionError):
                    peer, _ = server.accept()
                    with peer:
                        peer.settimeout(1)
                        asked = peer.recv(200)
                        peer.sendall(answer)
                        left = 0 if b" ask " in asked else flood
                        while left > 0 and not stop.is_set():
                            left -= peer.send(bytes(65536))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 400 Bad Request\r\n", b"\xff" * 300, b"", b"NETHEALTH-LOAD/1 refused \x1b[31m\n",
    b"NETHEALTH-LOAD/1 perhaps\n",
])  # fmt: skip
def test_an_answer_that_is_none_is_a_fault_of_protocol(answer: bytes) -> None:
    with false_service(answer) as load_port:
        seen = drive("coexistence", load(free_port(), load_port))
    assert seen.failed(Failure.PROTOCOL)
    assert "\x1b" not in str(seen.end.reason)


def test_a_service_that_gives_more_than_was_asked_is_not_taken_at_its_word(tmp_path: Path) -> None:
    ready = b"NETHEALTH-LOAD/1 ready\n"
    with served(tmp_path) as (port, _, _), false_service(ready, flood=1 << 30) as load_port:
        seen = drive("coexistence", load(port, load_port, download_bps=None, **QUICK))
    assert seen.value("load_rate_bps", phase="upload") <= 1.26 * 2e6


def test_a_service_that_ends_the_load_at_once_has_not_kept_its_time(tmp_path: Path) -> None:
    ready = b"NETHEALTH-LOAD/1 ready\n"
    with served(tmp_path) as (port, _, _), false_service(ready) as load_port:
        seen = drive("coexistence", load(port, load_port, download_bps=None, **QUICK))
    assert "the load service ended it" in seen.value("load_ended_by", phase="upload")
    measured = [one for one in seen.observations if one.method.get("basis") == "measured load"]
    assert not measured


def test_an_interrupt_ends_the_load_and_keeps_what_was_seen(tmp_path: Path) -> None:
    with served(tmp_path) as (port, load_port, process):
        (tmp_path / "sites.toml").write_text(inventory(port, load_port, "").replace(
            "load_s = 1", "load_s = 10"
        ))  # fmt: skip
        running = subprocess.Popen(
            [sys.executable, "-m", "nethealth", "check", "r", "--format", "json"],
            cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        process.wait_until(lambda: lasting(load_port), timeout_s=30)
        interrupted_s = time.monotonic()
        running.send_signal(signal.SIGINT)
        record = json.loads(running.communicate(timeout=30)[0])
        took_s = time.monotonic() - interrupted_s
        assert not carrying(load_port)
    assert record["run"]["interrupted"]
    (check,) = record["checks"]
    assert check["failure"] == "interrupted"
    phases = {one["method"].get("phase") for one in record["observations"]}
    assert "before" in phases
    assert took_s < 8  # of the ten seconds that the load was to last


def lasting(port: int) -> bool:
    """Whether one is open now and a little later: the question to the service is over at once."""
    if not carrying(port):
        return False
    time.sleep(0.3)
    return carrying(port)


def carrying(port: int) -> bool:
    """Whether a TCP connection to that port of this machine is open."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(
        words[2].endswith(f":{port:04X}") and words[3] == "01" for words in map(str.split, lines)
    )


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
