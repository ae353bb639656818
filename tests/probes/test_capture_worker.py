"""The process that reads captures: what it gives back, and how it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nethealth.model.pseudonym import Revealed
from probes.capture.read import read_captures
from probes.capture.sources import SourceError
from probes.capture.worker import ReadingProcess, WorkerError
from tests.passive.packet_frames import ethernet, ipv4, pcap, udp


def test_it_gives_back_what_reading_gives(tmp_path: Path) -> None:
    file = tmp_path / "one.pcap"
    file.write_bytes(pcap([(n * 1_000_000, ethernet(ipv4(udp(bytes(20))))) for n in range(30)]))
    reading = ReadingProcess()
    reading.begin("capture", (str(file),), Revealed(), "numpy", 10.0)
    found = reading.result()
    reading.end()
    assert found == read_captures("capture", (str(file),), Revealed(), "numpy", 10.0)
    assert found.observations


def test_what_is_raised_there_is_raised_here() -> None:
    reading = ReadingProcess()
    reading.begin("capture", ("-", "other.pcap"), Revealed(), "numpy", 10.0)
    with pytest.raises(SourceError, match="read it alone"):
        reading.result()
    reading.end()


def test_one_that_is_killed_takes_nothing_down() -> None:
    reading = ReadingProcess()
    os.kill(reading.number, signal.SIGKILL)
    os.waitid(os.P_PID, reading.number, os.WEXITED | os.WNOWAIT)
    reading.begin("capture", ("one.pcap",), Revealed(), "numpy", 10.0)
    with pytest.raises(WorkerError, match="signal 9"):
        reading.result()


def test_one_that_is_never_asked_ends_with_the_process_that_began_it() -> None:
    """Both write to one pipe, whose end is not there before both have ended."""
    code = "from probes.capture.worker import ReadingProcess; print(ReadingProcess().number)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert int(done.stdout) > 0
    assert done.stderr == ""
