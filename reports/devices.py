"""What a device said by SNMP, in a few lines: the many figures of its ports stand in the record."""

from collections.abc import Iterable, Mapping, Sequence

from nethealth.model.observation import Observation
from reports.escape import clip
from reports.words import count, listed, number, observed, quantity

Seen = Mapping[str, Sequence[Observation]]
Lines = list[tuple[str, str]]
_PORTS_SHOWN = 5
_FAULTS = (
    "interface_in_errors", "interface_out_errors", "interface_in_discards",
    "interface_out_discards", "ethernet_fcs_errors", "ethernet_alignment_errors",
    "ethernet_late_collisions",
)  # fmt: skip


def snmp(seen: Seen) -> Lines:
    """Of a run of rounds, what the last one said."""
    lines: Lines = []
    for name, label in (
        ("system_name", "system"),
        ("system_description", "description"),
        ("snmp_security", "read by"),
        ("uptime_s", "up for"),
        ("snmp_response_delay_median_s", "response, median"),
    ):
        if name in seen:
            lines.append((label, observed(seen[name][-1])))
    lines += _groups(seen)
    lines += _ports(seen)
    lines += _sensors(seen)
    for name, label in (
        ("spanning_tree_root", "root bridge"),
        ("spanning_tree_since_change_s", "spanning tree unchanged for"),
        ("forwarding_entry_count", "addresses learned"),
        ("neighbour_count", "neighbours"),
        ("poe_supply_consumption_w", "power given to devices"),
        ("ups_output_source", "supply"),
        ("ups_runtime_left_s", "battery would last"),
        ("e1_line_status", "line"),
        ("e1_controlled_slip_seconds_count", "seconds with a slip"),
    ):
        if name in seen:
            lines.append((label, observed(seen[name][-1])))
    return lines


def _groups(seen: Seen) -> Lines:
    """What could not be read as it should, by how that ended."""
    last = _last_by(seen.get("snmp_group", ()), "group")
    by_end: dict[str, list[str]] = {}
    for group, one in last.items():
        if one.value != "read":
            by_end.setdefault(quantity(one.value, None), []).append(group)
    return [(clip(end, 80), listed(groups, 10)) for end, groups in by_end.items()]


def _ports(seen: Seen) -> Lines:
    lines: Lines = []
    if total := seen.get("interface_count"):
        up = total[-1].method.get("up")
        lines.append(("interfaces", f"{observed(total[-1])}, {up} of them up"))
    faulty: dict[str, list[str]] = {}
    for name in _FAULTS:
        for port, one in _last_by(seen.get(f"{name}_per_s", ()), "interface").items():
            if isinstance(one.value, int | float) and one.value > 0:
                words = name.split("_", 1)[1].replace("_", " ")
                faulty.setdefault(port, []).append(f"{number(float(one.value))} {words} a second")
    for port, faults in list(faulty.items())[:_PORTS_SHOWN]:
        lines.append((f"at {clip(port, 40)}", ", ".join(faults)))
    if len(faulty) > _PORTS_SHOWN:
        lines.append(("likewise", count(len(faulty) - _PORTS_SHOWN, "more port")))
    return lines


def _sensors(seen: Seen) -> Lines:
    lines: Lines = []
    for name, label in (
        ("temperature_celsius", "temperature"),
        ("relative_humidity_ratio", "humidity"),
    ):
        last = _last_by(seen.get(name, ()), "sensor")
        if last:
            each = [f"{clip(sensor, 40)} {observed(one)}" for sensor, one in last.items()]
            lines.append((label, listed(each, 8)))
    return lines


def _last_by(found: Iterable[Observation], key: str) -> dict[str, Observation]:
    return {str(one.method.get(key)): one for one in found}
