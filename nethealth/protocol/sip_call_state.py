"""Where a test call stands, and what it waits for."""

from dataclasses import dataclass
from enum import StrEnum

from nethealth.protocol.sip_call_asking import Asked
from nethealth.wire.sip import SipResponse


class CallState(StrEnum):
    """Where the call stands."""

    CALLING = "calling"  # nothing has come yet
    RINGING = "ringing"  # a provisional response has
    ANSWERED = "answered"
    ENDING = "ending"  # our BYE is on its way
    REFUSED = "refused"  # a final response of 300 or more
    TIMED_OUT = "timed-out"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Challenged:
    """A 401 or 407 that is to be answered: the method and Request-URI that credentials are for."""

    response: SipResponse
    method: str
    uri: str
    authorized: bool  # the challenged request bore credentials already
    asked: Asked | None = None  # None: it was the INVITE
