"""Loads of a plan: how much a site's line allows, who is watched meanwhile, and what is refused."""

from collections.abc import Iterator

from nethealth.inventory.faults import shown
from nethealth.inventory.kinds import probe_kinds, tables_of
from nethealth.inventory.loads import Line, LoadLimits, load_troubles
from nethealth.model.inventory import Asset, CoexistenceOptions, Inventory, Site
from nethealth.plan.subject import Subject

NEAR, GATEWAY = "near", "gateway"  # names of guards that are no assets
_ASSET_GUARDS_MAX = 3
_FIRST = ("pbx", "sbc", "gateway")  # whom a load must spare before all


def load_limits(site: Site, inventory: Inventory) -> LoadLimits:
    """What the site's line allows, and that of the vantage's own site if it is another."""
    near = _vantage_site(inventory)
    return LoadLimits(
        shown(site.id),
        Line(site.wan_down_mbps, site.wan_up_mbps),
        Line() if near is None or near is site else Line(near.wan_down_mbps, near.wan_up_mbps),
    )


def load_guards(asset: Asset, site: Site, inventory: Inventory) -> tuple[tuple[str, str], ...]:
    """Whom to ping during a load: the vantage's gateway, the site's, and its telephone systems.

    After these come others of the site's assets that its plan pings; of all assets three at most.
    """
    guards: list[tuple[str, str]] = []
    near = _vantage_site(inventory)
    if near is not None and near is not site and near.gateway:
        guards.append((NEAR, near.gateway))
    if site.gateway:
        guards.append((GATEWAY, site.gateway))
    pinged = [
        other
        for other in inventory.asset
        if other.site == site.id
        and other.address not in (None, asset.address, site.gateway)
        and "ping" in probe_kinds(other.kind, other.checks, tables_of(other))
    ]
    pinged.sort(key=lambda other: other.kind not in _FIRST)
    return (*guards, *((one.id, one.address or "") for one in pinged[:_ASSET_GUARDS_MAX]))


def unloadable(subject: Subject) -> Iterator[str]:
    """Why this subject can be given no load: no site, no declared rate, or too much asked."""
    if subject.load_limits is None:
        yield (
            f"{subject.name}: coexistence needs an asset of the inventory, whose site declares "
            "wan_down_mbps and wan_up_mbps: a load is at most half of these"
        )
        return
    options = subject.coexistence or CoexistenceOptions()
    asked: dict[str, float | None] = {
        "download": options.download_mbps,
        "upload": options.upload_mbps,
    }
    for key, found, words in load_troubles(subject.load_limits, options.direction, asked):
        place = f"{subject.name}: coexistence" + (f" {key}" if key else "")
        yield f"{place}: found {found}; allowed: {words}"


def _vantage_site(inventory: Inventory) -> Site | None:
    return next((site for site in inventory.site if site.id == inventory.vantage.site), None)
