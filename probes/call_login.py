"""Credentials within a call: a challenge answered once, by a turn of the run's accounts."""

from nethealth.model.accounts import Attempt
from nethealth.model.check import CallParameters
from nethealth.model.observation import Passport
from nethealth.model.probe import Env
from nethealth.protocol.sip_call import Call, CallState, Challenged
from probes.call_signalling import Signalling, Until, carry
from probes.sip_account import BARRED, CHALLENGED, NOT_CONFIGURED, Account, stale

_FORBIDDEN = 403  # how several registrars answer a wrong password


class CallLogin:
    """Carries a call, and answers for it where somebody asks who calls.

    INVITE, PRACK and BYE are asked again once each, with the credentials of the check's account;
    a nonce that is called stale is replaced once. After a refusal the account is left alone, by
    this call and by all others of the run.
    """

    def __init__(self, parameters: CallParameters, env: Env) -> None:
        self.challenged = False
        self.refused = False
        self.reason: str | None = None  # why credentials were not sent, or not taken
        self.passport: Passport = {}
        self._account = Account(parameters, parameters.host, env)
        self._env = env
        self._stale_replaced = False
        self._sent = False

    def accepted(self, call: Call) -> bool | None:
        """Whether the credentials were taken; None if none were sent, or nobody says."""
        if not self._sent:
            return None
        if self.refused:
            return False
        final = call.final
        answered = final is not None and final.status_code not in CHALLENGED
        return True if answered or call.state is CallState.RINGING else None

    async def carry(self, call: Call, way: Signalling, until: Until, deadline_s: float) -> None:
        """Send and receive until `until()` holds or the deadline has passed."""
        clock = self._env.clock
        while True:
            await carry(call, way, clock, lambda: until() or call.challenge is not None, deadline_s)
            if call.challenge is None:
                break
            await self._answer(call, way, deadline_s)
        final = call.final
        if final is not None and final.status_code == _FORBIDDEN and not self.refused:
            await self._forbidden()

    async def _answer(self, call: Call, way: Signalling, deadline_s: float) -> None:
        """Answer what waits, and see that it was taken, before anybody else uses the account."""
        self.challenged = True
        turn = self._account.turn()
        if turn is None:
            self.reason = NOT_CONFIGURED
            call.answer_challenge(None)
            return
        async with turn as attempt:
            if attempt is None:
                self.refused, self.reason = True, BARRED
                call.answer_challenge(None)
                return
            while (challenge := call.challenge) is not None:
                if not self._may_answer(challenge, attempt):
                    call.answer_challenge(None)
                    return
                await self._env.pacer.wait()
                self._sent = True
                call.answer_challenge(self._account.authorization(challenge.method, challenge.uri))
                await carry(
                    call, way, self._env.clock, lambda: not call.credentials_pending, deadline_s
                )

    def _may_answer(self, challenge: Challenged, attempt: Attempt) -> bool:
        """Whether credentials may go out; those that were refused once do not go again."""
        response = challenge.response
        if challenge.authorized:
            code = response.status_code
            if self._stale_replaced or not stale(response):
                attempt.refused = self.refused = True
                self.reason = f"the server answered {code} to the credentials"
                return False
            self._stale_replaced = True
        reading = self._account.read(response, again=self._stale_replaced)
        self.passport, self.reason = reading.passport, reading.reason
        return reading.reason is None

    async def _forbidden(self) -> None:
        """A 403 to credentials counts towards a lock-out, too."""
        turn = self._account.turn() if self._sent else None
        if turn is None:
            return
        async with turn as attempt:
            if attempt is not None:
                attempt.refused = True
        self.refused = True
        self.reason = f"the server answered {_FORBIDDEN} to the credentials"
