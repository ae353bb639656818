"""What still hangs on the network that closes, and whose word the day is."""

from collections import Counter

from nethealth.model.inventory import Inventory, Line

RETIREMENT_SOURCE = (
    "Guidance for local authorities on moving from analogue to digital telephone lines, "
    "gov.uk, 18 November 2024; date as announced by Openreach"
)


def remaining_lines(inventory: Inventory, site: str | None = None) -> tuple[Line, ...]:
    """The lines that were not migrated, of the inventory or of one site."""
    return tuple(line for line in inventory.line if not line.migrated and site in (None, line.site))


def alike(lines: tuple[Line, ...]) -> tuple[tuple[str, str, str | None, int], ...]:
    """Kind, use and owner, and how many lines have them: the most first."""
    counts = Counter((line.kind, line.use, line.owner) for line in lines)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0][1], str(pair[0])))
    return tuple((kind, use, owner, count) for (kind, use, owner), count in ranked)
