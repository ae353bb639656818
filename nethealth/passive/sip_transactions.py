"""Requests and their responses as seen from beside the wire (RFC 3261 section 17).

A message that passes several hops is one transaction at each of them, told apart by the branch
that each hop writes. What is seen again with the same names is a copy, never a new message.
"""

from dataclasses import dataclass, field

from nethealth.model.endpoint import Endpoint
from nethealth.passive.sip_read import SeenMessage
from nethealth.wire.errors import WireError
from nethealth.wire.sip import SipMessage, SipRequest, SipResponse

TIMER_B_NS = 32_000_000_000  # 64 * T1: how long an answer is waited for (section 17.1.1.2)
MIRROR_MAX_NS = 50_000_000  # a tenth of T1, the soonest that a message may be sent again
REFRESH_NS = 30_000_000_000  # provisional answers may be repeated every minute (section 13.3.1.1)
TRANSACTIONS_MAX = 256  # kept of one Call-ID

Key = tuple[str, str, str, int]  # the parts of `Names` that name a transaction


@dataclass(frozen=True, slots=True)
class Names:
    """What ties a message to others; None where it bears no such name, or breaks its grammar."""

    call_id: str
    method: str  # of CSeq: that of the request which a response answers
    number: int
    branch: str
    sent_by: str
    from_tag: str | None
    to_tag: str | None

    @property
    def key(self) -> Key:
        return self.method, self.branch, self.sent_by, self.number


def names_of(message: SipMessage) -> Names:
    """The names of a message; one without Call-ID or CSeq is a WireError, since none can follow it.

    A broken Via, From or To costs that name alone.
    """
    call_id, cseq = message.call_id, message.cseq
    if call_id is None:
        raise WireError("no Call-ID")
    if cseq is None:
        raise WireError("CSeq: absent")
    branch, sent_by = "", ""
    try:
        via = message.top_via
        if via is not None:
            branch, sent_by = (via.branch or "").lower(), via.sent_by
    except WireError:
        pass
    return Names(
        call_id, cseq.method, cseq.number, branch, sent_by,
        _tag(message, "from"), _tag(message, "to"),
    )  # fmt: skip


def _tag(message: SipMessage, name: str) -> str | None:
    try:
        return message.from_tag if name == "from" else message.to_tag
    except WireError:
        return None


@dataclass(slots=True)
class Answer:
    """One response, by its code and the tag of who gave it."""

    code: int
    to_tag: str | None
    reason: str
    first_ns: int
    last_ns: int
    copies: int = 0  # seen again at the same hop


@dataclass(slots=True)
class Transaction:
    """One request at one hop. `request_ns`: its first copy; None if only answers were captured."""

    names: Names
    source: Endpoint  # of the request
    destination: Endpoint
    request_ns: int | None = None
    request_last_ns: int = 0
    request_copies: int = 0
    answers: dict[tuple[int, str | None, str], Answer] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return self.names.method

    @property
    def final(self) -> Answer | None:
        """The first final answer."""
        return min(
            (answer for answer in self.answers.values() if answer.code >= 200),
            key=lambda answer: answer.first_ns,
            default=None,
        )

    @property
    def progress(self) -> Answer | None:
        """The first provisional answer that tells the caller something, so not 100."""
        return min(
            (answer for answer in self.answers.values() if 100 < answer.code < 200),
            key=lambda answer: answer.first_ns,
            default=None,
        )

    @property
    def copies(self) -> int:
        """Request and answers sent again."""
        return self.request_copies + sum(answer.copies for answer in self.answers.values())


class Transactions:
    """Those of one Call-ID, in the order in which they were first seen."""

    def __init__(self) -> None:
        self.all: dict[Key, Transaction] = {}
        self.left_out = 0

    def take(self, seen: SeenMessage, names: Names) -> tuple[Transaction | None, bool]:
        """The transaction that a message belongs to, and whether it is a copy of one seen before.

        None beyond TRANSACTIONS_MAX. A mirrored frame must not be handed in.
        """
        message = seen.message
        transaction = self.all.get(names.key)
        if transaction is None:
            if len(self.all) >= TRANSACTIONS_MAX:
                self.left_out += 1
                return None, False
            ends = seen.source, seen.destination
            if isinstance(message, SipResponse):
                ends = seen.destination, seen.source
            transaction = self.all[names.key] = Transaction(names, *ends)
        if isinstance(message, SipRequest):
            if transaction.request_ns is None:
                transaction.names = names  # an answer's To has a tag that its request had not
            return transaction, self._request(transaction, seen)
        return transaction, self._answer(transaction, seen, message, names)

    def _request(self, transaction: Transaction, seen: SeenMessage) -> bool:
        if transaction.request_ns is None:
            transaction.request_ns = transaction.request_last_ns = seen.time_ns
            return False
        since_ns = seen.time_ns - transaction.request_last_ns
        transaction.request_ns = min(transaction.request_ns, seen.time_ns)
        if (seen.source, seen.destination) != (transaction.source, transaction.destination):
            return False  # the same message at another place of the network, behind a NAT perhaps
        transaction.request_last_ns = max(transaction.request_last_ns, seen.time_ns)
        if since_ns < MIRROR_MAX_NS:
            return False  # too soon for a timer: seen before and after something that rewrites it
        transaction.request_copies += 1
        return True

    def _answer(
        self, transaction: Transaction, seen: SeenMessage, message: SipResponse, names: Names
    ) -> bool:
        code = message.status_code
        # RFC 3262: reliable provisional answers are numbered, and each is a message of its own.
        key = code, names.to_tag, message.value("rseq") or ""
        answer = transaction.answers.get(key)
        if answer is None:
            if len(transaction.answers) < TRANSACTIONS_MAX:
                transaction.answers[key] = Answer(
                    code, names.to_tag, message.reason_phrase, seen.time_ns, seen.time_ns
                )
            return False
        since_ns = seen.time_ns - answer.last_ns
        answer.first_ns = min(answer.first_ns, seen.time_ns)
        answer.last_ns = max(answer.last_ns, seen.time_ns)
        same_hop = (seen.destination, seen.source) == (transaction.source, transaction.destination)
        refreshed = code < 200 and since_ns >= REFRESH_NS
        if not same_hop or refreshed or since_ns < MIRROR_MAX_NS:
            return False
        answer.copies += 1
        return True
