"""The bridge of a lab's site as a managed switch: what its agent says, and what its ports count."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.lab.port_counters import counting
from tests.lab.topology import Lab, ipv4
from tests.peers import snmpd
from tests.peers.snmp_device import ROOTS, Table, counter, integer, octets, started, string

REFRESHED_S = 0.1
_LEARNED = 3  # dot1dTpFdbStatus
_LLDP = "1.0.8802.1.1.2.1"
_BRIDGE = "1.3.6.1.2.1.17"
_TELEPHONE = octets("2400")  # bridge and telephone, of LldpSystemCapabilitiesMap
STANDS_STILL: Table = {  # a spanning tree that has not changed for a day
    f"{_BRIDGE}.2.3.0": ("timeticks", "8640000"),
    f"{_BRIDGE}.2.4.0": counter(3),
    f"{_BRIDGE}.2.5.0": octets("8000020000000001"),
    f"{_BRIDGE}.2.7.0": integer(0),
}


def mac(lab: Lab, node: str) -> str:
    return lab.run(node, "cat /sys/class/net/eth0/address").stdout.strip()


def telephone(index: int, port: str, mac: str, name: str) -> Table:
    """A telephone that announces itself at a port, by LLDP."""
    columns = {4: integer(4), 5: octets(mac), 6: integer(3), 7: octets(mac), 9: string(name),
               10: string("IP phone"), 12: _TELEPHONE}  # fmt: skip
    return {
        f"{_LLDP}.3.7.1.3.{index}": string(port),
        **{f"{_LLDP}.4.1.1.{column}.0.{index}.1": each for column, each in columns.items()},
    }


def learned(lab: Lab, site: str, ports: Sequence[str]) -> Table:
    """What the bridge has learned, by port, and the addresses that the router knows: the kernel's.

    BRIDGE-MIB (RFC 4188) dot1dTpFdbTable, and ipNetToMediaTable (RFC 2011).
    """
    rows: Table = {}
    for index, _ in enumerate(ports, 1):
        rows[f"{_BRIDGE}.1.4.1.2.{index}"] = integer(index)
    for entry in json.loads(lab.run(site, "bridge -j fdb show br br0").stdout):
        if entry["ifname"] in ports and not entry.get("flags") and not entry.get("state"):
            at = ".".join(str(int(part, 16)) for part in entry["mac"].split(":"))
            rows[f"{_BRIDGE}.4.3.1.2.{at}"] = integer(ports.index(entry["ifname"]) + 1)
            rows[f"{_BRIDGE}.4.3.1.3.{at}"] = integer(_LEARNED)
    for entry in json.loads(lab.run(site, "ip -4 -j neigh show dev br0").stdout):
        if "lladdr" in entry:
            rows[f"1.3.6.1.2.1.4.22.1.2.{len(ports) + 1}.{entry['dst']}"] = octets(entry["lladdr"])
    return rows


@contextmanager
def agent(
    lab: Lab, site: str, folder: Path, ports: Sequence[str], more: Mapping[str, snmpd.Entry]
) -> Iterator[None]:
    """An agent at the site's router: what the kernel counts at these ports and has learned there,
    and `more`."""
    folder.mkdir()
    known: Table = {}
    table, stop = folder / "switch", threading.Event()
    booted = started(time.time() - 86_400)
    with counting(lab, site, ports) as counted:

        def write() -> None:
            snmpd.write_table(table, {**booted, **counted.table(), **known, **more})

        def refresh() -> None:
            nonlocal known
            turn = 0
            while not stop.wait(REFRESHED_S):
                turn += 1
                if turn % 10 == 0:
                    known = learned(lab, site, ports)
                write()

        known = learned(lab, site, ports)
        write()
        thread = threading.Thread(target=refresh)
        thread.start()
        try:
            tables = dict.fromkeys(ROOTS, table)
            with snmpd.serving(folder, ipv4(site), 161, tables=tables, prefix=lab.at(site)):
                yield
        finally:
            stop.set()
            thread.join()
