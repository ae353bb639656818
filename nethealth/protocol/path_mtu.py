"""The largest packet that reaches an address whole: a search by size (RFC 8899 section 5).

Sizes are those of whole IP packets, headers included. A size passes when an answer to it comes
back; it is refused when a router, or this machine, says that it is too big; it vanishes when
neither happens, however often it is sent.
"""

from dataclasses import dataclass, field
from typing import Literal

from nethealth.model.check import Family

BASE_BYTES: dict[Family, int] = {4: 1200, 6: 1280}  # RFC 8899 section 5.1.2; RFC 8200 section 5
SMALL_BYTES: dict[Family, int] = {4: 84, 6: 104}  # an ordinary ping, where the base is too big
LARGEST_BYTES = 65_535

Limit = Literal["link", "reported", "vanished", "none"]


@dataclass(frozen=True, slots=True)
class Report:
    """A router's word that a packet was too big; `mtu` is None where it does not say for what."""

    source: str
    icmp_type: int
    icmp_code: int
    mtu: int | None


@dataclass(slots=True)
class MtuSearch:
    """Sizes to try, one after the other, until the largest that passes is known to the octet."""

    version: Family
    reports: list[Report] = field(default_factory=list)
    passing: int | None = None  # the largest size that passed
    failing: int = LARGEST_BYTES + 1  # the smallest that did not
    limit: Limit = "none"  # why `failing` did not pass
    _hints: list[int] = field(default_factory=list, init=False)
    _done: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        # The base first. Then a size that no link takes: this machine refuses it unsent and says
        # what its own link does take.
        self._hints = [BASE_BYTES[self.version], LARGEST_BYTES]

    @property
    def black_hole(self) -> bool | None:
        """Whether larger packets vanish and nobody says so; None if nothing passes at all.

        A limit that this machine's own link sets, or that a router reported, is none.
        """
        return None if self.passing is None else self.limit == "vanished"

    def next_size(self) -> int | None:
        """The size to try next; None when the search is over."""
        low, high = self.passing or 0, self.failing
        self._hints = [size for size in self._hints if low < size < high]
        if self._done or high - low <= 1:
            return None
        return self._hints[0] if self._hints else (low + high) // 2

    def passed(self, size: int) -> None:
        """An answer to a packet of this size came back."""
        self.passing = max(size, self.passing or 0)

    def refused(self, size: int, mtu: int | None, by: Report | None = None) -> None:
        """Somebody said that it is too big: a router (`by`), or this machine for its own link.

        The word is believed only as far as a hint: what it says is tried.
        """
        self._fail(size, "link" if by is None else "reported")
        if by is not None:
            self.reports.append(by)
        if mtu is not None:
            self._hints = [mtu, mtu + 1, *self._hints]

    def vanished(self, size: int) -> None:
        """Nothing came back, of every copy that was sent."""
        self._fail(size, "vanished")
        if self.passing is None:
            small = SMALL_BYTES[self.version]
            if size <= small:
                self._done = True  # it does not answer at all
            else:
                self._hints = [small]

    def _fail(self, size: int, limit: Limit) -> None:
        if size < self.failing:
            self.failing, self.limit = size, limit
