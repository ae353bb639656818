"""snmp against net-snmp's agent: versions, refusals, each group's tables, and rates."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nethealth.model.check import SnmpAuth
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation
from nethealth.sweep.accounts import RunAccounts
from tests.peers import snmpd
from tests.peers.ports import free_port
from tests.peers.snmp_device import (
    ROOTS,
    Table,
    counter,
    ethernet,
    integer,
    interface,
    octets,
    sensor,
    string,
    uptime,
)
from tests.probes.driver import Seen
from tests.probes.snmp_runs import V3, ask, drive

PHONE, PC, ROOT = "00:1b:54:aa:bb:01", "00:1b:54:aa:bb:02", "0a:00:00:00:00:fe"


class Device:
    """An agent that serves `table`; `say` changes what it says."""

    def __init__(self, port: int, path: Path) -> None:
        self.port = port
        self.path = path

    def say(self, *tables: Table) -> None:
        snmpd.write_table(
            self.path, {oid: entry for table in tables for oid, entry in table.items()}
        )


@contextmanager
def device(
    folder: Path, *tables: Table, user: tuple[str, str] = ("SHA-256", "AES")
) -> Iterator[Device]:
    port = free_port()
    made = Device(port, folder / f"table-{port}")
    made.say(*tables or (uptime(1000),))
    roots = dict.fromkeys(ROOTS, made.path)
    with snmpd.serving(folder, "127.0.0.1", port, tables=roots, user=user):
        yield made


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device with nothing but its system group."""
    with device(tmp_path_factory.mktemp("snmpd")) as made:
        yield made


def test_version_3_signs_and_encrypts(plain: Device) -> None:
    seen = drive(plain.port, **V3)
    assert seen.completed()
    assert seen.value("snmp_security") == "v3 authPriv"
    assert seen.only("snmp_security").method["authentication"] == "SHA-256"
    assert seen.value("system_name") == "lab-agent"
    assert seen.value("uptime_s") == 1000.0


@pytest.mark.parametrize("auth", ["SHA-1", "SHA-512"])
def test_the_other_digests(tmp_path: Path, auth: SnmpAuth) -> None:
    with device(tmp_path, user=("SHA" if auth == "SHA-1" else auth, "AES")) as made:
        assert drive(made.port, **{**V3, "auth": auth}).value("system_name") == "lab-agent"


def test_version_2_is_stated(plain: Device) -> None:
    seen = drive(plain.port)
    assert seen.completed()
    assert seen.value("snmp_security") == "v2c"


@pytest.mark.parametrize(
    ("secrets", "options", "failure", "words"),
    [
        ({"USER": "nobody"}, V3, Failure.AUTH, "no such user"),
        ({"AUTH": "another word"}, V3, Failure.AUTH, "wrong authentication password"),
        ({}, {**V3, "auth": "SHA-1"}, Failure.AUTH, "wrong authentication password or protocol"),
        ({"PRIVACY": "another word"}, V3, Failure.TIMEOUT, "wrong privacy password"),
        ({"COMMUNITY": "other"}, {}, Failure.TIMEOUT, "a wrong community and a dead device"),
    ],
)
def test_what_a_refusal_is_called(
    plain: Device, secrets: dict[str, str], options: dict[str, object], failure: Failure, words: str
) -> None:
    # A silence is waited out; what is answered is answered, however busy the machine is.
    timeout_s = 1.0 if failure is Failure.TIMEOUT else 8.0
    seen = drive(plain.port, secrets=secrets, timeout_s=timeout_s, **options)
    assert seen.failed(failure)
    assert words in (seen.end.reason or "")
    assert not {"another word", "other"} & set((seen.end.reason or "").split())


def test_a_user_with_no_right_to_encrypt(tmp_path: Path) -> None:
    port = free_port()
    more = ['createUser plain SHA "an authentication word"', "rouser plain auth"]
    with snmpd.serving(tmp_path, "127.0.0.1", port, more=more):
        seen = drive(port, secrets={"USER": "plain"}, **{**V3, "auth": "SHA-1"})
    assert seen.failed(Failure.AUTH)
    assert "may not sign and encrypt" in (seen.end.reason or "")


