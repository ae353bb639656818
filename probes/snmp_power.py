"""Power: what a switch gives its telephones, and what an uninterruptible supply has left."""

from collections.abc import Iterator

from nethealth.model.observation import Observation, Passport
from nethealth.model.probe import Observer
from nethealth.protocol import mib
from probes.snmp_counters import counter, counter_units
from probes.snmp_reader import Read, Want, number

POE = Want(tables={"poe-supply": mib.POE_SUPPLY}, counters={"poe-ports": mib.POE_PORTS})
UPS = Want(
    scalars={
        **{f"ups.{name}": oid for name, oid in mib.UPS.items()},
        **{f"apc.{name}": oid for name, oid in mib.APC_UPS.items()},
    }
)
_REPLACE = 2

UNITS: dict[str, str | None] = {
    "poe_supply_power_w": "W",
    "poe_supply_consumption_w": "W",
    "poe_supply_status": None,
    "poe_port_status": None,
    **counter_units("poe_port_denied", "times"),
    "ups_output_source": None,
    "ups_battery_status": None,
    "ups_on_battery_s": "s",
    "ups_runtime_left_s": "s",
    "ups_charge_ratio": "1",
    "ups_battery_temperature_celsius": "°C",
    "ups_alarm_count": "alarms",
}


def poe(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    """Each supply with what it can give and gives, and each port with what it was denied."""
    for index, row in read.rows("poe-supply").items():
        place = {**passport, "supply": ".".join(map(str, index))}
        for name, column in (("power", "power"), ("consumption", "consumption")):
            value = number(row.get(column))
            if value is not None:
                yield observe(f"poe_supply_{name}_w", value, method=place)
        status = number(row.get("status"))
        if status is not None:
            yield observe("poe_supply_status", mib.POE_STATUS.get(status, "unknown"), method=place)
    for index, row in read.rows("poe-ports").items():
        status, admin, level = (number(row.get(key)) for key in ("detection", "admin", "class"))
        if status is None:
            continue
        place = {**passport, "poe_port": "/".join(map(str, index))}
        # PoE class 0 is written as 1 (RFC 3621); it means something while power is given.
        yield observe(
            "poe_port_status",
            mib.POE_DETECTION.get(status, "unknown"),
            method={**place, "enabled": admin == 1, "class": None if level is None else level - 1},
        )
        pair = read.pairs("poe-ports", index).get("denied")
        if pair is not None:
            yield from counter(observe, "poe_port_denied", pair, place, most_per_s=None)


def ups(observe: Observer, passport: Passport, read: Read) -> Iterator[Observation]:
    """The standard's own objects and APC's, each under its `method.mib`."""
    got = {name: number(cell) for name, cell in read.scalars.items()}

    def value(name: str) -> int | None:
        return got.get(f"ups.{name}")

    standard = {**passport, "mib": "UPS-MIB"}
    apc = {**passport, "mib": "PowerNet-MIB"}
    if (source := value("ups.source")) is not None:
        yield observe("ups_output_source", mib.UPS_SOURCE.get(source, "unknown"), method=standard)
    if (status := value("ups.battery_status")) is not None:
        yield observe("ups_battery_status", mib.UPS_BATTERY.get(status, "unknown"), method=standard)
    if (seconds := value("ups.on_battery")) is not None:
        yield observe("ups_on_battery_s", seconds, method=standard)
    if (minutes := value("ups.minutes_left")) is not None:
        yield observe("ups_runtime_left_s", minutes * 60, method=standard)
    if (alarms := value("ups.alarms")) is not None:
        yield observe("ups_alarm_count", alarms, method=standard)
    if (source := value("apc.status")) is not None:
        yield observe("ups_output_source", mib.APC_STATUS.get(source, "other"), method=apc)
    if (replace := value("apc.replace")) is not None:
        word = "replace" if replace == _REPLACE else "normal"
        yield observe("ups_battery_status", word, method=apc)
    if (ticks := value("apc.ticks_left")) is not None:
        yield observe("ups_runtime_left_s", ticks / 100, method=apc)
    for prefix, method in (("ups", standard), ("apc", apc)):
        if (charge := value(f"{prefix}.charge")) is not None and 0 <= charge <= 100:
            yield observe("ups_charge_ratio", charge / 100, method=method)
        degrees = value(f"{prefix}.temperature")
        if degrees is not None and degrees > 0:  # 0 and -1: no sensor
            yield observe("ups_battery_temperature_celsius", degrees, method=method)
