"""Which devices were seen, by whom, and what they say of themselves.

Devices introduce themselves to their switch by LLDP or CDP, and a switch or a capture tells. ARP
tables add their addresses, and forwarding tables show that a MAC address is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from nethealth.model.observation import Observation, Scalar
from reports.buildings import asset_of
from reports.escape import clip
from reports.view import View

_TEXT_MAX = 80
_MAC_PAIRS = 6
_ANSWERS = {"sip_server": "SIP", "system_description": "SNMP"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One device that introduced itself; what it did not say is empty.

    `told_by`: the device or capture that heard it, and at which of its ports.
    """

    name: str = ""
    mac: str = ""
    address: str = ""
    maker: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    telephone: bool = False
    site: str | None = None
    told_by: tuple[str, ...] = ()
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class Sightings:
    """All of one record: `devices` that introduced themselves, and who is where.

    `addresses`: IP address to MAC address, by ARP; `learned`: MAC addresses in forwarding tables;
    each with the observation that says so.
    """

    devices: tuple[Seen, ...]
    addresses: dict[str, tuple[str, Observation]] = field(default_factory=dict)
    learned: dict[str, Observation] = field(default_factory=dict)


def sightings(view: View) -> Sightings:
    """Devices by MAC address, those without one by name; in the order in which they were told."""
    addresses: dict[str, tuple[str, Observation]] = {}
    learned: dict[str, Observation] = {}
    told: dict[str, Seen] = {}
    for one in view.record.observations:
        match one.name:
            case "arp_entry":
                ip, mac = _text(one.method.get("ip")), mac_of(one.value)
                if ip and mac:
                    addresses[ip] = mac, one
            case "forwarding_port_address_count":
                for each in _list(one.method.get("addresses")):
                    if mac := mac_of(each):
                        learned[mac] = one
            case "neighbour_name" | "neighbour_device":
                seen = _introduced(view, one)
                key = seen.mac or f"name {seen.name.casefold()}"
                if seen.mac or seen.name:
                    told[key] = _joined(told[key], seen) if key in told else seen
    by_mac = {mac: ip for ip, (mac, _) in addresses.items()}
    devices = tuple(
        seen if seen.address else replace(seen, address=by_mac.get(seen.mac, ""))
        for seen in told.values()
    )
    return Sightings(devices, addresses, learned)


def own_answers(view: View) -> dict[str, Seen]:
    """What each asset of the register says that it is, where it was asked by SIP or SNMP."""
    found: dict[str, Seen] = {}
    for one in view.record.observations:
        by = _ANSWERS.get(one.name)
        check = view.checks.get(one.check)
        if by is None or check is None or check.asset is None or not _text(one.value):
            continue
        seen = Seen(
            model=_text(one.value), site=check.site, told_by=(f"itself, by {by}",),
            observations=(one,),
        )  # fmt: skip
        known = found.get(check.asset)
        # Of many rounds the last; what it runs says more than what it is built of.
        if known is None or known.observations[0].name == one.name or by == "SIP":
            found[check.asset] = seen
    return found


def mac_of(value: object) -> str:
    """The MAC address as six pairs with colons in lower case; empty for anything else."""
    text = value.strip().lower().replace("-", ":") if isinstance(value, str) else ""
    pairs = text.split(":")
    if len(pairs) != _MAC_PAIRS or not all(len(pair) == 2 for pair in pairs):
        return ""
    try:
        bytes.fromhex("".join(pairs))
    except ValueError:
        return ""
    return text


def _introduced(view: View, one: Observation) -> Seen:
    """What one neighbour says of itself: in a switch's table, or heard in a capture."""
    method = one.method
    check = view.checks.get(one.check)
    where = asset_of(view, one) if one.name == "neighbour_name" else "the capture"
    port = _text(method.get("interface"))
    capabilities = _list(method.get("capabilities"))
    mac = mac_of(method.get("mac")) or mac_of(method.get("chassis")) or mac_of(method.get("port"))
    name = _text(one.value)
    return Seen(
        name="" if mac_of(name) else name,
        mac=mac,
        address=_text(method.get("address")) if one.name == "neighbour_device" else "",
        maker=_text(method.get("manufacturer")),
        model=_text(method.get("model")) or _text(method.get("description")),
        firmware=_text(method.get("firmware")) or _text(method.get("software")),
        serial=_text(method.get("serial")),
        telephone="telephone" in capabilities or method.get("telephone") is True,
        site=check.site if check else None,
        told_by=(f"{where}, {port}" if port else where,),
        observations=(one,),
    )


def _joined(before: Seen, after: Seen) -> Seen:
    """Two introductions of one device: what the later one leaves out stays as it was."""
    return Seen(
        name=after.name or before.name,
        mac=after.mac or before.mac,
        address=after.address or before.address,
        maker=after.maker or before.maker,
        model=after.model or before.model,
        firmware=after.firmware or before.firmware,
        serial=after.serial or before.serial,
        telephone=after.telephone or before.telephone,
        site=after.site or before.site,
        told_by=tuple(dict.fromkeys((*before.told_by, *after.told_by))),
        observations=(*before.observations, *after.observations),
    )


def _text(value: object) -> str:
    return clip(value.strip(), _TEXT_MAX) if isinstance(value, str) else ""


def _list(value: object) -> Iterator[Scalar]:
    if isinstance(value, list | tuple):
        yield from value
