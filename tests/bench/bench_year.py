"""A year of history judged: 60 sites of 20 assets, each pinged every quarter of an hour.

The store holds 42 million checks in its packed columns, as sweeps would have left them, and the raw
rows of the last sweep. The whole command `nethealth diagnose --since 365d` reads and judges them.
Prints the time and the peak of its memory; exit status 1 if a limit is missed. `DAYS` sets another
length; the limits are those of a year on two cores.
"""

import json
import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from nethealth.model.check import CheckResult
from nethealth.model.failure import Failure, Outcome
from nethealth.model.inventory import Asset, Council, Inventory, Site, Vantage
from nethealth.model.observation import Observation
from nethealth.model.period import state_of
from nethealth.model.record import Record, Run, Tool
from nethealth.store import open_store

DAYS = int(os.environ.get("DAYS", "365"))
SITES, ASSETS, STEP_S = 60, 20, 900
PER_DAY = 86_400 // STEP_S
SECONDS_MOST, MEMORY_MOST_MB = 60.0, 1000.0
SILENT = state_of(Outcome.COMPLETED, Failure.TIMEOUT)


def inventory() -> Inventory:
    return Inventory(
        vantage=Vantage(id="hq", timezone="Europe/London"),
        council=tuple(Council(id=f"c{n}", name=f"Council {n}") for n in range(3)),
        site=tuple(
            Site(id=f"s{n:02}", council=f"c{n % 3}", name=f"Site {n}") for n in range(SITES)
        ),
        asset=tuple(
            Asset(id=f"s{s:02}-a{a:02}", site=f"s{s:02}", kind="server", owner="3C",
                  address=f"198.18.{s}.{a + 1}")
            for s in range(SITES) for a in range(ASSETS)
        ),
    )  # fmt: skip


def last_sweep(ended: datetime) -> Record:
    known = inventory()
    checks, observations = [], []
    for number, asset in enumerate(known.asset):
        id_ = f"{asset.id}:ping"
        council = f"c{int(asset.site[1:]) % 3}"
        checks.append(
            CheckResult(id_, "ping", council, asset.site, asset.id, asset.address or "",
                        Outcome.COMPLETED, started_s=number * 0.02, finished_s=number * 0.02 + 4)
        )  # fmt: skip
        facts: dict[str, float] = {
            "packets_sent_count": 20, "packets_received_count": 20, "packet_loss_ratio": 0.0,
            "round_trip_delay_median_s": 0.02, "r_factor": 92.0,
        }  # fmt: skip
        observations += [
            Observation(f"{id_}/{n}", id_, name, value, None, number * 0.02)
            for n, (name, value) in enumerate(facts.items(), 1)
        ]
    run = Run("last", "sweep", "hq", ended, ended + timedelta(seconds=30))
    return Record(Tool("0.1.0"), run, known, checks=tuple(checks), observations=tuple(observations))


def write(path: Path, ended: datetime) -> None:
    """The last sweep by the store; the sweeps before it as the parts that they would have made."""
    record = last_sweep(ended)
    with closing(open_store(f"sqlite:///{path}")) as store:
        store.begin(replace(record, checks=(), observations=()))
        store.finish(record)
        list(store.period(ended - timedelta(days=1), ended))  # so that nothing is left to fill
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    columns: dict[str, dict[str, int]] = {}
    for asset, name, key in connection.execute(
        "SELECT asset, name, packed_columns.key FROM packed_columns"
        " JOIN packed_checks ON packed_checks.key = check_key"
    ):
        columns.setdefault(asset, {})[name] = key
    connection.execute("DELETE FROM packed_parts")
    first = int((ended - timedelta(days=DAYS)).timestamp()) // 86_400 + 1
    random = np.random.default_rng(1)
    connection.execute("BEGIN")
    for number, asset in enumerate(sorted(columns)):
        connection.executemany(
            "INSERT INTO packed_parts VALUES (?, ?)", parts(columns[asset], number, first, random)
        )
    connection.execute("COMMIT")
    connection.close()


def parts(
    keys: dict[str, int], number: int, first: int, random: np.random.Generator
) -> Iterator[tuple[int, bytes]]:
    """One asset's year: now and then a lost packet, an outage, and at some a slower line."""
    days = DAYS - 1
    count = days * PER_DAY
    times = (first * 86_400 + np.arange(count) * STEP_S + number % 30).astype("<u4")
    lost = random.binomial(20, 0.0005, count)
    delay = 0.01 + random.exponential(0.002, count)
    if number // ASSETS == 7:
        delay[count // 2 :] += 0.02  # a whole site that gets another line midway
    if number // ASSETS == 11:
        lost[: 20 * PER_DAY] = random.binomial(20, 0.05, 20 * PER_DAY)
    states = np.zeros(count, dtype=np.uint8)
    down = random.integers(0, count - 8)
    states[down : down + 8], lost[down : down + 8], delay[down : down + 8] = SILENT, 20, np.nan
    values = {
        "packets_sent_count": np.full(count, 20.0),
        "packet_loss_ratio": lost / 20,
        "round_trip_delay_median_s": delay,
        "r_factor": 92 - 200 * lost / 20 - 10 * np.nan_to_num(delay),
    }
    for day in range(days):
        here = slice(day * PER_DAY, (day + 1) * PER_DAY)
        place = (first + day) << 16
        yield keys[""] << 32 | place, times[here].tobytes() + states[here].tobytes()
        for name, column in values.items():
            yield keys[name] << 32 | place, column[here].astype("<f4").tobytes()


def main() -> int:
    ended = datetime.now(UTC) - timedelta(minutes=10)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        began_s = time.monotonic()
        write(path, ended)
        size_mb = path.stat().st_size / 1e6
        print(f"year: a store of {SITES * ASSETS * DAYS * PER_DAY:,} checks written in "
              f"{time.monotonic() - began_s:.0f} s, {size_mb:.0f} MB", flush=True)  # fmt: skip
        began_s = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "nethealth", "diagnose", "--store", f"sqlite:///{path}",
             "--since", f"{DAYS}d", "--format", "json"],
            stdout=subprocess.PIPE, check=False, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        took_s = time.monotonic() - began_s
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        peak_mb, processor_s = used.ru_maxrss / 1e3, used.ru_utime + used.ru_stime
    found = [one["id"] for one in json.loads(done.stdout)["findings"]]
    right = {"packet-loss:s11", "level-change:s07:delay"} <= set(found)
    outages = sum(one.startswith("host-down:") for one in found)
    good = took_s <= SECONDS_MOST and peak_mb <= MEMORY_MOST_MB and right
    print(f"year: read and judged in {took_s:.1f} s (limit {SECONDS_MOST:.0f} s; "
          f"{processor_s:.1f} s of processor), at most "
          f"{peak_mb:.0f} MB (limit {MEMORY_MOST_MB:.0f} MB); {len(found)} findings, {outages} "
          f"hosts of {SITES * ASSETS} with an outage, the slower and the lossy site found: {right} "
          f"{'ok' if good else 'MISSED'}")  # fmt: skip
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
