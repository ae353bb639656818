"""A sweep killed at any instant leaves whole checks, or none, in a store that opens."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random

from nethealth.store import open_store
from tests.store import victim

KILLS = 200
KILLS_PER_STORE = 20
ROOT = Path(__file__).parents[2]


class Nursery:
    """The process that forks the victims."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.victim"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def sweep(self, path: Path, run_id: str, killed_after_s: float | None) -> int:
        """Run one sweep, killed or not; its wait status."""
        pid = int(self._ask(f"{path} {run_id}"))
        if killed_after_s is not None:
            time.sleep(killed_after_s)
            os.kill(pid, signal.SIGKILL)
        return int(self._ask("end"))

    def _ask(self, line: str) -> str:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin and stdout
        stdin.write(line + "\n")
        stdin.flush()
        return stdout.readline()

    def close(self) -> None:
        self._process.communicate(timeout=60)
        assert self._process.returncode == 0


def stored_and_whole(path: Path, run_id: str) -> tuple[int, bool]:
    """How many checks of the run are stored, each of them whole, and whether it was finished."""
    if not path.exists():
        return 0, False
    with closing(open_store(f"sqlite:///{path}")) as store:
        if run_id not in {run.id for run in store.runs(KILLS)}:
            return 0, False
        record = store.load(run_id)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        orphans = (
            "SELECT count(*) FROM observations WHERE check_key NOT IN (SELECT key FROM checks)"
        )
        assert raw.execute(orphans).fetchone() == (0,)
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    seen: dict[str, int] = {}
    for observation in record.observations:
        seen[observation.check] = seen.get(observation.check, 0) + 1
    assert seen == {check.id: victim.yields(check.id) for check in record.checks}
    assert len(record.findings) == (1 if record.run.finished else 0)
    return len(record.checks), record.run.finished is not None


def test_two_hundred_kills_leave_whole_checks_and_a_sound_file(tmp_path: Path) -> None:
    random = Random(20261122)
    with closing(Nursery()) as nursery:
        assert nursery.sweep(tmp_path / "whole.db", "warm-up", None) == 0
        began_s = time.monotonic()
        assert nursery.sweep(tmp_path / "whole.db", "whole", None) == 0
        whole_s = time.monotonic() - began_s
        assert stored_and_whole(tmp_path / "whole.db", "whole") == (victim.CHECKS, True)

        midway = 0
        for number in range(KILLS):
            path = tmp_path / f"{number // KILLS_PER_STORE}.db"
            run_id = f"r{number}"
            status = nursery.sweep(path, run_id, random.uniform(0, whole_s))
            checks, finished = stored_and_whole(path, run_id)
            if finished:
                assert checks == victim.CHECKS
            elif os.WIFSIGNALED(status) and 0 < checks < victim.CHECKS:
                midway += 1
    assert midway >= KILLS // 10  # else the kills fell where there was nothing to break
