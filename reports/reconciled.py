"""The register beside what was seen: who is in both, in one alone, and where the two differ.

A device is matched with an asset by the first of: the asset's MAC address, its IP address, its id
or name or the name that it gave of itself by SNMP, without the domain and whatever the capitals.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from nethealth.model.check import CheckResult
from nethealth.model.failure import Failure, Outcome
from nethealth.model.inventory import Asset
from nethealth.model.measured import was_measured
from nethealth.model.observation import Observation
from reports.figures import is_number, number_of
from reports.sightings import Seen, Sightings, mac_of, own_answers, sightings
from reports.view import View

_REFUSALS = (Failure.REFUSED, Failure.RESET, Failure.TLS, Failure.PROTOCOL, Failure.AUTH)
GATEWAY = "gateway"  # a site's own router may stand in the register by its address alone


@dataclass(frozen=True, slots=True)
class Both:
    """An asset and the device that it is, `by` which rule.

    An asset that was told of by its switch and answered itself is there twice, its answer last.
    """

    asset: Asset
    seen: Seen
    by: str


@dataclass(frozen=True, slots=True)
class Missing:
    """An asset that was not seen, and what was tried."""

    asset: Asset
    why: str
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconciled:
    """`strangers`: seen and in no line of the register; `present`: how many assets were there."""

    both: tuple[Both, ...]
    strangers: tuple[Seen, ...]
    missing: tuple[Missing, ...]
    present: int
    found: Sightings


def reconcile(view: View) -> Reconciled:
    """Look each device up in the register, and each asset among what was seen."""
    found = sightings(view)
    register = _Register(view)
    both, strangers = [], []
    for seen in found.devices:
        known = register.find(seen)
        if known is None:
            strangers.append(seen)
        elif known[0] is not None:
            both.append(Both(known[0], seen, known[1]))
    told = {one.asset.id for one in both}
    answers = own_answers(view)
    both += [
        Both(asset, answers[asset.id], "its own answer")
        for asset in view.record.inventory.asset
        if asset.id in answers
    ]
    missing = []
    for asset in view.record.inventory.asset:
        if asset.id in told or _told_of(asset, found):
            continue
        lacking = _missing(view, asset)
        if lacking is not None:
            missing.append(lacking)
    present = len(view.record.inventory.asset) - len(missing)
    return Reconciled(tuple(both), tuple(strangers), tuple(missing), present, found)


def plain_name(name: str) -> str:
    """A name without its domain, whatever its capitals; words with a space in them have none."""
    plain = name.strip().casefold()
    return plain if " " in plain else plain.partition(".")[0]


class _Register:
    """The assets by everything that they are known by."""

    def __init__(self, view: View) -> None:
        assets = view.record.inventory.asset
        self._by_id = {asset.id: asset for asset in assets}
        self._macs = {mac_of(asset.mac): asset for asset in assets if mac_of(asset.mac)}
        self._addresses = {asset.address: asset for asset in assets if asset.address}
        self._gateways = {site.gateway for site in view.record.inventory.site if site.gateway}
        self._names: dict[str, Asset] = {}
        for asset in reversed(assets):  # the first of two that are called the same
            for name in (asset.name, asset.id):
                if name:
                    self._names[plain_name(name)] = asset
        for key, name in _own_names(view).items():
            if key in self._by_id:
                self._names.setdefault(plain_name(name), self._by_id[key])

    def find(self, seen: Seen) -> tuple[Asset | None, str] | None:
        """The asset and by what it was known; no asset but a match: the router of a site."""
        if seen.mac in self._macs:
            return self._macs[seen.mac], "MAC address"
        if seen.address in self._addresses:
            return self._addresses[seen.address], "IP address"
        if seen.name and plain_name(seen.name) in self._names:
            return self._names[plain_name(seen.name)], "name"
        return (None, GATEWAY) if seen.address in self._gateways else None


def _own_names(view: View) -> Mapping[str, str]:
    """What each asset calls itself by SNMP."""
    return {
        check.asset: one.value
        for one in view.record.observations
        if one.name == "system_name"
        and isinstance(one.value, str)
        and one.value
        and (check := view.checks.get(one.check)) is not None
        and check.asset is not None
    }


def _told_of(asset: Asset, found: Sightings) -> bool:
    """Whether a switch or a router has the asset in its tables."""
    return mac_of(asset.mac) in found.learned or asset.address in found.addresses


def _missing(view: View, asset: Asset) -> Missing | None:
    """None if the asset answered anything at all."""
    checks = view.asset_checks(asset.id)
    measured = [check for check in checks if was_measured(check)]
    if not measured:
        why = "no check of it could be made" if checks else "no check of it was planned"
        return Missing(asset, why)
    if any(map(_answered, measured)):
        return None
    losses = {
        one.check: one
        for check in measured
        if check.probe == "ping"
        for one in view.seen(check.id).get("packet_loss_ratio", ())
    }
    if any(is_number(one.value) and number_of(one) < 1 for one in losses.values()):
        return None
    return Missing(asset, "it answered nothing in this run", tuple(losses.values())[-1:])


def _answered(check: CheckResult) -> bool:
    """Whether the check shows that something is there: an answer, or a refusal."""
    if check.outcome is Outcome.FAILED:
        return check.failure in _REFUSALS
    return check.probe != "ping"  # which completes though nothing came back
