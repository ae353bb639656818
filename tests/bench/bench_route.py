"""A trace of four routers beside traceroute's own of the same path: hops alike, ratio of wall time.

Both send three packets to each hop by UDP. Ours is timed as a check in a running process, since it
is one of many in a sweep; traceroute is a process of its own, whose start is measured and taken
off. Needs root, for the namespaces.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.lab import chain

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


def main() -> int:
    with chain.build() as lab:

        def run(*command: str) -> tuple[float, str]:
            began = time.perf_counter()
            done = subprocess.run(
                (*lab.at("vantage"), *command), check=True, capture_output=True, text=True
            )
            return time.perf_counter() - began, done.stdout

        took, hops = json.loads(run(sys.executable, "-c", _CHILD, chain.TARGET, str(ROUNDS))[1])
        pairs = [
            (run("traceroute", "-n", chain.TARGET), run("traceroute", "--version"))
            for _ in range(ROUNDS)
        ]
    theirs = [line.split()[1] for line in pairs[-1][0][1].splitlines()[1:]]
    ours_s = statistics.median(took)
    theirs_s = statistics.median(trace - start for (trace, _), (start, _) in pairs)
    ratio = ours_s / theirs_s
    good = ratio <= LIMIT and hops == theirs
    print(
        f"route: {len(hops)} hops, {'as' if hops == theirs else 'NOT as'} traceroute's; "
        f"nethealth {ours_s * 1000:.1f} ms, traceroute {theirs_s * 1000:.1f} ms, "
        f"ratio {ratio:.2f} (limit {LIMIT:.2f}) {'ok' if good else 'MISSED'}"
    )
    return not good


if __name__ == "__main__":
    sys.exit(main())
