"""The INVITEs of one call: the first, and the one that bears credentials after a challenge."""

from collections.abc import Callable

from nethealth.protocol.sip_call_asking import Asking, Header, Outgoing
from nethealth.protocol.sip_dialog import ALLOW, Dialog, OwnSide
from nethealth.protocol.sip_invite import InviteTransaction
from nethealth.protocol.sip_transaction import mismatch
from nethealth.wire.errors import WireError
from nethealth.wire.sip import CSeq, SipResponse

SDP_TYPE = ("Content-Type", "application/sdp")


class Inviting:
    """What goes out under one Call-ID and From tag; `current` is the INVITE that stands."""

    def __init__(self, own: OwnSide, asking: Asking, describe: Callable[[], bytes]) -> None:
        self.authorized = False
        self._own, self._asking, self._describe = own, asking, describe
        self._credentials: tuple[Header, ...] = ()
        self._challenged: list[tuple[InviteTransaction, Outgoing]] = []
        self._branch = ""
        self.first = self.current = self._invite(1)

    def again(self, challenge: SipResponse, authorization: Header) -> None:
        """The INVITE once more, with credentials (section 22.2): a new branch, the next CSeq."""
        self._challenged.append((self.current, Outgoing(self.refusal_ack(challenge))))
        self._credentials, self.authorized = (authorization,), True
        self.current = self._invite(self._asking.next_number())

    def fault_of(self, response: SipResponse) -> str | None:
        """Why this is no response to the INVITE that stands; None if it is one."""
        return self._fault_of(response, self.current)

    def late_ack(self, response: SipResponse) -> Outgoing | None:
        """Our ACK once more, for a copy of a challenge that was answered already."""
        for invite, ack in self._challenged:
            if invite.cseq == response.cseq and self._fault_of(response, invite) is None:
                return ack
        return None

    def ack(self, dialog: Dialog) -> Outgoing:
        """ACK of a 2xx: the number and credentials of the INVITE (section 13.2.2.4)."""
        branch, number = self._own.branch(), self.current.cseq.number
        data = self._own.request("ACK", number, branch, dialog, more=self._credentials)
        return Outgoing(data, dialog.hop)

    def refusal_ack(self, response: SipResponse) -> bytes:
        """ACK of a refusal: the branch of the INVITE, and the To of the response (17.1.1.3)."""
        to = response.value("to") or ""
        if not to or not to.isprintable():
            raise WireError("no To that can be acknowledged")
        dialog = Dialog(to, None, self._own.uri)
        return self._own.request("ACK", self.current.cseq.number, self._branch, dialog)

    def cancel(self) -> None:
        """CANCEL, as a request of its own."""
        self._asking.cancel(self.current.cseq.number, self._branch)

    def _fault_of(self, response: SipResponse, invite: InviteTransaction) -> str | None:
        fault = mismatch(response, branch=invite.branch, sent_by=invite.sent_by, cseq=invite.cseq)
        if fault is None and (response.from_tag or "") != self._own.tag:
            fault = "another From tag"
        return fault

    def _invite(self, number: int) -> InviteTransaction:
        self._branch = self._own.branch()
        headers = (("Contact", self._own.contact), ("Allow", ALLOW), ("Supported", "100rel"),
                   ("Accept", "application/sdp"), *self._credentials, SDP_TYPE)  # fmt: skip
        return InviteTransaction(
            self._own.request("INVITE", number, self._branch, more=headers, body=self._describe()),
            branch=self._branch,
            sent_by=self._own.sent_by,
            cseq=CSeq(number, "INVITE"),
            reliable=self._own.reliable,
        )
