"""The watch as a person uses it: in a terminal, by keys, over four real routers."""

import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest

from nethealth.store import default_url, open_store
from tests.lab import chain
from tests.lab.chain import HOPS, TARGET
from tests.lab.program import ROOT, own_lateness
from tests.lab.topology import Lab
from tests.peers import sipp
from tests.peers.process import running

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
SHOW_CURSOR, WRAP = "\x1b[?25h", "\x1b[?7h"
PATIENCE_S = 30
HALF = ("--interval", "0.5s")
_CELL = re.compile(r"\x1b\[(\d+);1H((?:\x1b\[[0-9;]*m)?)([^\x1b]*)")


@pytest.fixture(scope="module")
def routers() -> Iterator[Lab]:
    with chain.build() as built:
        yield built


class Window:
    """A terminal of our own making: what it was sent, and what stands on it."""

    def __init__(self, master: int, slave: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.master, self._slave = master, slave
        self.before = termios.tcgetattr(slave)
        self.text = ""

    def read(self, for_s: float = 0.1) -> None:
        """Take in what comes within that time."""
        ready, _, _ = select.select([self.master], [], [], for_s)
        if ready:
            self.text += os.read(self.master, 65536).decode()

    def wait(self, condition: Callable[[], object], what: str) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end_s, f"{what}:\n{self.screen}\n{self.text[-2000:]!r}"
            self.read()

    @property
    def screen(self) -> str:
        """The lines that stand on the alternate screen, by the last writing of each."""
        lines: dict[int, str] = {}
        shown = self.text.rpartition(ENTER)[2].partition(LEAVE)[0].rpartition("\x1b[2J")[2]
        for row, _, line in _CELL.findall(shown):
            lines[int(row)] = line.rstrip()
        return "\n".join(lines[row] for row in sorted(lines))

    @property
    def sent(self) -> int:
        """Echoes of which it says that they were sent."""
        match = self.found(r"Echoes: (\d+) sent")
        return int(match[1]) if match else 0

    def found(self, pattern: str) -> re.Match[str] | None:
        return re.search(pattern, self.screen, re.M)

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    def end(self) -> int:
        """The exit status; the rest of what it wrote is taken in, and the terminal is as before."""
        self.wait(lambda: self.process.poll() is not None, "it did not end")
        while select.select([self.master], [], [], 0.2)[0]:
            self.read(0)
        assert self.text.count(ENTER) == self.text.count(LEAVE) > 0
        assert self.text.rindex(SHOW_CURSOR) > self.text.rindex("\x1b[?25l")
        assert self.text.rindex(WRAP) > self.text.rindex("\x1b[?7l")
        assert termios.tcgetattr(self._slave) == self.before
        assert os.get_blocking(self._slave), "it would break the shell that started it"
        return self.process.returncode


@contextmanager
def watching(
    lab: Lab, folder: Path, *arguments: str, target: str = TARGET, prefix: Sequence[str] = ()
) -> Iterator[Window]:
    """`nethealth check TARGET --watch` in a terminal of 80 by 24."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        (*lab.at("vantage"), *prefix, sys.executable, "-P", "-m", "nethealth", "check", target,
         "--watch", *arguments),
        stdin=slave, stdout=slave, stderr=slave, cwd=folder, start_new_session=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT),
             "LC_ALL": "C.UTF-8", "TERM": "xterm", "NETHEALTH_TRACEBACK": "1"},
    )  # fmt: skip
    window = Window(master, slave, process)
    try:
        yield window
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)
        os.close(slave)


def record(folder: Path) -> dict[str, Any]:
    (file,) = folder.glob("*.json")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def values(found: dict[str, Any], name: str) -> dict[int | None, Any]:
    """Observations of this name by their hop."""
    return {one["method"].get("hop"): one for one in found["observations"] if one["name"] == name}


def test_it_shows_the_path_and_records_what_it_showed(routers: Lab, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with watching(routers, tmp_path, "-o", str(out), "--format", "json", *HALF) as window:
        window.wait(lambda: window.sent >= 11, "no echoes")
        window.type("q")
        assert window.end() == 0
        screen = window.screen
    found = record(out)
    hops = re.findall(r"^ +(\d) (\S+) +(\d+)/(\d+) +0\.0 ", screen, re.M)
    assert [address for _, address, _, _ in hops] == list(HOPS)
    for number, address, answered, rounds in hops:
        ratio = values(found, "hop_reply_ratio")[int(number)]
        assert values(found, "hop_address")[int(number)]["value"] == address
        assert ratio["samples"] == int(rounds)
        assert ratio["value"] == int(answered) / int(rounds)
    shown = re.search(r"Echoes: (\d+) sent, (\d+) lost, 0\.0 %", screen)
    assert shown is not None
    sent = values(found, "packets_sent_count")[None]["value"]
    assert (sent, sent - values(found, "packets_received_count")[None]["value"]) == (
        int(shown[1]), int(shown[2]),
    )  # fmt: skip
    score = re.search(r"MOS ([0-9.]+), R ([0-9.]+) by G\.107", screen)
    assert score is not None
    assert f"{values(found, 'mos_cqe')[None]['value']:.2f}" == score[1]
    assert f"{values(found, 'r_factor')[None]['value']:.1f}" == score[2]
    delay = re.search(r"Round trip in ms: last \S+, median ([0-9.]+), 95th ([0-9.]+);", screen)
    assert delay is not None
    for name, text in (("median", delay[1]), ("p95", delay[2])):
        seconds = values(found, f"round_trip_delay_{name}_s")[None]["value"]
        assert f"{seconds * 1000:.2f}" == text
    assert [one for one in found["findings"] if not own_lateness(one)] == []
    assert found["run"]["interrupted"] is False
    assert found["run"]["pacing"]["round_interval_s"] == 0.5
    with closing(open_store(default_url({"HOME": str(tmp_path)}))) as store:
        stored = store.load(found["run"]["id"])
    assert [one.id for one in stored.checks] == [f"{TARGET}:route", f"{TARGET}:ping"]
    assert len(stored.observations) == len(found["observations"])


def test_keys_pause_and_reset(routers: Lab, tmp_path: Path) -> None:
    with watching(routers, tmp_path, "--interval", "0.2s", "--format", "json") as window:
        window.wait(lambda: window.sent >= 5, "no echoes")
        window.type("p")
        window.wait(lambda: window.found(r"^ PAUSED"), "not paused")
        time.sleep(0.5)  # for what was under way
        window.read()
        before = window.sent
        end_s = time.monotonic() + 1.5
        while time.monotonic() < end_s:
            window.read()
        assert window.sent == before > 0, "nothing is sent in a pause"
        window.type("P")
        window.wait(lambda: window.found(r"^ Running"), "still paused")
        window.wait(lambda: window.sent > before + 3, "it did not go on")
        window.type("r")
        window.wait(lambda: window.found(r"counts since 00:00:\d\d"), "no reset")
        window.wait(lambda: window.sent < before, "it did not begin anew")
        window.wait(lambda: window.sent, "nothing new")
        window.type("\x1b[A")  # an arrow: no key of ours
        window.type("q")
        assert window.end() == 0
        found = json.loads(window.text.rpartition(LEAVE)[2])
    assert any("begun anew" in note for note in found["run"]["instrument"]["notes"])


def test_loss_and_a_bleached_mark_are_shown_and_judged(routers: Lab, tmp_path: Path) -> None:
    lossy = "FORWARD -p icmp --icmp-type 8 -m statistic --mode nth --every 4 --packet 0 -j DROP"
    bleach = "FORWARD -t mangle -o right -j DSCP --set-dscp 0"
    out = tmp_path / "out"
    with _rule(routers, "r3", lossy), _rule(routers, "r2", bleach):
        arguments = ("-o", str(out), "--format", "json", "--interval", "0.2s")
        with watching(routers, tmp_path, *arguments) as window:
            window.wait(lambda: window.sent >= 24, "no echoes")
            window.process.send_signal(signal.SIGTERM)
            assert window.end() == 1
            screen = window.screen
    assert re.search(rf"^ +2 {re.escape(HOPS[1])} .* 46$", screen, re.M)
    assert re.search(rf"^ +3 {re.escape(HOPS[2])} .* 0, was 46$", screen, re.M)
    assert re.search(r"mark 46, back 0$", screen, re.M)
    found = record(out)
    assert {one["code"] for one in found["findings"]} >= {"packet-loss", "dscp-bleached"}
    assert len(values(found, "hop_address")) == 5, "a lost packet makes no path longer"
    lost = values(found, "packet_loss_ratio")[None]
    assert lost["interval"][0] < 0.25 < lost["interval"][1]


def test_it_fits_a_window_that_changes(routers: Lab, tmp_path: Path) -> None:
    with watching(routers, tmp_path) as window:
        window.wait(lambda: window.found(r"^ +5 198"), "no hops")
        assert len(window.screen.splitlines()) == 24
        window.resize(120, 40)
        window.wait(lambda: len(window.screen.splitlines()) == 40, "it did not grow")
        window.resize(50, 10)
        window.wait(lambda: len(window.screen.splitlines()) == 10, "it did not shrink")
        window.wait(lambda: window.found(r"q quit$"), "no keys")
        # It is no terminal of control, so that Ctrl-C makes no signal here; but the kernel throws
        # away what was under way when it comes to it, as the key after it shows.
        window.type("\x03p")
        window.wait(lambda: window.found(r"^ PAUSED"), "not paused")
        window.process.send_signal(signal.SIGINT)
        assert window.end() == 0


def test_only_what_changes_is_drawn(routers: Lab, tmp_path: Path) -> None:
    with watching(routers, tmp_path, *HALF) as window:
        window.wait(lambda: window.sent >= 2, "no echoes")
        window.type("p")
        window.wait(lambda: window.found(r"^ PAUSED"), "not paused")
        time.sleep(1.5)
        window.read()
        before = len(window.text)
        end_s = time.monotonic() + 2
        while time.monotonic() < end_s:
            window.read()
        rows = {int(row) for row, _, _ in _CELL.findall(window.text[before:])}
        assert rows == {1}, "in a pause only the clock goes on"
        window.type("q")
        assert window.end() in (0, 3)


def test_a_stream_by_direction(routers: Lab, tmp_path: Path) -> None:
    reflect = (*routers.at("t"), sys.executable, "-P", "-m", "nethealth", "reflect",
               "--port", "8620", "--allow", "198.19.0.0/16")  # fmt: skip
    lossy = (
        "FORWARD -i left -p udp --dport 8620 -m statistic --mode nth --every 10 --packet 0 -j DROP"
    )
    with (
        running(reflect, log=tmp_path / "reflect.log", cwd=ROOT, bound=("udp", 8620)),
        _rule(routers, "r3", lossy),
        watching(routers, tmp_path, "--format", "json", target=f"stamp:{TARGET}:8620") as window,
    ):
        window.wait(lambda: window.found(r"Streams: [3-9] rounds"), "no streams")
        # The screen may be in the middle of being drawn, and a round be under way.
        for row in (r"forward +\d+/\d+ +(9\.\d|10\.\d) .* 46$", r"return +0/\d+ +0\.0 .* 46$"):
            window.wait(lambda row=row: window.found(row), row)  # type: ignore[misc]
        window.type("q")
        assert window.end() == 1
        found = json.loads(window.text.rpartition(LEAVE)[2])
    ratios = {
        one["method"]["direction"]: one["value"]
        for one in found["observations"]
        if one["name"] == "packet_loss_ratio"
    }
    assert ratios["forward"] == pytest.approx(0.1, abs=0.02)
    assert ratios["return"] == 0


@contextmanager
def _rule(lab: Lab, node: str, rule: str) -> Iterator[None]:
    lab.run(node, f"iptables -A {rule}")
    try:
        yield
    finally:
        lab.run(node, f"iptables -D {rule}")


def test_a_sip_server_beside_its_path(routers: Lab, tmp_path: Path) -> None:
    with (
        sipp.answering(tmp_path, TARGET, 5060, status="200 OK", prefix=routers.at("t")),
        watching(routers, tmp_path, "--format", "json", *HALF, target=f"sip:{TARGET}") as window,
    ):
        window.wait(lambda: window.found(r"OPTIONS: 200 OK; 1 of 1 answered"), "no answer")
        assert window.found(r"by lab sipp")
        window.wait(lambda: window.found(r"^ +5 198"), "no path")
        window.wait(lambda: window.sent >= 2, "no echoes")
        window.type("q")
        assert window.end() == 0
        found = json.loads(window.text.rpartition(LEAVE)[2])
    assert [one["probe"] for one in found["checks"]] == ["route", "ping", "sip"]
    assert values(found, "sip_status_code")[None]["value"] == 200


def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(routers: Lab, tmp_path: Path) -> None:
    with watching(routers, tmp_path, *HALF) as window:
        window.wait(lambda: window.sent >= 2, "no echoes")
        window.process.send_signal(signal.SIGTSTP)
        state = Path(f"/proc/{window.process.pid}/stat")
        window.wait(lambda: state.read_text().rpartition(") ")[2][0] == "T", "it did not stop")
        while select.select([window.master], [], [], 0.2)[0]:
            window.read(0)
        assert window.text.endswith(LEAVE)
        time.sleep(1.5)
        window.process.send_signal(signal.SIGCONT)
        before = window.sent
        window.wait(lambda: window.sent > before, "it did not go on")
        assert window.found(r"sent, 0 lost"), "nothing is lost for that it stood still"
        window.type("q")
        assert window.end() == 0


def test_the_terminal_is_given_back_after_an_error(routers: Lab, tmp_path: Path) -> None:
    """A fault of the program's own, put into the view: one line, exit 3, and a whole terminal."""
    (tmp_path / "sitecustomize.py").write_text(
        "import nethealth.cli.watch_view as view\n"
        "def broken(*_):\n    raise RuntimeError('a fault of the view')\n"
        "view.render = broken\n"
    )
    with watching(
        routers, tmp_path, prefix=("env", f"PYTHONPATH={tmp_path}:{ROOT}", "NETHEALTH_TRACEBACK=")
    ) as window:
        assert window.end() == 3
        assert "a fault of nethealth itself: RuntimeError: a fault of the view" in window.text


@pytest.mark.parametrize("which", ["stdin", "stdout"])
def test_without_a_terminal_it_says_what_to_use(tmp_path: Path, which: str) -> None:
    master, slave = pty.openpty()
    streams: dict[str, Any] = {"stdin": slave, "stdout": slave, "stderr": subprocess.PIPE}
    streams[which] = subprocess.DEVNULL
    done = subprocess.run(
        (sys.executable, "-P", "-m", "nethealth", "check", "127.0.0.1", "--watch"),
        **streams, cwd=tmp_path, check=False, timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT),
             "TERM": "xterm"},
    )  # fmt: skip
    os.close(master)
    os.close(slave)
    assert done.returncode == 2
    said = done.stderr.decode()
    assert f"standard {'input' if which == 'stdin' else 'output'} is not" in said
    assert "`nethealth sweep --every 60s --for 8h`" in said
