"""H.225.0: call signalling (Q.931 in TPKT packets) and RAS, as far as it takes to know them.

TPKT: RFC 1006 section 6. Q.931 section 4 for the header and the walk over information elements;
H.225.0 section 7 for what stands in User-user, section 7.6 for RAS. ASN.1 aligned PER (X.691) is
read only where octets are aligned: the protocol identifier, and H.245 that is tunnelled.
"""

from dataclasses import dataclass

from nethealth.wire.errors import WireError
from nethealth.wire.octets import need

CALL_PORT = 1720
RAS_PORT = 1719
RAS_DISCOVERY_PORT = 1718

# {itu-t(0) recommendation(0) h(8) 2250 version(0) n}: length 6, then the arcs; n varies.
PROTOCOL_IDENTIFIER = bytes.fromhex("060008914a00")
_TPKT_VERSION = 3
_Q931 = 0x08
_USER_USER = 0x7E
_X208_X209 = 0x05  # protocol discriminator of User-user (Q.931 section 4.5.30)
_TUNNELLING_ON = b"\x01\x80"  # h245Tunneling: an open type of one octet, BOOLEAN true
_PDUS_MAX = 64

# Q.931 table 4-2 and H.225.0 table 4.
MESSAGE_TYPES: dict[int, str] = {
    0x01: "ALERTING", 0x02: "CALL PROCEEDING", 0x03: "PROGRESS", 0x05: "SETUP", 0x07: "CONNECT",
    0x0D: "SETUP ACKNOWLEDGE", 0x0F: "CONNECT ACKNOWLEDGE", 0x20: "USER INFORMATION",
    0x4D: "RELEASE", 0x5A: "RELEASE COMPLETE", 0x62: "FACILITY", 0x6E: "NOTIFY",
    0x75: "STATUS ENQUIRY", 0x7B: "INFORMATION", 0x7D: "STATUS",
}  # fmt: skip

# H.225.0 RasMessage: 25 alternatives of the root, in the order of their indices, then additions.
RAS_MESSAGES = (
    "GRQ", "GCF", "GRJ", "RRQ", "RCF", "RRJ", "URQ", "UCF", "URJ", "ARQ", "ACF", "ARJ", "BRQ",
    "BCF", "BRJ", "DRQ", "DCF", "DRJ", "LRQ", "LCF", "LRJ", "IRQ", "IRR", "NSM", "XRS",
)  # fmt: skip
RAS_ADDITIONS = ("RIP", "RAI", "RAC", "IACK", "INAK", "SCI", "SCR", "ACS")
_RAS_WITH_IDENTIFIER = frozenset({"GRQ", "GCF", "RRQ", "RCF"})
_RAS_EXTENSION = 0x80


@dataclass(frozen=True, slots=True)
class CallSignalling:
    """One Q.931 message of H.225.0. `user_user` is the ASN.1 in its User-user, without the tag."""

    message: str
    call_reference: int
    from_origin: bool
    user_user: bytes


def tpkt_length(octets: bytes) -> int:
    """How long the TPKT packet is that begins here, its four octets of header included."""
    need(octets, 4, "TPKT header")
    length = int.from_bytes(octets[2:4], "big")
    if octets[0] != _TPKT_VERSION or octets[1] != 0 or length < 4:
        raise WireError(f"TPKT header {octets[:4].hex()}; it begins with 0300")
    return length


def parse_call(octets: bytes) -> CallSignalling:
    """A Q.931 message that carries H.225.0 (behind the TPKT header)."""
    need(octets, 5, "Q.931 message")
    if octets[0] != _Q931 or octets[1] != 2:
        raise WireError(f"Q.931 begins {octets[:2].hex()}; in H.225.0 it is 0802")
    reference = int.from_bytes(octets[2:4], "big")
    name = MESSAGE_TYPES.get(octets[4])
    if name is None:
        raise WireError(f"Q.931 message type {octets[4]:#04x}")
    user_user = _user_user(octets[5:])
    return CallSignalling(name, reference & 0x7FFF, not reference & 0x8000, user_user)


def tunnelled_h245(user_user: bytes) -> tuple[bytes, ...]:
    """The H.245 messages within a call signalling message (H.225.0 section 8.2.1).

    h245Control is the addition right behind h245Tunneling: a length, a count, and each message
    with its own length. All of these must add up.
    """
    at = user_user.find(_TUNNELLING_ON)
    while at >= 0:
        found = _octet_strings(user_user, at + len(_TUNNELLING_ON))
        if found:
            return found
        at = user_user.find(_TUNNELLING_ON, at + 1)
    return ()


def parse_ras(octets: bytes) -> str:
    """Which RAS message a datagram to or from port 1719 or 1718 holds; its short name."""
    need(octets, 4, "RAS message")
    if octets[0] & _RAS_EXTENSION:
        # A normally small number (X.691 section 11.6): a bit that is 0, then six bits.
        addition = octets[0] & 0x7F
        if addition >= len(RAS_ADDITIONS):
            raise WireError(f"RAS message added as {addition}; {len(RAS_ADDITIONS)} are known")
        return RAS_ADDITIONS[addition]
    index = octets[0] >> 2
    if index >= len(RAS_MESSAGES):
        raise WireError(f"RAS message {index}; there are {len(RAS_MESSAGES)}")
    name = RAS_MESSAGES[index]
    if name in _RAS_WITH_IDENTIFIER and PROTOCOL_IDENTIFIER not in octets[:64]:
        raise WireError(f"{name} without the protocol identifier of H.225.0")
    return name


def _user_user(octets: bytes) -> bytes:
    """Walk the information elements (Q.931 section 4.5.1) to User-user; WireError without it."""
    at = 0
    while at < len(octets):
        if octets[at] & 0x80:  # a single octet element
            at += 1
            continue
        if octets[at] == _USER_USER:  # in H.225.0 its length has two octets (section 7.2.2.31)
            need(octets[at:], 4, "User-user")
            length = int.from_bytes(octets[at + 1 : at + 3], "big")
            if length < 1 or octets[at + 3] != _X208_X209:
                raise WireError("User-user holds no ASN.1")
            return octets[at + 4 : at + 3 + length]
        if at + 2 > len(octets):
            break
        at += 2 + octets[at + 1]
    raise WireError("Q.931 message without User-user")


def _octet_strings(octets: bytes, at: int) -> tuple[bytes, ...]:
    """A SEQUENCE OF OCTET STRING in an open type at `at`; empty where the lengths disagree."""
    length, at = _length(octets, at)
    end = at + length
    if length < 3 or end > len(octets):
        return ()
    count, at = _length(octets, at)
    if not 0 < count <= _PDUS_MAX:
        return ()
    found = []
    for _ in range(count):
        size, at = _length(octets, at)
        if size < 1 or at + size > end:
            return ()
        found.append(octets[at : at + size])
        at += size
    return tuple(found) if at == end else ()


def _length(octets: bytes, at: int) -> tuple[int, int]:
    """A length determinant of aligned PER (X.691 section 11.9), and what is behind it."""
    if at >= len(octets):
        return 0, at
    first = octets[at]
    if first < 0x80:
        return first, at + 1
    if first < 0xC0 and at + 1 < len(octets):
        return (first & 0x3F) << 8 | octets[at + 1], at + 2
    return 0, at + 1
