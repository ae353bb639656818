"""Messages out of TCP: one direction of a connection, its segments joined as far as they follow.

A packet counts when a message ends in it, as with tshark; so a segment that TCP sends again, whose
message has ended before, does not. What was lost, or lies beyond the capture's cut, ends the
joining: the next segment that begins with a whole header begins anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from nethealth.wire.errors import WireError

BUFFER_MAX = 1 << 14  # octets; the longest message that is put together
JUMP_MAX = 1 << 24  # octets of sequence space; beyond, it is another connection
Length = Callable[[bytes], int]


@dataclass(slots=True)
class Stream:
    """`length_of` tells from `header` octets how long the message is, or raises WireError."""

    length_of: Length
    header: int
    next_sequence: int | None = None
    held: bytearray = field(default_factory=bytearray)
    broken: bool = False  # nothing has been understood since the last gap

    def feed(self, sequence: int, payload: bytes, missing: int = 0) -> list[bytes]:
        """The messages that end in this segment; `missing`: octets that the capture cut off."""
        end = (sequence + len(payload) + missing) & 0xFFFFFFFF
        if self.next_sequence is None:
            return self._begin(payload, missing, end)
        ahead = _difference(sequence, self.next_sequence)
        if abs(ahead) > JUMP_MAX:
            return self._begin(payload, missing, end)
        if ahead < 0 and _difference(end, self.next_sequence) <= 0:
            return []  # sent again, or copied by a mirror port
        if ahead < 0:
            payload, ahead = payload[-ahead:], 0
        if ahead > 0 or self.broken:
            return self._begin(payload, missing, end)
        self.next_sequence = end
        self.held += payload
        return self._messages(missing)

    @property
    def at_boundary(self) -> bool:
        """Whether the last segment ended where a message ends."""
        return not self.held and not self.broken

    def _begin(self, payload: bytes, missing: int, end: int) -> list[bytes]:
        self.held = bytearray(payload)
        self.next_sequence = end
        self.broken = False
        return self._messages(missing)

    def _messages(self, missing: int) -> list[bytes]:
        found: list[bytes] = []
        while len(self.held) >= self.header:
            try:
                length = self.length_of(bytes(self.held[: self.header]))
            except WireError:
                self._lose()
                return found
            if length > len(self.held):
                break
            found.append(bytes(self.held[:length]))
            del self.held[:length]
        if missing:
            if len(self.held) >= self.header:
                found.append(bytes(self.held))  # its beginning tells what it is
            self._lose()
        elif len(self.held) > BUFFER_MAX:
            self._lose()
        return found

    def _lose(self) -> None:
        self.held.clear()
        self.broken = True


def _difference(one: int, other: int) -> int:
    """How far `one` is ahead of `other` in sequence space (RFC 9293 section 3.4)."""
    return ((one - other + 0x80000000) & 0xFFFFFFFF) - 0x80000000
