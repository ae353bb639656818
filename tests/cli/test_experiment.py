"""`experiment plan` and `experiment analyse` on a store, as a user runs them."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from nethealth.model.check import CheckResult
from nethealth.model.failure import Outcome
from nethealth.model.observation import Event, Observation
from nethealth.model.record import Record, Run, Tool
from nethealth.store import Registration, open_store
from tests.cli.command import nethealth
from tests.diagnosis.attribution.test_verdicts import SLOTS, events, lifted, noise, pages

SITES = """
[[council]]
id = "c"
name = "Council"
[[site]]
id = "hall"
council = "c"
name = "Hall"
[[site]]
id = "barn"
council = "c"
name = "Barn"
"""
TEXT = """
[[hypothesis]]
id = "paging"
mechanism = "multicast-flood"
site = "hall"
outcome = "packet_loss_ratio"
exposure = "page"
smallest_effect = 0.01
looks = [2026-03-01]
controls = ["barn"]
[[trial]]
id = "moh"
mechanism = "multicast-flood"
site = "hall"
outcome = "packet_loss_ratio"
switch = "multicast music on hold"
first = 2026-12-07
pairs = 5
seed = 7
"""
REGISTERED = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "sites.toml").write_text(SITES)
    (tmp_path / "hypotheses.toml").write_text(TEXT)
    return tmp_path


def fill(home: Path, effect: float) -> None:
    """Eight weeks of history at two sites, and pages at the first."""
    places = pages(1)
    store = open_store(f"sqlite:///{home}/history.db")
    store.register(Registration(sha256(TEXT.encode()).hexdigest(), REGISTERED, TEXT))
    values = {"hall": lifted(noise(2), places, effect), "barn": noise(3)}
    for day in range(len(values["hall"]) // SLOTS):
        start = REGISTERED + timedelta(days=day)
        checks, seen = [], []
        for site, series in values.items():
            check = f"{site}:ping"
            checks.append(
                CheckResult(check, "ping", "c", site, None, "198.18.0.1", Outcome.COMPLETED)
            )
            seen += [
                Observation(f"{check}/{slot}", check, "packet_loss_ratio",
                            float(series[day * SLOTS + slot]), "1", 900.0 * slot)
                for slot in range(SLOTS)
            ]  # fmt: skip
        happened: tuple[Event, ...] = tuple(events(places)) if day == 0 else ()
        record = Record(
            tool=Tool(version="0"),
            run=Run(id=f"r{day}", kind="sweep", vantage="hq", started=start,
                    finished=start + timedelta(hours=24)),
            checks=tuple(checks), observations=tuple(seen), events=happened,
        )  # fmt: skip
        store.begin(record)
        store.finish(record)
    store.close()


@pytest.mark.parametrize(
    ("effect", "verdict", "direction", "code"),
    [(0.02, "supported", "telephony-to-network", 1), (0.0, "no-evidence", "undetermined", 0)],
)
def test_what_was_registered_is_tested_on_the_history(
    home: Path, effect: float, verdict: str, direction: str, code: int
) -> None:
    fill(home, effect)
    store = ("--store", f"sqlite:///{home}/history.db")
    written = ("--format", "json,html", "-o", "out")
    nethealth("experiment", "analyse", *store, *written, home=home, check=code)
    [file], [page] = (list((home / "out").glob(f"*.{ending}")) for ending in ("json", "html"))
    record = json.loads(file.read_text(encoding="utf-8"))
    found = {one["id"]: one for one in record["findings"]}
    paging = found["multicast-flood:hall:paging"]
    assert (paging["verdict"], paging["direction"]) == (verdict, direction)
    assert paging["effect"]["p"] > 0
    happened = {one["id"] for one in record["events"]}
    assert set(paging["evidence"]) <= happened
    assert len(paging["evidence"]) > 5
    assert found["multicast-flood:hall:moh"]["verdict"] == "insufficient-data"
    assert record["sources"][0]["sha256"] == sha256(TEXT.encode()).hexdigest()
    assert "p 0." in page.read_text(encoding="utf-8")


def test_a_plan_is_registered_once_and_its_schedule_printed(home: Path) -> None:
    first = nethealth("experiment", "plan", "hypotheses.toml", home=home, check=0)
    digest = sha256(TEXT.encode()).hexdigest()
    assert first.stdout.startswith("registered ")
    assert digest in first.stdout
    assert "looked at after 2026-03-01" in first.stdout
    assert "Mon 2026-12-07 08:30 to 13:00" in first.stdout
    assert first.stdout.count("  ON") == 5
    second = nethealth("experiment", "plan", "hypotheses.toml", home=home, check=0)
    assert "was registered" in second.stdout


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('site = "hall"', 'site = "nowhere"', "found the sites nowhere; allowed: barn, hall"),
        ('"multicast-flood"', '"host-down"', "a mechanism of interaction"),
        ("smallest_effect = 0.01", "", "smallest_effect: found nothing"),
        ("looks = [2026-03-01]", "looks = []", "looks: found []"),
        ('id = "moh"', 'id = "paging"', "an id that no other has"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(home: Path, old: str, new: str, says: str) -> None:
    (home / "hypotheses.toml").write_text(TEXT.replace(old, new, 1))
    done = nethealth("experiment", "plan", "hypotheses.toml", home=home, check=2)
    assert says in done.stderr


def test_nothing_registered_is_said(home: Path) -> None:
    done = nethealth("experiment", "analyse", home=home, check=2)
    assert "nothing is registered" in done.stderr
