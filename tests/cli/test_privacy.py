"""--key-file and --reveal: the key's file, and what the record says of names and numbers."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import nethealth

FAST = ("--option", "count=2", "--option", "interval_ms=10", "--format", "json")


def privacy(home: Path, *options: str) -> Any:
    done = nethealth("check", "127.0.0.1", *FAST, *options, home=home, check=0)
    return json.loads(done.stdout)["run"]["privacy"]


def test_by_default_the_key_is_gone_with_the_run(tmp_path: Path) -> None:
    first, second = privacy(tmp_path), privacy(tmp_path)
    assert (first["mode"], first["key_kept"]) == ("pseudonyms", False)
    assert first["key_id"] != second["key_id"]


def test_a_key_file_is_made_for_its_owner_only_and_serves_again(tmp_path: Path) -> None:
    key = tmp_path / "engagement.key"
    first = privacy(tmp_path, "--key-file", str(key))
    assert key.stat().st_mode & 0o777 == 0o600
    assert first == privacy(tmp_path, "--key-file", str(key))
    assert first["key_kept"]
    assert len(bytes.fromhex(key.read_text())) == 32
    assert key.read_text().strip() not in json.dumps(first)
    key.unlink()
    assert privacy(tmp_path, "--key-file", str(key))["key_id"] != first["key_id"]


def test_the_reason_for_showing_names_is_kept(tmp_path: Path) -> None:
    shown = privacy(tmp_path, "--reveal", "consent of 20 November, test numbers only")
    assert shown["mode"] == "revealed"
    assert shown["reason"] == "consent of 20 November, test numbers only"
    assert shown["key_id"] is None


@pytest.mark.parametrize(
    ("contents", "mode", "says"),
    [
        ("00" * 32, 0o644, "mode 0644; allowed: 0600"),
        ("00" * 31, 0o600, "holds no key of 32 octets"),
        ("not hexadecimal", 0o600, "holds no key of 32 octets"),
    ],
)
def test_a_key_that_is_none_is_refused(contents: str, mode: int, says: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(contents)
    key.chmod(mode)
    done = nethealth("check", "127.0.0.1", "--key-file", str(key), home=tmp_path, check=2)
    assert says in done.stderr


def test_a_key_behind_a_link_or_where_none_can_be_made_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    for place in (link, tmp_path / "no" / "folder" / "key"):
        done = nethealth("check", "127.0.0.1", "--key-file", str(place), home=tmp_path, check=2)
        assert "--key-file: cannot" in done.stderr


def test_a_key_among_the_reports_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = nethealth(
        "check", "127.0.0.1", "-o", str(out), "--key-file", str(out / "key"), home=tmp_path, check=2
    )
    assert "lies where the reports go" in done.stderr


@pytest.mark.parametrize("reason", ["", "  "])
def test_no_reason_is_no_reason(reason: str, tmp_path: Path) -> None:
    done = nethealth("check", "127.0.0.1", "--reveal", reason, home=tmp_path, check=2)
    assert "found no reason" in done.stderr
    done = nethealth(
        "check", "127.0.0.1", "--reveal", "a reason", "--key-file", "k", home=tmp_path, check=2
    )
    assert "exclude each other" in done.stderr
