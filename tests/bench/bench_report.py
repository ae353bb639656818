"""A report over 90 days of 60 sites and 1,200 assets, ten million checks, in every format of print.

Beside it a plain SQL scan of the same rows, which gives one mean and one count for each site: what
anybody would write first. Prints a line for each limit; exit status 1 if one is missed. `CHECKS`
sets the number of checks. The history is made by SQLite itself, and its packed columns by numpy
from the same formula: making it takes some minutes and 3 GB of disk. Held to the limit are seconds
on the clock; those of the processor stand beside them.
"""

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

sys.path.insert(0, str(Path(__file__).parents[2]))

from nethealth.model.check import CheckResult
from nethealth.model.failure import Outcome
from nethealth.model.finding import Finding, Severity, Verdict
from nethealth.model.inventory import Asset, Council, Inventory, Site, Vantage
from nethealth.model.observation import Event, Observation
from nethealth.model.period import state_of
from nethealth.model.record import Record, Run, Tool
from nethealth.store import open_store
from nethealth.store.ledger import add_events, text_of

CHECKS = int(os.environ.get("CHECKS", "10_000_000"))
SITES, ASSETS, DAYS = 60, 1200, 90
RUNS = max(DAYS, round(CHECKS / ASSETS))
START = datetime(2026, 8, 24, tzinfo=UTC)
STEP_S = DAYS * 86_400 // RUNS
SECONDS_MOST, MEGABYTES_MOST, HTML_MEGABYTES_MOST = 60.0, 1024.0, 5.0
FORMATS = "html,pdf,docx,xlsx"
NAMES = (("packet_loss_ratio", "1"), ("round_trip_delay_median_s", "s"), ("r_factor", "1"))

INVENTORY = Inventory(
    vantage=Vantage(id="hq", timezone="Europe/London"),
    council=tuple(Council(id=f"c{n}", name=f"Council {n}") for n in range(3)),
    site=tuple(Site(id=f"s{n:02}", council=f"c{n % 3}", name=f"Site {n}") for n in range(SITES)),
    asset=tuple(
        Asset(id=f"a{n:04}", site=f"s{n % SITES:02}", kind="phone", owner="ICT",
              address=f"198.18.{n // 250}.{n % 250 + 1}")
        for n in range(ASSETS)
    ),
)  # fmt: skip


def first_record() -> Record:
    """One small run through the store itself, so that names, passport and inventory are there."""
    check = CheckResult("seed:ping", "ping", None, None, None, "198.18.0.1", Outcome.COMPLETED)
    seen = tuple(
        Observation(f"seed:ping/{n}", "seed:ping", name, 0.0, unit, 1.0, 20)
        for n, (name, unit) in enumerate(NAMES, 1)
    )
    began = START - timedelta(days=1)
    return Record(
        tool=Tool("0.1.0"), run=Run("seed", "sweep", "hq", began, began + timedelta(seconds=9)),
        inventory=INVENTORY, checks=(check,), observations=seen,
    )  # fmt: skip


