"""A load on a path, agreed between two ends of ours: one line asks, one line answers.

    NETHEALTH-LOAD/1 take 4000000 5.000        or: give; or: ask, to be told and no more
    NETHEALTH-LOAD/1 ready                     or: refused, and why

What is taken goes from the asker to the service, what is given from the service to the asker.
Rates are bits a second of what TCP carries. Whoever sends keeps to the rate, and the service keeps
to it in both ways, since it takes no faster either: what is not read stays with the sender.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address

from nethealth.wire.errors import WireError

LINE_OCTETS_MAX = 200
RATE_BPS_MAX = 1_000_000_000
SECONDS_MAX = 20.0
SESSIONS_MAX = 1  # at once, whoever asks: the rate of one is then the rate of all
BURST_S = 0.02  # of the rate that may leave together after a late wake-up
_WORD = "NETHEALTH-LOAD/1"


class Way(StrEnum):
    """What the service is asked to do; ASK: only to say whether it would."""

    ASK = "ask"
    TAKE = "take"
    GIVE = "give"


class Refusal(StrEnum):
    """Why a load was refused."""

    NOT_ALLOWED = "this address is not allowed"
    BUSY = "another load is running"
    MALFORMED = "no request for a load"
    TOO_FAST = "more than the rate that is allowed here"
    TOO_LONG = "longer than is allowed here"


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """`rate_bps` for `seconds`, in the way that is asked for."""

    way: Way
    rate_bps: int
    seconds: float

    def build(self) -> bytes:
        return f"{_WORD} {self.way} {self.rate_bps} {self.seconds:.3f}\n".encode()

    @classmethod
    def parse(cls, line: bytes) -> "LoadRequest":
        """Read a line with its line feed; WireError for anything else."""
        words = _words(line)
        if len(words) != 4:
            raise WireError("a request for a load has four words")
        _, way, rate, seconds = words
        whole, _, part = seconds.partition(".")
        digits = rate.isascii() and rate.isdecimal() and (whole + part).isascii()
        if way not in list(Way) or not (digits and (whole + part).isdecimal() and whole):
            raise WireError("a request for a load is: take or give, bits a second, seconds")
        asked = cls(Way(way), int(rate), float(seconds))
        if not (0 < asked.rate_bps <= RATE_BPS_MAX and asked.seconds > 0):
            raise WireError("a load of no rate or of no length")
        return asked


def answer(refusal: Refusal | None) -> bytes:
    """The service's line."""
    return f"{_WORD} {'ready' if refusal is None else f'refused {refusal}'}\n".encode()


def parse_answer(line: bytes) -> str | None:
    """Why it was refused, None if it was not; WireError for what is no answer to us."""
    words = _words(line)
    if len(words) == 2 and words[1] == "ready":
        return None
    if len(words) > 2 and words[1] == "refused":
        return " ".join(words[2:])
    raise WireError("no answer of a load service")


def _words(line: bytes) -> list[str]:
    if len(line) > LINE_OCTETS_MAX or not line.endswith(b"\n"):
        raise WireError(f"no line of at most {LINE_OCTETS_MAX} octets")
    text = line[:-1].decode("ascii", errors="replace")
    words = text.split(" ")
    if words[0] != _WORD or not text.isprintable() or not text.isascii():
        raise WireError(f"a line of a load begins with {_WORD}")
    return words


class LoadGate:
    """Whom the service serves, how fast, and how many at once."""

    def __init__(
        self, allow: Sequence[IPv4Network | IPv6Network], rate_bps: float, seconds: float
    ) -> None:
        self.refused: Counter[Refusal] = Counter()
        self._allow = tuple(allow)
        self._rate_bps = rate_bps
        self._seconds = seconds
        self._running = 0

    def refuse_peer(self, address: str) -> Refusal | None:
        """Why this address gets nothing, or None."""
        peer = ip_address(address.partition("%")[0])
        if any(peer in network for network in self._allow if network.version == peer.version):
            return None
        return self._counted(Refusal.NOT_ALLOWED)

    def begin(self, line: bytes) -> LoadRequest | Refusal:
        """The load that the line asks for, which then runs until `end`; or why it does not.

        One that only asks is to be ended too.
        """
        try:
            asked = LoadRequest.parse(line)
        except WireError:
            return self._counted(Refusal.MALFORMED)
        if asked.rate_bps > self._rate_bps:
            return self._counted(Refusal.TOO_FAST)
        if asked.seconds > self._seconds:
            return self._counted(Refusal.TOO_LONG)
        if self._running >= SESSIONS_MAX:
            return self._counted(Refusal.BUSY)
        self._running += 1
        return asked

    def end(self) -> None:
        self._running -= 1

    def _counted(self, refusal: Refusal) -> Refusal:
        self.refused[refusal] += 1
        return refusal


class Pace:
    """How many octets may pass now: those of the rate, after a pause only a short burst of them."""

    def __init__(self, rate_bps: float, now_s: float) -> None:
        self._octets_per_s = rate_bps / 8
        self._most = max(1.0, self._octets_per_s * BURST_S)
        self._free = 0.0
        self._at_s = now_s

    def free(self, now_s: float) -> int:
        """Octets that may pass at `now_s`."""
        earned = (now_s - self._at_s) * self._octets_per_s
        self._free = min(self._most, self._free + max(0.0, earned))
        self._at_s = max(self._at_s, now_s)
        return int(self._free)

    def passed(self, octets: int) -> None:
        self._free -= octets