def test_a_dead_device_and_a_closed_port() -> None:
    seen = drive(free_port(), **V3)
    assert seen.failed(Failure.REFUSED)  # ICMP of this machine's own kernel


def test_a_password_that_is_too_short_is_not_sent(plain: Device) -> None:
    seen = drive(plain.port, secrets={"AUTH": "short"}, **V3)
    assert seen.end.outcome is Outcome.NOT_RUN
    assert "AUTH must be 8 or more" in (seen.end.reason or "")
    assert "short" not in (seen.end.reason or "").replace("must be", "")


def test_credentials_that_were_refused_are_not_tried_again(plain: Device) -> None:
    accounts = RunAccounts()

    async def twice() -> tuple[str, str]:
        secrets = {"USER": "nobody"}
        first = await ask(plain.port, secrets=secrets, accounts=accounts, **V3)
        second = await ask(plain.port, secrets=secrets, accounts=accounts, **V3)
        return str(first.end.failure), str(second.end.reason)

    failure, reason = asyncio.run(twice())
    assert failure == "auth"
    assert reason == "the device refused these credentials earlier in this run"


def test_a_device_without_the_tables_says_so(tmp_path: Path) -> None:
    with device(tmp_path) as made:
        seen = drive(made.port, "spanning-tree", "poe", "e1", "ups", "sensors", "neighbours")
    assert seen.completed()
    groups = {
        each.method["group"]: each.value for each in seen.observations if each.name == "snmp_group"
    }
    assert groups == dict.fromkeys(
        ("spanning-tree", "poe", "e1", "ups", "sensors", "neighbours"), "absent"
    )


def test_interfaces_twice_give_rates(tmp_path: Path) -> None:
    # 64 bits: 1,000,000 octets more. 32 bits: from 4,294,967,290 by the wrap to 94, 100 errors.
    def at(seconds: float, octets_in: int, errors: int) -> tuple[Table, ...]:
        port = interface(7, "Gi0/7", counters={6: octets_in, 9: 50}, narrow={14: errors})
        return uptime(seconds), port, interface(8, "Gi0/8", oper=2, counters={6: 1})

    with device(tmp_path, *at(1000, 5_000_000_000, 4_294_967_290)) as made:
        seen = drive(
            made.port, "interfaces", interval_s=0.5,
            meanwhile=lambda: made.say(*at(1002, 5_001_000_000, 94)),
        )  # fmt: skip
    gi7 = {"interface": "Gi0/7"}
    assert seen.value("interface_in_octets_per_s", **gi7) == 500_000.0
    assert seen.value("interface_in_errors_per_s", **gi7) == 50.0
    assert seen.value("interface_in_broadcast_per_s", **gi7) == 0.0
    assert seen.value("interface_in_octets_count", **gi7) == 5_001_000_000
    assert seen.value("interface_speed_bps", **gi7) == 1e9
    assert seen.only("interface_status", interface="Gi0/8").value == "down"
    assert seen.only("interface_count").method["up"] == 1
    assert not [each for each in seen.observations if each.method.get("interface") == "Gi0/8"
                and each.name.endswith(("_count", "_per_s"))]  # fmt: skip


def test_a_restart_between_the_readings_gives_no_rate(tmp_path: Path) -> None:
    def at(seconds: float, octets_in: int) -> tuple[Table, ...]:
        return uptime(seconds), interface(7, "Gi0/7", counters={6: octets_in})

    with device(tmp_path, *at(90_000, 7_000_000_000)) as made:
        seen = drive(
            made.port, "interfaces", interval_s=0.5, meanwhile=lambda: made.say(*at(1.0, 4_000))
        )
    found = seen.only("interface_in_octets_per_s")
    assert found.value is None
    assert found.method["reason"] == "the device restarted in between"


def test_a_slow_interface_without_counters_of_64_bits(tmp_path: Path) -> None:
    with device(
        tmp_path, uptime(1000), interface(1, "ttyS0", mbps=10, narrow={10: 1234, 16: 99})
    ) as made:
        seen = drive(made.port, "interfaces")
    assert seen.value("interface_in_octets_count") == 1234
    assert seen.only("interface_in_octets_count").method["bits"] == 32