def make(path: Path) -> None:
    with closing(open_store(f"sqlite:///{path}")) as store:
        record = first_record()
        store.begin(record)
        store.finish(record)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        connection.execute("BEGIN")
        _raw(connection)
        _packed(connection)
        _happened(connection)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _raw(connection: sqlite3.Connection) -> None:
    """A loss of one packet in 50 checks, more at the higher sites; delays that go round."""
    ((head, inventory),) = connection.execute("SELECT head, inventory_key FROM runs").fetchall()
    connection.execute("DROP INDEX checks_by_asset")
    connection.execute("DROP INDEX checks_by_site")
    connection.executemany(
        "INSERT INTO runs VALUES (?, ?, 'sweep', 'hq', ?, ?, 0, ?, ?)",
        (
            (number + 2, f"r{number:05}", text_of(START + timedelta(seconds=number * STEP_S)),
             text_of(START + timedelta(seconds=number * STEP_S + 60)), inventory, head)
            for number in range(RUNS)
        ),
    )  # fmt: skip
    connection.execute("CREATE TEMP TABLE a (n INTEGER PRIMARY KEY, id, site, council, target)")
    connection.executemany(
        "INSERT INTO a VALUES (?, ?, ?, ?, ?)",
        ((n, one.id, one.site, f"c{n % SITES % 3}", one.address)
         for n, one in enumerate(INVENTORY.asset)),
    )  # fmt: skip
    connection.execute(
        "INSERT INTO checks SELECT 2 + (runs.key - 2) * ?1 + n, runs.key, n, a.id || ':ping',"
        " 'ping', council, site, a.id, target, 'completed', NULL, NULL, 1.0, 5.0"
        " FROM runs CROSS JOIN a WHERE runs.key > 1 ORDER BY runs.key, n",
        (ASSETS,),
    )
    values: dict[int, tuple[int, str]] = {}  # r and n as in `_values`
    for number, value in enumerate(
        (
            "CASE WHEN (r * 7919 + n * 104729) % 50 <= n % 60 / 10 THEN 0.05 ELSE 0.0 END",
            "0.01 + 0.0001 * ((r * 31 + n * 17) % 100)",
            "92.0 - 10 * ((r * 7919 + n * 104729) % 50 <= n % 60 / 10)",
        ),
        1,
    ):
        ((name,),) = connection.execute(
            "SELECT key FROM names WHERE name = ?", (NAMES[number - 1][0],)
        ).fetchall()
        values[number] = (name, value)
    connection.execute(
        "INSERT INTO observations SELECT key, number, name_key, CASE number"
        + "".join(f" WHEN {number} THEN {value}" for number, (_, value) in values.items())
        + " END, 0, 2.5, 20, NULL, NULL, NULL, 1, NULL FROM"
        " (SELECT key, run_key - 2 AS r, (key - 2) % ?1 AS n FROM checks WHERE key > 1)"
        " CROSS JOIN (SELECT 1 AS number, ?2 AS name_key UNION ALL SELECT 2, ?3 UNION ALL"
        " SELECT 3, ?4)",
        (ASSETS, *(name for name, _ in values.values())),
    )
    connection.execute("CREATE INDEX checks_by_asset ON checks (asset, run_key)"
                       " WHERE asset IS NOT NULL")  # fmt: skip
    connection.execute("CREATE INDEX checks_by_site ON checks (site, run_key)"
                       " WHERE site IS NOT NULL")  # fmt: skip


def _values(n: int) -> tuple[NDArray[np.float32], ...]:
    r = np.arange(RUNS, dtype=np.int64)
    lost = (r * 7919 + n * 104729) % 50 <= n % 60 // 10
    return (
        np.where(lost, 0.05, 0.0).astype("<f4"),
        (0.01 + 0.0001 * ((r * 31 + n * 17) % 100)).astype("<f4"),
        (92.0 - 10 * lost).astype("<f4"),
    )


