"""A common cost shared out between councils by a frozen key, to the penny."""

from nethealth.case.money import share_out
from nethealth.model.case import CaseFile, Recharge
from nethealth.model.case_result import Recharged, RechargeShare
from nethealth.model.inventory import Inventory


def recharged(recharge: Recharge, inventory: Inventory) -> Recharged:
    """Share out the central figure; ValueError if the key counts nothing at all."""
    keys = {council.id: 0.0 for council in inventory.council}
    uncounted = []
    if recharge.key == "use":
        keys |= recharge.use
    else:
        for site in inventory.site:
            count = getattr(site, recharge.key)
            if count is None:
                uncounted.append(site.id)
            else:
                keys[site.council] = keys.get(site.council, 0.0) + count
    if not any(keys.values()):
        raise ValueError(f"{recharge.name}: the key {recharge.key!r} counts nothing")
    common = share_out(pence(recharge.total_gbp.central), keys)
    own = dict.fromkeys(keys, 0)
    for cost in recharge.own:
        own[cost.council] = own.get(cost.council, 0) + pence(cost.amount_gbp.central)
    shares = tuple(
        RechargeShare(council, keys.get(council, 0.0), common.get(council, 0), own[council])
        for council in own
    )
    whole = sum(share.common_pence + share.own_pence for share in shares)
    return Recharged(recharge.name, recharge.key, recharge.frozen, whole, shares, tuple(uncounted))


def recharge_all(case: CaseFile, inventory: Inventory) -> tuple[Recharged, ...]:
    return tuple(recharged(one, inventory) for one in case.recharge)


def pence(pounds: float) -> int:
    return round(pounds * 100)
