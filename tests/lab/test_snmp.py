"""SNMP in the lab: agents of net-snmp, a room that heats up before its link drops, false rates."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab.program import Ran, nethealth
from tests.lab.topology import Lab, ipv4
from tests.peers import snmpd
from tests.peers.snmp_device import (
    ROOTS,
    Table,
    ethernet,
    interface,
    sensor,
    started,
    uptime,
)

CA_FILE = Path("/etc/ssl/certs/ca-certificates.crt")
ROOM, SWITCH = "hall-server", "hall-pbx"  # the nodes that the agents run at
INVENTORY = f"""
[vantage]
id = "lab"

[sweep]
ping_count = 5
ping_interval_ms = 20
deadline_s = 20

[[council]]
id = "lab"
name = "The council of the lab"

[[site]]
id = "hall"
council = "lab"
name = "The hall"
gateway = "{ipv4("hall")}"

[[site]]
id = "depot"
council = "lab"
name = "The depot"
gateway = "{ipv4("depot")}"

[[asset]]
id = "hall-room"
site = "hall"
kind = "sensor"
address = "{ipv4(ROOM)}"
owner = "Facilities"
[asset.snmp]
version = 3
user_env = "SNMP_USER"
auth_env = "SNMP_AUTH"
priv_env = "SNMP_PRIVACY"
auth = "SHA-256"
timeout_s = 4

[[asset]]
id = "hall-switch"
site = "hall"
kind = "switch"
address = "{ipv4(SWITCH)}"
owner = "3C ICT"
[asset.snmp]
version = 2
community_env = "SNMP_COMMUNITY"
interval_s = 1
timeout_s = 4
"""
SECRETS = {
    "SNMP_USER": snmpd.USER,
    "SNMP_AUTH": snmpd.AUTH,
    "SNMP_PRIVACY": snmpd.PRIVACY,
    "SNMP_COMMUNITY": snmpd.COMMUNITY,
}


@dataclass
class Estate:
    """A server room with two sensors, and a switch of one port."""

    lab: Lab
    folder: Path

    def heat(self, first: float, second: float) -> None:
        """The sensors' values, in tenths of a degree on the wire."""
        rack = {**sensor(1, "Rack 1", round(first * 10)), **sensor(2, "Rack 2", round(second * 10))}
        snmpd.write_table(self.folder / "room", {**uptime(5000), **rack})

    def count(self, boot_s: float, late: int, octets: int = 0) -> None:
        """When the switch started, and its port's late collisions and octets."""
        port = interface(7, "Gi0/7", mbps=100, counters={6: octets})
        table: Table = {**started(boot_s), **port, **ethernet(7, duplex=2, late=late)}
        snmpd.write_table(self.folder / "switch", table)

    def sweep(self, **secrets: str) -> Ran:
        return nethealth(
            self.lab, self.folder, "sweep", "--store", "sqlite:///history.sqlite",
            "--format", "json", ca_file=CA_FILE,
            secrets={name: each for name, each in (SECRETS | secrets).items() if each},
        )  # fmt: skip

    def found(self, ran: Ran) -> dict[str, dict[str, Any]]:
        return {one["id"]: one for one in ran.record["findings"]}


@pytest.fixture
def estate(lab: Lab, tmp_path: Path) -> Iterator[Estate]:
    made = Estate(lab, tmp_path)
    (tmp_path / "sites.toml").write_text(INVENTORY)
    made.heat(22, 23)
    made.count(time.time() - 90_000, 0)
    with ExitStack() as stack:
        for node, table in ((ROOM, "room"), (SWITCH, "switch")):
            folder = tmp_path / node
            folder.mkdir()
            roots = dict.fromkeys(ROOTS, tmp_path / table)
            agent = snmpd.serving(folder, ipv4(node), 161, tables=roots, prefix=lab.at(node))
            stack.enter_context(agent)
        yield made


