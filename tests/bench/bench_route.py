"""A trace of four routers beside traceroute's and mtr's of the same path: hops, and wall time.

All send three packets to each hop by UDP, mtr at the shortest intervals that it takes. Ours is
timed as a check in a running process, since it is one of many in a sweep; they are processes of
their own, whose start is measured and taken off. Of all rounds the least counts: these are parts
of a millisecond, to which whatever else the machine does only adds. Needs root, for the namespaces.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.bench.priority import go_first
from tests.lab import chain

TRACEROUTE = ("traceroute", "-n")
MTR = ("mtr", "--udp", "--no-dns", "--json", "-c", "3", "-i", "0.01", "-G", "0.01")
LIMIT = 4.0  # Python beside C, on a path without delay; on any other the round trips decide
ROUNDS = 15

_CHILD = """
import asyncio, json, sys, time
from random import Random
from nethealth.model.check import Check, RouteParameters
from nethealth.model.probe import Env
from probes import CATALOG
from probes.net import SystemClock, SystemNetwork

class Free:
    async def wait(self, packets=1):
        pass

async def main(target, rounds):
    clock = SystemClock()
    network = SystemNetwork(clock)
    env = Env(clock, network, Random(1), Free(), clock.monotonic_s())
    check = Check("a:route", "route", None, None, None, target, RouteParameters(target))
    took, hops = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        seen = [one async for one in CATALOG["route"].run(check, env)]
        took.append(time.perf_counter() - began)
        hops = [one.value for one in seen if getattr(one, "name", "") == "hop_address"]
    await network.close()
    print(json.dumps([took, hops]))

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def hops_of_traceroute(output: str) -> list[str]:
    return [line.split()[1] for line in output.splitlines()[1:]]


def hops_of_mtr(output: str) -> list[str]:
    return [hub["host"] for hub in json.loads(output)["report"]["hubs"]]


def main() -> int:
    go_first()
    with chain.build() as lab:

        def run(*command: str) -> tuple[float, str]:
            began = time.perf_counter()
            done = subprocess.run(
                (*lab.at("vantage"), *command), check=True, capture_output=True, text=True
            )
            return time.perf_counter() - began, done.stdout

        def trace(*command: str) -> tuple[float, str]:
            """How long the peer took without its start, and its last output."""
            starts, wholes = [], []
            for _ in range(ROUNDS):
                starts.append(run(command[0], "--version")[0])
                whole_s, output = run(*command, chain.TARGET)
                wholes.append(whole_s)
            return min(wholes) - min(starts), output

        took, hops = json.loads(run(sys.executable, "-c", _CHILD, chain.TARGET, str(ROUNDS))[1])
        traceroute_s, traceroute = trace(*TRACEROUTE)
        mtr_s, mtr = trace(*MTR)
    ours_s = min(took)
    missed = False
    for name, theirs_s, theirs in (
        ("traceroute", traceroute_s, hops_of_traceroute(traceroute)),
        ("mtr", mtr_s, hops_of_mtr(mtr)),
    ):
        ratio = ours_s / theirs_s
        good = ratio <= LIMIT and hops == theirs
        missed |= not good
        print(
            f"route: {len(hops)} hops, {'as' if hops == theirs else 'NOT as'} {name}'s; "
            f"nethealth {ours_s * 1000:.1f} ms, {name} {theirs_s * 1000:.1f} ms, "
            f"ratio {ratio:.2f} (limit {LIMIT:.2f}) {'ok' if good else 'MISSED'}"
        )
    return missed


if __name__ == "__main__":
    sys.exit(main())
