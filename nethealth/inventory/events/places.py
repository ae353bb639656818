"""Where something happened: the asset and the site that a host's name or address stands for."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address

from nethealth.model.inventory import Inventory

UNKNOWN_MAX = 1000  # names that are told; further ones are counted together


@dataclass(frozen=True, slots=True)
class Place:
    """Null where the inventory does not say."""

    site: str | None = None
    asset: str | None = None


class Places:
    """Looks hosts up by the address, the id or the name of an asset, and counts the unknown."""

    def __init__(self, inventory: Inventory, default_site: str | None = None) -> None:
        self._default = Place(default_site)
        self._sites = {
            _folded(word): site.id for site in inventory.site for word in (site.name, site.id)
        }
        self._assets: dict[str, Place] = {}
        for asset in inventory.asset:
            for word in (asset.id, asset.name, asset.address):
                if word is not None:
                    self._add(_folded(word), Place(asset.site, asset.id))
        self.unknown = Unknown()

    def of_host(self, host: str | None) -> Place:
        """The place of a host; an unknown one is counted, and has the site given for all."""
        found = self.find(host)
        if found is None:
            self.unknown.add(host or "(no host)")
        return found or self._default

    def find(self, host: str | None) -> Place | None:
        """The same without counting; a name is also tried without its domain."""
        if not host:
            return None
        name = _folded(host)
        found = self._assets.get(name)
        if found is None and not _is_address(name):
            found = self._assets.get(name.partition(".")[0])
        return found

    def site(self, words: str | None) -> str | None:
        """The id of a site by its id or its name."""
        return self._sites.get(_folded(words)) if words else None

    def _add(self, word: str, place: Place) -> None:
        before = self._assets.setdefault(word, place)
        if before != place:  # shared by several assets: none of them, but perhaps their site
            same = before.site == place.site
            self._assets[word] = Place(place.site if same else None)


@dataclass(slots=True)
class Unknown:
    """Hosts that no asset stands for, with how often each came."""

    counts: Counter[str] = field(default_factory=Counter)
    others: int = 0

    def add(self, host: str) -> None:
        if host in self.counts or len(self.counts) < UNKNOWN_MAX:
            self.counts[host] += 1
        else:
            self.others += 1

    def most(self) -> Iterable[tuple[str, int]]:
        return self.counts.most_common()


def _folded(text: str) -> str:
    text = text.strip().casefold()
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        return text


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
