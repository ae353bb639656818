"""Temperature and humidity, by whichever of four MIBs a device has, with each sensor's name."""

from collections.abc import Iterator, Mapping

from nethealth.model.observation import Observation, Passport
from nethealth.model.probe import Observer
from nethealth.protocol import mib
from nethealth.protocol.snmp import Cell, Oid
from probes.snmp_reader import Read, Want, number, words

SENSORS = Want(
    tables={
        "sensors": mib.SENSORS,
        "entities": mib.ENTITIES,
        "apc-probes": mib.APC_PROBES,
        "apc-ports": mib.APC_PORTS,
        "cisco-temperature": mib.CISCO_TEMPERATURE,
    }
)
_NO_VALUE = -1
_CONNECTED, _FAHRENHEIT = 2, 2
_CISCO_NOT_PRESENT = 5
_PLAUSIBLE = (-60.0, 200.0)  # °C that a room or a chip may have

UNITS: dict[str, str | None] = {
    "temperature_celsius": "°C",
    "relative_humidity_ratio": "1",
    "sensor_status": None,
}


def sensors(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    """Each reading by itself, with `method.sensor`, `method.mib` and where the device says it is.

    A sensor that reads nothing is null, with its status beside it: it is there, and silent.
    """
    yield from _entity(observe, {**passport, "mib": "ENTITY-SENSOR-MIB"}, read)
    yield from _apc_probes(observe, {**passport, "mib": "PowerNet-MIB iem"}, read)
    yield from _apc_ports(observe, {**passport, "mib": "PowerNet-MIB uio"}, read)
    yield from _cisco(observe, {**passport, "mib": "CISCO-ENVMON-MIB"}, read)


def _entity(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    entities = read.rows("entities")
    for index, row in read.rows("sensors").items():
        kind = number(row.get("type"))
        if kind not in (mib.CELSIUS, mib.PERCENT_HUMIDITY):
            continue
        entity = entities.get(index, {})
        within = number(entity.get("contained_in"))
        holder = entities.get((within,), {}) if within else {}
        place = {
            **passport,
            "sensor": words(entity.get("name")) or words(entity.get("descr"))
            or f"sensor {'.'.join(map(str, index))}",
            "place": words(holder.get("name")) or words(holder.get("descr")),
        }  # fmt: skip
        status = number(row.get("status"))
        if status is not None:
            yield observe("sensor_status", mib.SENSOR_STATUS.get(status, "unknown"), method=place)
        value = _fixed_point(row) if status in (None, 1) else None
        yield from _reading(observe, place, kind, value, row.get("value"))


def _fixed_point(row: Mapping[str, Cell]) -> float | None:
    value, scale, precision = (number(row.get(key)) for key in ("value", "scale", "precision"))
    if value is None or scale is None or precision is None:
        return None
    return mib.sensor_value(value, scale, precision)


def _apc_probes(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    for index, row in read.rows("apc-probes").items():
        if number(row.get("status")) != _CONNECTED:
            continue
        place = {**passport, "sensor": words(row.get("name")) or f"probe {_dotted(index)}"}
        degrees = _known(row.get("temperature"))
        unit = number(row.get("unit"))
        if degrees is not None and unit == _FAHRENHEIT:
            degrees = mib.fahrenheit(degrees)
            place = {**place, "device_unit": "fahrenheit"}
        yield from _reading(observe, place, mib.CELSIUS, degrees, row.get("temperature"))
        humidity = _known(row.get("humidity"))
        if humidity:  # a probe without a hygrometer says 0
            yield from _reading(observe, place, mib.PERCENT_HUMIDITY, humidity, row.get("humidity"))


def _apc_ports(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    for index, row in read.rows("apc-ports").items():
        place = {
            **passport,
            "sensor": words(row.get("name")) or f"port {_dotted(index)}",
            "place": words(row.get("location")),
        }
        degrees = _known(row.get("temperature"))
        yield from _reading(observe, place, mib.CELSIUS, degrees, row.get("temperature"))
        humidity = _known(row.get("humidity"))
        if humidity is not None:
            yield from _reading(observe, place, mib.PERCENT_HUMIDITY, humidity, row.get("humidity"))


def _cisco(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    for index, row in read.rows("cisco-temperature").items():
        if number(row.get("state")) == _CISCO_NOT_PRESENT:
            continue
        place = {**passport, "sensor": words(row.get("descr")) or f"sensor {_dotted(index)}"}
        value = number(row.get("value"))
        degrees = None if value is None else float(value)
        yield from _reading(observe, place, mib.CELSIUS, degrees, row.get("value"))


def _known(cell: Cell | None) -> float | None:
    """What APC reads, whose mark for nothing is -1; a room at -1 °C is lost with it."""
    value = number(cell)
    return None if value is None or value == _NO_VALUE else float(value)


def _reading(
    observe: Observer, place: Passport, kind: int, value: float | None, cell: Cell | None
) -> Iterator[Observation]:
    low, high = _PLAUSIBLE if kind == mib.CELSIUS else (0.0, 100.0)
    if value is None:
        place = {**place, "reason": "the device has no value for it"}
    elif not low <= value <= high:
        place = {**place, "reason": "the device's value is out of range"}
        value = None
    at_s = cell.received_s if cell else None
    samples = None if value is None else 1
    if kind == mib.CELSIUS:
        degrees = None if value is None else round(value, 3)
        yield observe("temperature_celsius", degrees, samples=samples, method=place, at_s=at_s)
    else:
        share = None if value is None else round(value / 100, 4)
        yield observe("relative_humidity_ratio", share, samples=samples, method=place, at_s=at_s)


def _dotted(index: Oid) -> str:
    return ".".join(map(str, index))
