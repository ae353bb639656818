"""DHCP for IPv4: RFC 2131, options of RFC 2132, 3046 (82) and 4388.

The option area may overflow into `file` and `sname` (option 52, RFC 2132 section 9.3), and one
option may come in several parts that are joined (RFC 3396).
"""

import struct
from dataclasses import dataclass

from nethealth.wire.errors import WireError
from nethealth.wire.octets import ipv4_address, mac_address, need, printable

SERVER_PORT = 67
CLIENT_PORT = 68
MESSAGE_TYPES: dict[int, str] = {
    1: "DISCOVER", 2: "OFFER", 3: "REQUEST", 4: "DECLINE", 5: "ACK", 6: "NAK", 7: "RELEASE",
    8: "INFORM", 9: "FORCERENEW", 10: "LEASEQUERY", 11: "LEASEUNASSIGNED", 12: "LEASEUNKNOWN",
    13: "LEASEACTIVE", 14: "BULKLEASEQUERY", 15: "LEASEQUERYDONE", 16: "ACTIVELEASEQUERY",
    17: "LEASEQUERYSTATUS", 18: "TLS",
}  # fmt: skip

_FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")  # 236 octets
_COOKIE = bytes((99, 130, 83, 99))
_PAD, _END = 0, 255
_OVERLOAD, _MESSAGE_TYPE, _SERVER, _LEASE_TIME, _REQUESTED = 52, 53, 54, 51, 50
_VENDOR_CLASS, _CLIENT_ID, _HOST_NAME, _RELAY = 60, 61, 12, 82


@dataclass(frozen=True, slots=True)
class DhcpMessage:
    """One message. `message_type` is None for plain BOOTP, `UNKNOWN_n` for a number unheard of.

    What was absent is None; an address of 0.0.0.0 in a fixed field counts as absent.
    `relay_circuit` and `relay_remote` are sub-options 1 and 2 of option 82, as text.
    """

    operation: int
    transaction: int
    message_type: str | None
    client_mac: str
    client_ip: str | None
    your_ip: str | None
    relay_ip: str | None
    server: str | None
    requested_ip: str | None
    lease_s: int | None
    vendor_class: str | None
    client_id: str | None
    host_name: str | None
    relay_circuit: str | None
    relay_remote: str | None


def parse(octets: bytes) -> DhcpMessage:
    """The payload of a datagram between ports 67 and 68.

    An option that is cut short ends the list: captures are cut, and some old clients pad wrongly.
    """
    need(octets, _FIXED.size, "DHCP message")
    operation, _, size, _, transaction, _, _, *fields = _FIXED.unpack_from(octets)
    client, yours, _, relay, hardware, server_name, boot_file = fields
    if operation not in (1, 2):
        raise WireError(f"BOOTP operation {operation}; it is 1 or 2")
    options: dict[int, bytes] = {}
    if octets[_FIXED.size : _FIXED.size + 4] == _COOKIE:
        _collect(octets[_FIXED.size + 4 :], options)
        overload = options.get(_OVERLOAD, b"\0")[:1]
        if overload in (b"\1", b"\3"):
            _collect(boot_file, options)
        if overload in (b"\2", b"\3"):
            _collect(server_name, options)
    circuit, remote = _relay_information(options.get(_RELAY, b""))
    return DhcpMessage(
        operation=operation,
        transaction=transaction,
        message_type=_message_type(options.get(_MESSAGE_TYPE)),
        client_mac=mac_address(hardware[: size if 0 < size <= 16 else 6]),
        client_ip=_given(client),
        your_ip=_given(yours),
        relay_ip=_given(relay),
        server=_address(options.get(_SERVER)),
        requested_ip=_address(options.get(_REQUESTED)),
        lease_s=_number(options.get(_LEASE_TIME)),
        vendor_class=_text(options.get(_VENDOR_CLASS)),
        client_id=_hexadecimal(options.get(_CLIENT_ID)),
        host_name=_text(options.get(_HOST_NAME)),
        relay_circuit=circuit,
        relay_remote=remote,
    )


def _collect(area: bytes, options: dict[int, bytes]) -> None:
    at = 0
    while at < len(area) and area[at] != _END:
        if area[at] == _PAD:
            at += 1
            continue
        if at + 2 > len(area) or at + 2 + area[at + 1] > len(area):
            return
        value = area[at + 2 : at + 2 + area[at + 1]]
        options[area[at]] = options.get(area[at], b"") + value
        at += 2 + len(value)


def _message_type(value: bytes | None) -> str | None:
    if not value:
        return None
    return MESSAGE_TYPES.get(value[0], f"UNKNOWN_{value[0]}")


def _relay_information(value: bytes) -> tuple[str | None, str | None]:
    found: dict[int, bytes] = {}
    _collect(value, found)
    return _text(found.get(1)), _text(found.get(2))


def _given(octets: bytes) -> str | None:
    return ipv4_address(octets) if any(octets) else None


def _address(value: bytes | None) -> str | None:
    return ipv4_address(value) if value is not None and len(value) == 4 else None


def _number(value: bytes | None) -> int | None:
    return int.from_bytes(value, "big") if value is not None and len(value) == 4 else None


def _text(value: bytes | None) -> str | None:
    return None if value is None else printable(value)


def _hexadecimal(value: bytes | None) -> str | None:
    return None if value is None else value[:32].hex(":")