def test_who_is_where(tmp_path: Path) -> None:
    """Spanning tree, forwarding table, ARP and neighbours of a switch of three ports."""
    bridge = "1.3.6.1.2.1.17"
    table: Table = {
        f"{bridge}.1.4.1.2.1": integer(101),
        f"{bridge}.1.4.1.2.2": integer(102),
        f"{bridge}.2.3.0": ("timeticks", "4500"),
        f"{bridge}.2.4.0": counter(17),
        f"{bridge}.2.5.0": octets("8000" + ROOT),
        f"{bridge}.2.7.0": integer(2),
        f"{bridge}.2.15.1.3.1": integer(5),
        f"{bridge}.2.15.1.3.2": integer(2),
        f"{bridge}.2.15.1.10.1": counter(3),
        f"{bridge}.2.19.1.3.1": integer(2),
        f"{bridge}.4.2.0": integer(300),
        # the phone and the PC behind it at port 1, as dotted MAC addresses
        f"{bridge}.4.3.1.2.0.27.84.170.187.1": integer(1),
        f"{bridge}.4.3.1.3.0.27.84.170.187.1": integer(3),
        f"{bridge}.4.3.1.2.0.27.84.170.187.2": integer(1),
        f"{bridge}.4.3.1.3.0.27.84.170.187.2": integer(3),
        "1.3.6.1.2.1.4.22.1.2.102.198.18.2.20": octets(PHONE),
        "1.0.8802.1.1.2.1.3.7.1.3.1": string("Gi0/1"),
        **{
            f"1.0.8802.1.1.2.1.4.1.1.{column}.0.1.9": entry
            for column, entry in {
                4: integer(4), 5: octets(PHONE), 6: integer(3), 7: octets(PHONE),
                9: string("SEP001B54AABB01"), 10: string("IP Phone 7940"), 12: octets("2400"),
            }.items()
        },
        "1.0.8802.1.1.2.1.5.4795.1.3.3.1.4.0.1.9": string("FCH12345"),
        "1.0.8802.1.1.2.1.5.4795.1.3.3.1.6.0.1.9": string("CP-7940G"),
        "1.3.6.1.4.1.9.9.23.1.2.1.1.6.102.1": string("core-switch"),
        "1.3.6.1.4.1.9.9.23.1.2.1.1.7.102.1": string("Gi1/0/48"),
        "1.3.6.1.4.1.9.9.23.1.2.1.1.12.102.1": integer(2),
    }  # fmt: skip
    ports = {**interface(101, "Gi0/1"), **interface(102, "Gi0/2")}
    with device(tmp_path, uptime(1000), ports, table) as made:
        seen = drive(made.port, "spanning-tree", "forwarding", "arp", "neighbours")
    assert seen.value("spanning_tree_since_change_s") == 45.0
    assert seen.value("spanning_tree_changes_count") == 17
    assert seen.value("spanning_tree_root") == f"8000.{ROOT}"
    assert seen.value("spanning_tree_root_port") == "Gi0/2"
    assert seen.value("spanning_tree_port_state", interface="Gi0/1") == "forwarding"
    assert seen.value("spanning_tree_port_state", interface="Gi0/2") == "blocking"
    assert seen.value("spanning_tree_port_edge", interface="Gi0/1") is False
    assert seen.value("spanning_tree_port_forward_transitions_count") == 3
    at_port = seen.only("forwarding_port_address_count", interface="Gi0/1")
    assert (at_port.value, at_port.method["addresses"]) == (2, [PHONE, PC])
    assert seen.value("forwarding_ageing_s") == 300
    entry = seen.only("arp_entry")
    assert (entry.value, entry.method["ip"]) == (PHONE, "198.18.2.20")
    phone = seen.only("neighbour_name", protocol="lldp")
    assert phone.value == "SEP001B54AABB01"
    assert phone.method["interface"] == "Gi0/1"
    assert phone.method["chassis"] == PHONE
    assert phone.method["capabilities"] == ["bridge", "telephone"]
    assert (phone.method["model"], phone.method["serial"]) == ("CP-7940G", "FCH12345")
    core = seen.only("neighbour_name", protocol="cdp")
    assert (core.value, core.method["interface"], core.method["duplex"]) == (
        "core-switch", "Gi0/2", "half",
    )  # fmt: skip


