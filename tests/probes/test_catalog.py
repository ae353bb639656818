"""The catalogue names every kind that can be planned, and loads no more than is asked for."""

import json
import subprocess
import sys

from probes import CATALOG

LIBRARIES = ("dns", "h11", "cryptography", "ping3", "scapy", "pyshark", "jinja2", "numpy")


def loaded_after(statement: str) -> set[str]:
    """The libraries of LIBRARIES that a fresh interpreter holds after `statement`."""
    program = f"{statement}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout)) & set(LIBRARIES)


def test_each_probe_is_of_the_kind_it_is_found_by() -> None:
    assert {kind: CATALOG[kind].kind for kind in CATALOG} == {kind: kind for kind in CATALOG}
    assert set(CATALOG) == {
        "ping",
        "tcp",
        "dns",
        "http",
        "sip",
        "call",
        "route",
        "path-mtu",
        "stamp",
        "capture",
        "coexistence",
        "snmp",
        "sip-alg",
        "nat",
    }
    assert len(CATALOG) == 14


def test_the_catalogue_itself_loads_no_library() -> None:
    assert loaded_after("from probes import CATALOG") == set()


def test_the_network_itself_loads_no_library() -> None:
    assert (
        loaded_after(
            "from probes.net import SystemClock, SystemNetwork; SystemNetwork(SystemClock())"
        )
        == set()
    )


def test_a_ping_pays_for_no_other_probe() -> None:
    assert loaded_after("from probes import CATALOG; CATALOG['ping']") <= {"ping3"}


def test_dns_and_http_take_only_their_own() -> None:
    assert loaded_after("from probes import CATALOG; CATALOG['dns']") == {"dns"}
    assert loaded_after("from probes import CATALOG; CATALOG['http']") == {"h11", "cryptography"}
