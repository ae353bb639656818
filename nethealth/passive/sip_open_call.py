"""A call while its messages still come: the state that `Call` is made from."""

import re
from collections import Counter

from nethealth.passive.sip_call import (
    CHALLENGE,
    Call,
    CallOutcome,
    MediaEnd,
    Side,
    Step,
    outcome_of,
)
from nethealth.passive.sip_facsimile import Facsimile
from nethealth.passive.sip_media import Announced, announced
from nethealth.passive.sip_parties import Parties
from nethealth.passive.sip_read import SeenMessage
from nethealth.passive.sip_transactions import (
    TIMER_B_NS,
    TRANSACTIONS_MAX,
    Names,
    Transaction,
    Transactions,
)
from nethealth.wire.sip import SipRequest

STEPS_MAX = 60  # messages kept of one call, the first ones
MEDIA_MAX = 16
TIMER_C_NS = 180_000_000_000  # RFC 3261 section 16.6: longer than this no INVITE is pending
_PHRASE_MAX = 40
_TEXT_MAX = 200
_SOMEBODY = re.compile(r"[^\s<>]*@[^\s<>]*|\+?[0-9](?:[ \-.]?[0-9]){4,}")
_REASON_PROTOCOL = re.compile(r"[ \t]*([A-Za-z0-9.\-]{1,12})[ \t]*(?:;|$)")
_CAUSE = re.compile(r";[ \t]*cause[ \t]*=[ \t]*([0-9]{1,4})", re.IGNORECASE)


