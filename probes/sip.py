"""`sip`: one OPTIONS over UDP, TCP or TLS, and what came of it (docs/probes/sip.md)."""

import base64
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing

from nethealth.model.check import Check, SipParameters
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Passport
from nethealth.model.ports import Endpoint, NetworkFailure
from nethealth.model.probe import Completion, Env, Observer, Probe
from nethealth.protocol.sip_options import Options
from nethealth.protocol.sip_transaction import ClientTransaction
from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipResponse
from probes.sip_exchange import Ending, over_datagrams, over_stream
from probes.steps import RESOLUTION_UNITS, failed, resolve_one, within
from probes.tls import TLS_UNITS, tls_observations

UNITS: dict[str, str | None] = {
    **RESOLUTION_UNITS,
    "tcp_connect_time_s": "s",
    "tls_handshake_time_s": "s",
    **TLS_UNITS,
    "sip_response_delay_s": "s",
    "sip_transmission_count": None,
    "sip_status_code": None,
    "sip_allow": None,
    "sip_server": None,
    "sip_retry_after_s": "s",
    "sip_received_address": None,
    "sip_malformed_reply_count": None,
    "sip_foreign_reply_count": None,
    "sip_wrong_source_count": None,
}

TEXT_MAX = 256  # characters kept of any text that a peer wrote
_SOURCES_MAX = 8


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
    steps = _ask_by_datagram if parameters.transport == "udp" else _ask_by_stream
    async with aclosing(steps(parameters, remote, env, observe, method)) as items:
        async for item in items:
            yield item


async def _ask_by_datagram(
    parameters: SipParameters, remote: Endpoint, env: Env, observe: Observer, method: Passport
) -> AsyncGenerator[Observation | Completion, None]:
    try:
        channel = await env.network.open_datagram(remote)
    except NetworkFailure as error:
        yield observe("sip_status_code", None, failure=error.failure, method=method)
        yield failed(error)
        return
    try:
        transaction = _transaction(parameters, channel.local, env)
        await env.pacer.wait()
        ending = await over_datagrams(channel, transaction, env.clock)
    finally:
        channel.close()
    for item in _facts(transaction, ending, channel.local, observe, method):
        yield item


async def _ask_by_stream(
    parameters: SipParameters, remote: Endpoint, env: Env, observe: Observer, method: Passport
) -> AsyncGenerator[Observation | Completion, None]:
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
            now_utc = env.clock.wall_utc()
            for item in tls_observations(observe, facts, parameters.host, now_utc, method):
                yield item
        transaction = _transaction(parameters, channel.local, env)
        ending = await over_stream(channel, transaction, env.clock)
        for fact in _facts(transaction, ending, channel.local, observe, method):
            yield fact
    finally:
        await channel.close()


def _transaction(parameters: SipParameters, local: Endpoint, env: Env) -> ClientTransaction:
    options = Options(parameters.uri, parameters.transport, local, env.random.getrandbits)
    return options.transaction(parameters.timeout_s)


def _facts(
    transaction: ClientTransaction,
    ending: Ending,
    local: Endpoint,
    observe: Observer,
    method: Passport,
) -> Iterator[Observation | Completion]:
    """What the finished exchange showed: the answer if there is one, then every count."""
    final = transaction.final
    sent_s, answered_s = transaction.first_sent_s, transaction.answered_s
    delay_s, note = None, dict[str, str]()
    if sent_s is not None and answered_s is not None:
        if transaction.first_transmission_answered:
            delay_s = answered_s - sent_s
        else:
            note = {"reason": "answered only after a retransmission"}
    yield observe(
        "sip_response_delay_s",
        delay_s,
        samples=None if delay_s is None else 1,
        failure=ending.failure,
        method={**method, **note},
    )
    yield observe("sip_transmission_count", transaction.transmission_count, method=method)
    if final is None:
        yield observe("sip_status_code", None, failure=ending.failure, method=method)
    else:
        yield observe(
            "sip_status_code",
            final.status_code,
            method={**method, "reason_phrase": final.reason_phrase[:TEXT_MAX]},
        )
        yield from _fields(final, local, observe, method)
    malformed = dict(method)
    if transaction.first_malformed is not None:
        malformed["octets_base64"] = base64.b64encode(transaction.first_malformed).decode()
        malformed["error"] = transaction.first_fault
    yield observe("sip_malformed_reply_count", transaction.malformed_count, method=malformed)
    yield observe("sip_foreign_reply_count", transaction.foreign_count, method=method)
    yield observe(
        "sip_wrong_source_count",
        ending.wrong_sources.total(),
        method={**method, "sources": tuple(ending.wrong_sources)[:_SOURCES_MAX]},
    )
    if final is None:
        yield Completion(Outcome.FAILED, ending.failure, ending.reason)
    else:
        yield Completion(Outcome.COMPLETED)


def _fields(
    final: SipResponse, local: Endpoint, observe: Observer, method: Passport
) -> Iterator[Observation]:
    """The header fields of an answer; one that it does not have is not reported."""
    server = final.server or final.user_agent
    if server is not None:
        yield observe("sip_server", server[:TEXT_MAX], method=method)
    try:
        if final.allow is not None:
            yield observe("sip_allow", ", ".join(final.allow)[:TEXT_MAX], method=method)
    except WireError as error:
        yield _broken("sip_allow", error, observe, method)
    try:
        if final.retry_after_s is not None:
            yield observe("sip_retry_after_s", final.retry_after_s, method=method)
    except WireError as error:
        yield _broken("sip_retry_after_s", error, observe, method)
    try:
        via = final.top_via
        if via is not None and (via.received is not None or via.rport is not None):
            address = via.received or via.host
            seen = address if via.rport is None else str(Endpoint(address, via.rport))
            yield observe("sip_received_address", seen, method={**method, "local": str(local)})
    except WireError as error:
        yield _broken("sip_received_address", error, observe, method)


def _broken(name: str, error: WireError, observe: Observer, method: Passport) -> Observation:
    return observe(
        name, None, failure=Failure.PROTOCOL, method={**method, "error": str(error)[:TEXT_MAX]}
    )


SIP = Probe("sip", ask, UNITS)
