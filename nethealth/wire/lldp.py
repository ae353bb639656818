"""LLDP (IEEE 802.1AB) with the telephone's part of it, LLDP-MED (ANSI/TIA-1057).

Of the many TLVs those are read that say who a device is, which VLAN a telephone is told to use,
and how the port is set.
"""

from dataclasses import dataclass, field

from nethealth.wire.errors import WireError
from nethealth.wire.octets import ip_address, mac_address, need, printable

ETHERTYPE = 0x88CC
VOICE, VOICE_SIGNALLING = 1, 2  # application types of the network policy TLV
_TLVS_MAX = 256
_END, _CHASSIS, _PORT, _TTL, _PORT_DESCRIPTION, _SYSTEM_NAME, _SYSTEM_DESCRIPTION = range(7)
_CAPABILITIES, _ORGANISATION = 7, 127
_TELEPHONE = 1 << 5
_MED, _DOT1, _DOT3 = b"\x00\x12\xbb", b"\x00\x80\xc2", b"\x00\x12\x0f"
_CHASSIS_MAC, _PORT_MAC, _CHASSIS_NETWORK, _PORT_NETWORK = 4, 3, 5, 4
# LLDP-MED inventory subtypes (TIA-1057 section 10.2.6).
_INVENTORY = {
    5: "hardware", 6: "firmware", 7: "software", 8: "serial", 9: "manufacturer", 10: "model",
    11: "asset",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """What an application is told to use (TIA-1057 section 10.2.3).

    `application` 1 is voice, 2 voice signalling. `known` is False where the sender knows no
    policy and asks for one; then the numbers mean nothing.
    """

    application: int
    known: bool
    tagged: bool
    vlan: int
    priority: int
    dscp: int


@dataclass(frozen=True, slots=True)
class LldpFrame:
    """One LLDPDU. `inventory`: hardware, firmware, software, serial, manufacturer, model, asset.

    `med_class` 1 to 3 are endpoints, 3 a telephone; 4 a switch. `mau_type` is the number of RFC
    4836 (15 and 16: 100BASE-TX half and full duplex). `telephone`: the capability is enabled.
    """

    chassis: str
    port: str
    ttl_s: int
    system_name: str | None = None
    system_description: str | None = None
    port_description: str | None = None
    telephone: bool = False
    port_vlan: int | None = None
    auto_negotiation: bool | None = None
    mau_type: int | None = None
    med_class: int | None = None
    policies: tuple[NetworkPolicy, ...] = ()
    inventory: dict[str, str] = field(default_factory=dict)


def parse(octets: bytes) -> LldpFrame:
    """The payload of EtherType 0x88CC. Its first three TLVs must be the mandatory ones."""
    tlvs = _tlvs(octets)
    if [kind for kind, _ in tlvs[:3]] != [_CHASSIS, _PORT, _TTL]:
        raise WireError("an LLDPDU begins with chassis, port and time to live")
    (_, chassis), (_, port), (_, ttl) = tlvs[:3]
    need(ttl, 2, "time to live")
    texts: dict[int, str] = {}
    telephone = False
    organisations: list[bytes] = []
    for kind, value in tlvs[3:]:
        if kind in (_PORT_DESCRIPTION, _SYSTEM_NAME, _SYSTEM_DESCRIPTION):
            texts.setdefault(kind, printable(value))
        elif kind == _CAPABILITIES and len(value) >= 4:
            telephone = bool(int.from_bytes(value[2:4], "big") & _TELEPHONE)
        elif kind == _ORGANISATION and len(value) >= 4:
            organisations.append(value)
    auto_negotiation, mau_type = _mac_phy(organisations)
    return LldpFrame(
        chassis=_identity(chassis, _CHASSIS_MAC, _CHASSIS_NETWORK),
        port=_identity(port, _PORT_MAC, _PORT_NETWORK),
        ttl_s=int.from_bytes(ttl[:2], "big"),
        system_name=texts.get(_SYSTEM_NAME),
        system_description=texts.get(_SYSTEM_DESCRIPTION),
        port_description=texts.get(_PORT_DESCRIPTION),
        telephone=telephone,
        port_vlan=_port_vlan(organisations),
        auto_negotiation=auto_negotiation,
        mau_type=mau_type,
        med_class=_med_class(organisations),
        policies=tuple(_policies(organisations)),
        inventory=_inventory(organisations),
    )


def _tlvs(octets: bytes) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    at = 0
    while at + 2 <= len(octets) and len(found) < _TLVS_MAX:
        head = int.from_bytes(octets[at : at + 2], "big")
        kind, length = head >> 9, head & 0x1FF
        if kind == _END:
            return found
        if at + 2 + length > len(octets):
            raise WireError(f"TLV {kind} of {length} octets at octet {at} goes beyond the frame")
        found.append((kind, octets[at + 2 : at + 2 + length]))
        at += 2 + length
    return found


def _identity(value: bytes, mac_subtype: int, network_subtype: int) -> str:
    need(value, 2, "identity")
    subtype, rest = value[0], value[1:]
    if subtype == mac_subtype and len(rest) == 6:
        return mac_address(rest)
    if subtype == network_subtype:
        address = ip_address(rest[1:])  # behind the address family
        if address is not None:
            return address
    return printable(rest)


def _of(organisations: list[bytes], oui: bytes, subtype: int, least: int) -> list[bytes]:
    return [
        value[4:]
        for value in organisations
        if value[:3] == oui and value[3] == subtype and len(value) >= 4 + least
    ]


def _port_vlan(organisations: list[bytes]) -> int | None:
    for value in _of(organisations, _DOT1, 1, 2):
        return int.from_bytes(value[:2], "big") or None  # 0: not known or not supported
    return None


def _mac_phy(organisations: list[bytes]) -> tuple[bool | None, int | None]:
    for value in _of(organisations, _DOT3, 1, 5):
        return bool(value[0] & 0x02), int.from_bytes(value[3:5], "big")
    return None, None


def _med_class(organisations: list[bytes]) -> int | None:
    for value in _of(organisations, _MED, 1, 3):
        return value[2]
    return None


def _policies(organisations: list[bytes]) -> list[NetworkPolicy]:
    found = []
    for value in _of(organisations, _MED, 2, 4):
        bits = int.from_bytes(value[1:4], "big")
        found.append(
            NetworkPolicy(
                application=value[0],
                known=not bits >> 23 & 1,
                tagged=bool(bits >> 22 & 1),
                vlan=bits >> 9 & 0xFFF,
                priority=bits >> 6 & 0x7,
                dscp=bits & 0x3F,
            )
        )
    return found


def _inventory(organisations: list[bytes]) -> dict[str, str]:
    return {
        name: printable(value)
        for subtype, name in _INVENTORY.items()
        for value in _of(organisations, _MED, subtype, 1)[:1]
    }
