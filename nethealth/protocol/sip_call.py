"""One test call from INVITE to BYE (RFC 3261 sections 9, 13, 15), without input or output.

All times are of one monotonic clock.  The owner sends what `due` gives, hands in what comes, asks
`due` again at `next_deadline_s`, and says `hang_up` once, whatever has happened until then: it
is CANCEL, BYE or nothing, as the state of the call requires.  A redirection is not followed and a
REFER is refused: no number is ever called but the one that was given.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from nethealth.model.check import CallCodec, SipTransport
from nethealth.model.ports import Endpoint
from nethealth.protocol.call_media import AgreedMedia, agreed, offer
from nethealth.protocol.call_media import answer as answer_offer
from nethealth.protocol.sip_dialog import ALLOW, Dialog, OwnSide, dialog_of, retargeted
from nethealth.protocol.sip_invite import InviteState, InviteTransaction
from nethealth.protocol.sip_transaction import MALFORMED_KEPT_OCTETS, ClientTransaction, mismatch
from nethealth.wire.errors import WireError
from nethealth.wire.sip import CSeq, SipRequest, SipResponse, parse_message
from nethealth.wire.sip_grammar import split, uint

_SDP = ("Content-Type", "application/sdp")
_PRACKS_MAX = 16
_FORKS_MAX = 8
_REQUESTS_MAX = 64  # of the far end, that are answered in one call


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
class Outgoing:
    """Octets to send; `hop` is another destination than the one first asked."""

    data: bytes
    hop: Endpoint | None = None


class Call:
    """The caller's side of one call."""

    def __init__(
        self,
        uri: str,
        transport: SipTransport,
        local: Endpoint,
        *,
        media: Endpoint,
        rtcp_port: int,
        codecs: Sequence[CallCodec],
        getrandbits: Callable[[int], int],
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
        self.requests: Counter[str] = Counter()  # of the far end, within the call
        self.foreign_count = 0
        self.malformed_count = 0
        self.first_malformed: bytes | None = None
        self.first_fault: str | None = None
        self._own = OwnSide(uri, transport, local, getrandbits)
        self._media_local, self._rtcp_port, self._codecs = media, rtcp_port, tuple(codecs)
        self._session = getrandbits(31)
        self._version = 1
        self._number = 1
        branch = self._own.branch()
        body = offer(media, rtcp_port, codecs, self._session)
        headers = (("Contact", self._own.contact), ("Allow", ALLOW), ("Supported", "100rel"),
                   ("Accept", "application/sdp"), _SDP)  # fmt: skip
        self.invite = InviteTransaction(
            self._own.request("INVITE", 1, branch, more=headers, body=body),
            branch=branch,
            sent_by=self._own.sent_by,
            cseq=CSeq(1, "INVITE"),
            reliable=self._own.reliable,
        )
        self._branch = branch
        self._waiting: list[Outgoing] = []
        self._transactions: list[tuple[ClientTransaction, Endpoint | None, CSeq]] = []
        self._other_byes: list[ClientTransaction] = []
        self._bye: ClientTransaction | None = None
        self._dialog: Dialog | None = None
        self._acks: dict[str | None, Outgoing] = {}  # by the far end's tag
        self._reliable_seen: dict[str | None, int] = {}  # the last RSeq of each early dialog
        self._answers: dict[tuple[str, CSeq], Outgoing] = {}
        self._hang_up = False
        self._cancelled = False

    @property
    def is_over(self) -> bool:
        """Nothing more is to be sent, and no answer awaited."""
        ended = self.state in (CallState.ENDED, CallState.REFUSED, CallState.TIMED_OUT)
        return ended and not self._waiting and not any(bye.is_open for bye in self._other_byes)

    @property
    def hops(self) -> tuple[Endpoint, ...]:
        """Where else than from the one first asked messages of this call may come from."""
        return tuple(dict.fromkeys(hop for _, hop, _ in self._transactions if hop is not None)) + (
            (self._dialog.hop,) if self._dialog is not None and self._dialog.hop is not None else ()
        )

    @property
    def next_deadline_s(self) -> float | None:
        """When to ask `due` again; None where only the far end can move things on."""
        times = [one.next_deadline_s for one, _, _ in self._transactions]
        if not self._hang_up:
            times.append(self.invite.next_deadline_s)
        return min((time for time in times if time is not None), default=None)

    @property
    def bye_round_trip_s(self) -> float | None:
        """From our BYE to its answer, if the first copy was answered."""
        bye = self._bye
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
        for transaction, hop, _ in self._transactions:
            again = transaction.due(now)
            if again is not None:
                transaction.transmitted(now)
                out.append(Outgoing(again, hop))
        self._settle()
        return out

    def hang_up(self, now: float) -> None:
        """End the call: BYE if it was answered, CANCEL if it rings (section 9.1), else nothing."""
        if self._hang_up:
            return
        self._hang_up = True
        if self.state is CallState.ANSWERED and self._dialog is not None:
            self.hung_up_s, self.ended_by = now, "us"
            self.state = CallState.ENDING
            self._bye = self._ask("BYE", self._dialog)
        elif self.state is CallState.RINGING:
            self._cancel()

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
        if self._bye is not None and not self._bye.is_open and self.state is CallState.ENDING:
            self.state = CallState.ENDED
            self.bye_status = None if self._bye.final is None else self._bye.final.status_code

    def _response(self, response: SipResponse, now: float, data: bytes) -> None:
        cseq = response.cseq
        for transaction, _, own in self._transactions:
            if own == cseq:
                wrong = mismatch(
                    response, branch=transaction.branch, sent_by=self.invite.sent_by, cseq=own
                )
                if wrong is not None:
                    self._foreign(wrong)
                else:
                    transaction.receive(response, now, data)
                return
        fault = mismatch(
            response,
            branch=self.invite.branch,
            sent_by=self.invite.sent_by,
            cseq=self.invite.cseq,
        )
        if fault is None and (response.from_tag or "") != self._own.tag:
            fault = "another From tag"
        if fault is not None:
            self._foreign(fault)
            return
        if response.status_code < 200:
            self._provisional(response, now)
        elif response.status_code < 300:
            self._accepted(response, now, data)
        else:
            self._refused(response, now)

    def _foreign(self, fault: str) -> None:
        self.foreign_count += 1
        self.first_fault = self.first_fault or fault

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
                self.media = agreed(response.body, self._codecs)
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
        dialog = dialog_of(response, self._own.uri)
        self._reliable_seen[tag] = number
        self.pracks += 1
        self._ask("PRACK", dialog, (("RAck", f"{number} 1 INVITE"),))

    def _accepted(self, response: SipResponse, now: float, data: bytes) -> None:
        tag = response.to_tag
        if tag in self._acks:
            self._waiting.append(self._acks[tag])  # our ACK was lost (section 13.2.2.4)
            return
        if len(self._acks) >= _FORKS_MAX:
            return
        try:
            dialog = dialog_of(response, self._own.uri)
        except WireError as error:
            # it must be ended all the same: by what is known without the broken field
            self.receive_malformed(data, error)
            to = response.value("to") or ""
            dialog = Dialog(to if to.isprintable() else self._own.to, tag, self._own.uri)
        ack = Outgoing(self._own.request("ACK", 1, self._own.branch(), dialog), dialog.hop)
        self._acks[tag] = ack
        self._waiting.append(ack)
        first = self.invite.receive(response)
        if not first:
            self.other_answers += 1
            self._other_byes.append(self._ask("BYE", dialog))
            return
        self.final, self.answered_s = response, now
        if self.progress is None:
            self.progress = (now, response.status_code)
        self._dialog = dialog
        self.state = CallState.ANSWERED
        try:
            if response.body or self.media is None:
                self.media = agreed(response.body, self._codecs)
        except WireError as error:
            self.media, self.media_fault = None, str(error)
        if self._hang_up:  # it was answered while our CANCEL was on its way
            self._hang_up = False
            self.hang_up(now)

    def _refused(self, response: SipResponse, now: float) -> None:
        if self.invite.state in (InviteState.ACCEPTED, InviteState.TIMED_OUT):
            return
        first = self.invite.receive(response)
        if not response.value("to") or not (response.value("to") or "").isprintable():
            raise WireError("no To that can be acknowledged")
        # section 17.1.1.3: the branch of the INVITE, and the To of the response
        to = Dialog(response.value("to") or "", None, self._own.uri)
        self._waiting.append(Outgoing(self._own.request("ACK", 1, self._branch, to)))
        if first:
            self.final = response
            if self.progress is None:
                self.progress = (now, response.status_code)
            self.state = CallState.REFUSED

    def _cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            data = self._own.request("CANCEL", 1, self._branch)
            self._transact(data, self._branch, CSeq(1, "CANCEL"), None)

    def _ask(
        self, method: str, dialog: Dialog, more: Sequence[tuple[str, str]] = ()
    ) -> ClientTransaction:
        self._number += 1
        branch = self._own.branch()
        data = self._own.request(method, self._number, branch, dialog, more=more)
        return self._transact(data, branch, CSeq(self._number, method), dialog.hop)

    def _transact(
        self, data: bytes, branch: str, cseq: CSeq, hop: Endpoint | None
    ) -> ClientTransaction:
        transaction = ClientTransaction(
            data, branch=branch, sent_by=self._own.sent_by, cseq=cseq, reliable=self._own.reliable
        )
        self._transactions.append((transaction, hop, cseq))
        return transaction

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
        self._answers[key] = Outgoing(self._answer(request, now), source)
        self._waiting.append(self._answers[key])

    def _answer(self, request: SipRequest, now: float) -> bytes:
        own, dialog = self._own, self._dialog
        early = dialog is None
        ours = request.to_tag == own.tag and (
            dialog is None or request.from_tag == dialog.remote_tag
        )
        if not ours or (early and request.method not in ("UPDATE", "OPTIONS", "INFO")):
            self.foreign_count += 1
            return own.response(request, 481, "Call/Transaction Does Not Exist")
        self.requests[request.method[:32]] += 1
        required = ", ".join(request.values("require"))
        if required and request.method != "CANCEL":
            # no extension of ours: the session timer of RFC 4028, for one, is left to the far end
            return own.response(request, 420, "Bad Extension", more=(("Unsupported", required),))
        match request.method:
            case "BYE":
                if self.ended_by is None:
                    self.hung_up_s, self.ended_by = now, "peer"
                self.state = CallState.ENDED
                return own.response(request, 200, "OK")
            case "INVITE" | "UPDATE":
                return self._renegotiate(request)
            case "OPTIONS" | "INFO":
                return own.response(request, 200, "OK")
            case "CANCEL":
                return own.response(request, 481, "Call/Transaction Does Not Exist")
            case _:
                return own.response(request, 405, "Method Not Allowed")

    def _renegotiate(self, request: SipRequest) -> bytes:
        """A re-INVITE or UPDATE (section 14.2, RFC 3311): other media, a new target, or neither."""
        contact = request.contact
        if contact and self._dialog is not None:
            self._dialog = retargeted(self._dialog, contact[0].uri)
        if not request.body:
            if request.method == "UPDATE":
                return self._own.response(request, 200, "OK")
            body = offer(self._media_local, self._rtcp_port, self._codecs, self._session)
            return self._own.response(request, 200, "OK", more=(_SDP,), body=body)
        if self.media is None:
            return self._own.response(request, 488, "Not Acceptable Here")
        try:
            self._version += 1
            body, media = answer_offer(
                request.body, self._media_local, self._rtcp_port, self._session, self._version,
                self.media.codec,
            )  # fmt: skip
        except WireError:
            return self._own.response(request, 488, "Not Acceptable Here")
        self.media = media
        return self._own.response(request, 200, "OK", more=(_SDP,), body=body)
