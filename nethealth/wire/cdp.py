"""Cisco Discovery Protocol, as published by its readers: the TLVs that say who a neighbour is.

Cisco documents the protocol's use, not its octets; the numbers are those that tcpdump
(print-cdp.c) and Wireshark agree on.
"""

from dataclasses import dataclass
from typing import Literal

from nethealth.wire.errors import WireError
from nethealth.wire.octets import ipv4_address, need, printable

SNAP_PROTOCOL = 0x2000  # behind the OUI 00-00-0C
_TLVS_MAX = 256
_DEVICE, _ADDRESSES, _PORT, _CAPABILITIES, _VERSION, _PLATFORM = 1, 2, 3, 4, 5, 6
_NATIVE_VLAN, _DUPLEX, _VOICE_VLAN, _VOICE_VLAN_QUERY = 0x0A, 0x0B, 0x0E, 0x0F
_PHONE = 0x80
_NO_VOICE_VLAN = 4095  # "untagged", as phones are told where no voice VLAN is set
_IPV4 = bytes((1, 1, 0xCC))  # NLPID, one octet, IP


@dataclass(frozen=True, slots=True)
class CdpFrame:
    """One announcement. `voice_vlan` is what the port offers a telephone; None where none is said.

    `voice_vlan_asked` is what a telephone asks for. `duplex` is how the sender's port runs.
    """

    device: str | None
    port: str | None
    platform: str | None
    software: str | None
    address: str | None
    telephone: bool
    native_vlan: int | None
    duplex: Literal["full", "half"] | None
    voice_vlan: int | None
    voice_vlan_asked: int | None


def parse(octets: bytes) -> CdpFrame:
    """A CDP packet from its version octet on; versions 1 and 2."""
    need(octets, 4, "CDP packet")
    if octets[0] not in (1, 2):
        raise WireError(f"CDP version {octets[0]}")
    values = _tlvs(octets)
    duplex = values.get(_DUPLEX, b"")[:1]
    return CdpFrame(
        device=_text(values.get(_DEVICE)),
        port=_text(values.get(_PORT)),
        platform=_text(values.get(_PLATFORM)),
        software=_text(values.get(_VERSION)),
        address=_first_address(values.get(_ADDRESSES, b"")),
        telephone=bool(int.from_bytes(values.get(_CAPABILITIES, b"")[:4], "big") & _PHONE),
        native_vlan=_vlan(values.get(_NATIVE_VLAN, b"")),
        duplex=None if not duplex else "full" if duplex == b"\1" else "half",
        voice_vlan=_vlan(values.get(_VOICE_VLAN, b"")[1:]),
        voice_vlan_asked=_vlan(values.get(_VOICE_VLAN_QUERY, b"")[1:]),
    )


def _tlvs(octets: bytes) -> dict[int, bytes]:
    """The first of each TLV. One cut short ends the list: padding and old devices break rules."""
    found: dict[int, bytes] = {}
    at = 4
    for _ in range(_TLVS_MAX):
        if at + 4 > len(octets):
            break
        kind = int.from_bytes(octets[at : at + 2], "big")
        length = int.from_bytes(octets[at + 2 : at + 4], "big")
        if length < 4 or at + length > len(octets):
            break
        found.setdefault(kind, octets[at + 4 : at + length])
        at += length
    if not found:
        raise WireError("CDP packet without a whole TLV")
    return found


def _first_address(value: bytes) -> str | None:
    """The first address of the list, where it is IPv4: count, type, length, protocol, length."""
    if value[4:7] == _IPV4 and value[7:9] == b"\0\4" and len(value) >= 13:
        return ipv4_address(value[9:13])
    return None


def _vlan(value: bytes) -> int | None:
    number = int.from_bytes(value[:2], "big") if len(value) >= 2 else 0
    return number if 0 < number < _NO_VOICE_VLAN else None


def _text(value: bytes | None) -> str | None:
    return None if value is None else printable(value)
