"""Proxies counted on a real chain of them."""

import asyncio
from pathlib import Path

from nethealth.model.failure import Failure
from tests.peers.hostile_sip import datagram_server, response
from tests.peers.kamailio import Kamailio
from tests.peers.ports import free_port
from tests.probes.sip_runs import Said, ask


def test_two_proxies_before_the_server(tmp_path: Path) -> None:
    ports = [free_port() for _ in range(3)]
    folders = [tmp_path / name for name in ("edge", "core", "pbx")]
    for folder in folders:
        folder.mkdir()
    edge, core, pbx = (f"127.0.0.1:{port}" for port in ports)
    with (
        Kamailio(folders[0], [f"udp:{edge}"], next_hop=core, name="edge"),
        Kamailio(folders[1], [f"udp:{core}"], next_hop=pbx, name="core"),
        Kamailio(folders[2], [f"udp:{pbx}"], name="pbx"),
    ):
        counted = asyncio.run(ask(ports[0], timeout_s=5.0, hops=True))["sip_hop_count"]
        direct = asyncio.run(ask(ports[2], timeout_s=5.0, hops=True))["sip_hop_count"]
        plain = asyncio.run(ask(ports[0], timeout_s=5.0))
    assert counted.value == 2
    assert counted.method["servers"] == ("edge", "core", "pbx")
    assert counted.method["status_codes"] == (483, 483, 200)
    assert (direct.value, direct.method["servers"]) == (0, ("pbx",))
    assert "sip_hop_count" not in plain.names


def run(statuses: list[str]) -> tuple[Said, int]:
    async def scene() -> tuple[Said, int]:
        def answer(count: int, request: bytes) -> list[bytes]:
            status = statuses[min(count, len(statuses) - 1)]
            return [response(request, status)] if status else []

        async with datagram_server(answer) as (port, requests):
            return await ask(port, hops=True), len(requests)

    return asyncio.run(scene())


def test_a_loop_has_an_end() -> None:
    said, requests = run(["200 OK", "483 Too Many Hops"])
    assert said["sip_hop_count"].value is None
    assert said["sip_hop_count"].failure is Failure.PROTOCOL
    assert requests == 17


def test_a_hop_that_drops_what_may_go_no_further() -> None:
    said, _ = run(["200 OK", "483 Too Many Hops", ""])
    assert said["sip_hop_count"].value is None
    assert said["sip_hop_count"].failure is Failure.TIMEOUT
    assert said["sip_hop_count"].method["status_codes"] == (483,)
