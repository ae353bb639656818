"""`nethealth check` end to end on loopback: text, JSON and exit codes."""

import json
import socket
from pathlib import Path

import jsonschema
import pytest

from tests.cli.command import environment, nethealth

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "record.schema.json").read_text(encoding="utf-8")
)
FAST = ("--option", "count=5", "--option", "interval_ms=10", "--option", "timeout_ms=300")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize("target", ["127.0.0.1", "::1", "localhost"])
def test_loopback_is_healthy(target: str, tmp_path: Path) -> None:
    done = nethealth("check", target, *FAST, home=tmp_path, check=0)
    assert target in done.stdout
    assert done.stderr == ""


def test_json_is_a_record_of_the_published_schema(tmp_path: Path) -> None:
    done = nethealth("check", "127.0.0.1", *FAST, "--format", "json", home=tmp_path, check=0)
    record = json.loads(done.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(record)
    assert record["run"]["kind"] == "check"
    assert record["run"]["finished"]
    [check] = record["checks"]
    assert (check["probe"], check["outcome"]) == ("ping", "completed")
    values = {each["name"]: each["value"] for each in record["observations"]}
    assert values["packet_loss_ratio"] == 0
    assert 0 < values["round_trip_delay_median_s"] < 0.1


def test_a_closed_port_is_found_and_an_open_one_is_not(tmp_path: Path) -> None:
    nethealth("check", f"127.0.0.1:{free_port()}", home=tmp_path, check=1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        nethealth("check", f"127.0.0.1:{port}", home=tmp_path, check=0)


def test_fail_on_moves_the_line(tmp_path: Path) -> None:
    target = f"127.0.0.1:{free_port()}"
    nethealth("check", target, "--fail-on", "never", home=tmp_path, check=0)
    nethealth("check", target, "--fail-on", "critical", home=tmp_path, check=1)


def test_a_name_that_does_not_exist_gives_no_measurement(tmp_path: Path) -> None:
    done = nethealth("check", "nosuch.invalid", *FAST, home=tmp_path)
    assert done.returncode in {1, 3}
    assert "nosuch.invalid" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("check",), "Missing argument"),
        (("check", "127.0.0.1", "--format", "pdfx"), "pdfx"),
        (("check", "127.0.0.1", "--format", "json,html"), "-o FOLDER"),
        (("check", "127.0.0.1", "--option", "count"), "KEY=VALUE"),
        (("check", "127.0.0.1", "--option", "cuont=3"), "cuont"),
        (("check", "127.0.0.1", "--option", "count=many"), "count"),
        (("check", "127.0.0.1", "--probe", "telepathy"), "telepathy"),
        (("check", "127.0.0.1", "-i", "missing.toml"), "missing.toml"),
        (("check", "127.0.0.1", "--store", "oracle://x"), "sqlite:///PATH"),
        (("check", "has space"), "has space"),
        (("check", "-o", "x", "--fail-on", "always", "127.0.0.1"), "always"),
        (("sweep",), "sites.toml"),
        (("sweep", "--every", "60"), "--for"),
        (("sweep", "--every", "soon", "--for", "1h"), "soon"),
        (("report", "--record", "missing.json"), "missing.json"),
        (("report", "--run", "nosuch"), "nosuch"),
        (("import", "assets", "missing.csv"), "missing.csv"),
        (("frobnicate",), "frobnicate"),
    ],
)
def test_a_wrong_word_is_a_usage_error_that_names_it(
    arguments: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    done = nethealth(*arguments, home=tmp_path, check=2)
    assert told in done.stderr


def test_all_inventory_errors_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "sites.toml").write_text(
        '[[council]]\nid = "a"\nname = "A"\n\n[[site]]\nid = "hall"\ncouncil = "b"\n'
        'name = "Hall"\nstaf = 3\n\n[[asset]]\nid = "x"\nsite = "hall"\nkind = "pabx"\n',
        encoding="utf-8",
    )
    done = nethealth("sweep", home=tmp_path, check=2)
    for told in ("sites.toml:7", "sites.toml:9", "sites.toml:14", "pabx", "staf"):
        assert told in done.stderr


def test_a_store_that_cannot_be_had_costs_no_measurement(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("in the way", encoding="utf-8")
    done = nethealth("check", "127.0.0.1", *FAST, home=tmp_path, check=0)
    assert "without history" in done.stderr
    assert "127.0.0.1" in done.stdout
    nethealth(
        "check", "127.0.0.1", "--store", f"sqlite:///{tmp_path}/.local/x", home=tmp_path, check=2
    )


def test_nagios_speaks_one_line_and_its_own_codes(tmp_path: Path) -> None:
    done = nethealth("check", "127.0.0.1", *FAST, "--format", "nagios", home=tmp_path, check=0)
    assert done.stdout.startswith("NETHEALTH OK")
    assert done.stdout.count("\n") == 1
    target = f"127.0.0.1:{free_port()}"
    done = nethealth("check", target, "--format", "nagios", home=tmp_path, check=2)
    assert done.stdout.startswith("NETHEALTH CRITICAL")


def test_help_lists_what_is_built_and_loads_nothing_heavy(tmp_path: Path) -> None:
    done = nethealth("--help", home=tmp_path, check=0)
    for command in (
        "demo", "init", "check", "sweep", "diagnose", "report", "history", "import", "doctor",
        "reflect", "capture", "experiment",
    ):  # fmt: skip
        assert f"\n  {command} " in done.stdout
    for absent in ("sync",):
        assert f"\n  {absent} " not in done.stdout


@pytest.mark.parametrize(
    "module",
    ["scapy", "numpy", "pyshark", "sqlite3", "jinja2", "pydantic", "rich", "dns", "cryptography"],
)
def test_start_up_loads_no(module: str, tmp_path: Path) -> None:
    import subprocess
    import sys

    code = f"import sys, nethealth.cli; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_place_that_cannot_be_written_is_refused_before_measuring(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    done = nethealth("check", "127.0.0.1", "-o", "file/reports", home=tmp_path, check=2)
    assert "file is a file" in done.stderr
    assert not (tmp_path / ".local").exists()


def test_a_fault_of_the_program_is_one_line(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import nethealth.plan, nethealth.cli\n"
        "def broken(*_, **__): raise KeyError('first line\\nsecond')\n"
        "nethealth.plan.plan_targets = broken\n"
        "nethealth.cli.main(['check', '127.0.0.1'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "a fault of nethealth itself: KeyError" in done.stderr
    traced = {**environment(tmp_path), "NETHEALTH_TRACEBACK": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=traced, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" in done.stderr


def test_a_reader_that_has_gone_is_no_fault(tmp_path: Path) -> None:
    import subprocess
    import sys

    process = subprocess.Popen(
        [sys.executable, "-m", "nethealth", "check", "127.0.0.1", "--option", "count=3"],
        cwd=tmp_path, env=environment(tmp_path),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.wait(timeout=60)
    process.stderr.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("127.0.0.1", "127.0.0.2", "--watch"),
            "--watch: found 2 targets; it shows the path",
        ),
        (("127.0.0.1", "--watch", "--probe", "ping"), "--probe: found with --watch"),
        (("127.0.0.1", "--interval", "2s"), "--interval: found without --watch"),
        (("127.0.0.1", "--watch", "--interval", "soon"), "allowed: seconds, or 90s"),
        (("127.0.0.1", "--watch"), "needs a terminal for its keys and its screen"),
    ],
)
def test_what_a_watch_is_not(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = nethealth("check", *arguments, home=tmp_path, check=2)
    assert words in done.stderr
    assert not list(tmp_path.glob("**/*.sqlite*")), "nothing was begun"