class OpenCall:
    """Everything of one Call-ID that carries an INVITE."""

    def __init__(self, number: int, seen: SeenMessage, names: Names) -> None:
        self.number = number
        self.first_ns = seen.time_ns
        self.last_ns = seen.time_ns
        self.transactions = Transactions()
        self.copies: Counter[str] = Counter()
        self._call_id = names.call_id
        self._transport = seen.transport
        self._steps: list[Step] = []
        self._step_count = 0
        self._parties: tuple[int | None, int | None] = (None, None)
        self._caller_tag: str | None = None
        self._media: list[MediaEnd] = []
        self._offered: tuple[str, ...] = ()
        self._chosen: str | None = None
        self._answer_pending: Side | None = None  # who offered, until the other side answers
        self._reason: str | None = None
        self._acknowledged: set[int] = set()  # the CSeq numbers that an ACK was seen for
        self._facsimile = Facsimile()

    def take(self, seen: SeenMessage, names: Names, parties: Parties) -> list[MediaEnd]:
        """Book one message of this call; gives the ends of media that it is the first to tell."""
        known = len(self._media)
        self.first_ns = min(self.first_ns, seen.time_ns)
        self.last_ns = max(self.last_ns, seen.time_ns)
        message = seen.message
        again = False
        if not seen.mirrored:
            if names.method == "INVITE" and self._caller_tag is None:
                self._caller_tag = names.from_tag or ""
                self._parties = parties.number(message, "from"), parties.number(message, "to")
            transaction, again = self.transactions.take(seen, names)
            if again and transaction is not None:
                self.copies[_copy_label(seen, names)] += 1
            if not again:
                self._note(seen, names)
        self._step(seen, names, again or seen.mirrored)
        return self._media[known:]

    def _note(self, seen: SeenMessage, names: Names) -> None:
        """What a message says for the first time."""
        message = seen.message
        if isinstance(message, SipRequest):
            if message.method == "ACK" and len(self._acknowledged) < TRANSACTIONS_MAX:
                self._acknowledged.add(names.number)
            if message.method in ("BYE", "CANCEL") and self._reason is None:
                self._reason = reason_of(message.value("reason"))
        described = announced(message)
        if described is not None:
            self._describe(seen, names, described)

    def _describe(self, seen: SeenMessage, names: Names, described: tuple[Announced, ...]) -> None:
        """Book offer and answer (RFC 3264); a description in a response is its sender's."""
        from_caller = (names.from_tag or "") == self._caller_tag
        self._facsimile.take(names, described, request=isinstance(seen.message, SipRequest))
        asked: Side = "caller" if from_caller else "callee"
        other: Side = "callee" if from_caller else "caller"
        side: Side = asked if isinstance(seen.message, SipRequest) else other
        for one in described:
            known = any(
                end.side == side and end.announced.endpoint == one.endpoint
                and end.announced.kind == one.kind for end in self._media
            )  # fmt: skip
            if not known and len(self._media) < MEDIA_MAX:
                self._media.append(MediaEnd(side, one, seen.time_ns))
        audio = next((one for one in described if one.kind == "audio"), None)
        if self._answer_pending is not None and side != self._answer_pending:
            if audio is not None and self._chosen is None:
                self._chosen = audio.speech
            self._answer_pending = None
            return
        self._answer_pending = side
        if audio is not None and not self._offered:
            self._offered = audio.codecs

    def _step(self, seen: SeenMessage, names: Names, again: bool) -> None:
        self._step_count += 1
        if len(self._steps) >= STEPS_MAX:
            return
        message = seen.message
        if isinstance(message, SipRequest):
            label, of = message.method[:_PHRASE_MAX], None
        else:
            label = f"{message.status_code} {_phrase(message.reason_phrase)}".strip()
            of = names.method[:_PHRASE_MAX]
        media = bool(message.body) and announced(message) is not None
        self._steps.append(
            Step(seen.time_ns, seen.source, seen.destination, label, of, media, again)
        )

    def is_talking(self) -> bool:
        """Answered, and not yet hung up: it may be silent for hours."""
        last = self._last_attempt()
        answered = last is not None and last.final is not None and last.final.code < 300
        return answered and self._first("BYE") is None

    def ended_ns(self) -> int | None:
        """When the call came to its end, as far as that is known."""
        bye = self._first("BYE")
        if bye is not None:
            final = bye.final
            return final.first_ns if final is not None else bye.request_ns
        last = self._last_attempt()
        if last is None or last.final is None or last.final.code < 300:
            return None
        return last.final.first_ns

    def call(self, end_ns: int, *, capture_ended: bool, keep_steps: bool) -> Call:
        """The call as it stands at `end_ns`."""
        attempts = self._attempts()
        last = self._last_attempt()
        final = last.final if last is not None else None
        # A capture that began in the middle may show answers without the INVITE that they are for
        began_before = last is None or attempts[0].request_ns is None
        bye = self._first("BYE")
        cancelled = self._first("CANCEL") is not None
        by = self._hung_up_by(bye)
        outcome = outcome_of(final.code if final else None, cancelled)
        if outcome is None:
            outcome = self._unfinished(last, cancelled, by, end_ns, capture_ended)
        answered = outcome == "answered"
        still_going = capture_ended and (
            outcome == "in progress" or (bye is None and (answered or outcome == "not seen"))
        )
        first = attempts[0] if attempts else next(iter(self.transactions.all.values()), None)
        progress = last.progress if last is not None else None
        bye_final = bye.final if bye is not None else None
        if first is None:
            raise ValueError("a call without any transaction")
        return Call(
            number=self.number,
            call_id=self._call_id,
            transport=self._transport,
            caller_party=self._parties[0],
            callee_party=self._parties[1],
            caller=first.source,
            callee=first.destination,
            first_ns=self.first_ns,
            last_ns=self.last_ns,
            until_ns=max(end_ns, self.last_ns) if still_going else self.last_ns,
            outcome=outcome,
            status_code=final.code if final is not None else None,
            invite_ns=attempts[0].request_ns if attempts else None,
            progress_ns=progress.first_ns if progress is not None else None,
            answered_ns=final.first_ns if answered and final is not None else None,
            refused_ns=final.first_ns if final is not None and not answered else None,
            bye_ns=bye.request_ns if bye is not None else None,
            bye_answered_ns=bye_final.first_ns if bye_final is not None else None,
            ended_by=by if outcome in ("answered", "not seen", "cancelled") else None,
            reason=self._reason,
            progress_codes=_progress_codes(attempts),
            attempt_count=len(attempts),
            challenge_count=sum(
                1 for one in attempts if one.final is not None and one.final.code in CHALLENGE
            ),
            reinvite_count=self._reinvites(),
            fork_count=len(_tags(last)),
            hop_count=self._hops(attempts),
            copies=tuple(sorted(self.copies.items())),
            acknowledged=_is_acknowledged(last, self._acknowledged),
            began_before=began_before,
            still_going=still_going,
            offered=self._offered,
            chosen=self._chosen,
            media=tuple(self._media),
            facsimile=self._facsimile.outcome(self._invites()),
            steps=tuple(sorted(self._steps, key=lambda step: step.time_ns)) if keep_steps else (),
            step_count=self._step_count,
        )

    def _invites(self) -> list[Transaction]:
        return [one for one in self.transactions.all.values() if one.method == "INVITE"]

    def _attempts(self) -> list[Transaction]:
        """The caller's INVITEs outside a dialog, each at the hop where it was seen first.

        Such a request has no To tag; where only answers were seen, the From tag is the caller's.
        What a proxy forwards keeps its number; what follows a challenge or a redirection has the
        next one (RFC 3261 sections 8.1.3.5, 16.6), from whichever port it comes.
        """
        found: dict[int, Transaction] = {}
        for one in self._invites():
            initial = one.request_ns is None or one.names.to_tag is None
            if not initial or (one.names.from_tag or "") != self._caller_tag:
                continue
            found.setdefault(one.names.number, one)
        return list(found.values())

    def _last_attempt(self) -> Transaction | None:
        attempts = self._attempts()
        return attempts[-1] if attempts else None

    def _hops(self, attempts: list[Transaction]) -> int:
        if not attempts:
            return 0
        number = attempts[0].names.number
        return sum(
            one.names.to_tag is None and one.names.number == number for one in self._invites()
        )

    def _reinvites(self) -> int:
        """Changes of a running session, each once however many hops it was seen at."""
        return len(
            {
                (one.names.from_tag, one.names.number)
                for one in self._invites()
                if one.request_ns is not None and one.names.to_tag is not None
            }
        )

    def _first(self, method: str) -> Transaction | None:
        found = [
            one
            for one in self.transactions.all.values()
            if one.method == method and one.request_ns is not None
        ]
        return min(found, key=lambda one: one.request_ns or 0, default=None)

    def _unfinished(
        self,
        last: Transaction | None,
        cancelled: bool,
        by: Side | None,
        end_ns: int,
        capture_ended: bool,
    ) -> CallOutcome:
        """The outcome of a call whose final answer was not captured."""
        if last is None or (last.request_ns is None and not last.answers):
            return "not seen"
        if by == "callee":
            return "answered"  # a callee may not hang up before (RFC 3261 section 15)
        if cancelled or by == "caller":
            return "cancelled"
        waiting_ns = TIMER_C_NS if last.answers else TIMER_B_NS
        if capture_ended and end_ns - self.last_ns < waiting_ns:
            return "in progress"
        return "unanswered"

    def _hung_up_by(self, bye: Transaction | None) -> Side | None:
        """Who sent the BYE, or cancelled; only a caller cancels."""
        if bye is not None:
            if self._caller_tag is None:
                return None
            return "caller" if (bye.names.from_tag or "") == self._caller_tag else "callee"
        return "caller" if self._first("CANCEL") is not None else None


