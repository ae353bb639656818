"""UNIStim, Nortel's stimulus protocol between telephones and call server, UDP port 5000.

Nortel published no specification; the layout is that of Wireshark's dissector (packet-unistim)
and of Asterisk's chan_unistim. A packet: sequence number, kind, payload kind, for some the
terminal's number, then commands that each carry their length.
"""

from dataclasses import dataclass
from typing import Literal

from nethealth.wire.errors import WireError
from nethealth.wire.octets import need

PORT = 5000
Kind = Literal["nak", "ack", "payload"]
_KINDS: tuple[Kind, ...] = ("nak", "ack", "payload")
_FROM_TERMINAL = 2  # 1: from the server, 0: an answer without a terminal
_COMMANDS_MAX = 256


@dataclass(frozen=True, slots=True)
class UnistimPacket:
    """One packet. `terminal`: the number that the server gave the telephone, None from a server.

    `commands`: (manager, octets behind the length) of each; none in an acknowledgement.
    """

    sequence: int
    kind: Kind
    terminal: int | None
    commands: tuple[tuple[int, bytes], ...]


def parse(octets: bytes) -> UnistimPacket:
    """A datagram between ports 5000; the lengths of its commands must add up."""
    need(octets, 6, "UNIStim packet")
    sequence = int.from_bytes(octets[:4], "big")  # all ones: a telephone that has none yet
    if octets[4] >= len(_KINDS) or octets[5] > _FROM_TERMINAL:
        raise WireError(f"UNIStim packet of kind {octets[4]}, payload {octets[5]}")
    kind, at, terminal = _KINDS[octets[4]], 6, None
    if octets[5] == _FROM_TERMINAL:
        need(octets, 10, "UNIStim packet of a terminal")
        terminal, at = int.from_bytes(octets[6:10], "big"), 10
    if kind != "payload":
        if len(octets) != at:
            raise WireError(f"UNIStim {kind} of {len(octets)} octets; it has {at}")
        return UnistimPacket(sequence, kind, terminal, ())
    return UnistimPacket(sequence, kind, terminal, _commands(octets, at))


def _commands(octets: bytes, at: int) -> tuple[tuple[int, bytes], ...]:
    found: list[tuple[int, bytes]] = []
    while at < len(octets) and len(found) < _COMMANDS_MAX:
        length = octets[at + 1] if at + 1 < len(octets) else 0
        if length < 3 or at + length > len(octets):
            raise WireError(f"UNIStim command of {length} octets at octet {at}")
        found.append((octets[at], octets[at + 2 : at + length]))
        at += length
    if not found:
        raise WireError("UNIStim payload without a command")
    return tuple(found)
