"""One sweep at a time, whoever dies and however."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nethealth.sweep import AlreadyRunning, LockError, held, sockets_allowed
from tests.sweep.virtual import WHEN

HOLDER = """
import sys, time
from datetime import datetime, UTC
from pathlib import Path
from nethealth.sweep import held
with held(Path(sys.argv[1]), now=datetime(2026, 11, 22, 19, 3, 55, tzinfo=UTC)):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_sweep_is_refused_and_told_who_runs(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "sweep.lock"
    with held(path, now=WHEN):
        with pytest.raises(AlreadyRunning) as refused, held(path, now=WHEN):
            pass
        assert str(refused.value) == (
            f"a sweep is already running: process {os.getpid()}, since 2026-11-22T19:03:55Z"
        )
    with held(path, now=WHEN):
        assert path.read_text().startswith(f"{os.getpid()} ")


def test_a_killed_holder_leaves_no_stale_lock(tmp_path: Path) -> None:
    path = tmp_path / "sweep.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(AlreadyRunning, match=f"process {holder.pid}, since"),
            held(path, now=WHEN),
        ):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with held(path, now=WHEN):
        assert path.read_text().split()[0] == str(os.getpid())


def test_an_error_inside_releases_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "sweep.lock"
    with pytest.raises(KeyError), held(path, now=WHEN):
        raise KeyError
    with held(path, now=WHEN):
        pass


def test_a_lock_file_that_says_nothing_is_still_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "sweep.lock"
    with held(path, now=WHEN):
        path.write_text("\x1b[31mnonsense")
        with (
            pytest.raises(AlreadyRunning, match=r"^a sweep is already running$"),
            held(path, now=WHEN),
        ):
            pass


def test_a_place_where_no_file_can_be_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(LockError, match="cannot open the lock file"),
        held(tmp_path / "file" / "sweep.lock", now=WHEN),
    ):
        pass


def test_what_the_kernel_allows_of_sockets_is_used() -> None:
    assert sockets_allowed() >= 100
    assert sockets_allowed() == sockets_allowed()
