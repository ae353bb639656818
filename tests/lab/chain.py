"""A vantage, four routers in a row, and a target behind them, each in a namespace of its own.

    vantage -- r1 -- r2 -- r3 -- r4 -- t

Link n, counted from 1, is 198.19.n.0/24 and 2001:db8:19:n::/64; its near end is 1, its far end 2.
So hop n answers from the far end of link n.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from tests.lab.topology import Lab, remove

NODES = ("vantage", "r1", "r2", "r3", "r4", "t")
LAST_LINK = len(NODES) - 1


def ipv4(link: int, end: int = 2) -> str:
    return f"198.19.{link}.{end}"


def ipv6(link: int, end: int = 2) -> str:
    return f"2001:db8:19:{link}::{end}"


TARGET, TARGET6 = ipv4(LAST_LINK), ipv6(LAST_LINK)
HOPS = tuple(ipv4(link) for link in range(1, LAST_LINK + 1))
HOPS6 = tuple(ipv6(link) for link in range(1, LAST_LINK + 1))


@contextmanager
def build() -> Iterator[Lab]:
    """The chain, up and reachable."""
    lab = Lab("chain")
    try:
        for node in NODES:
            lab.add(node, router=node.startswith("r"))
            lab.run(node, "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0")
        lab.run("vantage", "sysctl -qw 'net.ipv4.ping_group_range=0 2147483647'")
        for near, far in pairwise(NODES):
            lab.join(near, "right", far, "left")
        for index, node in enumerate(NODES):
            lab.configure(node, *_commands(index))
        lab.run("vantage", f"fping -q -r 50 -t 100 -B 1 {TARGET} {TARGET6}")
        yield lab
    finally:
        remove(lab.prefix)


def _commands(index: int) -> Iterator[str]:
    """Interfaces and routes of the node that stands between link `index` and the next."""
    if index > 0:
        yield "link set left up"
        yield f"addr replace {ipv4(index)}/24 dev left"
        yield f"addr replace {ipv6(index)}/64 dev left"
    if index < LAST_LINK:
        yield "link set right up"
        yield f"addr replace {ipv4(index + 1, 1)}/24 dev right"
        yield f"addr replace {ipv6(index + 1, 1)}/64 dev right"
        yield f"route replace default via {ipv4(index + 1)}"
        yield f"route replace ::/0 via {ipv6(index + 1)}"
    for link in range(1, index):
        yield f"route replace 198.19.{link}.0/24 via {ipv4(index, 1)}"
        yield f"route replace 2001:db8:19:{link}::/64 via {ipv6(index, 1)}"
