"""The non-INVITE client transaction of SIP (RFC 3261 section 17.1.2), without input or output."""

import re
from enum import StrEnum

from nethealth.wire.errors import WireError
from nethealth.wire.sip import CSeq, SipRequest, SipResponse, parse_message

T1_S = 0.5  # the round trip that is assumed (section 17.1.1.1)
T2_S = 4.0  # the most between two copies of a request
TIMER_F_S = 64 * T1_S

MALFORMED_KEPT_OCTETS = 512


class State(StrEnum):
    """Section 17.1.2.2, figure 6; timer K only absorbs what comes late, so it has no place here."""

    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    TIMED_OUT = "timed-out"


class ClientTransaction:
    """One request until its final response: when to send it again, and which answers are its own.

    The owner asks `due` for octets to send, tells `transmitted` when they went, hands in what
    came, and asks `due` again at `next_deadline_s`. All times are of one monotonic clock.
    """

    def __init__(
        self,
        request: bytes,
        *,
        branch: str,
        sent_by: str,
        cseq: CSeq,
        reliable: bool,
        timeout_s: float = TIMER_F_S,
    ) -> None:
        self.state = State.TRYING
        self.is_open = True  # a final response is still awaited
        self.final: SipResponse | None = None
        self.answered_s: float | None = None
        self.last_provisional: SipResponse | None = None
        self.foreign_count = 0  # whole messages that answer something else
        self.malformed_count = 0
        self.first_malformed: bytes | None = None  # its first 512 octets
        self.first_fault: str | None = None  # what is wrong with the first malformed or foreign one
        self._request = request
        self.branch = branch.lower()
        self.late: frozenset[str] = frozenset()  # branches of earlier transactions on this way
        self._sent_by = sent_by.lower()
        self._cseq = cseq
        self._own_names = f"{sent_by};branch={branch}", f"{cseq.number} {cseq.method}"
        self._reliable = reliable
        self._timeout_s = min(timeout_s, TIMER_F_S)
        self._sent_s: list[float] = []
        self._timer_e_s: float | None = None
        self._interval_e_s = T1_S
        self._timer_f_s: float | None = None

    @property
    def next_deadline_s(self) -> float | None:
        """When to ask `due` again; None before the first transmission and after the end."""
        if not self.is_open or self._timer_f_s is None:
            return None
        if self._timer_e_s is None:
            return self._timer_f_s
        return min(self._timer_e_s, self._timer_f_s)

    @property
    def first_sent_s(self) -> float | None:
        """When the first copy went; None if none has."""
        return self._sent_s[0] if self._sent_s else None

    @property
    def transmission_count(self) -> int:
        """Copies sent; of an answered request, those sent before its answer came."""
        if self.answered_s is None:
            return len(self._sent_s)
        return sum(sent_s <= self.answered_s for sent_s in self._sent_s)

    @property
    def first_transmission_answered(self) -> bool:
        """Whether the final response came before any copy was sent: only then is a delay known."""
        if self.answered_s is None:
            return False
        return len(self._sent_s) == 1 or self._sent_s[1] > self.answered_s

    @property
    def answered_after_last_copy_s(self) -> float | None:
        """From the last copy to the final response, whichever copy it answers.

        None without an answer, and where the first transmission is the one that was answered.
        """
        if self.answered_s is None or self.first_transmission_answered:
            return None
        return self.answered_s - max(at_s for at_s in self._sent_s if at_s <= self.answered_s)

    def due(self, now: float) -> bytes | None:
        """The octets to send at `now`, if any; ends the transaction when its time is over."""
        if not self.is_open:
            return None
        if self._timer_f_s is None:
            return self._request
        if now >= self._timer_f_s:
            self.state = State.TIMED_OUT
            self.is_open = False
            return None
        if self._timer_e_s is not None and now >= self._timer_e_s:
            return self._request
        return None

    def transmitted(self, at_s: float) -> None:
        """One copy went at `at_s`; sets timer F with the first, timer E with each."""
        if self._timer_f_s is None:
            self._timer_f_s = at_s + self._timeout_s
        elif self.state is State.PROCEEDING:
            self._interval_e_s = T2_S
        else:
            self._interval_e_s = min(2 * self._interval_e_s, T2_S)
        if not self._reliable:
            self._timer_e_s = at_s + self._interval_e_s
        self._sent_s.append(at_s)

    def receive_datagram(self, data: bytes, at_s: float) -> None:
        """Take in one datagram from the server."""
        try:
            message = parse_message(data)
        except WireError as error:
            self.receive_malformed(data, error)
            return
        self.receive(message, at_s, data)

    def receive_malformed(self, data: bytes, error: WireError) -> None:
        """Take in octets that are no message, for the count and as evidence."""
        self.malformed_count += 1
        if self.first_malformed is None:
            self.first_malformed = data[:MALFORMED_KEPT_OCTETS]
            self.first_fault = str(error)

    def receive(self, message: SipRequest | SipResponse, at_s: float, data: bytes = b"") -> None:
        """Take in one message from the server; `data`: its octets, kept if a field is broken."""
        if not self.is_open:
            return
        try:
            if self.late and (via := message.top_via) and (via.branch or "").lower() in self.late:
                return  # another copy of an answer that was taken in already
            fault = None if self._plainly_answered_by(message) else self._mismatch(message)
        except WireError as error:
            self.receive_malformed(data, error)
            return
        if fault is not None or isinstance(message, SipRequest):
            self.foreign_count += 1
            self.first_fault = self.first_fault or fault
        elif message.status_code < 200:
            self.state = State.PROCEEDING
            self.last_provisional = message
        else:
            self.state = State.COMPLETED
            self.is_open = False
            self.final = message
            self.answered_s = at_s

    def _plainly_answered_by(self, message: SipRequest | SipResponse) -> bool:
        """Whether it is a response with our names as we wrote them, as nearly every answer is.

        Such a one needs no further parsing to be known as ours; about any other `mismatch` decides.
        """
        lines = message.values("via")
        via = _PLAIN_VIA.fullmatch(lines[0]) if len(lines) == 1 else None
        return (
            via is not None
            and (via[1], message.only("cseq")) == self._own_names
            and isinstance(message, SipResponse)
        )

    def _mismatch(self, message: SipRequest | SipResponse) -> str | None:
        return mismatch(message, branch=self.branch, sent_by=self._sent_by, cseq=self._cseq)


# Our own Via as a server hands it back, with what it adds (RFC 3581 section 4) and nothing else.
_PLAIN_VIA = re.compile(
    r"SIP/2\.0/(?:UDP|TCP|TLS) ([^;,\s]+;branch=[^;,\s]+)"
    r"(?:;rport(?:=[1-5]?\d{1,4})?|;received=[0-9A-Fa-f.:]+)*"
)


def mismatch(
    message: SipRequest | SipResponse, *, branch: str, sent_by: str, cseq: CSeq
) -> str | None:
    """Why `message` does not answer this request (sections 8.1.3.3, 17.1.3, 18.1.2), or None.

    `branch` and `sent_by` in lower case. Further than section 17.1.3 goes, CSeq's number counts
    too: a response copies it (8.2.6.2).
    """
    if isinstance(message, SipRequest):
        return "a request, not a response"
    found = message.cseq
    via = message.via
    if not via or found is None:
        raise WireError("no Via" if not via else "no CSeq")
    if len(via) > 1:
        return f"{len(via)} Via where ours stands alone"
    if (via[0].branch or "").lower() != branch:
        return "another branch"
    if via[0].sent_by != sent_by:
        return "another sent-by"
    if found != cseq:
        return "another CSeq"
    return None
