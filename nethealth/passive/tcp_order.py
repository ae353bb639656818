"""One direction of a TCP connection as it was captured, put back in the order of sending.

A mirror port loses segments that the receiver got, so a hole is not waited for without end: after
a second, or when too much has piled up behind it, it is declared missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

PENDING_MAX_OCTETS = 65_536
PENDING_MAX_SEGMENTS = 64
HOLE_MAX_NS = 1_000_000_000
_WINDOW = 1 << 24  # octets: a step beyond it is another connection on the same ports
_SEQUENCES = 1 << 32


@dataclass(frozen=True, slots=True)
class Piece:
    """Octets that follow those before; `data` is None where some are missing."""

    time_ns: int
    data: bytes | None


class TcpOrder:
    """Takes segments as captured; gives pieces in order, each with its own segment's time."""

    def __init__(self) -> None:
        self._next: int | None = None  # the sequence number awaited
        self._pending: dict[int, tuple[int, bytes]] = {}
        self.missing_count = 0

    @property
    def pending_octets(self) -> int:
        return sum(len(data) for _, data in self._pending.values())

    def segment(
        self, sequence: int, data: bytes, time_ns: int, *, syn: bool = False
    ) -> list[Piece]:
        """Take one segment; an overlap counts once, with the octets that came first."""
        pieces: list[Piece] = []
        if syn:
            sequence = (sequence + 1) % _SEQUENCES
            if self._next is not None and self._next != sequence:
                pieces += self.end(time_ns)
            self._next = sequence
        if self._next is None:
            self._next = sequence
        ahead = self._ahead(sequence)
        if abs(ahead) > _WINDOW:
            pieces += [*self.end(time_ns), Piece(time_ns, None)]
            self._next, ahead = sequence, 0
        if not data:
            return pieces
        if ahead > 0:
            held = self._pending.get(sequence)
            if held is None or len(held[1]) < len(data):
                self._pending[sequence] = time_ns, data
        elif len(data) + ahead > 0:
            pieces.append(Piece(time_ns, data[-ahead:] if ahead else data))
            self._next = (sequence + len(data)) % _SEQUENCES
        pieces += self._following()
        while self._pending and self._is_hopeless(time_ns):
            pieces += self._skip(time_ns)
        return pieces

    def overdue(self, now_ns: int) -> list[Piece]:
        """What stands behind a hole that has been open too long by now."""
        pieces: list[Piece] = []
        while self._pending and self._is_hopeless(now_ns):
            pieces += self._skip(now_ns)
        return pieces

    def end(self, time_ns: int) -> list[Piece]:
        """All that is left, holes and all."""
        pieces: list[Piece] = []
        while self._pending:
            pieces += self._skip(time_ns)
        return pieces

    def _ahead(self, sequence: int) -> int:
        half = _SEQUENCES // 2
        return (sequence - (self._next or 0) + half) % _SEQUENCES - half

    def _is_hopeless(self, now_ns: int) -> bool:
        waited_ns = now_ns - min(time_ns for time_ns, _ in self._pending.values())
        return (
            waited_ns > HOLE_MAX_NS
            or len(self._pending) > PENDING_MAX_SEGMENTS
            or self.pending_octets > PENDING_MAX_OCTETS
        )

    def _skip(self, time_ns: int) -> Iterator[Piece]:
        """Past the first hole: the nearest segment behind it, and what follows that."""
        self.missing_count += 1
        self._next = min(self._pending, key=self._ahead)
        yield Piece(time_ns, None)
        yield from self._following()

    def _following(self) -> Iterator[Piece]:
        """Held segments that are no longer ahead."""
        while self._pending:
            sequence = min(self._pending, key=self._ahead)
            ahead = self._ahead(sequence)
            if ahead > 0:
                return
            time_ns, data = self._pending.pop(sequence)
            if len(data) + ahead > 0:
                yield Piece(time_ns, data[-ahead:] if ahead else data)
                self._next = (sequence + len(data)) % _SEQUENCES
