"""Troubles of the lab's networks as nethealth meets them: swept, recorded, and judged together.

`python -m tests.lab.troubles` makes them all and keeps what was seen for tests/scenarios.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from tests.lab import faults, loads, switch
from tests.lab.program import Ran, nethealth
from tests.lab.test_recorded_call import recording
from tests.lab.topology import SITES, Lab, build, hosts, ipv4
from tests.peers import snmpd
from tests.peers.snmp_device import ROOTS, sensor, uptime
from tests.peers.snmpd import Entry

SITE = "hall"
PORTS = tuple(node.removeprefix(f"{SITE}-") for node in hosts(SITE))
STORE = "sqlite:///history.sqlite"
CA_FILE = Path("/etc/ssl/certs/ca-certificates.crt")
RECORDED = Path(__file__).parents[1] / "scenarios" / "recorded"
_COUNCIL = '[[council]]\nid = "lab"\nname = "The council of the lab"\n'
_SWITCH = f"""
[[asset]]
id = "{SITE}-switch"
site = "{SITE}"
kind = "switch"
owner = "3C ICT"
address = "{ipv4(SITE)}"
checks = ["snmp"]
[asset.snmp]
version = 2
community_env = "SNMP_COMMUNITY"
groups = ["interfaces", "spanning-tree", "forwarding", "neighbours", "arp"]
interval_s = 3
timeout_s = 4
"""


def _site(site: str, upstream: str = "") -> str:
    told = f'upstream = "{upstream}"\n' if upstream else ""
    return (
        f'[[site]]\nid = "{site}"\ncouncil = "lab"\nname = "The {site}"\n'
        f'gateway = "{ipv4(site)}"\n{told}'
    )


def _host(node: str) -> str:
    site, _, kind = node.partition("-")
    return (
        f'[[asset]]\nid = "{node}"\nsite = "{site}"\nkind = "{kind}"\nowner = "3C ICT"\n'
        f'address = "{ipv4(node)}"\nchecks = ["ping"]\n'
    )


def _sweep(count: int, interval_ms: int) -> str:
    return (
        f'[vantage]\nid = "lab"\n[sweep]\nping_count = {count}\nping_interval_ms = {interval_ms}\n'
    )


HALL = "\n".join(
    (_sweep(100, 33), _COUNCIL, _site(SITE), _SWITCH,
     *(_host(f"{SITE}-{name}") for name in ("pbx", "phone", "server")))
)  # fmt: skip
UPSTREAMS = {"hall": "Northline", "depot": "Northline", "library": "Southline"}
PROVIDERS = "\n".join(
    (_sweep(200, 10), _COUNCIL,
     *(_site(site, UPSTREAMS[site]) for site in SITES),
     *(_host(f"{site}-{name}") for site in SITES for name in ("pbx", "server")))
)  # fmt: skip

_ROOM = f"""
[[asset]]
id = "hall-room"
site = "{SITE}"
kind = "sensor"
address = "{ipv4("hall-server")}"
owner = "Facilities"
[asset.snmp]
version = 2
community_env = "SNMP_COMMUNITY"
timeout_s = 4
"""
ROOM = "\n".join((_sweep(10, 20), _COUNCIL, _site(SITE), _ROOM, _site("depot")))


class Watched:
    """Part of the lab, swept from the vantage; each record stays in the folder."""

    def __init__(self, lab: Lab, folder: Path, inventory: str) -> None:
        self.lab, self.folder = lab, folder
        (folder / "sites.toml").write_text(inventory)
        self.records: list[str] = []

    def run(self, *arguments: str) -> Ran:
        return nethealth(
            self.lab, self.folder, *arguments, "--format", "json", ca_file=CA_FILE,
            secrets={"SNMP_COMMUNITY": snmpd.COMMUNITY},
        )  # fmt: skip

    def kept(self, *arguments: str) -> Ran:
        """Run a command whose record is judged with the others afterwards."""
        ran = self.run(*arguments)
        name = f"{len(self.records)}.json"
        (self.folder / name).write_text(ran.stdout, encoding="utf-8")
        self.records.append(name)
        return ran

    def sweep(self) -> Ran:
        return self.kept("sweep", "--store", STORE)

    def diagnosed(self) -> Ran:
        """Everything that was seen, judged together."""
        return self.run("diagnose", *(word for name in self.records for word in ("--record", name)))


def _hall(
    lab: Lab,
    folder: Path,
    trouble: AbstractContextManager[object],
    *,
    ports: Sequence[str] = PORTS,
    more: Mapping[str, Entry] | None = None,
    recorder: str = "hall-phone",
    then: Callable[[], None] = lambda: None,
) -> Ran:
    """The hall in trouble: its switch and hosts swept while one of them records its own port."""
    watched = Watched(lab, folder, HALL)
    # What the router is to know of its hosts it learns by speaking to them.
    lab.run(SITE, f"fping -q -r 5 {' '.join(ipv4(node) for node in hosts(SITE))}", check=False)
    with (
        trouble,
        switch.agent(lab, SITE, folder / "agent", ports, more or {}),
        recording(lab, recorder, folder / "rec", whole=False),
    ):
        watched.sweep()
        then()
    watched.kept("capture", "read", "rec", "--bin", "1s")
    return watched.diagnosed()


@contextmanager
def _flooded(lab: Lab, node: str, packet: Callable[[int, int], bytes]) -> Iterator[None]:
    with loads.narrow_ports(lab, SITE, *PORTS), loads.streams(lab, node, packet=packet) as sent:
        yield
        assert sent() > 1000


def paging(lab: Lab, folder: Path) -> Ran:
    """The hall's pbx pages 16 zones by multicast; its ports are narrow, and nobody joined."""
    return _hall(lab, folder, _flooded(lab, "hall-pbx", loads.rtp))


