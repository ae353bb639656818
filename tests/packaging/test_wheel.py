"""The wheel holds the three packages and what they read, and runs by itself."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [built] = folder.glob("*.whl")
    return built


def test_it_holds_exactly_the_three_packages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "nethealth",
        "probes",
        "reports",
    }
    for needed in (
        "nethealth/docs/record.schema.json",
        "nethealth/docs/probes/ping.md",
        "nethealth/docs/findings/site-outage.md",
        "nethealth/py.typed",
        "probes/py.typed",
        "reports/py.typed",
    ):
        assert needed in names
    templates = {path.name for path in (ROOT / "reports" / "templates").iterdir()}
    assert {f"reports/templates/{name}" for name in templates} <= set(names)


def test_it_runs_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(place)
    environment = {**os.environ, "PYTHONPATH": str(place), "HOME": str(tmp_path)}
    code = (
        "import nethealth, probes, reports;"
        f"assert all(m.__file__.startswith({str(place)!r}) for m in (nethealth, probes, reports));"
        "from nethealth.cli import main; main(['check', '127.0.0.1', '--option', 'count=2'])"
    )
    done = subprocess.run(
        # -P keeps the current folder out of the path; an editable install comes after PYTHONPATH.
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "127.0.0.1" in done.stdout
