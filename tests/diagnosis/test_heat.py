"""Hot rooms and silent sensors: level, slope, agreement, and what only looks like heat."""

from nethealth.model.failure import Failure
from nethealth.model.finding import Finding, Severity, Verdict
from tests.diagnosis.build import Scene, healthy
from tests.diagnosis.devices import Fact, before, course, read, unread, warm


def the(scene: Scene, finding_id: str) -> Finding:
    found = [finding for finding in scene.findings() if finding.id == finding_id]
    assert len(found) == 1, scene.ids()
    return found[0]


def room(*degrees: float, names: tuple[str, ...] = ("Rack 1", "Rack 2")) -> Scene:
    facts = [warm(name, celsius) for name, celsius in zip(names, degrees, strict=False)]
    return read(healthy(), "hall-room", *facts, kind="sensor")


def test_a_room_that_is_well_says_nothing() -> None:
    assert room(22.0, 24.5).findings() == ()


def test_two_sensors_that_agree_are_sure() -> None:
    found = the(room(33.0, 31.5), "overheating:hall")
    assert found.verdict is Verdict.DEMONSTRATED
    assert found.severity is Severity.CRITICAL
    assert found.direction is None
    assert "33.0 °C at Rack 1 of hall-room" in found.statement
    assert any("2 agree" in each.result for each in found.refutations)


def test_one_of_two_is_no_proof() -> None:
    found = the(room(33.0, 22.0), "overheating:hall")
    assert found.verdict is Verdict.INSUFFICIENT_DATA
    assert found.severity is Severity.INFO
    assert any("Rack 2 of hall-room reads 22.0 °C" in each.result for each in found.refutations)


def test_one_reading_of_a_lone_sensor_is_no_proof() -> None:
    found = the(room(41.0), "overheating:hall")
    assert found.verdict is Verdict.INSUFFICIENT_DATA
    assert found.missing == ("a second sensor that agrees",)


def test_a_lone_sensor_that_has_long_been_rising_is_believed() -> None:
    # 25, 28, 31 at 45, 30 and 15 minutes before, 34 now: 12 °C an hour.
    found = the(course(room(34.0), "hall-room", "Rack 1", [25, 28, 31]), "overheating:hall")
    assert found.verdict is Verdict.SUPPORTED
    assert found.severity is Severity.CRITICAL
    assert "rising by 12 °C an hour" in found.statement


def test_a_switch_that_warms_with_the_room_makes_it_sure() -> None:
    scene = course(room(34.0), "hall-room", "Rack 1", [25, 28, 31])
    read(scene, "hall-switch", warm("Chassis", 58.0, "ENTITY-SENSOR-MIB"))
    course(scene, "hall-switch", "Chassis", [49, 52, 55], "ENTITY-SENSOR-MIB")
    assert the(scene, "overheating:hall").verdict is Verdict.DEMONSTRATED


def test_a_switch_that_is_warm_by_nature_is_no_room() -> None:
    scene = read(healthy(), "hall-switch", warm("Chassis", 58.0, "ENTITY-SENSOR-MIB"))
    assert scene.findings() == ()


def test_its_inlet_is_the_room() -> None:
    scene = read(healthy(), "hall-switch", warm("Inlet Temperature", 42.0, "ENTITY-SENSOR-MIB"),
                 warm("Ambient", 41.0, "ENTITY-SENSOR-MIB"))  # fmt: skip
    assert the(scene, "overheating:hall").verdict is Verdict.DEMONSTRATED


def test_a_room_on_its_way_is_a_warning() -> None:
    # both rise by 3 °C in a quarter of an hour, and are below 30 °C still
    scene = course(room(28.0, 27.0), "hall-room", "Rack 1", [19, 22, 25])
    course(scene, "hall-room", "Rack 2", [18, 21, 24])
    found = the(scene, "overheating:hall")
    assert (found.verdict, found.severity) == (Verdict.SUPPORTED, Severity.WARNING)


def test_the_morning_is_no_fire() -> None:
    # 1 °C in a quarter of an hour is 4 °C an hour
    scene = course(room(24.0, 24.0), "hall-room", "Rack 1", [21, 22, 23])
    assert course(scene, "hall-room", "Rack 2", [21, 22, 23]).findings() == ()


def test_a_sensor_that_reads_in_fahrenheit_is_not_believed() -> None:
    # 75 °F is 23.9 °C; nothing moves.
    scene = course(room(75.0), "hall-room", "Rack 1", [75, 75, 75])
    found = the(scene, "overheating:hall")
    assert found.verdict is Verdict.INSUFFICIENT_DATA
    assert any("Fahrenheit" in each.result for each in found.refutations)


def test_a_supply_on_battery_is_named() -> None:
    scene = read(healthy(), "hall-room", warm("Rack 1", 33.0), warm("Rack 2", 34.0),
                 ("ups_output_source", "battery", {"mib": "UPS-MIB"}), kind="sensor")  # fmt: skip
    found = the(scene, "overheating:hall")
    assert "on battery" in found.statement
    assert any(each.result == "yes" for each in found.refutations)