def test_tables_that_are_not_due_are_not_read(tmp_path: Path) -> None:
    arp: Table = {"1.3.6.1.2.1.4.22.1.2.1.198.18.2.20": octets(PHONE)}
    with device(tmp_path, uptime(1), arp) as made:
        seen = drive(made.port, "arp", tables_due=False)
    assert seen.value("snmp_group") == "not due: read less than an hour ago"
    assert "arp_entry" not in seen.names()


def test_power_for_telephones_and_what_the_supply_has_left(tmp_path: Path) -> None:
    poe, ups, apc = "1.3.6.1.2.1.105.1", "1.3.6.1.2.1.33.1", "1.3.6.1.4.1.318.1.1.1"
    table: Table = {
        f"{poe}.3.1.1.2.1": ("gauge", "370"),
        f"{poe}.3.1.1.3.1": integer(1),
        f"{poe}.3.1.1.4.1": ("gauge", "361"),
        f"{poe}.1.1.3.1.5": integer(1),
        f"{poe}.1.1.6.1.5": integer(2),
        f"{poe}.1.1.10.1.5": integer(4),
        f"{poe}.1.1.12.1.5": counter(42),
        f"{ups}.2.1.0": integer(2),
        f"{ups}.2.2.0": integer(75),
        f"{ups}.2.3.0": integer(11),
        f"{ups}.2.4.0": integer(88),
        f"{ups}.4.1.0": integer(5),
        f"{apc}.2.2.3.0": ("timeticks", "66000"),
        f"{apc}.4.1.1.0": integer(3),
    }
    with device(tmp_path, uptime(1000), table) as made:
        seen = drive(made.port, "poe", "ups")
    assert seen.value("poe_supply_power_w") == 370
    assert seen.value("poe_supply_consumption_w") == 361
    port = seen.only("poe_port_status", poe_port="1/5")
    assert (port.value, port.method["class"]) == ("searching", 3)
    assert seen.value("poe_port_denied_count") == 42
    assert seen.value("ups_output_source", mib="UPS-MIB") == "battery"
    assert seen.value("ups_output_source", mib="PowerNet-MIB") == "battery"
    assert seen.value("ups_on_battery_s") == 75
    assert seen.value("ups_runtime_left_s", mib="UPS-MIB") == 660
    assert seen.value("ups_runtime_left_s", mib="PowerNet-MIB") == 660.0
    assert seen.value("ups_charge_ratio") == 0.88


def test_an_e1_that_slips(tmp_path: Path) -> None:
    line, now, day = (f"1.3.6.1.2.1.10.18.{table}.1" for table in (6, 7, 9))
    table: Table = {
        f"{line}.3.3": integer(600),
        f"{line}.10.3": integer(1),
        f"{line}.12.3": integer(2),
        f"{now}.2.3": ("gauge", "0"),
        f"{now}.6.3": ("gauge", "12"),
        f"{day}.6.3": ("gauge", "1100"),
    }
    with device(tmp_path, uptime(1000), interface(3, "E1 0/0"), table) as made:
        seen = drive(made.port, "e1")
    assert seen.value("e1_line_status") == "no alarm"
    assert seen.value("e1_clock_source") == "local"
    assert seen.value("e1_controlled_slip_seconds_count", period="quarter-hour") == 12
    assert seen.value("e1_controlled_slip_seconds_count", period="day") == 1100
    assert seen.value("e1_errored_seconds_count", period="quarter-hour") == 0
    assert seen.only("e1_line_status").method["line"] == "E1 0/0"


