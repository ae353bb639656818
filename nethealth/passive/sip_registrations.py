"""Registrations: who asked, what came of it, and how many came at a time (RFC 3261 section 10).

A challenge and the REGISTER that follows it are one attempt.
"""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Literal

from nethealth.model.endpoint import Endpoint
from nethealth.passive.bins import Bins
from nethealth.passive.sip_call import CHALLENGE
from nethealth.passive.sip_parties import Parties
from nethealth.passive.sip_read import SeenMessage
from nethealth.passive.sip_transactions import MIRROR_MAX_NS, TIMER_B_NS, Names
from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipMessage, SipRequest
from nethealth.wire.sip_grammar import parameter, uint

_CREDENTIALS = ("authorization", "proxy-authorization")
OPEN_MAX = 20_000
_NUMBERS_MAX = 64  # of one attempt
RECORDS_MAX = 10_000
REGISTRARS_MAX = 256
Purpose = Literal["register", "remove", "query"]
AttemptOutcome = Literal["succeeded", "failed", "challenged", "unanswered", "in progress"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that has come to its end; times in ns since 1970, expiries in seconds."""

    party: int | None
    purpose: Purpose
    first_ns: int
    final_ns: int | None
    outcome: AttemptOutcome
    status_code: int | None
    challenge_count: int
    request_count: int  # different REGISTERs, copies left out
    copy_count: int
    asked_s: int | None
    granted_s: int | None

    @property
    def delay_s(self) -> float | None:
        """From the first REGISTER to the final answer, a challenge in between included."""
        return None if self.final_ns is None else (self.final_ns - self.first_ns) / 1e9


@dataclass(slots=True)
class RecordAccount:
    """All attempts for one address of record."""

    attempt_count: int = 0
    success_count: int = 0
    challenge_count: int = 0
    failures: Counter[int] = field(default_factory=Counter)  # by status code; 0: no answer
    removal_count: int = 0
    asked_s: int | None = None
    granted_s: int | None = None
    first_ns: int | None = None
    last_ns: int | None = None


@dataclass(slots=True)
class _Open:
    party: int | None
    purpose: Purpose
    first_ns: int
    last_ns: int
    asked_s: int | None
    requests: dict[int, "_First"] = field(default_factory=dict)  # by number
    answers: dict[tuple[int, int], "_First"] = field(default_factory=dict)  # and status code
    challenged_ns: int | None = None
    challenge_count: int = 0
    code: int | None = None
    final_ns: int | None = None
    granted_s: int | None = None
    began_before: bool = False
    with_credentials: bool = False  # the latest REGISTER


@dataclass(slots=True)
class _First:
    """A message where it was seen first; at another hop it is the same message."""

    source: Endpoint
    destination: Endpoint
    last_ns: int
    copies: int = 0

    def again(self, seen: SeenMessage) -> bool:
        """Whether the message was sent once more, at the same hop and not too soon for a timer."""
        if (seen.source, seen.destination) != (self.source, self.destination):
            return False
        since_ns, self.last_ns = seen.time_ns - self.last_ns, seen.time_ns
        sent = since_ns >= MIRROR_MAX_NS
        self.copies += sent
        return sent


class Registrations:
    """Takes REGISTERs and their answers."""

    def __init__(self, parties: Parties) -> None:
        self.attempts: list[Attempt] = []  # since they were last taken
        self.accounts: dict[int, RecordAccount] = {}
        self.account_left_out_count = 0
        self.evicted_count = 0
        self.outcomes: Counter[AttemptOutcome] = Counter()
        self.failures: Counter[int] = Counter()
        self.copy_count = 0
        self.asked = Bins()
        self.failed = Bins()
        self.registrars: Counter[str] = Counter()  # addresses that were asked
        self._parties = parties
        self._open: OrderedDict[str, _Open] = OrderedDict()

    def take(self, seen: SeenMessage, names: Names) -> None:
        """Book one message whose CSeq says REGISTER."""
        if seen.mirrored:
            return
        self._sweep(seen.time_ns)
        message = seen.message
        entry = self._open.get(names.call_id)
        if isinstance(message, SipRequest):
            if entry is not None and entry.final_ns is not None and _is_new(entry, names):
                self._close(names.call_id, seen.time_ns, ended=False)
                entry = None
            if entry is None:
                entry = self._begin(seen, names, message)
            self._request(entry, seen, names)
            return
        if entry is None:
            entry = self._begin(seen, names, message)
            entry.began_before = True
        self._answer(entry, seen, names)

    def finish(self, end_ns: int) -> None:
        """Close what is still open: the capture ends here."""
        for call_id in list(self._open):
            self._close(call_id, end_ns, ended=True)

    def _begin(self, seen: SeenMessage, names: Names, message: SipMessage) -> _Open:
        if len(self._open) >= OPEN_MAX:
            self.evicted_count += 1
            self._close(next(iter(self._open)), seen.time_ns, ended=True)
        asked_s = _asked_s(message)
        purpose: Purpose = "register"
        if not message.values("contact"):
            purpose = "query"
        elif asked_s == 0:
            purpose = "remove"
        entry = self._open[names.call_id] = _Open(
            self._parties.number(message, "to"), purpose, seen.time_ns, seen.time_ns, asked_s
        )
        return entry

    def _request(self, entry: _Open, seen: SeenMessage, names: Names) -> None:
        self._touch(names.call_id, entry, seen)
        known = entry.requests.get(names.number)
        if known is not None:
            self.copy_count += known.again(seen)
        elif len(entry.requests) < _NUMBERS_MAX:
            entry.requests[names.number] = _First(seen.source, seen.destination, seen.time_ns)
            self.asked.add(seen.time_ns)
            asked_of = seen.destination.address
            if asked_of in self.registrars or len(self.registrars) < REGISTRARS_MAX:
                self.registrars[asked_of] += 1
            entry.with_credentials = any(map(seen.message.values, _CREDENTIALS))

    def _answer(self, entry: _Open, seen: SeenMessage, names: Names) -> None:
        message = seen.message
        if isinstance(message, SipRequest) or message.status_code < 200:
            return
        self._touch(names.call_id, entry, seen)
        key = names.number, message.status_code
        known = entry.answers.get(key)
        asked = entry.requests.get(names.number)
        if known and asked and seen.destination == asked.source != known.destination:
            # Seen nearer to the registrar before: the delay is that of whoever asked.
            entry.answers[key] = _First(seen.source, seen.destination, seen.time_ns)
            if entry.final_ns is not None and message.status_code == entry.code:
                entry.final_ns = seen.time_ns
            return
        if known is not None or len(entry.answers) >= _NUMBERS_MAX:
            self.copy_count += known is not None and known.again(seen)
            return
        entry.answers[key] = _First(seen.source, seen.destination, seen.time_ns)
        code = message.status_code
        if code in CHALLENGE:
            entry.challenge_count += 1
            entry.challenged_ns = seen.time_ns
            entry.code = code
            return
        entry.code, entry.final_ns = code, seen.time_ns
        entry.granted_s = _granted_s(message)
        if code >= 300:
            self.failed.add(seen.time_ns)

    def _touch(self, call_id: str, entry: _Open, seen: SeenMessage) -> None:
        entry.first_ns = min(entry.first_ns, seen.time_ns)
        entry.last_ns = max(entry.last_ns, seen.time_ns)
        self._open.move_to_end(call_id)

    def _sweep(self, now_ns: int) -> None:
        while self._open:
            call_id, entry = next(iter(self._open.items()))
            if now_ns - entry.last_ns <= TIMER_B_NS:
                return
            self._close(call_id, now_ns, ended=False)

    def _close(self, call_id: str, now_ns: int, *, ended: bool) -> None:
        entry = self._open.pop(call_id)
        waiting = ended and now_ns - entry.last_ns < TIMER_B_NS
        outcome: AttemptOutcome
        if entry.final_ns is not None and entry.code is not None:
            outcome = "succeeded" if entry.code < 300 else "failed"
        elif entry.challenged_ns is not None and len(entry.requests) <= entry.challenge_count:
            # Challenged again though it had answered the first challenge: it was refused.
            refused = entry.with_credentials and entry.challenge_count > 1
            outcome = "failed" if refused else "in progress" if waiting else "challenged"
        else:
            outcome = "in progress" if waiting else "unanswered"
        attempt = Attempt(
            party=entry.party,
            purpose=entry.purpose,
            first_ns=entry.first_ns,
            final_ns=None if entry.began_before else entry.final_ns,
            outcome=outcome,
            status_code=entry.code,
            challenge_count=entry.challenge_count,
            request_count=len(entry.requests),
            copy_count=sum(
                one.copies for one in (*entry.requests.values(), *entry.answers.values())
            ),
            asked_s=entry.asked_s,
            granted_s=entry.granted_s,
        )
        self.outcomes[outcome] += 1
        self.attempts.append(attempt)
        self._account(attempt)

    def _account(self, attempt: Attempt) -> None:
        code = attempt.status_code or 0
        failed = attempt.outcome in ("failed", "unanswered")
        if failed:
            self.failures[code if attempt.outcome == "failed" else 0] += 1
        if attempt.party is None:
            return
        account = self.accounts.get(attempt.party)
        if account is None:
            if len(self.accounts) >= RECORDS_MAX:
                self.account_left_out_count += 1
                return
            account = self.accounts[attempt.party] = RecordAccount()
        account.attempt_count += 1
        account.success_count += attempt.outcome == "succeeded"
        account.challenge_count += attempt.challenge_count
        account.removal_count += attempt.purpose == "remove"
        if failed:
            account.failures[code if attempt.outcome == "failed" else 0] += 1
        if attempt.purpose == "register":
            account.asked_s = attempt.asked_s if attempt.asked_s is not None else account.asked_s
            if attempt.granted_s is not None:
                account.granted_s = attempt.granted_s
        if account.first_ns is None:
            account.first_ns = attempt.first_ns
        account.last_ns = attempt.first_ns


def _is_new(entry: _Open, names: Names) -> bool:
    return names.number not in entry.requests


def _asked_s(message: SipMessage) -> int | None:
    """The expiry that the first Contact asks for, else that of Expires (section 10.2.1.1)."""
    return _contact_expiry(message, smallest=False)


def _granted_s(message: SipMessage) -> int | None:
    """The shortest expiry of the bindings in a 2xx: other phones' stand there too."""
    return _contact_expiry(message, smallest=True)


def _contact_expiry(message: SipMessage, *, smallest: bool) -> int | None:
    found: list[int] = []
    try:
        for contact in message.contact:
            text = parameter(contact.parameters, "expires")
            if text is not None:
                found.append(uint(text.strip(), "expires"))
    except WireError:
        pass
    if found:
        return min(found) if smallest else found[0]
    text = message.value("expires")
    try:
        return None if text is None else uint(text.strip(), "Expires")
    except WireError:
        return None
