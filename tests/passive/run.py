"""One analysis over frames written by hand, as the reader would hand them over."""

from collections.abc import Sequence

from nethealth.model.observation import Passport, Scalar
from nethealth.passive.analysis import Analyser, Fact
from tests.passive.packet_frames import packets

MS = 1_000_000
S = 1_000_000_000


def facts(analyser: Analyser, frames: Sequence[tuple[int, bytes]], pieces: int = 1) -> list[Fact]:
    """What is found in frames with their times, handed over in runs of so many frames."""
    size = -(-len(frames) // pieces)
    for first in range(0, len(frames), size):
        part = frames[first : first + size]
        analyser.feed(packets([frame for _, frame in part], times_ns=[time for time, _ in part]))
    return list(analyser.finish())


def values(found: Sequence[Fact], name: str, key: str | None = None) -> dict[str | None, Scalar]:
    """Values of a name by a key of the passport (None: there is one)."""
    return {
        str(fact.method[key]) if key else None: fact.value for fact in found if fact.name == name
    }


def method(found: Sequence[Fact], name: str) -> Passport:
    (one,) = [fact.method for fact in found if fact.name == name]
    return one


def value(found: Sequence[Fact], name: str) -> Scalar:
    (one,) = [fact.value for fact in found if fact.name == name]
    return one
