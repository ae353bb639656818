"""Scenes of devices that were read by SNMP: what the probe would have observed, by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from nethealth.model.check import CheckResult
from nethealth.model.failure import Failure, Outcome
from nethealth.model.inventory import AssetKind
from nethealth.model.observation import Observation, PastValue, Scalar
from tests.diagnosis.build import STARTED, Scene

Fact = tuple[str, Scalar, dict[str, Any]]


def read(
    scene: Scene,
    host: str,
    *facts: Fact,
    kind: AssetKind = "switch",
    uptime_s: float | None = 90_000.0,
    start_s: float = 1.0,
    security: str = "v3 authPriv",
) -> Scene:
    """One check of `snmp` that was answered; a device that also answers its ping."""
    scene.asset(host)
    scene.assets[host] = replace(scene.assets[host], kind=kind)
    rounds = sum(one.id.partition("#")[0] == f"{host}:snmp" for one in scene.checks)
    if not rounds:
        scene.ping(host)
    check = f"{host}:snmp" + (f"#{rounds + 1}" if rounds else "")
    asset = scene.assets[host]
    scene.checks.append(
        CheckResult(
            check, "snmp", "scdc", asset.site, host, f"a.{host}", Outcome.COMPLETED,
            started_s=start_s, finished_s=start_s + 2,
        )
    )  # fmt: skip
    first: list[Fact] = [
        ("snmp_response_delay_median_s", 0.004, {}),
        ("snmp_security", security, {}),
        *([("uptime_s", uptime_s, {})] if uptime_s is not None else []),
    ]
    for at, (name, value, method) in enumerate([*first, *facts], 1):
        samples = method.get("samples")
        passport = {key: each for key, each in method.items() if key != "samples"}
        scene.observations.append(
            Observation(
                f"{check}/{at}", check, name, value, t_s=start_s + 1,
                unit="°C" if name == "temperature_celsius" else None,
                samples=samples if isinstance(samples, int) else None,
                method=passport,
            )
        )  # fmt: skip
    return scene


def unread(
    scene: Scene, host: str, failure: Failure = Failure.TIMEOUT, kind: AssetKind = "sensor"
) -> Scene:
    """One check of `snmp` that was not answered."""
    scene.asset(host)
    scene.assets[host] = replace(scene.assets[host], kind=kind)
    return scene.check(
        host, "snmp", {"snmp_request_count": 2, "snmp_unanswered_count": 2},
        outcome=Outcome.FAILED, failure=failure, reason="no answer in 2 s",
    )  # fmt: skip


def before(
    scene: Scene, host: str, minutes: float, name: str, value: Scalar, **method: Any
) -> Scene:
    """What an earlier run saw, so many minutes before this one."""
    moment = STARTED - timedelta(minutes=minutes)
    scene.past.append(PastValue(moment, f"{host}:snmp", host, name, value, None, method))
    return scene


def warm(name: str, celsius: float | None, mib: str = "PowerNet-MIB uio") -> Fact:
    return "temperature_celsius", celsius, {"sensor": name, "mib": mib}


def course(
    scene: Scene, host: str, sensor: str, degrees: Sequence[float], mib: str = "PowerNet-MIB uio"
) -> Scene:
    """A sensor's values every quarter of an hour until a quarter before the run."""
    for at, celsius in enumerate(reversed(degrees), 1):
        before(scene, host, 15 * at, "temperature_celsius", celsius, sensor=sensor, mib=mib)
    return scene


def counted(stem: str, count: int, per_s: float | None = None, **method: Any) -> list[Fact]:
    """A counter's value and, where it was read twice, its rate."""
    facts: list[Fact] = [(f"{stem}_count", count, {"bits": 32, **method})]
    if per_s is not None:
        facts.append((f"{stem}_per_s", per_s, {**method, "samples": round(per_s * 10)}))
    return facts


def telephone(interface: str, chassis: str = "00:1b:54:aa:bb:01") -> Fact:
    return (
        "neighbour_name", "SEP001B54AABB01",
        {"protocol": "lldp", "interface": interface, "chassis": chassis,
         "capabilities": ["bridge", "telephone"]},
    )  # fmt: skip


def machine(interface: str, duplex: str | None = None) -> Fact:
    return (
        "neighbour_name", "server-1",
        {"protocol": "cdp", "interface": interface, "duplex": duplex},
    )  # fmt: skip


def troubled(scene: Scene) -> Scene:
    """A switch, a gateway and a room that between them show each finding of devices."""
    gi7 = {"interface": "Gi0/7"}
    storm: list[Fact] = [
        (f"interface_{way}_broadcast_per_s", 40_000.0, {"interface": name})
        for name in ("Gi0/1", "Gi0/2")
        for way in ("in", "out")
    ]
    flood: list[Fact] = [
        ("interface_out_multicast_per_s", 400.0, {"interface": f"Gi0/{at}"}) for at in range(3, 7)
    ]
    read(
        scene, "weir-switch", *storm, *flood,
        ("interface_in_multicast_per_s", 400.0, {"interface": "Gi0/9"}),
        ("ethernet_duplex", "half", gi7),
        *counted("ethernet_late_collisions", 900, 2.0, **gi7),
        ("spanning_tree_port_edge", False, gi7),
        telephone("Gi0/7"),
        ("spanning_tree_since_change_s", 60.0, {}),
        ("arp_entry", "0a:00:00:00:00:05", {"ip": "198.18.9.30"}),
        ("poe_port_status", "searching", {"poe_port": "1/1", "class": 0}),
        *counted("poe_port_denied", 42, 0.5, poe_port="1/1"),
    )  # fmt: skip
    read(
        scene, "weir-gateway",
        ("e1_controlled_slip_seconds_count", 90, {"line": "E1 0/0", "period": "day"}),
        ("e1_line_status", "no alarm", {"line": "E1 0/0"}),
        ("arp_entry", "0a:00:00:00:00:06", {"ip": "198.18.9.30"}),
        kind="gateway",
    )  # fmt: skip
    read(scene, "weir-room", warm("Rack 1", 41.0), warm("Rack 2", 40.0), kind="sensor")
    return unread(scene.ping("weir-ups"), "weir-ups")