def _packed(connection: sqlite3.Connection) -> None:
    """What the store would have packed of these rows: parts of at most 256 a day."""
    times = int(START.timestamp()) + 1 + np.arange(RUNS, dtype=np.int64) * STEP_S
    days = times // 86_400
    bounds = [0, *(np.flatnonzero(np.diff(days)) + 1), RUNS]
    parts = [
        (int(days[first]) << 16 | part, first + 256 * part, min(first + 256 * (part + 1), last))
        for first, last in pairwise(bounds)
        for part in range(-(-(last - first) // 256))
    ]
    state = bytes((state_of(Outcome.COMPLETED, None),))
    ((checks,),) = connection.execute("SELECT coalesce(max(key), 0) FROM packed_checks").fetchall()
    ((columns,),) = connection.execute("SELECT max(key) FROM packed_columns").fetchall()
    octets = times.astype("<u4")

    def rows() -> Iterator[tuple[int, bytes]]:
        for n in range(ASSETS):
            key = columns + 1 + n * (1 + len(NAMES))
            for place, first, last in parts:
                body = octets[first:last].tobytes() + state * (last - first)
                yield key << 32 | place, body
            for number, column in enumerate(_values(n), 1):
                for place, first, last in parts:
                    yield (key + number) << 32 | place, column[first:last].tobytes()

    for n, asset in enumerate(INVENTORY.asset):
        key = columns + 1 + n * (1 + len(NAMES))
        connection.execute(
            "INSERT INTO packed_checks VALUES (?, 'hq', ?, ?, ?, 'ping', ?, ?)",
            (checks + 1 + n, f"c{n % SITES % 3}", asset.site, asset.id, f"{asset.id}:ping",
             asset.address),
        )  # fmt: skip
        for number, (name, unit) in enumerate((("", None), *NAMES)):
            connection.execute(
                "INSERT INTO packed_columns VALUES (?, ?, ?, ?, ?)",
                (key + number, checks + 1 + n, name, unit, "{}" if name else ""),
            )
    connection.executemany("INSERT INTO packed_parts VALUES (?, ?)", rows())
    connection.execute("UPDATE packed_up_to SET check_key = (SELECT max(key) FROM checks)")


def _happened(connection: sqlite3.Connection) -> None:
    """Twenty findings in every run, and three events a day at each site."""
    told = TypeAdapter(Finding)
    for number in range(RUNS):
        began = START + timedelta(seconds=number * STEP_S)
        connection.executemany(
            "INSERT INTO findings VALUES (?, ?, 'warning', ?)",
            (
                (number + 2, position, told.dump_json(Finding(
                    f"packet-loss:a{59 + 60 * position:04}", "packet-loss", "c2", "s59",
                    f"a{59 + 60 * position:04}", began, began, Severity.WARNING,
                    Verdict.DEMONSTRATED, None, "Lost 1 of 20 packets.", "Read the counters.",
                    evidence=(f"a{59 + 60 * position:04}:ping/1",),
                ), by_alias=True).decode())
                for position in range(20)
            ),
        )  # fmt: skip
    add_events(connection, 2, [
        Event(f"e{day}-{site.id}-{n}", START + timedelta(days=day, hours=8 + n), "call", site.id)
        for day in range(DAYS) for site in INVENTORY.site for n in range(3)
    ])  # fmt: skip


def scan(path: Path) -> tuple[float, float]:
    """Seconds that a mean and a count for each site take by SQL: on the clock, of the processor."""
    began, used = time.perf_counter(), time.process_time()
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT site, count(*), avg(value) FROM checks"
            " JOIN observations ON check_key = checks.key JOIN names ON names.key = name_key"
            " WHERE name = 'packet_loss_ratio' AND site IS NOT NULL GROUP BY site"
        ).fetchall()
    assert len(rows) == SITES
    return time.perf_counter() - began, time.process_time() - used


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="nethealth-bench-") as folder:
        path, out = Path(folder) / "history.db", Path(folder) / "out"
        began = time.perf_counter()
        make(path)
        print(f"report: {RUNS * ASSETS:,} checks made in {time.perf_counter() - began:.0f} s, "
              f"{path.stat().st_size / 1e9:.1f} GB", flush=True)  # fmt: skip
        scanned_s, scan_s = scan(path)
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "nethealth", "report", "--store", f"sqlite:///{path}",
             "--since", "2026-08-24", "--until", "2026-11-21", "--format", FORMATS, "-o", out,
             "--fail-on", "never"],
            check=True, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        took_s = time.perf_counter() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        megabytes = used.ru_maxrss / 1024
        sizes = {file.suffix[1:]: file.stat().st_size / 1e6 for file in out.iterdir()}
    print("report: " + json.dumps({kind: round(size, 2) for kind, size in sizes.items()}) + " MB")
    held = True
    for words, value, most in (
        (f"{FORMATS} of {DAYS} days in seconds ({used.ru_utime + used.ru_stime:.1f} of the "
         f"processor; a plain scan: {scanned_s:.1f}, {scan_s:.1f} of the processor)", took_s,
         SECONDS_MOST),
        ("the greatest memory in MB", megabytes, MEGABYTES_MOST),
        ("the HTML in MB", sizes["html"], HTML_MEGABYTES_MOST),
    ):  # fmt: skip
        good = value <= most
        held &= good
        print(f"report: {words}: {value:.1f} (limit {most:g}) {'ok' if good else 'MISSED'}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
