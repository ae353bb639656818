"""IGMP: who asks for members of a group, and who is one. RFC 1112, 2236 and 3376."""

from dataclasses import dataclass
from typing import Literal

from nethealth.wire.errors import WireError
from nethealth.wire.octets import ipv4_address, need

IP_PROTOCOL = 2
Kind = Literal["query", "report", "leave"]
_QUERY, _REPORT_1, _REPORT_2, _LEAVE, _REPORT_3 = 0x11, 0x12, 0x16, 0x17, 0x22
_GROUPS_MAX = 256
# A record of version 3 that asks for a group from no source at all takes the group off
# (RFC 3376 section 4.2.12): modes 1 and 3 with an empty list.
_INCLUDE_MODES = (1, 3)


@dataclass(frozen=True, slots=True)
class IgmpMessage:
    """One message and the groups it speaks of; a general query names none.

    In a report of version 3 the groups left and those joined come apart.
    """

    kind: Kind
    version: int
    groups: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def parse(octets: bytes) -> IgmpMessage:
    """An IGMP message, the payload of IP protocol 2."""
    need(octets, 8, "IGMP message")
    kind, group = octets[0], octets[4:8]
    groups = (ipv4_address(group),) if any(group) else ()
    if kind == _QUERY:
        version = 3 if len(octets) >= 12 else 2 if octets[1] else 1
        return IgmpMessage("query", version, groups)
    if kind in (_REPORT_1, _REPORT_2):
        return IgmpMessage("report", 1 if kind == _REPORT_1 else 2, groups)
    if kind == _LEAVE:
        return IgmpMessage("leave", 2, (), groups)
    if kind == _REPORT_3:
        return _report_3(octets)
    raise WireError(f"IGMP type {kind:#04x}")


def _report_3(octets: bytes) -> IgmpMessage:
    joined: list[str] = []
    left: list[str] = []
    at = 8
    for _ in range(min(int.from_bytes(octets[6:8], "big"), _GROUPS_MAX)):
        if at + 8 > len(octets):
            raise WireError("a group record goes beyond the report")
        mode, auxiliary = octets[at], octets[at + 1]
        sources = int.from_bytes(octets[at + 2 : at + 4], "big")
        group = ipv4_address(octets[at + 4 : at + 8])
        (left if mode in _INCLUDE_MODES and not sources else joined).append(group)
        at += 8 + 4 * (sources + auxiliary)
    kind: Kind = "report" if joined or not left else "leave"
    return IgmpMessage(kind, 3, tuple(joined), tuple(left))