def test_a_room_that_was_hot_before_its_site_fell_silent() -> None:
    scene = Scene().ping("gateway:depot").ping("depot-pbx")
    scene.silent("gateway:hall", "hall-pbx", "hall-room")
    unread(scene, "hall-room")
    course(scene, "hall-room", "Rack 1", [29, 34, 39, 44])
    course(scene, "hall-room", "Rack 2", [28, 33, 38, 43])
    found = the(scene, "overheating:hall")
    assert found.verdict is Verdict.DEMONSTRATED
    assert "was at" in found.statement
    assert "at 18:45 UTC, and cannot be read now" in found.statement
    assert "site-outage:hall" in found.symptoms
    assert "site-outage:hall" in scene.ids()  # that the heat was the cause was not seen
    assert "sensor-silent:hall-room" in the(scene, "site-outage:hall").symptoms


def test_a_room_that_was_hot_an_earlier_time_of_the_same_run() -> None:
    found = the(unread(room(41.0, 40.5), "hall-room"), "overheating:hall")
    assert found.verdict is Verdict.DEMONSTRATED
    assert "was at 41.0 °C at Rack 1" in found.statement
    assert "and cannot be read now" in found.statement
    again = read(unread(room(41.0, 40.5), "hall-room"), "hall-room", warm("Rack 1", 42.0))
    assert "is at 42.0 °C at Rack 1" in the(again, "overheating:hall").statement


def test_what_was_long_ago_is_no_heat_now() -> None:
    scene = unread(healthy().ping("hall-room"), "hall-room")
    before(scene, "hall-room", 600, "temperature_celsius", 44.0, sensor="Rack 1", mib="PowerNet")
    assert "overheating:hall" not in scene.ids()


def test_a_sensor_that_answered_before_and_does_not_now() -> None:
    scene = unread(healthy().ping("hall-room"), "hall-room")
    before(scene, "hall-room", 600, "temperature_celsius", 22.0, sensor="Rack 1", mib="PowerNet")
    found = the(scene, "sensor-silent:hall-room")
    assert (found.verdict, found.severity) == (Verdict.DEMONSTRATED, Severity.WARNING)
    assert "It last did at 2026-11-22 09:00 UTC" in found.statement
    assert [each.result for each in found.refutations] == ["yes: it answers pings", "yes"]


def test_a_sensor_that_never_answered_may_have_another_community() -> None:
    found = the(unread(healthy().ping("hall-room"), "hall-room"), "sensor-silent:hall-room")
    assert found.missing == ("whether the community or the passwords are right",)
    assert any("wrong community" in each for each in found.alternatives)
    assert "host-down:hall-room" not in unread(healthy(), "hall-room").ids()


def test_refused_credentials_are_called_so() -> None:
    scene = unread(healthy().ping("hall-room"), "hall-room", Failure.AUTH)
    assert "refused the credentials by SNMP" in the(scene, "sensor-silent:hall-room").statement


def test_a_silent_host_explains_its_silent_agent() -> None:
    scene = unread(healthy().silent("hall-room"), "hall-room")
    assert "sensor-silent:hall-room" in the(scene, "host-down:hall-room").symptoms
    assert "sensor-silent:hall-room" not in scene.ids()


def test_one_sensor_of_a_device_that_fell_silent() -> None:
    group: Fact = ("snmp_group", "read", {"group": "sensors"})
    scene = read(healthy(), "hall-room", warm("Rack 1", 22.0), warm("Rack 2", None), group,
                 kind="sensor")  # fmt: skip
    for name in ("Rack 1", "Rack 2"):
        before(scene, "hall-room", 30, "temperature_celsius", 22.0, sensor=name, mib="PowerNet")
    found = the(scene, "sensor-silent:hall-room:sensors")
    assert "no longer reads Rack 2" in found.statement
    assert found.refutations[0].result == "yes, without a value"


def test_a_table_that_was_cut_short_lost_no_sensor() -> None:
    group: Fact = ("snmp_group", "cut short: no time left", {"group": "sensors"})
    scene = read(healthy(), "hall-room", warm("Rack 1", 22.0), group, kind="sensor")
    before(scene, "hall-room", 30, "temperature_celsius", 22.0, sensor="Rack 2", mib="PowerNet")
    assert scene.findings() == ()


def test_clear_text_is_a_note() -> None:
    scene = read(healthy(), "hall-room", warm("Rack 1", 22.0), kind="sensor", security="v2c")
    found = the(scene, "obsolete-security:hall-room:snmp")
    assert (found.verdict, found.severity) == (Verdict.DEMONSTRATED, Severity.INFO)
    scene.severity = {"obsolete-security": Severity.WARNING}
    assert the(scene, found.id).severity is Severity.WARNING