def test_a_room_that_heats_up_before_its_link_drops(estate: Estate) -> None:
    cool = estate.found(estate.sweep())
    assert "overheating:hall" not in cool
    assert cool["obsolete-security:hall-switch:snmp"]["severity"] == "info"
    estate.heat(33.5, 32)
    hot = estate.found(estate.sweep())["overheating:hall"]
    assert (hot["verdict"], hot["severity"]) == ("demonstrated", "critical")
    assert "33.5 °C at Rack 1 of hall-room" in hot["statement"]
    estate.heat(41, 40.5)
    estate.sweep()
    with estate.lab.link_down("core", "hall"):
        last = estate.sweep()
    found = estate.found(last)
    assert found["site-outage:hall"]["severity"] == "critical"
    room = found["overheating:hall"]
    assert room["verdict"] == "demonstrated"
    assert "was at 41.0 °C at Rack 1" in room["statement"]
    assert "cannot be read now" in room["statement"]
    assert "site-outage:hall" in room["symptoms"]
    assert "sensor-silent:hall-room" in found["site-outage:hall"]["symptoms"]
    # Judged again from what is stored, on a machine with no network, and shown.
    again = nethealth(
        estate.lab, estate.folder, "diagnose", "--store", "sqlite:///history.sqlite",
        "--format", "json", ca_file=CA_FILE,
    )  # fmt: skip
    assert again.record["findings"] == last.record["findings"]
    shown = nethealth(
        estate.lab, estate.folder, "report", "--store", "sqlite:///history.sqlite",
        "--format", "html", ca_file=CA_FILE,
    )  # fmt: skip
    assert "Temperature over time, Rack 1 of hall-room" in shown.stdout


def test_a_wrap_is_counted_and_a_restart_gives_no_false_rate(estate: Estate) -> None:
    def mismatch(ran: Ran) -> dict[str, Any]:
        return estate.found(ran)["duplex-mismatch:hall-switch:Gi0/7"]

    boot_s = time.time() - 90_000
    estate.count(boot_s, 4_294_967_290, octets=18_000_000_000)
    assert mismatch(estate.sweep())["verdict"] == "suggestive"  # half duplex, and nothing more
    estate.count(boot_s, 4, octets=18_000_000_000)  # six to zero, and four on
    wrapped = mismatch(estate.sweep())
    assert wrapped["verdict"] == "supported"
    assert "10 late collisions" in wrapped["statement"]
    # A restart: every counter from nothing, far below what they were.
    estate.count(time.time() - 5, 3, octets=900)
    restarted = estate.sweep()
    assert mismatch(restarted)["verdict"] == "suggestive"
    rates = [
        one["value"]
        for one in restarted.record["observations"]
        if one["name"] in {"interface_in_octets_per_s", "ethernet_late_collisions_per_s"}
    ]
    assert rates == [0.0, 0.0]


def test_secrets_that_are_not_set_are_asked_for(estate: Estate) -> None:
    record = estate.sweep(SNMP_AUTH="").record
    (check,) = [one for one in record["checks"] if one["id"] == "hall-room:snmp"]
    assert check["outcome"] == "not_run"
    assert check["reason"] == "the environment variable SNMP_AUTH must hold a secret first"


def test_a_named_device_and_what_the_doctor_says(estate: Estate) -> None:
    assert shutil.which("snmpget")
    ran = nethealth(
        estate.lab, estate.folder, "check", ipv4(ROOM), "--probe", "snmp",
        *("--option", "version=2", "--option", "community_env=SNMP_COMMUNITY"),
        *("--option", "groups=sensors", "--format", "json", "-i", "sites.toml"),
        ca_file=CA_FILE, secrets=SECRETS,
    )  # fmt: skip
    degrees = [o["value"] for o in ran.record["observations"] if o["name"] == "temperature_celsius"]
    assert degrees == [22.0, 23.0]
    doctor = nethealth(estate.lab, estate.folder, "doctor", ca_file=CA_FILE)
    assert "ok       SNMP (pysnmp): pysnmp 7" in doctor.stdout
