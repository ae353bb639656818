"""One call as a capture shows it: its outcome, its delays, who ended it, and what is not known.

All times are those of the capture point. A delay is taken on the leg of whoever called first: the
hop at which the call was seen first.
"""

from dataclasses import dataclass
from typing import Literal

from nethealth.model.endpoint import Endpoint
from nethealth.passive.sip_media import Announced
from nethealth.passive.sip_read import SeenTransport

CallOutcome = Literal[
    "answered",
    "cancelled",  # the caller gave up
    "busy",  # 486, 600
    "no answer",  # 408, 480
    "rejected",  # any other 4xx, 5xx, 6xx
    "redirected",  # 3xx, and not followed
    "challenged",  # 401, 407, and not followed
    "unanswered",  # no final answer in the time that the standard allows
    "in progress",  # the capture ended before the answer
    "not seen",  # the capture began after it
]
Side = Literal["caller", "callee"]

BUSY = frozenset({486, 600})
NO_ANSWER = frozenset({408, 480})
CHALLENGE = frozenset({401, 407})


@dataclass(frozen=True, slots=True)
class Step:
    """One message in the order of a call; `again`: a copy of one before, at the same hop."""

    time_ns: int
    source: Endpoint
    destination: Endpoint
    label: str  # "INVITE", "200 OK"
    of: str | None = None  # the method that a response answers
    media: bool = False  # it carries a session description
    again: bool = False


@dataclass(frozen=True, slots=True)
class MediaEnd:
    """What one side announced: where it wants to receive."""

    side: Side
    announced: Announced
    from_ns: int


@dataclass(frozen=True, slots=True)
class FaxAsked:
    """What came of asking for facsimile; `status_code` of the final answer, None without one."""

    outcome: Literal["accepted", "refused", "unanswered"]
    status_code: int | None


@dataclass(frozen=True, slots=True)
class Call:
    """One Call-ID with an INVITE, or the rest of one that began before the capture.

    Times in ns since 1970, delays in seconds; None where the capture does not show it.
    `caller_party` and `callee_party` are numbers: the names stand in the book of parties alone.
    """

    number: int
    call_id: str
    transport: SeenTransport
    caller_party: int | None
    callee_party: int | None
    caller: Endpoint
    callee: Endpoint
    first_ns: int
    last_ns: int  # of its messages
    until_ns: int  # the same, or the capture's end for one that still goes on
    outcome: CallOutcome
    status_code: int | None
    invite_ns: int | None
    progress_ns: int | None  # the first provisional answer other than 100
    answered_ns: int | None
    refused_ns: int | None  # the final answer of a call that was not answered
    bye_ns: int | None
    bye_answered_ns: int | None
    ended_by: Side | None
    reason: str | None  # of the Reason header, by its protocol and cause: "Q.850 16"
    progress_codes: tuple[int, ...]
    attempt_count: int  # INVITEs of the caller outside the dialog: challenges and redirections
    challenge_count: int
    reinvite_count: int
    fork_count: int  # callees that answered in some way, told apart by their tags
    hop_count: int  # hops at which the first INVITE was seen
    copies: tuple[tuple[str, int], ...]  # messages sent again, by label
    acknowledged: bool | None  # of an answered call: whether its ACK was seen
    began_before: bool
    still_going: bool
    offered: tuple[str, ...]
    chosen: str | None
    media: tuple[MediaEnd, ...]
    facsimile: FaxAsked | None  # of a call that asked for T.38
    steps: tuple[Step, ...]
    step_count: int

    @property
    def post_dial_delay_s(self) -> float | None:
        """From the INVITE to the first sign of ringing or progress."""
        return _between(self.invite_ns, self.progress_ns)

    @property
    def answer_delay_s(self) -> float | None:
        """From the INVITE to its 2xx."""
        return _between(self.invite_ns, self.answered_ns)

    @property
    def ring_time_s(self) -> float | None:
        """From the first sign of ringing to the final answer."""
        return _between(self.progress_ns, self.answered_ns or self.refused_ns)

    @property
    def talk_time_s(self) -> float | None:
        """From the 2xx to the BYE."""
        return _between(self.answered_ns, self.bye_ns)

    @property
    def is_ordinary(self) -> bool:
        """Whether it went as most calls go, seen from its beginning and nothing sent again."""
        went_well = self.outcome in ("answered", "cancelled", "busy")
        faxed = self.facsimile is None or self.facsimile.outcome == "accepted"
        return went_well and faxed and not self.copies and not self.began_before

    @property
    def copy_count(self) -> int:
        return sum(count for _, count in self.copies)


def outcome_of(code: int | None, cancelled: bool) -> CallOutcome | None:
    """What a final status code of an INVITE means for its call; None without one."""
    if code is None:
        return None
    if code < 300:
        return "answered"
    if code < 400:
        return "redirected"
    if cancelled or code == 487:
        return "cancelled"
    if code in CHALLENGE:
        return "challenged"
    if code in BUSY:
        return "busy"
    return "no answer" if code in NO_ANSWER else "rejected"


def _between(first_ns: int | None, then_ns: int | None) -> float | None:
    if first_ns is None or then_ns is None or then_ns < first_ns:
        return None
    return (then_ns - first_ns) / 1e9
