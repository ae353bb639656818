"""tcp: is the port open, and how long does the three-way handshake take?"""

from collections.abc import AsyncIterator

from nethealth.model.check import Check, TcpParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.observation import Observation
from nethealth.model.ports import NetworkFailure
from nethealth.model.probe import Completion, Env, Observer, Probe
from probes.steps import RESOLUTION_UNITS, failed, resolve_one, within

UNITS: dict[str, str | None] = {**RESOLUTION_UNITS, "tcp_connect_time_s": "s"}


async def connect(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """One connection, closed as soon as it is open; nothing is sent on it."""
    parameters = check.parameters
    if not isinstance(parameters, TcpParameters):
        raise TypeError(f"{check.id}: not the parameters of a tcp check")
    observe = Observer(check, env, UNITS)
    resolution = await resolve_one(parameters.host, parameters.family, env, observe)
    for observation in resolution.observations:
        yield observation
    if resolution.failure is not None:
        yield failed(resolution.failure)
        return
    remote = Endpoint(resolution.address, parameters.port)
    method = {**resolution.passport, "port": parameters.port}
    await env.pacer.wait()
    started_s = env.clock.monotonic_s()
    try:
        channel = await within(
            parameters.timeout_s, env.network.open_stream(remote), f"connecting to {remote}"
        )
    except NetworkFailure as failure:
        yield observe("tcp_connect_time_s", None, failure=failure.failure, method=method)
        yield failed(failure)
        return
    connected_s = env.clock.monotonic_s()
    await channel.close()
    yield observe("tcp_connect_time_s", connected_s - started_s, samples=1, method=method)


TCP = Probe("tcp", connect, UNITS)
