"""`check --probe sip-alg|nat`: never of anything but a reflector, and what is shown of one."""

import json
from pathlib import Path

from tests.cli.command import nethealth
from tests.peers import reflector
from tests.peers.ports import free_row

INVENTORY = """
[[council]]
id = "c"
name = "C"
[[site]]
id = "s"
council = "c"
name = "S"
[[asset]]
id = "hall-pbx"
site = "s"
kind = "pbx"
owner = "3C ICT"
address = "127.0.0.1"
"""


def test_what_is_no_reflector_is_not_asked_and_the_cure_is_named(tmp_path: Path) -> None:
    (tmp_path / "sites.toml").write_text(INVENTORY)
    done = nethealth(
        "check", "hall-pbx", "--probe", "sip-alg", "--probe", "nat", "--format", "json",
        home=tmp_path, check=3,
    )  # fmt: skip
    checks = json.loads(done.stdout)["checks"]
    assert [one["outcome"] for one in checks] == ["not_run", "not_run"]
    for one in checks:
        assert one["started_s"] is None
        assert "hall-pbx is of kind pbx" in one["reason"]
        assert "nethealth reflect --sip-port 5060" in one["reason"]


def test_a_reflector_is_asked_and_shown_in_words(tmp_path: Path) -> None:
    control = free_row(4)
    more = ("--sip-port", str(control + 2), "--control-port", str(control))
    ports = ("--option", f"control_port={control}")
    with reflector.serving(tmp_path, "127.0.0.1", control + 3, "127.0.0.0/8", more=more) as process:
        process.wait_bound("tcp", control)
        sip = nethealth(
            "check", "127.0.0.1", "--probe", "sip-alg", *ports,
            "--option", f"sip_port={control + 2}", home=tmp_path, check=0,
        )  # fmt: skip
        nat = nethealth(
            "check", "127.0.0.1", "--probe", "nat", *ports, "--option", "most_s=1", home=tmp_path,
            check=0,
        )  # fmt: skip
    words = " ".join(sip.stdout.split())
    assert "arrives as sent (which proves no absence of a helper): OPTIONS by UDP" in words
    assert f"2,800 bytes to port {control + 2}" in words
    words = " ".join(nat.stdout.split())
    assert "there after 1.0 s of silence, the longest tried" in words
    assert "not told apart: a second address of the reflector" in words
