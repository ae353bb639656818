"""ARP for IPv4 over Ethernet: RFC 826, with the announcements and probes of RFC 5227."""

import struct
from dataclasses import dataclass

from nethealth.wire.errors import WireError
from nethealth.wire.octets import ipv4_address, mac_address, need

REQUEST = 1
REPLY = 2
_PACKET = struct.Struct("!HHBBH6s4s6s4s")


@dataclass(frozen=True, slots=True)
class ArpPacket:
    """One ARP packet; `operation` 1 asks, 2 answers, others (RFC 903) are kept as sent."""

    operation: int
    sender_mac: str
    sender_ip: str
    target_mac: str
    target_ip: str

    @property
    def gratuitous(self) -> bool:
        """Whether it tells of its own address unasked: sender and target alike (RFC 5227)."""
        return self.sender_ip == self.target_ip and self.sender_ip != "0.0.0.0"

    @property
    def probe(self) -> bool:
        """Whether it asks for an address before taking it: no sender address (RFC 5227 2.1.1)."""
        return self.operation == REQUEST and self.sender_ip == "0.0.0.0"


def parse(octets: bytes) -> ArpPacket:
    """The payload of EtherType 0x0806; padding behind it is ignored."""
    need(octets, _PACKET.size, "ARP packet")
    hardware, protocol, hardware_size, protocol_size, operation, *addresses = _PACKET.unpack_from(
        octets
    )
    if (hardware, protocol, hardware_size, protocol_size) != (1, 0x0800, 6, 4):
        raise WireError(f"ARP of hardware type {hardware} for protocol {protocol:#06x}")
    sender_mac, sender_ip, target_mac, target_ip = addresses
    return ArpPacket(
        operation,
        mac_address(sender_mac),
        ipv4_address(sender_ip),
        mac_address(target_mac),
        ipv4_address(target_ip),
    )
