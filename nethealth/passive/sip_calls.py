"""All calls of a capture: open ones while their messages come, compact results thereafter.

Memory is bounded: a call that has ended is made compact once no copy of a message can still come,
and where there are more open or ended calls than the caps allow, the record says how many.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable

from nethealth.passive.sip_call import Call, CallOutcome, MediaEnd
from nethealth.passive.sip_open_call import TIMER_C_NS, OpenCall
from nethealth.passive.sip_parties import Parties
from nethealth.passive.sip_read import SeenMessage
from nethealth.passive.sip_transactions import TIMER_B_NS, Names
from nethealth.wire.sip import SipRequest

OPEN_MAX = 20_000
CLOSED_MAX = 5_000  # results kept whole
STEPS_CALLS_MAX = 2_000  # of them, those that keep their messages
_FORGOTTEN_MAX = 50_000  # Call-IDs of closed calls that are still known
_SWEEP_NS = 5_000_000_000
# What may be seen of a call that began before the capture.
_IN_DIALOG = frozenset({"ACK", "BYE", "CANCEL", "PRACK", "UPDATE"})


class Calls:
    """Takes messages in about the order of time.

    `closed` is handed each call as it ends, `announce` each end of media as it is announced.
    """

    def __init__(
        self,
        parties: Parties,
        closed: Callable[[Call], None],
        announce: Callable[[MediaEnd, str], None] = lambda end, call_id: None,
    ) -> None:
        self.call_count = 0  # Call-IDs with an INVITE, or an answer to one
        self.outcomes: Counter[CallOutcome] = Counter()
        self.results_left_out = 0
        self.evicted_count = 0  # closed before their end, since too many were open
        self.late_count = 0  # messages of calls that had been closed
        self.copies: Counter[str] = Counter()
        self.message_left_out_count = 0
        self._parties = parties
        self._closed = closed
        # Half of the room is kept for calls that somebody may ask about, whenever they come.
        self._ordinary: list[Call] = []
        self._unusual: list[Call] = []
        self._announce = announce
        self._open: OrderedDict[str, OpenCall] = OrderedDict()
        self._forgotten: OrderedDict[str, None] = OrderedDict()
        self._counted: set[int] = set()
        self._number = 0
        self._swept_ns = 0

    @property
    def results(self) -> list[Call]:
        """The calls that have ended, as far as they were kept, in the order of their numbers."""
        return sorted(self._ordinary + self._unusual, key=lambda call: call.number)

    def take(self, seen: SeenMessage, names: Names) -> bool:
        """Book a message; whether it belongs to a call."""
        call = self._open.get(names.call_id)
        if call is None:
            if names.method != "INVITE" and names.method not in _IN_DIALOG:
                return False
            if names.call_id in self._forgotten and not _begins_a_call(seen, names):
                self.late_count += 1
                return True
            call = self._begin(seen, names)
        self._open.move_to_end(names.call_id)
        if names.method == "INVITE" and call.number not in self._counted:
            self._counted.add(call.number)
            self.call_count += 1
        for end in call.take(seen, names, self._parties):
            self._announce(end, names.call_id)
        if seen.time_ns - self._swept_ns > _SWEEP_NS:
            self._swept_ns = seen.time_ns
            self._sweep(seen.time_ns)
        return True

    def finish(self, end_ns: int) -> None:
        """Close what is still open: the capture ends here."""
        for call_id in list(self._open):
            self._close(call_id, end_ns, capture_ended=True)

    def _begin(self, seen: SeenMessage, names: Names) -> OpenCall:
        if len(self._open) >= OPEN_MAX:
            self.evicted_count += 1
            self._close(next(iter(self._open)), seen.time_ns, capture_ended=True)
        self._number += 1
        call = self._open[names.call_id] = OpenCall(self._number, seen, names)
        self._forgotten.pop(names.call_id, None)
        return call

    def _sweep(self, now_ns: int) -> None:
        """Close the calls that have ended long enough ago; the idlest stand first."""
        done = []
        for call_id, call in self._open.items():
            idle_ns = now_ns - call.last_ns
            if idle_ns <= TIMER_B_NS:
                break
            if call.ended_ns() is not None or (idle_ns > TIMER_C_NS and not call.is_talking()):
                done.append(call_id)
        for call_id in done:
            self._close(call_id, now_ns, capture_ended=False)

    def _close(self, call_id: str, now_ns: int, *, capture_ended: bool) -> None:
        call = self._open.pop(call_id)
        self._counted.discard(call.number)
        keep_steps = call.number <= STEPS_CALLS_MAX
        result = call.call(now_ns, capture_ended=capture_ended, keep_steps=keep_steps)
        self.copies.update(call.copies)
        self.message_left_out_count += call.transactions.left_out
        self.outcomes[result.outcome] += 1
        kept = self._ordinary if result.is_ordinary else self._unusual
        if len(kept) < CLOSED_MAX // 2:
            kept.append(result)
        else:
            self.results_left_out += 1
        self._closed(result)
        self._forgotten[call_id] = None
        if len(self._forgotten) > _FORGOTTEN_MAX:
            self._forgotten.popitem(last=False)


def _begins_a_call(seen: SeenMessage, names: Names) -> bool:
    """An INVITE outside a dialog: some equipment uses a Call-ID again."""
    return (
        isinstance(seen.message, SipRequest) and names.method == "INVITE" and names.to_tag is None
    )
