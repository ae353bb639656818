"""`sip`: OPTIONS over UDP, TCP or TLS, and what came of it (docs/probes/sip.md)."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from nethealth.model.check import Check, SipParameters
from nethealth.model.observation import Observation, Passport
from nethealth.model.ports import Endpoint
from nethealth.model.probe import Completion, Env, Observer, Probe
from probes.sip_answer import ANSWER_UNITS
from probes.sip_hops import HOPS_UNITS
from probes.sip_old_tls import OLD_TLS_UNITS
from probes.sip_register import REGISTER_UNITS
from probes.sip_target import LOGIN_UNITS, ask_target
from probes.steps import RESOLUTION_UNITS, failed, resolve_one
from probes.tls import TLS_UNITS

UNITS: dict[str, str | None] = {
    **RESOLUTION_UNITS,
    "tcp_connect_time_s": "s",
    "tls_handshake_time_s": "s",
    **TLS_UNITS,
    **OLD_TLS_UNITS,
    **ANSWER_UNITS,
    **LOGIN_UNITS,
    **HOPS_UNITS,
    **REGISTER_UNITS,
}


async def ask(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """Ask once, by the timers of RFC 3261 section 17.1.2; every step is a fact of its own."""
    parameters = check.parameters
    if not isinstance(parameters, SipParameters):
        raise TypeError(f"{check.id}: not the parameters of a sip check")
    observe = Observer(check, env, UNITS)
    resolution = await resolve_one(parameters.host, parameters.family, env, observe)
    for observation in resolution.observations:
        yield observation
    if resolution.failure is not None:
        yield failed(resolution.failure)
        return
    remote = Endpoint(resolution.address, parameters.port)
    method: Passport = {
        **resolution.passport,
        "port": parameters.port,
        "transport": parameters.transport,
    }
    async with aclosing(ask_target(parameters, remote, env, observe, method)) as items:
        async for item in items:
            yield item


SIP = Probe("sip", ask, UNITS)
