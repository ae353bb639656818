"""Hellos of router redundancy: VRRP (RFC 3768, 5798), HSRP (RFC 2281, and version 2), GLBP.

Version 2 of HSRP and GLBP are Cisco's own, known by their readers (Wireshark, scapy): only group,
state and priority are taken from them.
"""

from dataclasses import dataclass
from typing import Literal

from nethealth.wire.errors import WireError
from nethealth.wire.octets import ip_address, ipv4_address, need

Protocol = Literal["vrrp", "hsrp", "glbp"]
VRRP_IP_PROTOCOL = 112
HSRP_PORT = 1985
HSRP_IPV6_PORT = 2029
GLBP_PORT = 3222

_HSRP_STATES = {0: "initial", 1: "learn", 2: "listen", 4: "speak", 8: "standby", 16: "active"}
_HSRP_2_STATES = {1: "initial", 2: "learn", 3: "listen", 4: "speak", 5: "standby", 6: "active"}
_GLBP_STATES = {
    0: "unknown", 1: "disabled", 2: "initial", 4: "listen", 8: "speak", 16: "standby",
    32: "active",
}  # fmt: skip
_HSRP_OPCODES = {0: "hello", 1: "coup", 2: "resign"}


@dataclass(frozen=True, slots=True)
class RedundancyHello:
    """What a router says of its part in a group.

    A VRRP router only speaks as master, so its state is `master`, or `resigned` with priority 0
    (RFC 3768 section 5.3.4). `opcode` is `hello`, `coup`, `resign`, or `advertisement`.
    """

    protocol: Protocol
    version: int
    group: int
    opcode: str
    state: str
    priority: int
    address: str | None


def parse_vrrp(octets: bytes) -> RedundancyHello:
    """The payload of IP protocol 112. Its version 3 may carry IPv6 addresses; the first is kept."""
    need(octets, 8, "VRRP advertisement")
    version, kind = octets[0] >> 4, octets[0] & 0x0F
    if version not in (2, 3) or kind != 1:
        raise WireError(f"VRRP version {version} type {kind}")
    count, priority = octets[3], octets[2]
    size = 16 if version == 3 and count and len(octets) - 8 >= 16 * count else 4
    return RedundancyHello(
        "vrrp", version, octets[1], "advertisement", "resigned" if priority == 0 else "master",
        priority, ip_address(octets[8 : 8 + size]) if count else None,
    )  # fmt: skip


def parse_hsrp(octets: bytes) -> RedundancyHello:
    """The payload of a datagram to UDP port 1985 or 2029."""
    need(octets, 4, "HSRP packet")
    if octets[0] == 0:
        return _hsrp_1(octets)
    return _hsrp_2(octets)


def parse_glbp(octets: bytes) -> RedundancyHello:
    """The payload of a datagram to UDP port 3222; only one with a hello TLV says anything."""
    need(octets, 12, "GLBP packet")
    group = int.from_bytes(octets[2:4], "big")
    at = 12
    while at + 2 <= len(octets):
        kind, length = octets[at], octets[at + 1]
        if length < 2 or at + length > len(octets):
            raise WireError(f"GLBP TLV {kind} of {length} octets")
        if kind == 1 and length >= 6:
            state = _named(_GLBP_STATES, octets[at + 3])
            return RedundancyHello("glbp", octets[0], group, "hello", state, octets[at + 5], None)
        at += length
    raise WireError("GLBP packet without a hello")


def _hsrp_1(octets: bytes) -> RedundancyHello:
    if len(octets) >= 2 and octets[1] == 3:  # an advertisement of interfaces, not of a group
        raise WireError("HSRP advertisement names no group")
    need(octets, 20, "HSRP version 1 packet")
    return RedundancyHello(
        "hsrp", 1, octets[6], _named(_HSRP_OPCODES, octets[1]), _named(_HSRP_STATES, octets[2]),
        octets[5], ipv4_address(octets[16:20]),
    )  # fmt: skip


def _hsrp_2(octets: bytes) -> RedundancyHello:
    if octets[0] != 1 or octets[1] < 40:
        raise WireError(f"HSRP TLV {octets[0]} of {octets[1]} octets; a group state has 40")
    need(octets, 42, "HSRP version 2 packet")
    value = octets[2:42]
    size = 4 if value[3] == 4 else 16
    return RedundancyHello(
        protocol="hsrp",
        version=2,
        group=int.from_bytes(value[4:6], "big"),
        opcode=_named(_HSRP_OPCODES, value[1]),
        state=_named(_HSRP_2_STATES, value[2]),
        priority=min(int.from_bytes(value[12:16], "big"), 255),
        address=ip_address(value[24 : 24 + size]),
    )


def _named(names: dict[int, str], number: int) -> str:
    return names.get(number, f"unknown_{number}")
