"""Lines that still hang on the network that closes: what the inventory itself says, and the day."""

from collections.abc import Iterator

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.ends import site_place
from nethealth.diagnosis.evidence import Evidence
from nethealth.diagnosis.moments import aware
from nethealth.diagnosis.retirement import (
    RETIREMENT_SOURCE,
    alike,
    remaining_lines,
)
from nethealth.diagnosis.text import counted, listing
from nethealth.model.finding import Finding, Refutation
from nethealth.model.inventory import PSTN_CLOSES

# Runs that are about what they were given, and about no site as a whole.
_OF_NAMED = frozenset({"check", "capture", "import"})
_GROUPS_SHOWN = 12


def isdn_retirements(evidence: Evidence) -> Iterator[Finding]:
    """One `isdn-retirement` for each site with lines that were not migrated, days left and all."""
    inventory, run = evidence.record.inventory, evidence.record.run
    sites = {line.site for line in remaining_lines(inventory)}
    if run.kind in _OF_NAMED:
        sites &= {check.site for check in evidence.record.checks if check.site is not None}
    today = aware(run.started).date()
    days = (PSTN_CLOSES - today).days
    day = f"{PSTN_CLOSES.day} {PSTN_CLOSES:%B %Y}"
    when = (
        f"closes on {day}, {counted(days, 'day')} after this run"
        if days >= 0
        else f"closed on {day}, {counted(-days, 'day')} before this run"
    )
    for site in sorted(sites):
        lines = remaining_lines(inventory, site)
        place = site_place(evidence, site)
        groups = [
            f"{count} {kind} for {use} ({owner or 'no owner'})"
            for kind, use, owner, count in alike(lines)
        ]
        ownerless = sorted(line.id for line in lines if not line.owner)
        yield draft(
            evidence,
            "isdn-retirement",
            place,
            f"{counted(len(lines), 'line')} of {place.name} still "
            f"{'hangs' if len(lines) == 1 else 'hang'} on the public switched telephone network, "
            f"which {when}: {listing(groups, _GROUPS_SHOWN)}.",
            refutations=(
                Refutation("Does the inventory say that any of these was migrated?", "no"),
                Refutation("Whose word is the day?", RETIREMENT_SOURCE),
            ),
            missing=(f"an owner of {listing(ownerless)}",) if ownerless else (),
            alternatives=("a line that was migrated or ceased, and not written down",),
        )
