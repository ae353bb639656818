"""Large tables are asked for once, and again after an hour."""

from nethealth.model.check import Check, PingParameters, SnmpParameters
from nethealth.model.observation import Observation
from nethealth.sweep import HourlyTables

SWITCH = Check(
    "switch:snmp", "snmp", None, "hall", "switch", "x", SnmpParameters("x", 3, ("forwarding",))
)
PING = Check("switch:ping", "ping", None, "hall", "switch", "x", PingParameters("x"))


def due(tables: HourlyTables, now_s: float, check_id: str = "switch:snmp") -> bool:
    check = Check(check_id, "snmp", None, "hall", "switch", "x", SWITCH.parameters)
    found, ping = tables.due((check, PING), now_s)
    assert ping == PING
    assert isinstance(found.parameters, SnmpParameters)
    return found.parameters.tables_due


def test_the_first_time_and_after_an_hour() -> None:
    tables = HourlyTables()
    assert due(tables, 0.0)
    tables.saw([Observation("1", "switch:snmp", "forwarding_entry_count", 9)], 0.0)
    assert not due(tables, 60.0, "switch:snmp#2")
    assert not due(tables, 3599.0, "switch:snmp#60")
    assert due(tables, 3600.0, "switch:snmp#61")


def test_what_was_not_read_is_due_still() -> None:
    tables = HourlyTables()
    tables.saw([Observation("1", "switch:snmp", "uptime_s", 9)], 0.0)
    assert due(tables, 60.0, "switch:snmp#2")


def test_an_earlier_run_counts() -> None:
    tables = HourlyTables({"switch:snmp": -1800.0})
    assert not due(tables, 0.0)
    assert due(tables, 1800.0)
