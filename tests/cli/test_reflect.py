"""`nethealth reflect`: whom it refuses to serve, what it says, and how it ends."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from nethealth.inventory.schedule import reflect_unit
from tests.peers.process import Process
from tests.probes.test_load_service import free_tcp_port
from tests.probes.test_stamp import free_port

REFLECT = (sys.executable, "-P", "-m", "nethealth", "reflect")
ROOT = Path(__file__).parents[2]
_COMMON = ("--bind", "127.0.0.1", "--allow", "127.0.0.0/8")


def ended(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        (*REFLECT, *arguments), capture_output=True, text=True, cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)}, timeout=30, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "--allow"),
        (("--allow", "0.0.0.0/0"), "open to the world"),
        (("--allow", "::/0"), "open to the world"),
        (("--allow", "0.0.0.0/1", "--allow", "128.0.0.0/1"), "open to the world"),
        (("--allow", "the-hall"), "allowed: a network such as"),
        (("--allow", "::1/128", "--bind", "localhost"), "--bind"),
        (("--allow", "0.0.0.0/0", "--sip-port", "5060"), "open to the world"),
        (("--allow", "::1/128", "--sip-port", "862"), "different ports"),
        (("--allow", "::1/128", "--sip-port", "8631"), "different ports"),
        (("--allow", "::1/128", "--control-port", "65535"), "65534"),
    ],
)
def test_what_it_refuses(arguments: tuple[str, ...], word: str) -> None:
    done = ended(*arguments)
    assert done.returncode == 2
    assert word in done.stderr


def test_a_port_that_is_taken_is_said() -> None:
    port = free_port()
    taken = Process(
        (*REFLECT, "--bind", "127.0.0.1", "--port", str(port), "--allow", "127.0.0.0/8"),
        log=Path("/dev/null"), cwd=ROOT,
    )  # fmt: skip
    try:
        taken.wait_bound("udp", port)
        done = ended("--bind", "127.0.0.1", "--port", str(port), "--allow", "127.0.0.0/8")
    finally:
        taken.stop()
    assert done.returncode == 2
    assert "Address already in use" in done.stderr


def test_it_ends_after_its_time_and_when_it_is_told(tmp_path: Path) -> None:
    port = str(free_port())
    common = ("--bind", "127.0.0.1", "--port", port, "--allow", "127.0.0.0/8")
    done = ended(*common, "--for", "1s")
    assert done.returncode == 0
    assert "0 reflected; refused: none" in done.stderr
    running = subprocess.Popen(
        (*REFLECT, *common), stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert running.stderr is not None
    assert "reflecting at 127.0.0.1" in running.stderr.readline()
    running.send_signal(signal.SIGTERM)
    assert "0 reflected" in running.communicate(timeout=10)[1]
    assert running.returncode == 0


def test_a_load_is_served_only_where_it_is_asked_for() -> None:
    common = (*_COMMON, "--port", str(free_port()), "--for", "1s")
    assert "loads" not in ended(*common).stderr
    port = str(free_tcp_port())
    done = ended(*common, "--load-port", port, "--load-rate", "4")
    assert done.returncode == 0
    assert f"loads of up to 4 Mbit/s at TCP port {port}, one at a time" in done.stderr
    assert "0 loads, 0 octets taken and 0 given; refused: none" in done.stderr


def test_a_load_port_that_is_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = ended(*_COMMON, "--port", str(free_port()), "--load-port", port)
    assert done.returncode == 2
    assert f"--load-port: cannot listen at TCP port {port}: Address already in use" in done.stderr


def test_the_unit_holds_one_right_and_no_more(tmp_path: Path) -> None:
    unit = reflect_unit("/usr/bin/nethealth", "198.18.0.0/24")
    assert '"/usr/bin/nethealth" "reflect" "--allow" "198.18.0.0/24"' in unit
    assert set(re.findall(r"CAP_\w+", unit)) == {"CAP_NET_BIND_SERVICE"}
    assert "DynamicUser=yes" in unit
    analyse = shutil.which("systemd-analyze")
    if analyse:
        path = tmp_path / "nethealth-reflect.service"
        path.write_text(unit.replace("/usr/bin/nethealth", "/bin/true"))
        done = subprocess.run(
            (analyse, "verify", path), capture_output=True, text=True, check=False
        )
        assert str(path.name) not in done.stderr
    with pytest.raises(ValueError, match="no absolute path"):
        reflect_unit("nethealth", "198.18.0.0/24")
