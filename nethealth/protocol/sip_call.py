"""One test call from INVITE to BYE (RFC 3261 sections 9, 13, 15), without input or output.

All times are of one monotonic clock.  The owner sends what `due` gives, hands in what comes, asks
`due` again at `next_deadline_s`, and says `hang_up` once, whatever has happened until then: it
is CANCEL, BYE or nothing, as the state of the call requires.  A challenge (401, 407) to INVITE,
PRACK or BYE waits in `challenge` until the owner answers it, with credentials or without.  A
redirection is not followed: no number is ever called but the one that was given.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from nethealth.model.check import CallCodec, SipTransport
from nethealth.model.endpoint import Endpoint
from nethealth.protocol.call_media import AgreedMedia, agreed
from nethealth.protocol.call_target import unfit_address
from nethealth.protocol.sip_call_answering import Answering, Standing
from nethealth.protocol.sip_call_asking import Asked, Asking, Header, Outgoing
from nethealth.protocol.sip_call_inviting import Inviting
from nethealth.protocol.sip_call_state import CallState, Challenged
from nethealth.protocol.sip_dialog import Dialog, OwnSide, dialog_of
from nethealth.protocol.sip_invite import InviteState, InviteTransaction
from nethealth.protocol.sip_transaction import MALFORMED_KEPT_OCTETS, ClientTransaction
from nethealth.wire.errors import WireError
from nethealth.wire.sip import CSeq, SipRequest, SipResponse, parse_message
from nethealth.wire.sip_grammar import split, uint

__all__ = ["Call", "CallState", "Challenged", "Outgoing"]

CHALLENGES_MAX = 8  # that wait for an answer of ours, in one call
_PRACKS_MAX = 16
_FORKS_MAX = 8
_REQUESTS_MAX = 64  # of the far end, that are answered in one call


class Call:
    """The caller's side of one call to the one who is asked at `peer`.

    With a `username` it is From that user of the URI's host.
    """

    def __init__(
        self,
        uri: str,
        transport: SipTransport,
        local: Endpoint,
        peer: Endpoint,
        *,
        media: Endpoint,
        rtcp_port: int,
        codecs: Sequence[CallCodec],
        getrandbits: Callable[[int], int],
        username: str | None = None,
    ) -> None:
        self.state = CallState.CALLING
        self.provisional: list[int] = []  # status codes in order, the first of each
        self.progress: tuple[float, int] | None = None  # the first answer but 100, and its code
        self.final: SipResponse | None = None
        self.answered_s: float | None = None
        self.hung_up_s: float | None = None
        self.ended_by: str | None = None  # "us" or "peer"
        self.bye_status: int | None = None
        self.media: AgreedMedia | None = None
        self.media_fault: str | None = None
        self.pracks = 0
        self.other_answers = 0  # from a second callee of a forked call: ended at once
        self.foreign_count = 0
        self.malformed_count = 0
        self.first_malformed: bytes | None = None
        self.first_fault: str | None = None
        self.challenge: Challenged | None = None  # that waits for `answer_challenge`
        self.challenges = 0
        self._own = OwnSide(uri, transport, local, getrandbits, username=username)
        self._local, self._peer = local, peer
        self._codecs = tuple(codecs)
        self._asking = Asking(self._own)
        self._answering = Answering(
            self._own, media, rtcp_port, codecs, getrandbits(31), peer.address
        )
        self._inviting = Inviting(self._own, self._asking, self._answering.offer)
        self._waiting: list[Outgoing] = []
        self._other_byes: list[ClientTransaction] = []
        self._bye: Asked | None = None
        self._dialog: Dialog | None = None
        self._acks: dict[str | None, Outgoing] = {}  # by the far end's tag
        self._reliable_seen: dict[str | None, int] = {}  # the last RSeq of each early dialog
        self._answers: dict[tuple[str, CSeq], Outgoing] = {}
        self._hang_up = False
        self._cancelled = False

    @property
    def invite(self) -> InviteTransaction:
        """The INVITE that stands: the first, or the one with credentials."""
        return self._inviting.current

    @property
    def first_invite(self) -> InviteTransaction:
        """The one that began the call, challenged or not."""
        return self._inviting.first

    @property
    def authorized(self) -> bool:
        """Whether the INVITE bears credentials."""
        return self._inviting.authorized

    @property
    def credentials_pending(self) -> bool:
        """Whether a request that bears credentials is still to be answered by anything at all."""
        if self.challenge is not None:
            return False
        inviting = self.authorized and self.state is CallState.CALLING
        return self._asking.credentials_pending or inviting

    @property
    def requests(self) -> Counter[str]:
        """Requests of the far end within the call, by method."""
        return self._answering.requests

    @property
    def is_over(self) -> bool:
        """Nothing more is to be sent, and no answer awaited."""
        ended = self.state in (CallState.ENDED, CallState.REFUSED, CallState.TIMED_OUT)
        waiting = self._waiting or self.challenge is not None
        return ended and not waiting and not any(bye.is_open for bye in self._other_byes)

    @property
    def hops(self) -> tuple[Endpoint, ...]:
        """Where else than from the one first asked messages of this call may come from."""
        own = self._dialog.hop if self._dialog is not None else None
        return self._asking.hops + ((own,) if own is not None else ())

    @property
    def next_deadline_s(self) -> float | None:
        """When to ask `due` again; None where only the far end can move things on."""
        times = [self._asking.next_deadline_s]
        if not self._hang_up:
            times.append(self.invite.next_deadline_s)
        return min((time for time in times if time is not None), default=None)

    @property
    def bye_round_trip_s(self) -> float | None:
        """From our BYE to its answer, if the first copy was answered."""
        bye = self._bye.transaction if self._bye is not None else None
        if bye is None or not bye.first_transmission_answered:
            return None
        if bye.answered_s is None or bye.first_sent_s is None:
            return None
        return bye.answered_s - bye.first_sent_s

    def due(self, now: float) -> list[Outgoing]:
        """All that is to be sent at `now`, in order; it counts as sent."""
        out, self._waiting = self._waiting, []
        # once we mean to hang up, another copy would only make it ring after all
        if not (self._hang_up and self.invite.state is InviteState.CALLING and self.invite.sent_s):
            copy = self.invite.due(now)
            if copy is not None:
                self.invite.transmitted(now)
                out.append(Outgoing(copy))
            if self.invite.state is InviteState.TIMED_OUT and self.state is CallState.CALLING:
                self.state = CallState.TIMED_OUT
        out += self._asking.due(now)
        self._settle()
        return out

    def hang_up(self, now: float) -> None:
        """End the call: BYE if it was answered, CANCEL if it rings (section 9.1), else nothing."""
        if self._hang_up:
            return
        self._hang_up = True
        if self.challenge is not None and self.challenge.asked is None:
            self.challenge = None
        if self.state is CallState.ANSWERED and self._dialog is not None:
            self.hung_up_s, self.ended_by = now, "us"
            self.state = CallState.ENDING
            self._bye = self._asking.ask("BYE", self._dialog)
        elif self.state is CallState.RINGING:
            self._cancel()

    def answer_challenge(self, authorization: Header | None) -> None:
        """Ask again with these credentials (section 22.2), or leave the challenge as the answer.

        The INVITE goes with a new branch and the next CSeq, under the same Call-ID and From tag.
        """
        challenge, self.challenge = self.challenge, None
        if challenge is None:
            return
        asked = challenge.asked
        if asked is None:
            if authorization is None or self._hang_up:
                return
            self._inviting.again(challenge.response, authorization)
            self.final, self.state = None, CallState.CALLING
        elif authorization is not None and asked.dialog is not None:
            again = self._asking.ask(asked.method, asked.dialog, asked.more, authorization)
            if asked is self._bye:
                self._bye, self.state = again, CallState.ENDING
        self._settle()

    def receive_datagram(self, data: bytes, source: Endpoint | None, now: float) -> None:
        """Take in one datagram of the far end; responses to its requests go to `source`."""
        if not data.strip(b"\r\n\0"):
            return  # a keep-alive (RFC 5626 section 3.5.1)
        try:
            message = parse_message(data)
        except WireError as error:
            self.receive_malformed(data, error)
            return
        self.receive(message, source, now, data)

    def receive_malformed(self, data: bytes, error: WireError) -> None:
        """Take in octets that are no message."""
        self.malformed_count += 1
        if self.first_malformed is None:
            self.first_malformed = data[:MALFORMED_KEPT_OCTETS]
            self.first_fault = str(error)

    def receive(
        self,
        message: SipRequest | SipResponse,
        source: Endpoint | None,
        now: float,
        data: bytes = b"",
    ) -> None:
        """Take in one message; a broken field that it needs makes it malformed."""
        try:
            if isinstance(message, SipRequest):
                self._request(message, source, now)
            else:
                self._response(message, now, data)
        except WireError as error:
            self.receive_malformed(data, error)
        self._settle()

    def _settle(self) -> None:
        """Draw the conclusions from transactions that have ended."""
        bye = self._bye
        if bye is None or bye.transaction.is_open or self.state is not CallState.ENDING:
            return
        if self.challenge is not None and self.challenge.asked is bye:
            return
        self.state = CallState.ENDED
        final = bye.transaction.final
        self.bye_status = None if final is None else final.status_code

    def _response(self, response: SipResponse, now: float, data: bytes) -> None:
        asked = self._asking.receive(response, now, data, self._foreign)
        if asked is not None:
            if asked.transaction.final is response and asked.dialog is not None:
                self._challenged(response, asked.method, asked.uri, asked.authorized, asked)
            return
        late = self._inviting.late_ack(response)
        if late is not None:
            self._waiting.append(late)
            return
        fault = self._inviting.fault_of(response)
        if fault is not None:
            self._foreign(fault)
        elif response.status_code < 200:
            self._provisional(response, now)
        elif response.status_code < 300:
            self._accepted(response, now, data)
        else:
            self._refused(response, now)

    def _foreign(self, fault: str) -> None:
        self.foreign_count += 1
        self.first_fault = self.first_fault or fault

    def _challenged(
        self, response: SipResponse, method: str, uri: str, authorized: bool, asked: Asked | None
    ) -> None:
        """Let a challenge wait for its answer; one at a time, and not without end."""
        if response.status_code in (401, 407) and self.challenge is None:
            self.challenges += 1
            if self.challenges <= CHALLENGES_MAX:
                self.challenge = Challenged(response, method, uri, authorized, asked)

    def _provisional(self, response: SipResponse, now: float) -> None:
        if self.final is not None:
            return
        code = response.status_code
        self.invite.receive(response)
        if code not in self.provisional:
            self.provisional.append(code)
        if self.progress is None and code > 100:
            self.progress = (now, code)
        if self.state is CallState.CALLING:
            self.state = CallState.RINGING
        if self._hang_up:
            self._cancel()
        required = [tag.lower() for line in response.values("require") for tag in split(line, ",")]
        if code > 100 and "100rel" in required:
            self._acknowledge_provisional(response)
        if response.body and self.media is None:
            try:
                self.media = self._agreed(response.body)
            except WireError:
                return  # what counts is the answer in the final response

    def _acknowledge_provisional(self, response: SipResponse) -> None:
        """PRACK (RFC 3262 section 4): each reliable provisional response once, in its order."""
        value = response.only("rseq")
        if value is None:
            raise WireError("100rel without RSeq")
        number = uint(value, "RSeq")
        tag = response.to_tag
        last = self._reliable_seen.get(tag)
        if (last is not None and number != last + 1) or self.pracks >= _PRACKS_MAX:
            return
        dialog = dialog_of(response, self._own.uri, self._fit)
        self._reliable_seen[tag] = number
        self.pracks += 1
        self._asking.ask("PRACK", dialog, (("RAck", f"{number} {self.invite.cseq.number} INVITE"),))

    def _accepted(self, response: SipResponse, now: float, data: bytes) -> None:
        tag = response.to_tag
        if tag in self._acks:
            self._waiting.append(self._acks[tag])  # our ACK was lost (section 13.2.2.4)
            return
        if len(self._acks) >= _FORKS_MAX:
            return
        try:
            dialog = dialog_of(response, self._own.uri, self._fit)
        except WireError as error:
            # it must be ended all the same: by what is known without the broken field
            self.receive_malformed(data, error)
            to = response.value("to") or ""
            dialog = Dialog(to if to.isprintable() else self._own.to, tag, self._own.uri)
        ack = self._inviting.ack(dialog)
        self._acks[tag] = ack
        self._waiting.append(ack)
        first = self.invite.receive(response)
        if not first:
            self.other_answers += 1
            self._other_byes.append(self._asking.ask("BYE", dialog).transaction)
            return
        self.final, self.answered_s = response, now
        if self.progress is None:
            self.progress = (now, response.status_code)
        self._dialog = dialog
        self.state = CallState.ANSWERED
        try:
            if response.body or self.media is None:
                self.media = self._agreed(response.body)
        except WireError as error:
            self.media, self.media_fault = None, str(error)
        if self._hang_up:  # it was answered while our CANCEL was on its way
            self._hang_up = False
            self.hang_up(now)

    def _fit(self, address: str) -> bool:
        """Whether a request may go to where the far end names itself."""
        return unfit_address(address, self._peer.address, self._local.address) is None

    def _agreed(self, body: bytes) -> AgreedMedia:
        return agreed(body, self._codecs, self._peer.address, self._local.address)

    def _refused(self, response: SipResponse, now: float) -> None:
        if self.invite.state in (InviteState.ACCEPTED, InviteState.TIMED_OUT):
            return
        first = self.invite.receive(response)
        self._waiting.append(Outgoing(self._inviting.refusal_ack(response)))
        if first:
            self.final = response
            challenged = response.status_code in (401, 407)
            if self.progress is None and not challenged:
                self.progress = (now, response.status_code)
            self.state = CallState.REFUSED
            self._challenged(response, "INVITE", self._own.uri, self.authorized, None)

    def _cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._inviting.cancel()

    def _request(self, request: SipRequest, source: Endpoint | None, now: float) -> None:
        """Answer a request of the far end; one of another call is left alone."""
        via, cseq = request.top_via, request.cseq
        if via is None or cseq is None:
            raise WireError("no Via" if via is None else "no CSeq")
        if request.call_id != self._own.call_id:
            self._foreign("a request of another call")
            return
        key = (via.branch or "", cseq)
        if key in self._answers:
            self._waiting.append(self._answers[key])
            return
        if len(self._answers) >= _REQUESTS_MAX or request.method == "ACK":
            return
        reply = self._answering.answer(request, Standing(self._dialog, self.media))
        self._dialog, self.media = reply.standing.dialog, reply.standing.media
        self.foreign_count += reply.foreign
        if reply.hangs_up:
            if self.ended_by is None:
                self.hung_up_s, self.ended_by = now, "peer"
            self.state = CallState.ENDED
        self._answers[key] = Outgoing(reply.data, source)
        self._waiting.append(self._answers[key])
