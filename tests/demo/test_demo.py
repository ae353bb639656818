"""The demonstration: a real sweep of real datagrams and streams, and the right answer."""

import asyncio
import json
import re
from pathlib import Path
from random import Random

import pytest

from nethealth.demo import estate, world
from nethealth.demo.link import Path as LinkPath
from nethealth.demo.link import SiteLink
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure
from nethealth.model.ports import EchoEvent, NetworkFailure
from probes.net import SystemClock, SystemNetwork
from tests.cli.command import nethealth


def test_the_demonstration_finds_what_ails_the_estate_and_nothing_else(tmp_path: Path) -> None:
    done = nethealth("demo", "-o", "out", home=tmp_path, check=0)
    report = Path(done.stdout.strip().splitlines()[-1].removeprefix("The report: "))
    html = report.read_text(encoding="utf-8")
    assert "Demonstration" in html
    assert "simulated link" in html
    [place] = (tmp_path / "out").glob("*.json")
    record = json.loads(place.read_text(encoding="utf-8"))
    assert record["run"]["kind"] == "demo"
    found = {
        (finding["code"], finding["asset"] or finding["site"])
        for finding in record["findings"]
        if finding["severity"] != "info"
    }
    # Hand-written from the estate: what was made ill, and what the link does to it.
    assert found == {
        *(("host-down", phone) for phone in estate.DEAD_PHONES),
        ("sip-overload", "ouse-pbx"),
        ("sip-overload", "ouse-trunk"),
        ("packet-loss", "hunt-library"),
        ("poor-voice-quality", "hunt-library"),
        ("certificate-expiry", "hunt-contact"),
    }
    accused = {finding["direction"] for finding in record["findings"]}
    assert "telephony-to-network" not in accused
    unowned = [each for each in record["findings"] if each["code"] == "unowned-asset"]
    assert "hunt-benefits-calculator" in json.dumps(unowned)
    started, finished = record["run"]["started"], record["run"]["finished"]
    assert re.match(r"\d{4}-\d\d-\d\dT", started)
    assert started < finished


def test_three_councils_and_nine_sites() -> None:
    inventory = estate.inventory()
    assert len(inventory.council) == 3
    assert len(inventory.site) == 9
    kinds = {asset.kind for asset in inventory.asset}
    assert {"pbx", "phone", "gateway", "service", "server"} <= kinds


def test_the_link_delays_and_drops_as_it_says() -> None:
    clock = SystemClock()
    link = SiteLink(LinkPath(delay_s=0.010, variation_s=0.002, loss_ratio=0.1), clock, Random(1))
    transits = [link.transit_s() for _ in range(20_000)]
    kept = [transit for transit in transits if transit is not None]
    # 0.1 and its binomial standard deviation 0.0021; an exponential's mean is its parameter.
    assert abs(1 - len(kept) / len(transits) - 0.1) < 0.011
    assert min(kept) >= 0.010
    assert abs(sum(kept) / len(kept) - 0.012) < 0.0002


def test_dead_hosts_are_silent_though_the_kernel_would_answer(tmp_path: Path) -> None:
    asyncio.run(_silence(tmp_path))


async def _silence(folder: Path) -> None:
    clock = SystemClock()
    inventory = estate.inventory()
    by_id = {asset.id: asset for asset in inventory.asset}
    dead = by_id[estate.DEAD_PHONES[0]].address
    alive = by_id["ouse-hall-phone-1"].address
    assert dead
    assert alive
    heard: dict[str, list[EchoEvent]] = {dead: [], alive: []}
    async with world.world(
        inventory, clock, Random(1), folder, lambda place: SystemNetwork(clock, str(place))
    ) as network:
        flows = [
            network.open_echo(address, heard[address].append, dscp=0, payload_bytes=56)
            for address in heard
        ]
        sent_s = [flow.send(1) for flow in flows]
        await asyncio.sleep(0.3)
        assert heard[dead] == []
        [event] = heard[alive]
        assert event.received_s - sent_s[1] >= 2 * 0.006  # the site's path, both ways
        with pytest.raises(NetworkFailure) as refused:
            await network.open_stream(Endpoint(alive, 9))
        assert refused.value.failure is Failure.REFUSED
        with pytest.raises(NetworkFailure):
            await network.resolve("www.example.com")
        with pytest.raises(NetworkFailure, match="no routers on its paths"):
            network.open_probe(Endpoint(alive, 33434), "udp", lambda event: None)
