"""SNMPv3 beside snmpbulkwalk, on one agent: values a second; and an engine beside pysnmp's own.

Both walk the agent's table of processes, signed by SHA-256 and encrypted by AES. The peer is a
process of its own, whose start is measured and taken off. Ours asks for at most 48 values at a
time, and is Python. The engine is made for every device; pysnmp by itself compiles its MIBs each
time, which holds up whatever else the loop does.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from pysnmp.entity.engine import SnmpEngine

from nethealth.model.check import SnmpParameters
from nethealth.model.endpoint import Endpoint
from nethealth.protocol.snmp import TableWalk
from probes.net import SystemClock, SystemNetwork
from probes.snmp_engine import SnmpConversation, _new_engine
from tests.bench.priority import go_first
from tests.peers import snmpd
from tests.peers.ports import free_port

PROCESSES = (1, 3, 6, 1, 2, 1, 25, 4, 2, 1)
COLUMNS = {str(column): (*PROCESSES, column) for column in (1, 2, 3, 4, 5, 6, 7)}
ROUNDS = 5
WALK_LIMIT = 12.0  # Python beside C, on a loopback without delay
ENGINE_LIMIT = 0.7


def least(work: Callable[[], object]) -> float:
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


async def walk(port: int) -> tuple[float, int]:
    """How long our walk takes once the conversation is open, and how many values it gives."""
    parameters = SnmpParameters(
        "127.0.0.1", 3, (), port=port, auth="SHA-256",
        user_env="USER", auth_env="AUTH", priv_env="PRIVACY",
    )  # fmt: skip
    clock = SystemClock()
    network = SystemNetwork(clock)
    channel = await network.open_datagram(Endpoint("127.0.0.1", port))
    conversation = await SnmpConversation.open(channel, clock, parameters, snmpd.SECRETS)
    took, values = [], 0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        table = TableWalk(COLUMNS, 16, 4096)
        while (request := table.request()) is not None:
            table.receive(await conversation.ask(request, 5.0))
        took.append(time.perf_counter() - began)
        values = sum(len(row) for row in table.cells.values())
    conversation.close()
    await network.close()
    return min(took), values


def main() -> int:
    go_first()
    ours_s, pysnmps_s = least(_new_engine), least(SnmpEngine)
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        with snmpd.serving(Path(name), "127.0.0.1", port):
            command = (
                "snmpbulkwalk", "-v3", "-l", "authPriv", "-u", snmpd.USER, "-a", "SHA-256",
                "-A", snmpd.AUTH, "-x", "AES", "-X", snmpd.PRIVACY, "-On", "-Cr16",
                f"127.0.0.1:{port}", ".1.3.6.1.2.1.25.4.2.1",
            )  # fmt: skip
            lines = 0

            def peer() -> None:
                nonlocal lines
                done = subprocess.run(command, check=True, capture_output=True, env={"MIBS": "",
                                      "PATH": "/usr/bin"})  # fmt: skip
                lines = done.stdout.count(b" = ")

            start_s = least(
                lambda: subprocess.run(("snmpbulkwalk", "-V"), check=True, capture_output=True)
            )
            whole_s = least(peer)
            walk_s, values = asyncio.run(walk(port))
    each = walk_s / values
    peers_each = max(1e-9, (whole_s - start_s) / max(1, lines))
    ratio, engines = each / peers_each, ours_s / pysnmps_s
    print(
        f"snmp walk: {values / walk_s:,.0f} values/s, snmpbulkwalk {1 / peers_each:,.0f}; time for "
        f"each {ratio:.1f} times (limit {WALK_LIMIT}) {'ok' if ratio <= WALK_LIMIT else 'MISSED'}"
    )
    print(
        f"snmp engine: {ours_s * 1000:.0f} ms, pysnmp's own {pysnmps_s * 1000:.0f} ms; "
        f"{engines:.2f} (limit {ENGINE_LIMIT}) {'ok' if engines <= ENGINE_LIMIT else 'MISSED'}"
    )
    return int(ratio > WALK_LIMIT or engines > ENGINE_LIMIT)


if __name__ == "__main__":
    sys.exit(main())
