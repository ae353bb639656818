"""H.245: media control of H.323, as far as it takes to know its messages.

In aligned PER (X.691) the first octet holds an extension bit, two bits for request, response,
command or indication, and the index of the message. A terminalCapabilitySet names the standard by
its object identifier: that is what makes a channel certain.
"""

from nethealth.wire.errors import WireError
from nethealth.wire.octets import need

# {itu-t(0) recommendation(0) h(8) 245 version(0) n} behind its length; n varies.
PROTOCOL_IDENTIFIER = bytes.fromhex("060008817500")
_KINDS = ("request", "response", "command", "indication")
# Alternatives in the root of each CHOICE (H.245 annex A): what is not extended is below these.
_ROOTS = (11, 19, 7, 14)


def kind(octets: bytes) -> str:
    """`request`, `response`, `command` or `indication`; WireError for what cannot be H.245.

    Fewer than two octets say nothing. This alone is weak evidence: one octet in two passes.
    """
    need(octets, 2, "H.245 message")
    if octets[0] & 0x80:
        raise WireError("an H.245 message of none of the four kinds")
    number = octets[0] >> 5 & 0x3
    if not octets[0] & 0x10:
        # The bits of the index begin in this octet: four of them, or five for a response.
        index = (octets[0] & 0x0F) << 1 | octets[1] >> 7 if number == 1 else octets[0] & 0x0F
        if number == 2:
            index >>= 1
        if index >= _ROOTS[number]:
            raise WireError(f"H.245 {_KINDS[number]} {index}")
    return _KINDS[number]


def is_capability_set(octets: bytes) -> bool:
    """Whether it is a terminalCapabilitySet with the object identifier of H.245."""
    return octets[:2] == b"\x02\x70" and PROTOCOL_IDENTIFIER in octets[3:12]
