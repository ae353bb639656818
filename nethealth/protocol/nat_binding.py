"""How long a binding lasts, and how it maps and filters, from what was heard (RFC 4787, RFC 5780).

The search keeps silences of many lengths at once, each by bindings of its own: a binding that has
been spoken to is no longer silent, so none can be asked twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from nethealth.model.endpoint import Endpoint

REQUIRED_S = 120.0  # RFC 4787 section 4.3, REQ-5: no mapping may expire sooner
SILENCES = 10  # of the first round
REFINED = 4  # between the longest that was survived and the shortest that was not
_GAP_LEAST_S = 1.0
_GAP_SHARE = 0.1  # of the shortest silence not survived; a gap below that is near enough


def silences(least_s: float, most_s: float) -> tuple[float, ...]:
    """Lengths from least to most, in equal ratios, with the one that the RFC asks for."""
    if least_s >= most_s:
        return (most_s,)
    ratio = (most_s / least_s) ** (1 / (SILENCES - 1))
    found = {round(least_s * ratio**step, 3) for step in range(SILENCES - 1)} | {most_s}
    if least_s < REQUIRED_S < most_s:
        found.add(REQUIRED_S)
    return tuple(sorted(found))


@dataclass(slots=True)
class LifetimeSearch:
    """What became of bindings after silences: for each length, which of them were still there."""

    heard: dict[float, list[bool]] = field(default_factory=dict)

    def record(self, silence_s: float, alive: bool) -> None:
        """One binding that was spoken to after so long, and whether the word came through."""
        self.heard.setdefault(silence_s, []).append(alive)

    @property
    def survived_s(self) -> float | None:
        """The longest silence after which any binding was still there."""
        return max((length for length, alive in self.heard.items() if any(alive)), default=None)

    @property
    def lost_s(self) -> float | None:
        """The shortest beyond that after which none was: a word lost by chance is no end."""
        survived = self.survived_s or 0.0
        dead = [length for length, alive in self.heard.items() if alive and not any(alive)]
        return min((length for length in dead if length > survived), default=None)

    @property
    def agreeing(self) -> tuple[int, int]:
        """Bindings that were lost after `lost_s` or longer, and how many were tried there."""
        lost = self.lost_s
        tried = [
            one for length, alive in self.heard.items() if lost and length >= lost for one in alive
        ]
        return sum(not alive for alive in tried), len(tried)

    def is_over(self, planned: Sequence[float]) -> bool:
        """Whether two neighbouring lengths of those planned have lost all their bindings."""
        dead = [length in self.heard and not any(self.heard[length]) for length in sorted(planned)]
        return any(one and other for one, other in pairwise(dead))

    def between(self) -> tuple[float, ...]:
        """Lengths worth trying next; none where the two bounds are near, or one is missing."""
        low, high = self.survived_s or 0.0, self.lost_s
        if high is None or high - low <= max(_GAP_LEAST_S, _GAP_SHARE * high):
            return ()
        step = (high - low) / (REFINED + 1)
        return tuple(round(low + step * number, 3) for number in range(1, REFINED + 1))


@dataclass(frozen=True, slots=True)
class Mapped:
    """The sources that one port of ours had, as seen at three places of the reflector.

    None where nothing was seen, or the reflector has no such place.
    """

    control: Endpoint | None
    port: Endpoint | None
    address: Endpoint | None


def mapping(mapped: Mapped) -> str | None:
    """How one source is mapped towards several destinations (RFC 4787 section 4.1)."""
    if mapped.control is None:
        return None
    if mapped.address is not None:
        if mapped.address == mapped.control:
            return "endpoint-independent"
        if mapped.port is None:
            return "address-dependent or address and port-dependent"
        same = mapped.port == mapped.control
        return "address-dependent" if same else "address and port-dependent"
    if mapped.port is None:
        return None
    if mapped.port == mapped.control:
        return "not port-dependent"  # endpoint-independent, or address-dependent
    return "address and port-dependent"


def filtering(same: bool, port: bool | None, address: bool | None) -> str | None:
    """From whom words come through to a binding that has sent to one place alone (section 5).

    `port` and `address` are None where the reflector could not speak from there.
    """
    if not same:
        return None
    if address is not None:
        if address:
            return "endpoint-independent"
        if port is None:
            return "address-dependent or address and port-dependent"
        return "address-dependent" if port else "address and port-dependent"
    if port is None:
        return None
    return "not port-dependent" if port else "address and port-dependent"