def test_temperatures_of_four_kinds(tmp_path: Path) -> None:
    iem, uio = "1.3.6.1.4.1.318.1.1.10.2.3.2.1", "1.3.6.1.4.1.318.1.1.25.1.2.1"
    cisco = "1.3.6.1.4.1.9.9.13.1.3.1"
    table: Table = {
        "1.3.6.1.2.1.47.1.1.1.1.7.1": string("Rack 1"),
        **sensor(11, "Inlet", 215),  # one decimal place
        **sensor(12, "Outlet", 31_250, scale=8, precision=0),  # milli
        **sensor(13, "Humidity", 45, precision=0, kind=9),
        **sensor(14, "Fan", 2400, kind=10),
        f"{iem}.2.1": string("Ceiling"),
        f"{iem}.3.1": integer(2),
        f"{iem}.4.1": integer(77),  # °F, as the unit says: 25 °C
        f"{iem}.5.1": integer(2),
        f"{iem}.6.1": integer(40),
        f"{uio}.3.1.1": string("Door"),
        f"{uio}.6.1.1": integer(-1),
        f"{uio}.7.1.1": integer(-1),
        f"{cisco}.2.1006": string("SW#1, Sensor#1"),
        f"{cisco}.3.1006": ("gauge", "33"),
        f"{cisco}.6.1006": integer(1),
    }
    with device(tmp_path, uptime(1000), table) as made:
        seen = drive(made.port, "sensors")
    degrees = {
        str(each.method["sensor"]): each.value
        for each in seen.observations
        if each.name == "temperature_celsius"
    }
    assert degrees == {
        "Inlet": 21.5, "Outlet": 31.25, "Ceiling": 25.0, "Door": None, "SW#1, Sensor#1": 33.0,
    }  # fmt: skip
    assert seen.only("temperature_celsius", sensor="Inlet").method["place"] == "Rack 1"
    assert seen.value("relative_humidity_ratio", sensor="Humidity") == 0.45
    assert "no value" in str(seen.only("temperature_celsius", sensor="Door").method["reason"])


def test_the_table_is_the_one_that_net_snmp_walks(tmp_path: Path) -> None:
    """A second implementation reads the same: snmpbulkwalk of sixty rows."""
    rows = {oid: entry for at in range(1, 61) for oid, entry in interface(at, f"p{at}").items()}
    with device(tmp_path, uptime(1000), rows) as made:
        seen = drive(made.port, "interfaces")
        walk = subprocess.run(
            ("snmpbulkwalk", "-v2c", "-c", snmpd.COMMUNITY, "-Oqv", f"127.0.0.1:{made.port}",
             "1.3.6.1.2.1.31.1.1.1.1"),
            capture_output=True, text=True, check=True, env={"MIBS": "", "PATH": "/usr/bin"},
        )  # fmt: skip
    ours = [
        each.method["interface"] for each in seen.observations if each.name == "interface_status"
    ]
    assert ours == [line.strip('"') for line in walk.stdout.split()]
    assert len(ours) == 60


def test_two_groups_of_one_device_end_before_a_short_deadline(tmp_path: Path) -> None:
    ports = {**interface(1, "Gi0/1"), **ethernet(1, duplex=3)}
    with device(tmp_path, uptime(1000), ports) as made:
        seen = drive(made.port, "interfaces", "ethernet", deadline_s=10.0, interval_s=60.0)
    assert seen.completed()
    assert seen.value("ethernet_duplex") == "full"
    assert "interface_in_octets_per_s" not in seen.names()


def test_a_device_at_an_address_of_ipv6(tmp_path: Path) -> None:
    port = free_port("::1")
    with snmpd.serving(tmp_path, "[::1]", port, kind="udp6"):
        seen = drive(port, address="::1", **V3)
    assert seen.value("system_name") == "lab-agent"
    assert seen.only("system_name").method["ip_version"] == 6


def test_a_check_that_is_cut_short_hands_over_what_it_read(tmp_path: Path) -> None:
    seen: list[Observation] = []

    async def cut(port: int) -> None:
        tasks: list[asyncio.Task[Seen]] = []

        def stop() -> None:
            tasks[0].cancel()

        asking = ask(port, "interfaces", interval_s=10.0, into=seen, meanwhile=stop)
        tasks.append(asyncio.create_task(asking))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]

    with device(tmp_path, uptime(1000), interface(7, "Gi0/7", counters={6: 5})) as made:
        asyncio.run(cut(made.port))
    counts = [each.value for each in seen if each.name == "interface_in_octets_count"]
    assert counts == [5]
