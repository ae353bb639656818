"""Run our ping probe on many hosts at once, and print what it observed as JSON.

Reads {"hosts": […], "uvloop": bool, "unprivileged": bool, "parameters": {…}} on stdin; with
"unprivileged" it becomes nobody, of group nogroup, before it opens a socket. `pace_s` among the
parameters spaces all packets; the rest goes to PingParameters.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from random import Random
from typing import Any

from nethealth.model.check import Check, PingParameters
from nethealth.model.observation import Observation
from nethealth.model.probe import Completion, Env
from nethealth.quality.sample import Sample
from nethealth.sweep.pacer import SitePacer
from probes import echo
from probes.net import SystemClock, SystemNetwork
from probes.ping import PING

_NOBODY = 65534


async def _measure(hosts: list[str], pace_s: float, parameters: dict[str, Any]) -> dict[str, Any]:
    clock = SystemClock()
    network = SystemNetwork(clock)
    pacer = SitePacer(clock, 1 / pace_s, Sample())
    env = Env(clock, network, Random(1), pacer, clock.monotonic_s())

    async def one(host: str) -> dict[str, Any]:
        check = Check(f"{host}:ping", "ping", None, None, None, host,
                      PingParameters(host, **parameters))  # fmt: skip
        seen: list[Observation] = []
        completion = "completed"
        async for step in PING.run(check, env):
            if isinstance(step, Completion):
                completion = f"{step.outcome} {step.failure}"
            else:
                seen.append(step)
        return {
            "completion": completion,
            "values": {step.name: step.value for step in seen},
            "errors": [{**step.method, "count": step.value} for step in seen
                       if step.name == "icmp_error_count"],
        }  # fmt: skip

    began_s = time.monotonic()
    results = await asyncio.gather(*(one(host) for host in hosts))
    took_s = time.monotonic() - began_s
    await network.close()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "hosts": dict(zip(hosts, results, strict=True)),
        "took_s": took_s,
        "cpu_s": used.ru_utime + used.ru_stime,
        "overflow": network.statistics.socket_overflow_count,
        "available": echo.available(),
        "loop": type(asyncio.get_running_loop()).__module__,
    }


def main() -> None:
    order = json.load(sys.stdin)
    parameters = order["parameters"]
    pace_s = parameters.pop("pace_s", 1e-5)
    run: Callable[..., dict[str, Any]] = asyncio.run
    if order["uvloop"]:
        import uvloop

        run = uvloop.run
    if order["unprivileged"]:
        "".encode("idna")  # loads what nobody may not be able to read from a user's own Python
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    result = run(_measure(order["hosts"], pace_s, parameters))
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
