"""Registering a test account and taking the registration back, whatever breaks in between."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from nethealth.model.check import SipParameters
from nethealth.model.failure import Failure
from nethealth.model.observation import Observation, Passport
from nethealth.model.ports import NetworkFailure
from nethealth.model.probe import Env, Observer
from nethealth.protocol.sip_register import (
    EXPIRES_MAX_S,
    EXPIRES_S,
    Registration,
    granted_s,
    shortest_s,
)
from nethealth.protocol.sip_transaction import ClientTransaction
from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipResponse
from probes.sip_account import CHALLENGED, Account
from probes.sip_exchange import Ending
from probes.sip_line import Line

REGISTER_UNITS: dict[str, str | None] = {
    "registration_request_delay_s": "s",
    "sip_registration_status_code": None,
    "sip_registration_expires_s": "s",
    "sip_registration_removed": None,
}

# The server has just answered: what takes longer than this is not slow but gone.
REGISTER_WAIT_S = 8.0
REMOVE_WAIT_S = 4.0

Reopen = Callable[[], AbstractAsyncContextManager[Line]]


@dataclass(slots=True)
class _Exchange:
    """What became of one REGISTER, its challenge included."""

    final: SipResponse | None = None
    answered_s: float | None = None
    failure: Failure | None = None
    reason: str | None = None

    @property
    def binds(self) -> bool:
        return self.final is not None and 200 <= self.final.status_code < 300

    @property
    def may_have_bound(self) -> bool:
        """No final answer is no proof that nothing was bound."""
        return self.final is None or self.binds


async def register(
    parameters: SipParameters,
    line: Line,
    reopen: Reopen,
    account: Account,
    env: Env,
    observe: Observer,
    method: Passport,
) -> AsyncGenerator[Observation, None]:
    """Bind one Contact of our own for a minute, read it back, and remove it."""
    registration = Registration(
        parameters.uri,
        parameters.username or "",
        parameters.transport,
        line.local,
        env.random.getrandbits,
    )
    wait_s = min(parameters.timeout_s, REGISTER_WAIT_S)
    exchange = _Exchange()
    started_s = env.clock.monotonic_s()
    removal: _Exchange | None = None
    try:
        exchange = await _ask(registration, line, account, env, EXPIRES_S, wait_s)
        shortest = _shortest(exchange.final)
        if shortest is not None:
            exchange = await _ask(registration, line, account, env, shortest, wait_s)
        for observation in _facts(registration, exchange, started_s, observe, method):
            yield observation
    finally:
        if exchange.may_have_bound:
            removal = await _remove(registration, line, reopen, account, env, parameters)
    if removal is not None:
        yield _removed(registration, removal, observe, method)


async def _ask(
    registration: Registration,
    line: Line,
    account: Account,
    env: Env,
    expires_s: int,
    wait_s: float,
    authorization: tuple[str, str] | None = None,
) -> _Exchange:
    """One REGISTER, and once more with credentials if it is challenged."""

    def request(authorization: tuple[str, str] | None) -> ClientTransaction:
        return registration.request(expires_s, wait_s, authorization=authorization)

    await env.pacer.wait()
    transaction = request(authorization)
    ending: Ending | None = await line.exchange(transaction)
    final, reason = transaction.final, None
    if final is not None and final.status_code in CHALLENGED:
        login = await account.log_in(line, final, "REGISTER", registration.uri, request)
        reason = login.reason
        if login.transaction is not None:
            transaction, ending = login.transaction, login.ending
            final = transaction.final
    return _Exchange(
        final,
        transaction.answered_s,
        None if ending is None else ending.failure,
        reason or (None if ending is None else ending.reason),
    )


async def _remove(
    registration: Registration,
    line: Line,
    reopen: Reopen,
    account: Account,
    env: Env,
    parameters: SipParameters,
) -> _Exchange:
    """Take our own Contact back; by a new connection if the old one is gone."""
    wait_s = min(parameters.timeout_s, REMOVE_WAIT_S)
    known = account.authorization("REGISTER", registration.uri)
    done = await _ask(registration, line, account, env, 0, wait_s, known)
    if done.final is not None or parameters.transport == "udp":
        return done
    try:
        async with reopen() as fresh:
            registration.move(fresh.local)
            known = account.authorization("REGISTER", registration.uri)
            return await _ask(registration, fresh, account, env, 0, wait_s, known)
    except NetworkFailure as error:
        return _Exchange(failure=error.failure, reason=error.reason)


def _shortest(final: SipResponse | None) -> int | None:
    """For how long to ask instead, if the registrar calls a minute too brief (423)."""
    if final is None or final.status_code != 423:
        return None
    try:
        shortest = shortest_s(final)
    except WireError:
        return None
    return shortest if shortest is not None and EXPIRES_S < shortest <= EXPIRES_MAX_S else None


def _facts(
    registration: Registration,
    exchange: _Exchange,
    started_s: float,
    observe: Observer,
    method: Passport,
) -> list[Observation]:
    final = exchange.final
    if final is None:
        why = {**method, "reason": exchange.reason}
        return [
            observe(name, None, failure=exchange.failure, method=why)
            for name in ("registration_request_delay_s", "sip_registration_status_code")
        ]
    delay_s = None
    if exchange.binds and exchange.answered_s is not None:
        delay_s = exchange.answered_s - started_s
    said = {**method, "reason_phrase": final.reason_phrase[:256], "reason": exchange.reason}
    found = [
        observe(
            "registration_request_delay_s",
            delay_s,
            samples=None if delay_s is None else 1,
            method={**method, "source": "RFC 6076 section 4.1, the challenge included"},
        ),
        observe("sip_registration_status_code", final.status_code, method=said),
    ]
    if exchange.binds:
        found.append(_granted(registration, final, observe, method))
    return found


def _granted(
    registration: Registration, final: SipResponse, observe: Observer, method: Passport
) -> Observation:
    name = "sip_registration_expires_s"
    try:
        own = registration.own_binding(final)
        # Of other people's bindings only the number is kept.
        method = {
            **method,
            "binding_count": len(final.contact),
            "contact_listed": own is not None,
            "asked_s": EXPIRES_S,
        }
        return observe(name, None if own is None else granted_s(own, final), method=method)
    except WireError as error:
        broken = {**method, "error": str(error)}
        return observe(name, None, failure=Failure.PROTOCOL, method=broken)


def _removed(
    registration: Registration, removal: _Exchange, observe: Observer, method: Passport
) -> Observation:
    name = "sip_registration_removed"
    final = removal.final
    if final is None:
        why = {**method, "reason": removal.reason}
        return observe(name, None, failure=removal.failure, method=why)
    method = {**method, "status_code": final.status_code, "reason": removal.reason}
    try:
        return observe(
            name, removal.binds and registration.own_binding(final) is None, method=method
        )
    except WireError as error:
        broken = {**method, "error": str(error)}
        return observe(name, None, failure=Failure.PROTOCOL, method=broken)
