"""Signalling of the telephone network over IP: SCTP, M3UA, M2UA, and MTP3 with its users.

SCTP: RFC 9260 section 3. M3UA: RFC 4666 sections 1.4 and 3 (an early draft put the whole MTP3
message into parameter 2; old captures and gear have it). M2UA: RFC 3331 section 3.3. MTP3: Q.704
section 14.2 (service information octet) and 15; MTP2: Q.703 section 2.3.
"""

from dataclasses import dataclass

from nethealth.wire.errors import WireError
from nethealth.wire.octets import need

SCTP_IP_PROTOCOL = 132
# Payload protocol identifiers (IANA).
PPID_M2UA, PPID_M3UA, PPID_M2PA, PPID_H248 = 2, 3, 5, 7
# Service indicators: who an MTP3 message is for (Q.704 section 14.2.1, Q.1902.1 for BICC).
SERVICES: dict[int, str] = {3: "sccp", 4: "tup", 5: "isup", 9: "b-isup", 13: "bicc"}

_CHUNKS_MAX = 64
_SCTP_HEADER, _DATA_HEADER = 12, 16
_DATA, _FIRST = 0, 0x02
_TRANSFER, _MAUP = 1, 6  # message classes of M3UA and M2UA
_PROTOCOL_DATA, _PROTOCOL_DATA_DRAFT, _M2UA_DATA = 0x0210, 0x0002, 0x0300
_MTP2_HEADER = 3


@dataclass(frozen=True, slots=True)
class SctpData:
    """One DATA chunk that begins a message; `payload` as far as it was captured."""

    payload_protocol: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Mtp3Message:
    """Whom a message is for, as `isup`, `bicc` ... (or `service_n`), and its user part.

    `origin` and `destination` are point codes. The user part of ISUP and BICC begins with the
    circuit (or call instance) and message type.
    """

    service: str
    origin: int
    destination: int
    user_part: bytes


def data_chunks(octets: bytes) -> tuple[SctpData, ...]:
    """The DATA chunks of an SCTP packet (from its common header on) that begin a message."""
    need(octets, _SCTP_HEADER, "SCTP packet")
    found = []
    at = _SCTP_HEADER
    for _ in range(_CHUNKS_MAX):
        if at + 4 > len(octets):
            break
        kind, flags = octets[at], octets[at + 1]
        length = int.from_bytes(octets[at + 2 : at + 4], "big")
        if length < 4:
            raise WireError(f"SCTP chunk of {length} octets")
        if kind == _DATA and flags & _FIRST and length >= _DATA_HEADER:
            body = octets[at : at + length]
            need(body, _DATA_HEADER, "SCTP DATA chunk")
            found.append(SctpData(int.from_bytes(body[12:16], "big"), body[_DATA_HEADER:]))
        at += length + (-length & 3)
    return tuple(found)


def mtp3_of(data: SctpData) -> Mtp3Message | None:
    """The MTP3 message within a DATA chunk of M3UA or M2UA; None where there is none."""
    if data.payload_protocol == PPID_M3UA:
        return parse_m3ua(data.payload)
    if data.payload_protocol == PPID_M2UA:
        return parse_m2ua(data.payload)
    return None


def parse_m3ua(octets: bytes) -> Mtp3Message | None:
    """An M3UA message; None where it transfers nothing."""
    message_class, message_type, parameters = _adaptation(octets)
    if (message_class, message_type) != (_TRANSFER, 1):
        return None
    if (value := parameters.get(_PROTOCOL_DATA)) is not None:
        need(value, 12, "M3UA protocol data")
        origin, destination = (int.from_bytes(value[at : at + 4], "big") for at in (0, 4))
        return Mtp3Message(_service(value[8]), origin, destination, value[12:])
    if (value := parameters.get(_PROTOCOL_DATA_DRAFT)) is not None:
        return parse_mtp3(value)
    raise WireError("M3UA DATA without protocol data")


def parse_m2ua(octets: bytes) -> Mtp3Message | None:
    """An M2UA message; None where it transfers nothing."""
    message_class, message_type, parameters = _adaptation(octets)
    if (message_class, message_type) != (_MAUP, 1):
        return None
    value = parameters.get(_M2UA_DATA)
    if value is None:
        raise WireError("M2UA data without protocol data")
    return parse_mtp3(value)


def parse_mtp3(octets: bytes) -> Mtp3Message:
    """A message from its service information octet on, with the routing label of ITU-T."""
    need(octets, 5, "MTP3 message")
    label = int.from_bytes(octets[1:5], "little")  # DPC 14 bits, OPC 14, SLS 4 (Q.704 figure 3)
    service = _service(octets[0] & 0x0F)
    return Mtp3Message(service, label >> 14 & 0x3FFF, label & 0x3FFF, octets[5:])


def parse_mtp2(octets: bytes) -> Mtp3Message | None:
    """A signal unit (Q.703 section 2.3); None for fill-in and link status units."""
    need(octets, _MTP2_HEADER, "MTP2 signal unit")
    length = octets[2] & 0x3F
    if length <= 2:
        return None
    return parse_mtp3(octets[_MTP2_HEADER:])


def _adaptation(octets: bytes) -> tuple[int, int, dict[int, bytes]]:
    """Class, type and parameters of a user adaptation layer (RFC 4666 section 3.1)."""
    need(octets, 8, "SIGTRAN message")
    if octets[0] != 1 or octets[1] != 0:
        raise WireError(f"SIGTRAN message begins {octets[:2].hex()}; it is 0100")
    parameters: dict[int, bytes] = {}
    at = 8
    for _ in range(_CHUNKS_MAX):
        if at + 4 > len(octets):
            break
        tag = int.from_bytes(octets[at : at + 2], "big")
        length = int.from_bytes(octets[at + 2 : at + 4], "big")
        if length < 4:
            raise WireError(f"SIGTRAN parameter of {length} octets")
        parameters.setdefault(tag, octets[at + 4 : at + length])
        at += length + (-length & 3)
    return octets[2], octets[3], parameters


def _service(indicator: int) -> str:
    return SERVICES.get(indicator, f"service_{indicator}")
