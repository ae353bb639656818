"""What the inventory itself shows, with no packet sent."""

from collections.abc import Iterator

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence
from nethealth.diagnosis.text import counted, listing
from nethealth.model.finding import Finding


def unowned_assets(evidence: Evidence) -> Iterator[Finding]:
    """One `unowned-asset` for each site that this run was about, listing its assets.

    A run over a few named targets speaks of these alone.
    """
    checks = evidence.record.checks
    named = {check.asset for check in checks} if evidence.record.run.kind == "check" else None
    sites = {check.site for check in checks if check.site is not None}
    for site in sorted(sites & evidence.sites.keys()):
        unowned = sorted(
            asset.id
            for asset in evidence.record.inventory.asset
            if asset.site == site and not asset.owner and (named is None or asset.id in named)
        )
        if unowned:
            place = evidence.site_place(site)
            yield draft(
                evidence,
                "unowned-asset",
                place,
                f"{counted(len(unowned), 'asset')} of {place.name} "
                f"{'has' if len(unowned) == 1 else 'have'} no owner: {listing(unowned, 20)}.",
                alternatives=("an owner who is known and was not written down",),
            )
