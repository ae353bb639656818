"""The lab itself: whole, closed to the outside, and gone without a trace."""

import subprocess
import sys
from pathlib import Path

from tests.lab import witness
from tests.lab.servers import PORTAL, Servers
from tests.lab.topology import SITES, Lab, hosts, ipv4, ipv6

_LEAVE_BEHIND = """
import os
from tests.lab import topology
building = topology.build()
lab = building.__enter__()
lab.run("vantage", "sh -c 'sleep 600 >/dev/null 2>&1 &'")
print(os.getpid(), flush=True)
os._exit(1)
"""


def _namespaces() -> str:
    return subprocess.run(
        ("ip", "netns", "list"), capture_output=True, text=True, check=True
    ).stdout


def test_every_host_answers_in_both_families(lab: Lab) -> None:
    for site in SITES:
        for node in (site, *hosts(site)):
            assert witness.fping(lab, ipv4(node), count=2).lost_count == 0, node
            assert witness.fping(lab, ipv6(node), count=2).lost_count == 0, node


def test_nothing_leads_out(lab: Lab) -> None:
    for address in ("192.0.2.1", "1.1.1.1"):
        assert witness.fping(lab, address, count=1).lost_count == 1
    assert "default" not in lab.run("core", "ip route").stdout


def test_the_vantage_resolves_by_the_hall(lab: Lab, lab_servers: Servers) -> None:
    assert witness.resolve(lab, PORTAL) == ipv4("hall-server")


def test_what_a_killed_run_left_is_removed_by_the_next(lab: Lab) -> None:
    root = Path(__file__).parents[2]

    def build_elsewhere(then: str) -> str:
        done = subprocess.run(
            (sys.executable, "-c", then), cwd=root, capture_output=True, text=True, check=False
        )
        return done.stdout.split()[0]

    killed = build_elsewhere(_LEAVE_BEHIND)
    assert f"nh{killed}-vantage" in _namespaces()
    build_elsewhere(_LEAVE_BEHIND.replace("os._exit(1)", "building.__exit__(None, None, None)"))
    assert f"nh{killed}-" not in _namespaces()
    assert not list(Path("/etc/netns").glob(f"nh{killed}-*"))
    assert lab.namespace("vantage") in _namespaces()