def backup(lab: Lab, folder: Path) -> Ran:
    """As many packets as long, but pieces of files from the hall's server."""
    return _hall(lab, folder, _flooded(lab, "hall-server", loads.piece))


@contextmanager
def _storm(lab: Lab, folder: Path) -> Iterator[None]:
    with loads.looped(lab, SITE, folder / "loop.log"):
        # Each of these questions goes round and round, both ways.
        lab.run("hall-phone", "fping -q -r 0 -i 1 -g 198.18.2.100 198.18.2.139", check=False)
        yield


def loop(lab: Lab, folder: Path) -> Ran:
    """A telephone with both its plugs in the hall's switch: what the hall's telephone asked
    everybody comes back by them."""
    patched = switch.telephone(1, loads.LOOP[0], "02:00:c6:12:02:63", "desk 99")
    known = switch.telephone(2, "phone", switch.mac(lab, "hall-phone"), "desk 20")
    return _hall(
        lab, folder, _storm(lab, folder), ports=(*loads.LOOP, *PORTS), recorder="hall-dns",
        more={**switch.STANDS_STILL, **patched, **known},
    )  # fmt: skip


@contextmanager
def _claimed(lab: Lab) -> Iterator[None]:
    claim = f"address {{}} {ipv4('hall-server')}/32 dev eth0"
    lab.run("hall-phone", f"ip {claim.format('add')}")
    try:
        yield
    finally:
        lab.run("hall-phone", f"ip {claim.format('del')}")
        for node in (SITE, *hosts(SITE)):
            lab.run(node, f"ip neighbour flush to {ipv4('hall-server')}")


def conflict(lab: Lab, folder: Path) -> Ran:
    """The hall's telephone has the address of the hall's server as well."""

    def ask() -> None:
        for _ in range(5):
            lab.run("hall-dns", "ip neighbour flush dev eth0")
            lab.run("hall-dns", f"fping -q -r 5 {ipv4('hall-server')}", check=False)

    return _hall(lab, folder, _claimed(lab), recorder="hall-dns", then=ask)


def heating(lab: Lab, folder: Path) -> tuple[Ran, Ran]:
    """A server room of two sensors that heats up, and then the link to its site drops: by the last
    sweep and what the history holds from before, and by all sweeps together."""
    watched = Watched(lab, folder, ROOM)
    table = folder / "room"

    def heat(first: float, second: float) -> None:
        racks = [sensor(n, f"Rack {n}", round(10 * at)) for n, at in ((1, first), (2, second))]
        snmpd.write_table(table, {**uptime(5000), **racks[0], **racks[1]})

    heat(22, 23)
    (folder / "agent").mkdir()
    tables = dict.fromkeys(ROOTS, table)
    at = lab.at("hall-server")
    with snmpd.serving(folder / "agent", ipv4("hall-server"), 161, tables=tables, prefix=at):
        for first, second in ((22, 23), (33.5, 32), (41, 40.5)):
            heat(first, second)
            watched.sweep()
        with lab.link_down("core", SITE):
            watched.sweep()
    last = watched.run("diagnose", "--store", STORE)
    return last, watched.run("diagnose", "--store", STORE, "--since", "1h")


def provider(lab: Lab, folder: Path) -> tuple[Ran, ...]:
    """Two sites behind one provider lose a tenth, while the telephones are silent and while they
    speak; and both together."""
    watched = Watched(lab, folder, PROVIDERS)
    with faults.loss(lab, "hall", 0.1), faults.loss(lab, "depot", 0.1):
        idle = watched.sweep()
        with loads.streams(lab, "hall-pbx", ipv4("depot-phone")):
            busy = watched.sweep()
    return watched.diagnosed(), idle, busy


ALL: Mapping[str, Callable[[Lab, Path], Ran | tuple[Ran, ...]]] = {
    "paging": paging,
    "backup": backup,
    "loop": loop,
    "conflict": conflict,
    "provider": provider,
    "heating": heating,
}


def _seen(observations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """All but the single streams of media, which would fill most of a record."""
    return [one for one in observations if "ssrc" not in one["method"]]


def main() -> None:
    """Make every trouble once, and keep the record of each, without what was concluded."""
    RECORDED.mkdir(exist_ok=True)
    with build() as lab, tempfile.TemporaryDirectory() as home:
        for name, make in ALL.items():
            folder = Path(home) / name
            folder.mkdir()
            made = make(lab, folder)
            record = (made[0] if isinstance(made, tuple) else made).record
            short = {**record, "findings": [], "observations": _seen(record["observations"])}
            text = json.dumps(short, separators=(",", ":"), ensure_ascii=False)
            (RECORDED / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
