"""The commands around the measuring: a first inventory, schedules, registers, the doctor."""

import json
from pathlib import Path

from tests.cli.command import nethealth


def test_init_writes_an_inventory_that_plans(tmp_path: Path) -> None:
    nethealth("init", home=tmp_path, check=0)
    text = (tmp_path / "sites.toml").read_text(encoding="utf-8")
    assert "[[asset]]" in text
    assert "sites.toml is there already" in nethealth("init", home=tmp_path, check=2).stderr
    nethealth("init", "--force", home=tmp_path, check=0)


def test_schedules_run_the_sweep_quietly_at_a_random_offset(tmp_path: Path) -> None:
    cron = nethealth("init", "--cron", home=tmp_path, check=0).stdout
    [line] = [line for line in cron.splitlines() if line and not line.startswith("#")]
    assert line.startswith("*/15 * * * *")
    assert "sweep" in line
    assert "--quiet" in line
    assert "--random-offset" in line
    units = nethealth("init", "--systemd", home=tmp_path, check=0).stdout
    for part in ("[Service]", "[Timer]", "OnUnitActiveSec=15min", "--random-offset"):
        assert part in units
    orders = [line for line in units.splitlines() if not line.startswith("#")]
    assert not [line for line in orders if "setcap" in line]  # a comment warns of it


def test_an_asset_register_becomes_an_inventory(tmp_path: Path) -> None:
    (tmp_path / "register.csv").write_text(
        "Asset Tag,Device Name,Type,IP Address,Site,Council,Owner\n"
        "1001,hall-pbx,PABX,198.18.2.10,Hall,Fen,ICT\n"
        "1002,hall-sw1,Switch,not-an-ip!,Hall,Fen,ICT\n",
        encoding="utf-8",
    )
    done = nethealth("import", "assets", "register.csv", "-o", "s.toml", home=tmp_path, check=0)
    assert "1 assets placed" in done.stderr
    assert "not-an-ip!" in done.stderr
    assert "198.18.2.10" in (tmp_path / "s.toml").read_text(encoding="utf-8")


def test_the_doctor_lists_abilities_and_cures(tmp_path: Path) -> None:
    done = nethealth("doctor", "--format", "json", home=tmp_path, check=0)
    abilities = {each["name"]: each for each in json.loads(done.stdout)}
    assert abilities["Deep decoding (tshark)"]["state"] == "yes"
    assert abilities["Store"]["state"] == "yes"
    text = nethealth("doctor", home=tmp_path, check=0).stdout
    assert "setcap" not in text
    for name in abilities:
        assert name in text
