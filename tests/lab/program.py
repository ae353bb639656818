"""nethealth itself, as its users start it, in the namespace of the vantage."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.lab.servers import PORTAL
from tests.lab.topology import SITES, Lab, hosts, ipv4, ipv6

ROOT = Path(__file__).parents[2]
_OWN_LATENESS = re.compile(r"limits this run: it was late by [^;]*\.$")
_SCHEMA = Draft202012Validator(json.loads((ROOT / "docs/record.schema.json").read_text()))
# A user like any other, who may open no raw socket, but can read this tree wherever it stands.
NO_RAW_SOCKETS = ("setpriv", "--bounding-set=-net_raw")


def own_lateness(finding: Mapping[str, Any]) -> bool:
    """Whether it says no more than that this machine was late: rightly, and tested nowhere here."""
    limited: bool = finding["code"] == "instrument-limited"
    return limited and _OWN_LATENESS.search(finding["statement"]) is not None


@dataclass(frozen=True)
class Ran:
    """One run of the program, come to its end."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def record(self) -> dict[str, Any]:
        """The record on stdout, held to the published schema, but for `own_lateness`."""
        record: dict[str, Any] = json.loads(self.stdout)
        faults = [f"{fault.json_path}: {fault.message}" for fault in _SCHEMA.iter_errors(record)]
        assert not faults, faults[:5]
        record["findings"] = [one for one in record["findings"] if not own_lateness(one)]
        return record

    @property
    def findings(self) -> set[tuple[str, str | None, str | None]]:
        """Code, site and asset of everything found."""
        return {(one["code"], one["site"], one["asset"]) for one in self.record["findings"]}

    @property
    def codes(self) -> set[str]:
        """Codes of everything found."""
        return {code for code, _, _ in self.findings}

    def seen(self, name: str) -> dict[str, Any]:
        """The one observation of this name."""
        (one,) = [one for one in self.record["observations"] if one["name"] == name]
        found: dict[str, Any] = one
        return found


def nethealth(
    lab: Lab,
    folder: Path,
    *arguments: str,
    ca_file: Path,
    prefix: Sequence[str] = (),
    secrets: Mapping[str, str] | None = None,
    node: str = "vantage",
) -> Ran:
    """Run `nethealth ARGUMENTS` with `folder` as home and working folder, trusting `ca_file`.

    It runs at the vantage, or at another `node`. `secrets` stand in its environment, and nowhere
    in what it says.
    """
    done = subprocess.run(
        (*lab.at(node), *prefix, sys.executable, "-P", "-m", "nethealth", *arguments),
        capture_output=True,
        text=True,
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "SSL_CERT_FILE": str(ca_file),
            "LC_ALL": "C.UTF-8",
            **(secrets or {}),
        },
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    for secret in (secrets or {}).values():
        assert secret not in done.stdout + done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def inventory(*, unowned: Sequence[str] = ()) -> str:
    """The lab as an inventory: a site of the vantage's own, and the three, each asset owned.

    The hall's pbx is asked over UDP, the depot's over TCP, the library's over TLS.
    """
    blocks = [_HEAD, _site("hq", ipv4("core"))]
    blocks += [_site(site, ipv4(site)) for site in SITES]
    for site, transport in zip(SITES, ("udp", "tcp", "tls"), strict=True):
        for node in hosts(site):
            blocks.append(_asset(node, site, owned=node not in unowned))
            if node.endswith("-pbx"):
                blocks.append(_SIP.format(transport=transport))
    blocks.append(_asset("depot-server", "depot", owned=True, six=True))
    return "\n".join(blocks)


_HEAD = f"""
[vantage]
id = "lab"
site = "hq"

[sweep]
ping_count = 200
ping_interval_ms = 10

[[council]]
id = "lab"
name = "The council of the lab"

# {PORTAL} is the hall's server by name.
"""
_SIP = """
[asset.sip]
transport = "{transport}"
timeout_s = 4
"""
_KINDS = {
    "pbx": ("pbx", '["ping", "sip"]', ""),
    "phone": ("phone", '["ping"]', ""),
    # SYN is sent again after 1, 3 and 7 s: four copies outlast the loss that tests switch on.
    "server": ("server", '["ping", "tcp", "http"]', "[asset.tcp]\nports = [443]\ntimeout_s = 7.5"),
    "dns": (
        "server",
        '["ping", "dns"]',
        f'[asset.dns]\nnames = ["{PORTAL}"]\nexpect = ["{ipv4("hall-server")}"]',
    ),
}


def _site(site: str, gateway: str) -> str:
    return f"""
[[site]]
id = "{site}"
council = "lab"
name = "The {site}"
gateway = "{gateway}"
"""


def _asset(node: str, site: str, *, owned: bool, six: bool = False) -> str:
    kind, checks, options = _KINDS[node.removeprefix(f"{site}-")]
    return f"""
[[asset]]
id = "{node}{"-six" if six else ""}"
site = "{site}"
kind = "{kind}"
address = "{(ipv6 if six else ipv4)(node)}"
checks = {checks}
{'owner = "3C ICT"' if owned else ""}
{options}
"""
