"""What the doctor says of this machine, against what the machine itself says."""

import ctypes
import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from probes import host, scapy_child
from probes.capture import deep
from probes.clock_state import clock_state

# pyshark leaves the file of its field mapping to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO name:pytest.PytestUnraisableExceptionWarning"
)


def store() -> str:
    return "sqlite:///history.sqlite"


def test_every_ability_has_a_cure_unless_it_is_there() -> None:
    found = list(host.abilities(store, "Europe/London"))
    assert [ability.name for ability in found] == [
        "ICMP echo, IPv4",
        "ICMP echo, IPv6",
        "Round trip to 127.0.0.1",
        "Crafted packets (scapy)",
        "Deep decoding (tshark)",
        "Capturing (dumpcap)",
        "SNMP (pysnmp)",
        "Clock",
        "Resolver",
        "Time zone",
        "Store",
    ]
    for ability in found:
        assert ability.found
        assert (ability.cure is None) == (ability.state == "yes")
        assert "setcap" not in (ability.cure or "")


def test_an_unknown_time_zone_and_a_broken_store_are_said() -> None:
    def broken() -> str:
        raise OSError("read-only file system")

    by_name = {ability.name: ability for ability in host.abilities(broken, "Mars/Olympus")}
    assert by_name["Time zone"].state == "no"
    assert by_name["Store"].state == "no"
    assert "read-only" in by_name["Store"].found


def test_clock_state_agrees_with_the_kernels_return_code() -> None:
    # adjtimex(2): the return value 5 (TIME_ERROR) says that the clock is not synchronised.
    buffer = ctypes.create_string_buffer(512)
    code = ctypes.CDLL(None).adjtimex(buffer)
    assert clock_state().synchronised == (code != 5)


def test_without_tshark_the_doctor_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(deep.DecodeError, match="apt-get install tshark"):
        deep.tshark_path()


def test_a_config_file_in_the_current_folder_names_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n", encoding="utf-8")
    trap.chmod(0o755)
    (tmp_path / "config.ini").write_text(f"[tshark]\ntshark_path = {trap}\n", encoding="utf-8")
    capture = tmp_path / "one.pcap"
    capture.write_bytes(host._one_packet_capture())
    monkeypatch.chdir(tmp_path)
    layers = deep.decode_layers(capture, display_filter="sip", most=1, timeout_s=60)
    assert layers == ["SIP"]
    assert not (tmp_path / "sprung").exists()


def test_the_scapy_process_answers_and_scapy_stays_out_of_this_one() -> None:
    reply = scapy_child.ask({"do": "hello"})
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
        allowed = True
    except PermissionError:
        allowed = False
    assert reply["craft"] is allowed
    assert "expected" in scapy_child.ask({"do": "anything"})["error"]
    loaded = "import json, probes.host, probes.scapy_child, sys; print(json.dumps([*sys.modules]))"
    modules = json.loads(
        subprocess.run(
            [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
        ).stdout
    )
    assert not [name for name in modules if name.split(".")[0] == "scapy"]


def test_a_scapy_process_that_fails_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(scapy_child.ScapyError, match="ended with 1: no output"):
        scapy_child.ask({"do": "hello"})
