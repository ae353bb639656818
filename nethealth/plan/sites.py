"""The plan of an inventory: every gateway, then every asset, in the order of the file."""

from collections.abc import Collection, Iterator
from functools import partial

from nethealth.inventory.faults import nearest, shown
from nethealth.inventory.kinds import PLANNED_KINDS, probe_kinds, tables_of
from nethealth.model.check import Check, ProbeKind
from nethealth.model.inventory import Asset, Inventory
from nethealth.plan.errors import TargetError
from nethealth.plan.loads import load_guards, load_limits
from nethealth.plan.subject import Subject, checks_of


def plan_inventory(
    inventory: Inventory, *, sites: Collection[str] | None = None
) -> tuple[Check, ...]:
    """Every check of the inventory, or of some of its sites.

    Ids are stable: `<asset>:<kind>`, with the port or name for tcp and dns, and
    `site.<site>:gateway:ping` for a gateway, which has no asset. Raises TargetError for a site
    that the inventory does not have.
    """
    known = [site.id for site in inventory.site]
    unknown = sorted(set(sites or ()).difference(known))
    if unknown:
        raise TargetError(
            [f"{shown(site)} is no site of the inventory{nearest(site, known)}" for site in unknown]
        )
    return tuple(
        check
        for subject, kinds in subjects(inventory, set(known if sites is None else sites))
        for check in checks_of(subject, kinds, inventory.sweep)
    )


def subjects(
    inventory: Inventory, sites: Collection[str]
) -> Iterator[tuple[Subject, tuple[ProbeKind, ...]]]:
    """What is measured at these sites, each with the kinds of its checks."""
    for site in inventory.site:
        if site.id in sites and site.gateway:
            name = f"site.{site.id}:gateway"
            yield Subject(name, site.gateway, site.council, site.id), ("ping",)
    for asset in inventory.asset:
        if asset.site in sites:
            yield asset_subject(asset, inventory)


def asset_subject(asset: Asset, inventory: Inventory) -> tuple[Subject, tuple[ProbeKind, ...]]:
    """One asset, and the kinds of its checks."""
    site = next((site for site in inventory.site if site.id == asset.site), None)
    subject = Subject(
        name=asset.id,
        address=asset.address,
        council=site.council if site else None,
        site=asset.site,
        asset=asset.id,
        ping=asset.ping,
        tcp=asset.tcp,
        dns=asset.dns,
        http=asset.http,
        sip=asset.sip,
        call=asset.call,
        may_be_called=asset.call is not None,
        stamp=asset.stamp,
        route=asset.route,
        coexistence=asset.coexistence,
        load_limits=load_limits(site, inventory) if site else None,
        load_guards=partial(load_guards, asset, site, inventory) if site else tuple,
        snmp=asset.snmp,
        kind=asset.kind,
        sip_alg=asset.sip_alg,
        nat=asset.nat,
    )
    return subject, probe_kinds(asset.kind, asset.checks, tables_of(asset))


def unplanned(inventory: Inventory) -> tuple[str, ...]:
    """A sentence for each check that the inventory asks for and this version cannot make."""
    return tuple(
        f"{asset.id}: this version cannot make the check {kind}, so it is not planned."
        for asset in inventory.asset
        for kind in (tables_of(asset) if asset.checks is None else dict.fromkeys(asset.checks))
        if kind not in PLANNED_KINDS
    )
