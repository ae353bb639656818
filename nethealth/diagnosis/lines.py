"""E1 lines whose clock slips, and switches that have no power left for another telephone."""

from collections.abc import Iterator

from nethealth.diagnosis.device import Device, devices
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Place, number
from nethealth.diagnosis.text import counted, listing
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Observation

# Two clocks as good as G.811 asks slip once in 70 days; a handful in a day is another cause.
SLIPS_LEAST = 3
# Watts that a switch sets aside for a telephone of each class (IEEE 802.3af, at).
CLASS_W = {0: 15.4, 1: 4.0, 2: 7.0, 3: 15.4, 4: 30.0}
SPENT = 0.9  # of a supply, from which on another telephone finds nothing


def clock_slips(evidence: Evidence) -> Iterator[Finding]:
    """One `clock-slip` for each line with slips; it has no direction, the IP network has no part.

    Supported where the line itself is clean: no alarm, and no second in which it was unavailable.
    """
    for device in devices(evidence):
        lines = dict.fromkeys(
            line
            for seen in device.all_now("e1_controlled_slip_seconds_count")
            if isinstance(line := seen.method.get("line"), str)
        )
        for line in lines:
            if found := _slipping(evidence, device, line):
                yield found


def _slipping(evidence: Evidence, device: Device, line: str) -> Finding | None:
    def counts(kind: str) -> list[Observation]:
        found = device.all_now(f"e1_{kind}_seconds_count")
        return [seen for seen in found if seen.method.get("line") == line]

    slips = counts("controlled_slip")
    most = max((number(seen) or 0 for seen in slips), default=0)
    if most < 1:
        return None
    status = device.now("e1_line_status", line=line)
    unavailable = max((number(seen) or 0 for seen in counts("unavailable")), default=0)
    clock = device.now("e1_clock_source", line=line)
    alarm = None if status is None else str(status.value)
    clean = alarm == "no alarm" and unavailable == 0
    verdict = Verdict.SUPPORTED if clean and most >= SLIPS_LEAST else Verdict.INSUFFICIENT_DATA
    where = device.place
    source = f", and sends by its own clock ({clock.value})" if clock is not None else ""
    return draft(
        evidence,
        "clock-slip",
        Place(f"{where.key}:{line}", where.name, where.council, where.site, where.asset),
        f"The line {line} of {where.name} had {counted(int(most), 'second')} with a slip of the "
        f"clock{source if clock and clock.value == 'local' else ''}: two clocks that are not one.",
        rounds=device.rounds[-1:],
        seen=[*slips, status, clock, *counts("unavailable")],
        verdict=verdict,
        refutations=(
            Refutation("Does the line itself fail?", _line_words(alarm, int(unavailable))),
            Refutation(
                "Could the IP network slip it?",
                "no: an E1 has a clock of its own, and no packet of the network is in it",
            ),
        ),
        missing=("the count over a quiet hour, when a fault of the load would be gone",),
        alternatives=(
            "a line that was restarted, whose frames slip once while it finds its clock",
        ),
    )


def _line_words(alarm: str | None, unavailable: int) -> str:
    if alarm is None:
        return "unknown: the device does not say"
    if alarm == "no alarm" and not unavailable:
        return "no: no alarm, and no second in which it was unavailable"
    return f"yes: {alarm}, and {counted(unavailable, 'second')} unavailable"


def poe_budgets(evidence: Evidence) -> Iterator[Finding]:
    """One `poe-budget` for each switch that denied a port its power."""
    for device in devices(evidence):
        if found := _denied(evidence, device):
            yield found


def _denied(evidence: Evidence, device: Device) -> Finding | None:
    ports = device.all_now("poe_port_status")
    grown = {
        port: growth
        for seen in ports
        if isinstance(port := seen.method.get("poe_port"), str)
        and (growth := device.growth("poe_port_denied", poe_port=port)) is not None
    }
    denied = {port: growth for port, growth in grown.items() if growth.increase > 0}
    ever = [seen for seen in device.all_now("poe_port_denied_count") if number(seen)]
    if not denied and not ever:
        return None
    supplies = device.all_now("poe_supply_power_w")
    power_w = sum(number(seen) or 0 for seen in supplies)
    used_w = sum(number(seen) or 0 for seen in device.all_now("poe_supply_consumption_w"))
    set_aside_w = sum(_class_w(seen) for seen in ports if seen.value == "delivering")
    spent = power_w > 0 and max(used_w, set_aside_w) >= SPENT * power_w
    faulty = [s for s in device.all_now("poe_supply_status") if s.value not in {"on", "off"}]
    verdict = Verdict.SUGGESTIVE
    if denied:
        verdict = Verdict.SUPPORTED if spent and not faulty else Verdict.INSUFFICIENT_DATA
    where = device.place
    names = listing([f"port {port}" for port in denied]) if denied else "ports, some time ago"
    return draft(
        evidence,
        "poe-budget",
        where,
        f"{where.name} denied power to {names}: of {power_w:.0f} W it gives {used_w:.0f} W, and "
        f"sets {set_aside_w:.0f} W aside for the classes that are asked for.",
        rounds=device.rounds[-1:],
        seen=[
            *(seen for growth in denied.values() for seen in growth.seen[-1:]),
            *(ever if not denied else ()), *supplies, *device.all_now("poe_supply_consumption_w"),
        ],
        verdict=verdict,
        direction=(
            Direction.NETWORK_TO_TELEPHONY if verdict is Verdict.SUPPORTED
            else Direction.UNDETERMINED
        ),
        refutations=(
            Refutation(
                "Is there power to spare?",
                f"no: {max(used_w, set_aside_w):.0f} of {power_w:.0f} W are spoken for" if spent
                else f"yes: {max(used_w, set_aside_w):.0f} of {power_w:.0f} W are spoken for",
            ),
            Refutation("Is the supply faulty?", "yes" if faulty else "no: none says so"),
        ),
        missing=() if denied else ("a second reading, which shows whether it still happens",),
        alternatives=("a device that draws too much or is wired wrongly",),
    )  # fmt: skip


def _class_w(port: Observation) -> float:
    level = port.method.get("class")
    return CLASS_W.get(level, CLASS_W[0]) if isinstance(level, int) else CLASS_W[0]
