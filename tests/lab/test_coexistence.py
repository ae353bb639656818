"""A load beside voice over the lab's links: queues and classes, each named with its direction."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import faults
from tests.lab.patience import again
from tests.lab.program import Ran, nethealth
from tests.lab.servers import Servers
from tests.lab.topology import Lab, ipv4
from tests.peers import reflector

Check = Callable[..., Ran]
INVENTORY = f"""
[vantage]
site = "hq"

[[council]]
id = "lab"
name = "The council of the lab"

[[site]]
id = "hq"
council = "lab"
name = "Headquarters"
gateway = "{ipv4("core")}"

[[site]]
id = "hall"
council = "lab"
name = "The hall"
gateway = "{ipv4("hall")}"
wan_down_mbps = 8
wan_up_mbps = 8

[[asset]]
id = "hall-pbx"
site = "hall"
kind = "pbx"
owner = "3C ICT"
address = "{ipv4("hall-pbx")}"

[[asset]]
id = "hall-server"
site = "hall"
kind = "reflector"
owner = "3C ICT"
address = "{ipv4("hall-server")}"
checks = ["coexistence"]
[asset.coexistence]
before_s = 2
load_s = 2
after_s = 2
"""
SLOW = {"rate_kbit": 2500, "buffer_ms": 800}  # of a line that is declared for 8 Mbit/s


@pytest.fixture(scope="module")
def load_service(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("load")
    with reflector.serving(
        folder, ipv4("hall-server"), 862, "198.18.0.0/24",
        more=("--load-port", "8621"), prefix=lab.at("hall-server"),
    ) as process:  # fmt: skip
        process.wait_bound("tcp", 8621)
        yield


@pytest.fixture
def check(lab: Lab, lab_servers: Servers, load_service: None, tmp_path: Path) -> Check:
    (tmp_path / "sites.toml").write_text(INVENTORY)

    def run(*options: str) -> Ran:
        words = [word for option in options for word in ("--option", option)]
        return nethealth(
            lab, tmp_path, "check", "hall-server", *words, "--format", "json",
            ca_file=lab_servers.authority.ca_file,
        )  # fmt: skip

    return run


def found(ran: Ran) -> dict[str, tuple[str, str, str | None]]:
    """Site, verdict and direction of each finding, by its code."""
    return {
        one["code"]: (one["site"], one["verdict"], one["direction"])
        for one in ran.record["findings"]
    }


def seen(ran: Ran, name: str, **method: object) -> Any:
    (one,) = [
        one
        for one in ran.record["observations"]
        if one["name"] == name and all(one["method"].get(key) == method[key] for key in method)
    ]
    return one["value"]


def loaded(check: Check, phase: str) -> Ran:
    """A check whose load lasted long enough to fill a queue.

    Where this machine itself stands still for a moment, the guard rightly allows no load, or ends
    it at once: such a run says nothing of the link, and is made again.
    """
    for _ in range(3):
        ran = check(f"direction={phase}")
        begun = not str(seen(ran, "load_ended_by", phase=phase)).startswith("not begun")
        if begun and seen(ran, "load_duration_s", phase=phase) > 0.4:
            break
    return ran


@again
def test_with_all_faults_off_there_is_nothing_and_the_load_comes_last(
    lab: Lab, lab_servers: Servers, load_service: None, tmp_path: Path
) -> None:
    (tmp_path / "sites.toml").write_text(INVENTORY)
    phases = ("download", "upload")
    ran = nethealth(
        lab, tmp_path, "sweep", "--format", "json", ca_file=lab_servers.authority.ca_file
    )
    assert found(ran) == {}
    assert ran.exit_code == 0
    # Where this machine stands still for a moment, the guard ends the load.
    ended = {seen(ran, "load_ended_by", phase=phase) for phase in phases}
    assert ended == {"its time was over"}
    for phase in phases:
        assert 2e6 < seen(ran, "load_rate_bps", phase=phase) <= 4.04e6
    checks = {one["id"]: one for one in ran.record["checks"]}
    load = checks.pop("hall-server:coexistence")
    assert {one["probe"] for one in checks.values()} == {"ping", "sip"}
    assert load["started_s"] >= max(one["finished_s"] for one in checks.values())


@pytest.mark.parametrize("phase", ["download", "upload"])
@again
def test_a_deep_queue_without_classes(check: Check, lab: Lab, phase: str) -> None:
    with faults.slow_link(lab, "hall", **SLOW):
        ran = loaded(check, phase)
    assert found(ran) == {
        "queueing-delay": ("hall", "demonstrated", "not-telephony"),
        "no-wan-qos": ("hall", "supported", "network-to-telephony"),
        "poor-voice-quality": ("hall", "supported", None),
    }
    (queue,) = [one for one in ran.record["findings"] if one["code"] == "queueing-delay"]
    where = "to the site" if phase == "download" else "from the site"
    assert f"({where}) packets waited" in queue["statement"]
    assert "poor-voice-quality:hall" in queue["symptoms"]
    gateway = {test["test"]: test["result"] for test in queue["refutations"]}
    assert gateway["Does the site's gateway answer later too?"].startswith("yes, by ")
    assert gateway["Is it on the measuring machine's own side?"].startswith("no: its own gateway")
    # 4 Mbit/s into 2.5 fill 150 ms of queue within a third of a second: the guard ends it.
    assert "the guard ended it: " in str(seen(ran, "load_ended_by", phase=phase))
    assert seen(ran, "load_duration_s", phase=phase) < 1.8
    filled, other = ("forward", "return") if phase == "download" else ("return", "forward")
    waits = {
        way: seen(ran, "queueing_delay_median_s", phase=phase, dscp=0, direction=way)
        for way in (filled, other)
    }
    assert waits[filled] > 0.03 > 0.01 > waits[other]


@again
def test_a_line_that_favours_voice(check: Check, lab: Lab) -> None:
    with faults.priority_link(lab, "hall", **SLOW):
        ran = loaded(check, "download")
        counters = lab.run("core", "tc -s class show dev hall").stdout
    assert found(ran) == {
        "queueing-delay": ("hall", "demonstrated", "not-telephony"),
        "no-wan-qos": ("hall", "contradicted", None),
    }
    (qos,) = [one for one in ran.record["findings"] if one["code"] == "no-wan-qos"]
    assert qos["severity"] == "info"
    # The kernel's own count: the class of EF carried the marked stream and nothing else.
    marked = counters.partition("class htb 1:10 ")[2].partition("class htb")[0]
    packets = int(marked.partition(" pkt ")[0].split()[-1])
    assert packets >= 300


@again
def test_a_queue_on_our_own_side_is_not_the_sites(check: Check, lab: Lab) -> None:
    # What a busy wireless link at the vantage would do: its own gateway is as late.
    shape = "tbf rate 2500kbit burst 4kb limit 250000"
    lab.run("vantage", f"tc qdisc add dev eth0 root {shape}")
    try:
        ran = loaded(check, "download")
    finally:
        lab.run("vantage", "tc qdisc del dev eth0 root")
    assert set(found(ran)) == {"instrument-limited"}
    (limited,) = [one for one in ran.record["findings"] if one["code"] == "instrument-limited"]
    assert "so that the queue is on this side" in limited["statement"]


def test_loss_on_the_idle_line_is_no_queue_and_gets_no_load(check: Check, lab: Lab) -> None:
    with faults.loss(lab, "hall", 0.2):
        ran = check("direction=download")
        assert not {"queueing-delay", "no-wan-qos"} & set(found(ran))
    assert found(ran)["packet-loss"][0] == "hall"
    assert str(seen(ran, "load_ended_by", phase="download")).startswith(
        "not begun: already on the idle line"
    )
