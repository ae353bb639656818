"""The INVITE client transaction of SIP (RFC 3261 section 17.1.1), without input or output."""

from enum import StrEnum

from nethealth.protocol.sip_transaction import T1_S
from nethealth.wire.sip import CSeq, SipResponse

TIMER_B_S = 64 * T1_S


class InviteState(StrEnum):
    """Section 17.1.1.2, figure 5, with RFC 6026's Accepted for what follows a 2xx."""

    CALLING = "calling"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"  # refused, and the refusal acknowledged
    ACCEPTED = "accepted"
    TIMED_OUT = "timed-out"


class InviteTransaction:
    """One INVITE until its final response.

    The owner sends what `due` gives and tells `transmitted`; of a 3xx to 6xx it sends `ack_for`
    each time that one comes, which is why `matches` does not ask for the state.
    """

    def __init__(
        self, request: bytes, *, branch: str, sent_by: str, cseq: CSeq, reliable: bool
    ) -> None:
        self.state = InviteState.CALLING
        self.branch = branch.lower()
        self.sent_by = sent_by.lower()
        self.cseq = cseq
        self.sent_s: list[float] = []
        self._request = request
        self._reliable = reliable
        self._interval_a_s = T1_S
        self._timer_a_s: float | None = None
        self._timer_b_s: float | None = None

    @property
    def next_deadline_s(self) -> float | None:
        """When to ask `due` again; None once a response has come."""
        if self.state is not InviteState.CALLING or self._timer_b_s is None:
            return None
        if self._timer_a_s is None:
            return self._timer_b_s
        return min(self._timer_a_s, self._timer_b_s)

    def due(self, now: float) -> bytes | None:
        """The octets to send at `now`, if any; timer B ends it."""
        if self.state is not InviteState.CALLING:
            return None
        if self._timer_b_s is None:
            return self._request
        if now >= self._timer_b_s:
            self.state = InviteState.TIMED_OUT
            return None
        return self._request if self._timer_a_s is not None and now >= self._timer_a_s else None

    def transmitted(self, at_s: float) -> None:
        """One copy went at `at_s`; timer A doubles without a bound (section 17.1.1.2)."""
        if self._timer_b_s is None:
            self._timer_b_s = at_s + TIMER_B_S
        else:
            self._interval_a_s *= 2
        if not self._reliable:
            self._timer_a_s = at_s + self._interval_a_s
        self.sent_s.append(at_s)

    def receive(self, response: SipResponse) -> bool:
        """Take in a response that is known to be ours; whether it is the first final one."""
        open_ = self.state in (InviteState.CALLING, InviteState.PROCEEDING)
        if not open_:
            return False
        if response.status_code < 200:
            self.state = InviteState.PROCEEDING
            return False
        accepted = response.status_code < 300
        self.state = InviteState.ACCEPTED if accepted else InviteState.COMPLETED
        return True
