"""What still hangs on the public switched telephone network, and how long that is there."""

from collections import Counter
from datetime import date

from nethealth.model.case_result import LineInventory
from nethealth.model.inventory import PSTN_CLOSES, Inventory


def line_inventory(inventory: Inventory, today: date, *, site: str | None = None) -> LineInventory:
    """All lines of the inventory, or those of one site, as they stand on a day."""
    lines = sorted(
        (line for line in inventory.line if site in (None, line.site)),
        key=lambda line: (line.migrated, line.site, line.use, line.id),
    )
    remaining = [line for line in lines if not line.migrated]
    uses = Counter(line.use for line in remaining)
    return LineInventory(
        today=today,
        retirement=PSTN_CLOSES,
        days_left=(PSTN_CLOSES - today).days,
        lines=tuple(lines),
        remaining=len(remaining),
        migrated=len(lines) - len(remaining),
        by_use=tuple(sorted(uses.items(), key=lambda pair: (-pair[1], pair[0]))),
        ownerless=tuple(line.id for line in remaining if line.owner is None),
    )
