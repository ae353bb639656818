"""Raises the demonstration's servers and relays on loopback, and takes them down again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random

from nethealth.demo import estate
from nethealth.demo.link import DatagramRelay, SiteLink, StreamRelay
from nethealth.demo.network import DemoNetwork, Host
from nethealth.demo.servers import LOOPBACK, Certificates, DnsServer, SipServer, serve_page
from nethealth.model.endpoint import Endpoint
from nethealth.model.inventory import Inventory
from nethealth.model.ports import Clock, Network

TITLE = (
    "Demonstration: an invented council network on this machine's loopback, "
    "behind a simulated link that delays and drops"
)
_ANY = (LOOPBACK, 0)
Relays = dict[tuple[str, int], Endpoint]


@asynccontextmanager
async def world(
    inventory: Inventory,
    clock: Clock,
    random: Random,
    folder: Path,
    real: Callable[[Path], Network],
) -> AsyncIterator[DemoNetwork]:
    """The network of the estate; `real` makes the true network, given the authority to trust."""
    certificates = Certificates(folder)
    contexts = certificates.context({name: days for name, (_, days) in estate.PORTALS.items()})
    addresses = {asset.id: asset.address for asset in inventory.asset if asset.address}
    names = {name: addresses[asset] for name, (asset, _) in estate.PORTALS.items()}
    hosts: dict[str, Host] = {}
    async with AsyncExitStack() as stack:
        for place in estate.PLACES:
            link = SiteLink(place.path, clock, Random(random.random()))
            hosts[estate.gateway_of(place)] = Host(link, True, {})
            for asset in inventory.asset:
                if asset.site != place.id or asset.address is None:
                    continue
                relays: Relays = {}
                if asset.id in place.sip:
                    behaviour = place.sip[asset.id]
                    server = await _datagrams(stack, partial(SipServer, behaviour))
                    relays["udp", 5060] = await _relay_datagrams(stack, link, server)
                if asset.dns is not None:
                    server = await _datagrams(stack, partial(DnsServer, names))
                    relays["udp", 53] = await _relay_datagrams(stack, link, server)
                if asset.http is not None and asset.http.url is not None:
                    scheme, _, rest = asset.http.url.partition("://")
                    page = await asyncio.start_server(
                        serve_page, *_ANY, ssl=contexts.get(rest.rstrip("/"))
                    )
                    stack.callback(page.close)
                    relay = await asyncio.start_server(
                        StreamRelay(link, page.sockets[0].getsockname()).serve, *_ANY
                    )
                    stack.callback(relay.close)
                    relays["tcp", 443 if scheme == "https" else 80] = Endpoint(
                        *relay.sockets[0].getsockname()
                    )
                hosts[asset.address] = Host(link, asset.id not in estate.DEAD_PHONES, relays)
        network = DemoNetwork(real(certificates.authority), clock, hosts, names)
        stack.push_async_callback(network.close)
        yield network


async def _datagrams(
    stack: AsyncExitStack, factory: Callable[[], asyncio.DatagramProtocol]
) -> tuple[str, int]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(factory, local_addr=_ANY)
    stack.callback(transport.close)
    host, port = transport.get_extra_info("sockname")
    return host, port


async def _relay_datagrams(
    stack: AsyncExitStack, link: SiteLink, server: tuple[str, int]
) -> Endpoint:
    relay = DatagramRelay(link, server)
    place = await _datagrams(stack, lambda: relay)
    stack.callback(relay.close)
    return Endpoint(*place)