def _is_acknowledged(last: Transaction | None, numbers: set[int]) -> bool | None:
    if last is None or last.final is None or last.final.code >= 300:
        return None
    return last.names.number in numbers


def _phrase(text: str) -> str:
    """A reason phrase without the number or address of anybody that a server may put into it."""
    return _SOMEBODY.sub("…", text[:_TEXT_MAX])[:_PHRASE_MAX]


def reason_of(value: str | None) -> str | None:
    """`Q.850 16` or `SIP 200` of a Reason header (RFC 3326); its free text is left aside."""
    if value is None:
        return None
    protocol, cause = _REASON_PROTOCOL.match(value), _CAUSE.search(value)
    if protocol is None:
        return None
    return f"{protocol[1]} {cause[1]}" if cause is not None else protocol[1]


def _copy_label(seen: SeenMessage, names: Names) -> str:
    """`INVITE`, or `200 to INVITE`: what was sent again."""
    message = seen.message
    method = names.method[:_PHRASE_MAX]
    return method if isinstance(message, SipRequest) else f"{message.status_code} to {method}"


def _tags(transaction: Transaction | None) -> set[str]:
    """The callees that made an early or a real dialog."""
    if transaction is None:
        return set()
    return {
        answer.to_tag
        for answer in transaction.answers.values()
        if 100 < answer.code < 300 and answer.to_tag is not None
    }


def _progress_codes(attempts: list[Transaction]) -> tuple[int, ...]:
    codes = {answer.code for one in attempts for answer in one.answers.values()}
    return tuple(sorted(code for code in codes if code < 200))
