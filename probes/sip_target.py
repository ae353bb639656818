"""One SIP server at one address: connect, ask, log in, and whatever else the check asks for."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing
from functools import partial

from nethealth.model.check import SipParameters
from nethealth.model.endpoint import Endpoint
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Passport
from nethealth.model.ports import NetworkFailure
from nethealth.model.probe import Completion, Env, Observer
from nethealth.protocol.sip_options import Options
from nethealth.protocol.sip_transaction import ClientTransaction
from nethealth.wire.sip import SipResponse
from probes.sip_account import CHALLENGED, Account, Authorization
from probes.sip_answer import exchange_facts
from probes.sip_hops import count_hops
from probes.sip_identity import SIP_IDENTITY
from probes.sip_line import DatagramLine, Line, StreamLine, connected
from probes.sip_old_tls import try_old_tls
from probes.sip_register import Reopen, register
from probes.steps import failed, within
from probes.tls import tls_observations

Items = AsyncGenerator[Observation | Completion, None]

LOGIN_UNITS: dict[str, str | None] = {"sip_authenticated": None}


async def ask_target(
    parameters: SipParameters, remote: Endpoint, env: Env, observe: Observer, method: Passport
) -> Items:
    """Every step in its order; the last item is the completion."""
    steps = _by_datagram if parameters.transport == "udp" else _by_stream
    async with aclosing(steps(parameters, remote, env, observe, method)) as items:
        async for item in items:
            yield item


async def _by_datagram(
    parameters: SipParameters, remote: Endpoint, env: Env, observe: Observer, method: Passport
) -> Items:
    try:
        channel = await env.network.open_datagram(remote)
    except NetworkFailure as error:
        yield observe("sip_status_code", None, failure=error.failure, method=method)
        yield failed(error)
        return
    try:
        await env.pacer.wait()
        line = DatagramLine(channel, env.clock)
        reopen = partial(_connected, parameters, remote, env)
        async with aclosing(_converse(parameters, line, reopen, env, observe, method)) as items:
            async for item in items:
                yield item
    finally:
        channel.close()


async def _by_stream(
    parameters: SipParameters, remote: Endpoint, env: Env, observe: Observer, method: Passport
) -> Items:
    await env.pacer.wait()
    started_s = env.clock.monotonic_s()
    try:
        channel = await within(
            parameters.timeout_s, env.network.open_stream(remote), f"connecting to {remote}"
        )
    except NetworkFailure as error:
        yield observe("tcp_connect_time_s", None, failure=error.failure, method=method)
        yield failed(error)
        return
    connected_s = env.clock.monotonic_s()
    try:
        yield observe("tcp_connect_time_s", connected_s - started_s, samples=1, method=method)
        agreed = None
        if parameters.transport == "tls":
            try:
                facts = await within(
                    parameters.timeout_s,
                    channel.start_tls(parameters.host),
                    f"TLS handshake with {remote}",
                )
            except NetworkFailure as error:
                yield observe("tls_handshake_time_s", None, failure=error.failure, method=method)
                yield failed(error)
                return
            shaken_s = env.clock.monotonic_s()
            yield observe("tls_handshake_time_s", shaken_s - connected_s, samples=1, method=method)
            agreed = facts.version
            for fact in tls_observations(
                observe, facts, parameters.host, env.clock.wall_utc(), method, SIP_IDENTITY
            ):
                yield fact
        line = StreamLine(channel, env.clock)
        reopen = partial(_connected, parameters, remote, env)
        end: Completion | None = None
        async with aclosing(_converse(parameters, line, reopen, env, observe, method)) as items:
            async for item in items:
                if isinstance(item, Completion):
                    end = item
                else:
                    yield item
    finally:
        await channel.close()
    if parameters.old_tls and agreed is not None:
        yield await try_old_tls(
            remote, parameters.host, agreed, parameters.timeout_s, env, observe, method
        )
    yield end or Completion(Outcome.COMPLETED)


def _connected(
    parameters: SipParameters, remote: Endpoint, env: Env
) -> AbstractAsyncContextManager[Line]:
    return connected(
        remote, parameters.transport, parameters.host, min(parameters.timeout_s, 5.0), env
    )


async def _converse(
    parameters: SipParameters,
    line: Line,
    reopen: Reopen,
    env: Env,
    observe: Observer,
    method: Passport,
) -> Items:
    """All that is said on one line; what comes after OPTIONS only if that was answered."""
    options = Options(parameters.uri, parameters.transport, line.local, env.random.getrandbits)
    transaction = options.transaction(parameters.timeout_s)
    ending = await line.exchange(transaction)
    for fact in exchange_facts(transaction, ending, line.local, observe, method):
        yield fact
    final = transaction.final
    if final is None:
        yield Completion(Outcome.FAILED, ending.failure, ending.reason)
        return
    account = Account(parameters, parameters.host, env)
    end = Completion(Outcome.COMPLETED)
    if final.status_code in CHALLENGED:
        async for item in _log_in(parameters, line, final, options, account, observe, method):
            if isinstance(item, Completion):
                end = item
            else:
                yield item
    if parameters.hops:
        yield await count_hops(options, line, parameters.timeout_s, env, observe, method)
    if parameters.test_account and account.configured and not account.barred:
        steps = register(parameters, line, reopen, account, env, observe, method)
        async with aclosing(steps) as facts:
            async for fact in facts:
                yield fact
    yield end


async def _log_in(
    parameters: SipParameters,
    line: Line,
    challenged: SipResponse,
    options: Options,
    account: Account,
    observe: Observer,
    method: Passport,
) -> Items:
    """The same question with credentials, where there are any; what came of it."""

    def request(authorization: Authorization | None) -> ClientTransaction:
        more = () if authorization is None else (authorization,)
        return options.again(parameters.timeout_s, more=more)

    login = await account.log_in(line, challenged, "OPTIONS", parameters.uri, request)
    said = {**method, **login.passport, "reason": login.reason}
    if login.transaction is None or login.ending is None:
        yield observe("sip_authenticated", None, method=said)
        return
    if login.transaction.final is None:
        yield observe("sip_authenticated", None, failure=login.ending.failure, method=said)
        return
    yield observe("sip_authenticated", login.accepted, method=said)
    again = {**method, "authenticated": True}
    for fact in exchange_facts(login.transaction, login.ending, line.local, observe, again):
        yield fact
    if login.refused:
        yield Completion(Outcome.FAILED, Failure.AUTH, login.reason)
