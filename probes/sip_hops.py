"""Counting the proxies on the way by Max-Forwards (RFC 3261 sections 11 and 16.3)."""

from nethealth.model.failure import Failure
from nethealth.model.observation import Observation, Passport
from nethealth.model.probe import Env, Observer
from nethealth.protocol.sip_options import Options
from probes.sip_line import Line

HOPS_UNITS: dict[str, str | None] = {"sip_hop_count": None}

HOPS_MAX = 16
HOP_WAIT_S = 4.0
_TOO_MANY_HOPS = 483
_TEXT_MAX = 128


async def count_hops(
    options: Options, line: Line, timeout_s: float, env: Env, observe: Observer, method: Passport
) -> Observation:
    """Ask with Max-Forwards 0, 1, 2 … until somebody answers other than 483."""
    name = "sip_hop_count"
    servers: list[str] = []
    statuses: list[int] = []
    wait_s = min(timeout_s, HOP_WAIT_S)
    for forwards in range(HOPS_MAX):
        await env.pacer.wait()
        transaction = options.again(wait_s, max_forwards=forwards)
        ending = await line.exchange(transaction)
        final = transaction.final
        seen = {**method, "servers": tuple(servers), "status_codes": tuple(statuses)}
        if final is None:
            return observe(
                name, None, failure=ending.failure, method={**seen, "reason": ending.reason}
            )
        servers.append((final.server or final.user_agent or "")[:_TEXT_MAX])
        statuses.append(final.status_code)
        if final.status_code != _TOO_MANY_HOPS:
            seen = {**method, "servers": tuple(servers), "status_codes": tuple(statuses)}
            return observe(name, forwards, method=seen)
    reason = f"{_TOO_MANY_HOPS} up to Max-Forwards {HOPS_MAX - 1}"
    return observe(name, None, failure=Failure.PROTOCOL, method={**seen, "reason": reason})
