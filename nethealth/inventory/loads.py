"""How much load a site may be given: at most half of what its line is declared to carry.

The vantage's own line is crossed too: where its site declares rates, half of them is a limit as
well. Directions are those of the measured site's users: a download goes to the site.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from nethealth.model.check import LOAD_SHARE_MAX

Load = Literal["download", "upload"]
LOADS: tuple[Load, ...] = ("download", "upload")
_DECLARED = {"download": "wan_down_mbps", "upload": "wan_up_mbps"}
_WORDS = {"download": "a download", "upload": "an upload"}


@dataclass(frozen=True, slots=True)
class Line:
    """The declared rates of one site, Mbit/s; null where none is declared."""

    down_mbps: float | None = None
    up_mbps: float | None = None


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """The measured site `name` with its line, and the line of the vantage's site if another."""

    name: str
    site: Line
    near: Line = Line()

    def declared_mbps(self, load: Load) -> float | None:
        return self.site.down_mbps if load == "download" else self.site.up_mbps

    def most_mbps(self, load: Load) -> float | None:
        """The greatest rate that this load may have; None without a declared rate of the site."""
        declared = self.declared_mbps(load)
        if declared is None:
            return None
        near = self.near.up_mbps if load == "download" else self.near.down_mbps
        return LOAD_SHARE_MAX * min(declared, near or declared)


def loads_of(direction: object) -> tuple[Load, ...]:
    """The loads of one choice of `direction`; both for anything else, which the model reports."""
    return tuple(load for load in LOADS if direction == load) or LOADS


def load_troubles(
    limits: LoadLimits, direction: object, asked_mbps: Mapping[str, float | None]
) -> Iterator[tuple[str | None, str, str]]:
    """Key (None: the table itself), what was found, and what is allowed."""
    for load in loads_of(direction):
        most = limits.most_mbps(load)
        asked = asked_mbps[load]
        if most is None:
            yield (
                None,
                f"{_WORDS[load]} at a site that declares no {_DECLARED[load]}",
                f"{_DECLARED[load]} in [[site]] {limits.name}: a load is at most half of it",
            )
        elif asked is not None and asked > most:
            yield (
                f"{load}_mbps",
                f"{asked:g} Mbit/s",
                f"at most {most:g} Mbit/s, {LOAD_SHARE_MAX:.0%} of the declared rate",
            )
