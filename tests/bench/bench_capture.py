"""`nethealth capture read` beside tshark on the same files in the same run.

Three captures: a million RTP packets of 200 streams (made by the captures' own script), ten of
them in a row, and three million frames of an office without a call, all analyses on. Whole
commands with their start, warm cache, one after the other in turn; the ratio is of the best of
each. Memory is PSS summed over processes.

Both stand as installed: nethealth's bytecode is kept, as for every user after the first run,
whatever the environment of the bench says; its compiled loops are made before anything is timed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402 - after the path to the project

from nethealth.passive.columns import SLACK  # noqa: E402 - likewise
from nethealth.passive.pcap import HEADER_OCTETS, Pcap  # noqa: E402 - likewise
from tests import captures  # noqa: E402 - likewise
from tests.bench.office_capture import write_office  # noqa: E402 - likewise

TSHARK = ("tshark", "-n", "-q", "-o", "rtp.heuristic_rtp:TRUE", "-z", "rtp,streams", "-r")
NETHEALTH = (sys.executable, "-P", "-m", "nethealth", "capture", "read", "--format", "json",
             "--fail-on", "never")  # fmt: skip
PSS_LIMIT_MB = 400
OFFICE_PACKETS = 3_000_000
COPIES = 10

missed: list[str] = []
environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
environment["PYTHONPATH"] = str(ROOT)


def judge(line: str, held: bool) -> None:
    print(f"{line} {'ok' if held else 'MISSED'}", flush=True)
    if not held:
        missed.append(line)


def pss_mb(root: int) -> float:
    """Of a process and all its descendants."""
    total, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        try:
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            children = Path(f"/proc/{process}/task/{process}/children").read_text()
        except OSError:
            continue
        total += sum(int(row.split()[1]) for row in rollup.splitlines() if row.startswith("Pss:"))
        waiting += [int(child) for child in children.split()]
    return total / 1024


def timed(argv: tuple[str, ...], *, watch: bool = False) -> tuple[float, float]:
    """Seconds from start to end, and the greatest PSS seen if it is watched (in megabytes)."""
    began = time.perf_counter()
    with subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        most = 0.0
        while watch and process.poll() is None:
            most = max(most, pss_mb(process.pid))
            time.sleep(0.02)
        code = process.wait()
    seconds = time.perf_counter() - began
    if code:
        raise RuntimeError(f"{argv[0]} ended with {code}")
    return seconds, most


def beside(what: str, capture: Path, limits: dict[str, float], rounds: int) -> None:
    """Both on one capture, in turn; `limits`: by engine, how many times as fast."""
    theirs = []
    ours: dict[str, list[float]] = {engine: [] for engine in limits}
    for _ in range(rounds):
        theirs.append(timed((*TSHARK, str(capture)))[0])
        for engine, seconds in ours.items():
            seconds.append(timed((*NETHEALTH, "--engine", engine, str(capture)))[0])
    for engine, limit in limits.items():
        ratio = min(theirs) / min(ours[engine])
        judge(
            f"{what}, {engine}: {min(ours[engine]):.2f} s, tshark {min(theirs):.2f} s, "
            f"{ratio:.1f} times as fast (limit {limit:.0f})",
            ratio >= limit,
        )
    for engine in limits:
        _, memory = timed((*NETHEALTH, "--engine", engine, str(capture)), watch=True)
        judge(
            f"{what}, {engine}: {memory:.0f} MB of PSS (limit {PSS_LIMIT_MB})",
            memory < PSS_LIMIT_MB,
        )


def in_a_row(one: Path, copies: int, to: Path) -> None:
    """The same capture so many times, each copy later than the one before."""
    data = np.concatenate([np.fromfile(one, np.uint8), np.zeros(SLACK, np.uint8)])
    header, octets = data[:HEADER_OCTETS], data[HEADER_OCTETS:]
    records = Pcap(header.tobytes()).walk(octets, len(octets) - SLACK, 10**9)
    span_s = int(records.time_ns.max() - records.time_ns.min()) // 10**9 + 5
    seconds = records.time_ns // 10**9
    with to.open("wb") as file:
        file.write(header.tobytes())
        for copy in range(copies):
            later = (seconds + copy * span_s).astype("<u4").view(np.uint8).reshape(-1, 4)
            for place in range(4):
                octets[records.frame_at - 16 + place] = later[:, place]
            file.write(octets[:-SLACK].tobytes())


def main() -> int:
    script = captures.folder() / "big" / "make_rtp_capture.py"
    if not script.is_file():
        print(f"no {script}: set NETHEALTH_CAPTURES MISSED")
        return 1
    with tempfile.TemporaryDirectory(prefix="nethealth-bench-") as name:
        folder = Path(name)
        shutil.copyfile(script, folder / script.name)
        subprocess.run(
            [sys.executable, folder / script.name], check=True, stdout=subprocess.DEVNULL
        )
        one = folder / "rtp_1m.pcap"
        environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
        for engine in ("numpy", "numba"):
            timed((*NETHEALTH, "--engine", engine, str(one)))
        beside("a million RTP packets", one, {"numpy": 6}, 7)
        ten = folder / "ten.pcap"
        in_a_row(one, COPIES, ten)
        beside("ten million RTP packets", ten, {"numba": 20}, 2)
        ten.unlink()
        office = folder / "office.pcap"
        write_office(office, OFFICE_PACKETS)
        beside("three million office frames", office, {"numpy": 8, "numba": 15}, 2)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
