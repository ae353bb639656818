"""Logging in to a SIP server: one attempt with an account, and none once it was refused."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from nethealth.model.accounts import Attempt
from nethealth.model.check import CallParameters, SipParameters
from nethealth.model.observation import Passport
from nethealth.model.probe import Env
from nethealth.protocol.sip_transaction import ClientTransaction
from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipResponse
from nethealth.wire.sip_auth import Challenge, choose, credentials
from probes.sip_exchange import Ending
from probes.sip_line import Line

CHALLENGED = frozenset({401, 407})
# 403 is how several registrars answer a wrong password, and counts towards their lock-outs.
REFUSED = CHALLENGED | {403}

NOT_CONFIGURED = "no credentials are configured"
BARRED = "the account was refused before in this run, and is not tried again"

Authorization = tuple[str, str]  # header and value
Request = Callable[[Authorization | None], ClientTransaction]


@dataclass(frozen=True, slots=True)
class Login:
    """How an attempt went; without an exchange none was made, and `reason` says why."""

    accepted: bool = False
    refused: bool = False  # by the server: now, or before in this run
    reason: str | None = None
    transaction: ClientTransaction | None = None
    ending: Ending | None = None
    passport: Passport = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a challenge says, for the passport; `reason` says why it cannot be answered."""

    passport: Passport
    reason: str | None = None


class Account:
    """The account of one check at one server; it remembers the nonce that was good."""

    def __init__(self, parameters: SipParameters | CallParameters, host: str, env: Env) -> None:
        self._username = parameters.username or ""
        self._password_env = parameters.password_env or ""
        # One account may stand behind several servers, and one server be asked by several checks.
        self._names = (
            f"{self._username} by {self._password_env}",
            f"{self._username} at {host.lower()}",
        )
        self._env = env
        self.barred = False  # refused: now, or before in this run
        self._challenge: Challenge | None = None
        self._nonce_count = 0

    @property
    def configured(self) -> bool:
        """Whether there is anything to log in with."""
        return self._password_env in self._env.secrets and self._env.accounts is not None

    def authorization(self, method: str, uri: str) -> Authorization | None:
        """Credentials by the nonce that was good last; None if there is none yet."""
        if self._challenge is None:
            return None
        self._nonce_count += 1
        value = credentials(
            self._challenge,
            username=self._username,
            password=self._env.secrets[self._password_env],
            method=method,
            uri=uri,
            cnonce=f"{self._env.random.getrandbits(128):032x}",
            nonce_count=self._nonce_count,
        )
        return self._challenge.credentials_header, value

    def read(self, challenged: SipResponse, *, again: bool) -> Reading:
        """Choose what `authorization` is to answer from now on; `again`: by a fresh nonce."""
        try:
            choice = choose(challenged)
        except WireError as error:
            return Reading({}, f"the challenge cannot be read: {error}")
        offered = tuple(name[:40] for name in choice.offered)
        passport: Passport = {"username": self._username, "offered": offered}
        if choice.challenge is None:
            words = f"no challenge that can be answered: {', '.join(offered) or 'none by digest'}"
            return Reading(passport, words)
        self._challenge, self._nonce_count = choice.challenge, 0
        chosen: Passport = {
            **passport,
            "algorithm": choice.challenge.algorithm.upper(),
            "qop": "auth" if choice.challenge.qop is not None else None,
            "realm": choice.challenge.realm[:256],
            "downgrade": choice.downgrade,
            "stale_nonce": again,
        }
        return Reading(chosen)

    def turn(self) -> AbstractAsyncContextManager[Attempt | None] | None:
        """A turn of the run's accounts; None if there is nothing to log in with."""
        if not self.configured or self._env.accounts is None:
            return None
        return self._env.accounts.attempt(*self._names)

    async def log_in(
        self, line: Line, challenged: SipResponse, method: str, uri: str, request: Request
    ) -> Login:
        """Answer a 401 or 407 once; a nonce that the server calls stale is replaced once."""
        turn = self.turn()
        if turn is None:
            return Login(reason=NOT_CONFIGURED)
        async with turn as attempt:
            if attempt is None:
                self.barred = True
                return Login(refused=True, reason=BARRED)
            login = await self._answer(line, challenged, method, uri, request, stale_allowed=True)
            attempt.refused = self.barred = login.refused
        if not login.accepted:
            self._challenge = None
        return login

    async def _answer(
        self,
        line: Line,
        challenged: SipResponse,
        method: str,
        uri: str,
        request: Request,
        *,
        stale_allowed: bool,
    ) -> Login:
        reading = self.read(challenged, again=not stale_allowed)
        passport = reading.passport
        if reading.reason is not None:
            return Login(reason=reading.reason, passport=passport)
        await self._env.pacer.wait()
        transaction = request(self.authorization(method, uri))
        ending = await line.exchange(transaction)
        final = transaction.final
        if final is None:
            return Login(
                reason=ending.reason, transaction=transaction, ending=ending, passport=passport
            )
        if final.status_code in CHALLENGED and stale_allowed and stale(final):
            return await self._answer(line, final, method, uri, request, stale_allowed=False)
        refused = final.status_code in REFUSED
        reason = f"the server answered {final.status_code} to the credentials" if refused else None
        return Login(not refused, refused, reason, transaction, ending, passport)


def stale(final: SipResponse) -> bool:
    """Whether the server calls the nonce old and the credentials good (RFC 7616 section 3.3)."""
    try:
        choice = choose(final)
    except WireError:
        return False
    return choice.challenge is not None and choice.challenge.stale
