"""`sip`: OPTIONS over UDP, TCP or TLS, and what came of it (docs/probes/sip.md)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from nethealth.model.check import Check, SipParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Outcome
from nethealth.model.observation import Observation, Passport
from nethealth.model.probe import Completion, Env, Observer, Probe
from nethealth.protocol.sip_location import Target
from probes.sip_answer import ANSWER_UNITS
from probes.sip_hops import HOPS_UNITS
from probes.sip_old_tls import OLD_TLS_UNITS
from probes.sip_register import REGISTER_UNITS
from probes.sip_target import LOGIN_UNITS, Items, ask_target
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
    "sip_target_count": None,
    "sip_target_outcome": None,
}

_SPARE_S = 1.0  # of the deadline, so that the last target can end by itself
_TARGET_WAIT_MIN_S = 1.0


async def ask(check: Check, env: Env) -> AsyncIterator[Observation | Completion]:
    """Ask every server of the URI; every step is a fact of its own."""
    parameters = check.parameters
    if not isinstance(parameters, SipParameters):
        raise TypeError(f"{check.id}: not the parameters of a sip check")
    observe = Observer(check, env, UNITS)
    steps = _ask_host(parameters, None, env, observe)
    if parameters.locate is not None:
        # dnspython: an import that most checks need not pay for
        from probes.sip_locate import locate  # noqa: PLC0415

        targets, located = await locate(parameters, env, observe)
        yield located
        if targets:
            steps = _ask_all(check, parameters, targets, env, observe)
    async with aclosing(steps) as items:
        async for item in items:
            yield item


async def _ask_all(
    check: Check,
    parameters: SipParameters,
    targets: Sequence[Target],
    env: Env,
    observe: Observer,
) -> Items:
    """One target after another, each with its share of the time that is left."""
    ends_s = env.clock.monotonic_s() + check.deadline_s - _SPARE_S
    ends: list[Completion] = []
    for number, target in enumerate(targets):
        share_s = (ends_s - env.clock.monotonic_s()) / (len(targets) - number)
        one = replace(
            parameters,
            port=target.port,
            transport=target.transport,
            timeout_s=min(parameters.timeout_s, max(_TARGET_WAIT_MIN_S, share_s)),
            # One registration is enough to know the account.
            test_account=parameters.test_account
            and not any(end.outcome is Outcome.COMPLETED for end in ends),
        )
        async with aclosing(_ask_host(one, target, env, observe)) as items:
            async for item in items:
                if isinstance(item, Completion):
                    ends.append(item)
                    yield observe(
                        "sip_target_outcome",
                        item.outcome.value,
                        failure=item.failure,
                        method={**_of(target), "reason": item.reason},
                    )
                else:
                    yield item
    good = [end for end in ends if end.outcome is Outcome.COMPLETED]
    yield (good or ends)[0]


async def _ask_host(
    parameters: SipParameters, target: Target | None, env: Env, observe: Observer
) -> Items:
    """The URI's own host, or one target of its domain."""
    host = parameters.host if target is None else target.host
    resolution = await resolve_one(host, parameters.family, env, observe)
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
        **_of(target),
    }
    async with aclosing(ask_target(parameters, remote, env, observe, method)) as items:
        async for item in items:
            yield item


def _of(target: Target | None) -> dict[str, str]:
    """What tells the observations of one target from those of another."""
    return {} if target is None else {"target": str(target)}


SIP = Probe("sip", ask, UNITS)
