"""What is there already stays: without --force, and on a disk that is full."""

import subprocess
import sys
from pathlib import Path

import pytest

from nethealth.model import codec
from tests.cli.command import environment, nethealth
from tests.reports import examples


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "given.json").write_bytes(codec.dump(examples.degraded()))
    return tmp_path


def test_a_file_that_is_there_is_kept_without_force(home: Path) -> None:
    for command in ("report", "diagnose"):
        asked = (command, "--record", "given.json", "--format", "html", "--fail-on", "never")
        (home / "paper.html").write_text("signed")
        done = nethealth(*asked, "-o", "paper.html", home=home, check=2)
        assert "paper.html is there already: nothing was written; --force replaces it" in (
            done.stderr
        )
        assert (home / "paper.html").read_text() == "signed"
        nethealth(*asked, "-o", "paper.html", "--force", home=home, check=0)
        assert (home / "paper.html").read_text().lstrip().startswith("<!DOCTYPE html>")


def test_one_file_of_several_that_is_there_stops_them_all(home: Path) -> None:
    asked = ("report", "--record", "given.json", "--fail-on", "never", "-o", "out")
    nethealth(*asked, "--format", "csv", home=home, check=0)
    [first] = (home / "out").iterdir()
    done = nethealth(*asked, "--format", "html,csv,json", home=home, check=2)
    assert str(first.name) in done.stderr
    assert [*(home / "out").iterdir()] == [first]


def test_a_link_that_leads_nowhere_is_there_too(home: Path) -> None:
    (home / "paper.html").symlink_to(home / "elsewhere")
    asked = ("report", "--record", "given.json", "--format", "html", "-o", "paper.html")
    nethealth(*asked, home=home, check=2)
    assert not (home / "elsewhere").exists()


def test_a_full_disk_leaves_every_earlier_file_whole(home: Path) -> None:
    """In a file system of 256 kB of its own, in a mount namespace that ends with the command."""
    disk = home / "disk"
    disk.mkdir()
    script = """
        mount -t tmpfs -o size=256k tmpfs disk
        head -c 245000 /dev/zero >disk/other
        echo signed >disk/paper.html
        "$0" -m nethealth report --record given.json --format html -o disk/paper.html --force \
            --fail-on never
        echo "status $?"
        cat disk/paper.html
        ls -A disk
    """
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, sys.executable],
        cwd=home, env={**environment(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "cannot write disk/paper.html: No space left on device" in done.stderr
    assert done.stdout.split() == ["status", "2", "signed", "other", "paper.html"]


def test_of_several_files_none_is_replaced_where_one_has_no_room(home: Path) -> None:
    """A bound on the size of any file stands for the disk: the HTML has no room, the text has."""
    asked = ("report", "--record", "given.json", "--fail-on", "never", "-o", "out",
             "--format", "text,html")  # fmt: skip
    nethealth(*asked, home=home, check=0)
    old = {place: place.read_bytes() for place in (home / "out").iterdir()}
    for place in old:
        place.write_text("old")
    small, large = sorted(map(len, old.values()))
    done = subprocess.run(
        ["prlimit", f"--fsize={(small + large) // 2}", sys.executable, "-m", "nethealth", *asked,
         "--force"],
        cwd=home, env={**environment(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "cannot write out/" in done.stderr
    assert {place: place.read_text() for place in (home / "out").iterdir()} == dict.fromkeys(
        old, "old"
    )
