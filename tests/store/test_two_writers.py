"""Cron and a desk may write the same store at once, and both succeed."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from nethealth.store import open_store

WRITER = """
import sys
from dataclasses import replace
from nethealth.store import open_store
from tests.store.records import begun, finished, result, seen
path, name = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
store = open_store(f"sqlite:///{path}")
for n in range(20):
    head = begun(f"{name}{n}")
    store.begin(head)
    checks = [result(f"c{k}") for k in range(40)]
    observations = {c.id: [seen(check=c.id, number=i) for i in range(1, 11)] for c in checks}
    for check in checks:
        store.append(head.run.id, check, observations[check.id])
    every = tuple(one for check in checks for one in observations[check.id])
    store.finish(replace(finished(head), checks=tuple(checks), observations=every))
store.close()
"""


def test_processes_that_create_and_write_one_store_at_once_all_succeed(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    names = "abcd"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for name in names
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert (writer.returncode, errors) == (0, "")
    with closing(open_store(f"sqlite:///{path}")) as store:
        runs = store.runs(1000)
        assert {run.id for run in runs} == {f"{name}{n}" for name in names for n in range(20)}
        assert all(run.checks == 40 and run.finished for run in runs)
        assert len(store.load("c7").observations) == 400


MAKER = """
import sys
from nethealth.store import open_store
print("ready", flush=True)
sys.stdin.readline()
open_store(f"sqlite:///{sys.argv[1]}").close()
"""


def test_processes_that_make_one_store_at_once_all_open_it(tmp_path: Path) -> None:
    for number in range(6):
        makers = [
            subprocess.Popen(
                [sys.executable, "-c", MAKER, str(tmp_path / f"{number}.db")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for _ in range(6)
        ]  # fmt: skip
        for maker in makers:
            assert maker.stdout
            assert maker.stdout.readline() == "ready\n"
        ended = []
        for maker in makers:
            assert maker.stdin
            maker.stdin.write("go\n")
            maker.stdin.flush()
        for maker in makers:
            _, errors = maker.communicate(timeout=60)
            ended.append((maker.returncode, errors))
        assert ended == [(0, "")] * len(makers)
