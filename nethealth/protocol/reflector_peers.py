"""Whom a reflector serves, and how fast each may ask: shared by all that it answers."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address

Allowed = IPv4Network | IPv6Network
_PEERS_MAX = 4096
_WIDEST = {4: 8, 6: 7}  # 10.0.0.0/8 and fc00::/7 are somebody's own; what is wider is the world


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_s: float


def closed_networks(networks: Sequence[Allowed]) -> tuple[Allowed, ...]:
    """The networks, merged; ValueError if there are none, or they are open to the world."""
    if not networks:
        raise ValueError("no network is allowed")
    fours = collapse_addresses(one for one in networks if isinstance(one, IPv4Network))
    sixes = collapse_addresses(one for one in networks if isinstance(one, IPv6Network))
    merged: tuple[Allowed, ...] = (*fours, *sixes)
    for one in merged:
        if one.prefixlen < _WIDEST[one.version]:
            raise ValueError(
                f"{one} would be a reflector open to the world; allow the networks of your own "
                f"vantages, at most a /{_WIDEST[one.version]}"
            )
    return merged


class Peers:
    """The allowed networks; `rate` is how much a second each address may ask for."""

    def __init__(self, allow: Sequence[Allowed], rate: float) -> None:
        self._allow = closed_networks(allow)
        self._rate = rate
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()  # of allowed peers alone

    def allows(self, address: str) -> bool:
        """Whether the address is of an allowed network."""
        if address in self._buckets:
            return True
        peer = ip_address(address.partition("%")[0])
        return any(peer.version == one.version and peer in one for one in self._allow)

    def in_time(self, address: str, now_s: float) -> bool:
        """Whether an allowed peer is within its rate; it may ask for a second's worth at once."""
        bucket = self._buckets.get(address)
        if bucket is None:
            if len(self._buckets) >= _PEERS_MAX:
                self._buckets.popitem(last=False)
            bucket = self._buckets[address] = _Bucket(max(1.0, self._rate), now_s)
        gained = max(0.0, now_s - bucket.filled_s) * self._rate
        bucket.tokens = min(max(1.0, self._rate), bucket.tokens + gained)
        bucket.filled_s = now_s
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
