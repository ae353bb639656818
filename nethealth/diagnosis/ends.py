"""Where an address that a capture shows stands: its asset and its site, as the inventory tells.

An address that the inventory has is an asset's. Another one is of the site whose known addresses
it shares a network with (/24 of IPv4, /64 of IPv6), if it is one site's alone; else of none.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from nethealth.diagnosis.capture import Capture
from nethealth.diagnosis.evidence import Evidence, Place
from nethealth.model.inventory import Asset

_PREFIX = {4: 24, 6: 64}
_TEXT_MAX = 64


@dataclass(frozen=True, slots=True)
class End:
    """One end of a stream or call; `site` and `asset` are null where the inventory is silent."""

    address: str
    name: str
    site: str | None = None
    asset: Asset | None = None


class Ends:
    """The addresses of an inventory, to be asked for one of a capture."""

    def __init__(self, evidence: Evidence) -> None:
        self._assets: dict[str, list[Asset]] = defaultdict(list)
        self._sites: dict[str, set[str]] = defaultdict(set)  # by network
        self._own: dict[str, set[str]] = defaultdict(set)  # by address
        self._known: dict[str, End | None] = {}
        self._names = {site.id: site.name for site in evidence.record.inventory.site}
        for asset in evidence.record.inventory.asset:
            if (address := _ip(asset.address)) is not None:
                self._assets[str(address)].append(asset)
                self._know(address, asset.site)
        for site in evidence.record.inventory.site:
            if (address := _ip(site.gateway)) is not None:
                self._know(address, site.id)

    def of(self, endpoint: object) -> End | None:
        """The end of `address`, `address:port` or `[address]:port`; None where it is none."""
        if not isinstance(endpoint, str):
            return None
        # Many ports of one host are one address; that of IPv6 stands in brackets before a port.
        host = endpoint.partition(":")[0] if endpoint.count(":") == 1 else endpoint
        if host not in self._known:
            self._known[host] = self._of(host)
        return self._known[host]

    def _of(self, endpoint: object) -> End | None:
        address = host_of(endpoint)
        if address is None:
            return None
        assets = self._assets.get(str(address), [])
        if len(assets) == 1:
            asset = assets[0]
            return End(str(address), asset.name or asset.id, asset.site, asset)
        known = self._own.get(str(address), set())
        if not known and self._sites:
            known = self._sites.get(_network(address), set())
        if len(known) != 1:
            return End(str(address), str(address))
        (site,) = known
        return End(str(address), f"{address} at {self._names.get(site, site)}", site)

    def _know(self, address: IPv4Address | IPv6Address, site: str) -> None:
        self._own[str(address)].add(site)
        self._sites[_network(address)].add(site)


def host_of(endpoint: object) -> IPv4Address | IPv6Address | None:
    """The address of an endpoint as a record writes it."""
    if not isinstance(endpoint, str) or len(endpoint) > _TEXT_MAX:
        return None
    if (address := _ip(endpoint)) is not None:
        return address
    host = endpoint.rpartition(":")[0]
    return _ip(host.removeprefix("[").removesuffix("]"))


def site_place(evidence: Evidence, site: str) -> Place:
    """The place of a site, whether anything of it was measured or not."""
    facts = evidence.site_facts.get(site)
    return Place(site, facts.name if facts else site, facts.council if facts else None, site)


def place_of_capture(evidence: Evidence, capture: Capture) -> Place:
    """The site at which a capture was taken, else a place of its own."""
    where = capture.host.place
    if where.site is not None:
        return site_place(evidence, where.site)
    return replace(where, name=f"the network of {where.name}")


def _ip(text: str | None) -> IPv4Address | IPv6Address | None:
    try:
        return None if text is None else ip_address(text)
    except ValueError:
        return None


def _network(address: IPv4Address | IPv6Address) -> str:
    return str(ip_network((address, _PREFIX[address.version]), strict=False))
